//! A signed request to AWS as a subject token: Google sends it on, and AWS tells who signed it.
//!
//! The checks are `signature` (whether it is a request at all), `token-audience`, `aws` (what AWS says), `account`, then
//! those of every subject token.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokenrig_cloud::{AwsIdentity, AwsRefused, AwsRequest, Provider};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{JsonLimits, Map, parse_object};

use super::{Life, Named, SECOND, Sts, shown};
use crate::{
    model::{ProviderName, TokenRequest},
    refusals,
};

/// The header that says for which provider a request was signed.
const TARGET: &str = "x-goog-cloud-target-resource";
/// Headers of a request that are read; it needs five.
const MOST_HEADERS: usize = 64;

/// The mapping of providers that have none of their own.
const DEFAULT_MAPPING: [(&str, &str); 2] = [
    ("google.subject", "assertion.arn"),
    (
        "attribute.aws_role",
        "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + \
         'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
    ),
];

/// The mapping of providers that have none of their own.
pub(super) fn default_mapping() -> Vec<(String, String)> {
    DEFAULT_MAPPING.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()
}

/// Why a subject token is no request to AWS.
#[derive(Debug)]
enum Unreadable {
    /// It is no JSON object.
    NotJson(String),
    /// The object is no request to ask AWS with.
    NoRequest(String),
}

impl Sts {
    /// Everything about a signed request.
    pub(super) fn judge_aws(
        &self,
        decision: &mut Decision,
        request: &TokenRequest,
        name: &ProviderName<'_>,
        provider: &Provider,
        account_id: &str,
    ) -> Option<Named> {
        let signed = match read(request.subject().unwrap_or_default(), self.settings.longest_token) {
            Ok(signed) => signed,
            Err(why) => {
                decision.add(unreadable(&why));
                return None;
            }
        };
        decision.add(Check::named("signature").expected("a signed request").found(signed.url.as_str()));
        decision.add(target(&signed, name, self.settings.aws_target_signed));
        let told = self.cloud.aws().caller(&signed);
        decision.add(answered(&told));
        let identity = told.ok()?;
        decision.add(account(&identity, account_id));
        let claims = json!({ "account": identity.account, "arn": identity.arn, "userid": identity.user_id });
        let default: Vec<(String, String)>;
        let mapping = if provider.attribute_mapping.is_empty() {
            default = default_mapping();
            &default
        } else {
            &provider.attribute_mapping
        };
        let identity = self.identify(decision, claims.as_object()?, name, provider, mapping)?;
        let lifetime = provider.pool.session_duration.unwrap_or(self.settings.aws_lifetime).max(SECOND);
        let told = (lifetime - self.settings.shortened).as_secs();
        let life = Life { lifetime, told: (told > 0).then_some(told) };
        Some(Named { identity, life, user_project: None })
    }
}

/// The request that a subject token holds: JSON, encoded for a URL.
fn read(token: &str, longest: usize) -> Result<AwsRequest, Unreadable> {
    if token.len() > longest {
        return Err(Unreadable::NotJson(format!("it is longer than {longest} bytes")));
    }
    let limits = JsonLimits { bytes: longest, ..JsonLimits::default() };
    let text = decoded(token)?;
    let object =
        parse_object(text.trim().as_bytes(), limits).map_err(|fault| Unreadable::NotJson(fault.to_string()))?;
    let text = |name: &str| {
        let value = object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        value.ok_or_else(|| Unreadable::NoRequest(format!("`{name}` is missing or no text")))
    };
    let (url, method) = (text("url")?, text("method")?);
    let request = AwsRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: headers(&object)?,
        body: object.get("body").and_then(Value::as_str).unwrap_or_default().as_bytes().to_vec(),
    };
    // AWS takes the region from the host, and answers everybody: only its own host may be asked.
    if request.region().is_none() {
        return Err(Unreadable::NoRequest("`url` is not of AWS's Security Token Service".to_owned()));
    }
    if method != "POST" {
        return Err(Unreadable::NoRequest("`method` is not POST".to_owned()));
    }
    let parameters = request.parameters();
    let actions: Vec<&str> =
        parameters.iter().filter(|(name, _)| name == "Action").map(|(_, value)| value.as_str()).collect();
    if actions != ["GetCallerIdentity"] {
        return Err(Unreadable::NoRequest("its one `Action` is not GetCallerIdentity".to_owned()));
    }
    if let Some(name) = ["authorization", "host", "x-amz-date"].into_iter().find(|name| request.header(name).is_none())
    {
        return Err(Unreadable::NoRequest(format!("the header `{name}` is missing")));
    }
    Ok(request)
}

/// Clients encode the JSON for a URL before it becomes a field of a form: a space as `+` or as `%20`.
fn decoded(token: &str) -> Result<Cow<'_, str>, Unreadable> {
    if token.trim_start().starts_with('{') {
        return Ok(Cow::Borrowed(token));
    }
    let plain = token.replace('+', " ");
    let decoded = percent_decode_str(&plain).decode_utf8();
    decoded.map(|text| Cow::Owned(text.into_owned())).map_err(|_| Unreadable::NotJson("it is no UTF-8".to_owned()))
}

fn headers(object: &Map) -> Result<Vec<(String, String)>, Unreadable> {
    let wrong = || Unreadable::NoRequest("`headers` is no list of `key` and `value`".to_owned());
    let list = object.get("headers").and_then(Value::as_array).ok_or_else(wrong)?;
    if list.len() > MOST_HEADERS {
        return Err(Unreadable::NoRequest(format!("it has more than {MOST_HEADERS} headers")));
    }
    let mut headers: Vec<(String, String)> = Vec::with_capacity(list.len());
    for header in list {
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        let (name, value) = text("key").zip(text("value")).ok_or_else(wrong)?;
        let name = name.to_ascii_lowercase();
        // Of a header that is there twice, each reader takes another one.
        if headers.iter().any(|(known, _)| *known == name) {
            return Err(Unreadable::NoRequest(format!("the header `{}` is there twice", shown::text(&name))));
        }
        headers.push((name, value.to_owned()));
    }
    Ok(headers)
}

fn unreadable(why: &Unreadable) -> Check {
    let check = Check::named("signature").expected("a signed GetCallerIdentity request to AWS, as JSON").holds(false);
    match why {
        Unreadable::NotJson(why) => check
            .found(why.as_str())
            .or_refuse(&refusals::AWS_CREDENTIAL_NOT_JSON, "sts-aws-credential-not-json")
            .mend(|| "send the signed request as a JSON object, encoded for a URL".to_owned()),
        Unreadable::NoRequest(why) => check
            .found(why.as_str())
            .or_refuse(&refusals::AWS_REQUEST_INVALID, "sts-aws-request-invalid")
            .mend(|| format!("correct the request in `subject_token`: {why}")),
    }
}

/// For which provider it was signed. `signed`: see `aws_target_signed` in assumptions.rs.
fn target(request: &AwsRequest, name: &ProviderName<'_>, signed: bool) -> Check {
    let resource = name.resource();
    let full = format!("//iam.googleapis.com/{resource}");
    let found = request.header(TARGET);
    let same = found.is_some_and(|found| found.strip_prefix("https:").unwrap_or(found) == full);
    let covered = request.header("authorization").is_some_and(|value| {
        let names = value.split("SignedHeaders=").nth(1).unwrap_or_default();
        names.split(',').next().unwrap_or_default().split(';').any(|name| name.trim() == TARGET)
    });
    Check::named("token-audience")
        .expected(json!([full, format!("https:{full}")]))
        .found(match found {
            Some(found) if same && !covered => json!({ "target": shown::text(found), "signed": false }),
            found => shown::field(found),
        })
        .holds(same && (covered || !signed))
        .or_refuse(&refusals::AWS_REQUEST_INVALID, "sts-aws-target-resource-mismatch")
        .mend(|| format!("sign the request with the header `{TARGET}: {full}`"))
}

/// What AWS says.
fn answered(told: &Result<AwsIdentity, AwsRefused>) -> Check {
    let check = Check::named("aws").expected("an answer of AWS that says who signed");
    match told {
        Ok(identity) => check.found(identity.arn.as_str()),
        Err(refused) => {
            let mend = refused.to_string();
            check
                .found(json!({ "code": refused.code(), "message": shown::text(&refused.message()) }))
                .holds(false)
                .or_refuse(&refusals::AWS_REFUSED, "sts-aws-refused")
                .with("code", refused.code())
                .with("message", shown::text(&refused.message()))
                .mend(|| format!("sign with the rig's own AWS credentials, of `aws.accounts`: {mend}"))
        }
    }
}

fn account(identity: &AwsIdentity, account_id: &str) -> Check {
    Check::named("account")
        .expected(account_id)
        .found(identity.account.as_str())
        .holds(identity.account == account_id)
        .or_refuse(&refusals::AWS_REQUEST_INVALID, "sts-aws-account-mismatch")
        .mend(|| "sign with credentials of the AWS account in the provider's `aws.accountId`".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GOOD: &str = r#"{"url":"https://sts.us-east-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        "method":"POST","headers":[{"key":"Authorization","value":"AWS4-HMAC-SHA256 x"},
        {"key":"host","value":"sts.us-east-1.amazonaws.com"},{"key":"x-amz-date","value":"20260115T090000Z"}]}"#;

    #[test]
    fn a_request_is_read_however_it_is_encoded() {
        let plain = read(GOOD, 4096).unwrap();
        assert_eq!(plain.region().as_deref(), Some("us-east-1"));
        assert_eq!(plain.header("authorization"), Some("AWS4-HMAC-SHA256 x"));
        let hex: String = GOOD.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(read(&hex, 1 << 16).unwrap(), plain);
        assert_eq!(read(&hex.replace("%20", "+"), 1 << 16).unwrap(), plain);
    }

    #[rstest]
    #[case::nothing("", "NotJson")]
    #[case::a_list("[]", "NotJson")]
    #[case::another_host(&GOOD.replace("amazonaws.com?", "evil.example?"), "NoRequest")]
    #[case::a_get(&GOOD.replace("POST", "GET"), "NoRequest")]
    #[case::another_action(&GOOD.replace("GetCallerIdentity", "AssumeRole"), "NoRequest")]
    #[case::two_actions(&GOOD.replace("&Version", "&Action=AssumeRole&Version"), "NoRequest")]
    #[case::no_date(&GOOD.replace("x-amz-date", "date"), "NoRequest")]
    #[case::a_header_twice(&GOOD.replace("x-amz-date", "HOST"), "NoRequest")]
    #[case::no_headers(&GOOD.replace("headers", "header"), "NoRequest")]
    #[case::a_member_twice(&GOOD.replace("\"method\"", "\"url\""), "NotJson")]
    fn what_is_no_request_to_aws_is_refused(#[case] token: &str, #[case] kind: &str) {
        let fault = format!("{:?}", read(token, 1 << 16).unwrap_err());
        assert!(fault.starts_with(kind), "{fault}");
    }
}
