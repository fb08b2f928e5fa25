//! What AWS answers, in its own forms.

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_cloud::{AwsIdentity, AwsPrincipal, AwsRequest};

/// Whether a host is one of AWS's Security Token Service.
pub(crate) fn is_sts(host: &str) -> bool {
    AwsRequest::post(&format!("https://{host}/")).is_ok_and(|request| request.region().is_some())
}

/// The answer to GetCallerIdentity, as XML.
pub(crate) fn identity_xml(identity: &AwsIdentity, request_id: &str) -> String {
    let AwsIdentity { account, arn, user_id } = identity;
    // Names of AWS hold nothing that XML would read.
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
         <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    <UserId>{user_id}</UserId>\n    \
         <Account>{account}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
    )
}

/// The same for who accepts JSON.
pub(crate) fn identity_json(identity: &AwsIdentity, request_id: &str) -> Value {
    json!({ "GetCallerIdentityResponse": {
        "GetCallerIdentityResult": {
            "Account": identity.account, "Arn": identity.arn, "UserId": identity.user_id,
        },
        "ResponseMetadata": { "RequestId": request_id },
    } })
}

/// The credentials of a role, as the metadata server tells them.
pub(crate) fn credentials(role: &AwsPrincipal, now: Timestamp, lifetime: SignedDuration) -> Value {
    let at = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "Code": "Success",
        "LastUpdated": at(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": role.access_key_id,
        "SecretAccessKey": role.secret_access_key.reveal(),
        "Token": role.session_token.as_ref().map_or("", |token| token.reveal()),
        "Expiration": at(now + lifetime),
    })
}

/// An id of a request: 32 hex digits in five groups.
pub(crate) fn request_id(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
