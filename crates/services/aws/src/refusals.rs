//! Every refusal that AWS can give here.

use tokenrig_decision::{Evidence, Refusal, Wire};

const COMMON: &str = "https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html";
const IMDS: &str = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html";

const XML: &[(&str, &str)] = &[("content-type", "text/xml"), ("x-amzn-requestid", "{request_id}")];
const HTML: &[(&str, &str)] = &[("content-type", "text/html"), ("server", "EC2ws")];

/// The signature, or the key that made it, is not good.
///
/// Arguments: `code`, `message`, `request_id`.
pub(crate) const NOT_AUTHENTIC: Refusal = Refusal {
    ids: &["aws-not-authentic"],
    when: "a request to AWS's Security Token Service is not signed, or not by a key that works, or too long ago",
    wire: Wire::Text { status: 403, headers: XML, text: include_str!("pages/error.xml") },
    evidence: Evidence::captured("aws-azure-login/aws-azure-login#251, a debug log of the AWS CLI", "full"),
};

/// There is no such action, or none that is played.
///
/// Arguments: `code`, `message`, `request_id`.
pub(crate) const ACTION_INVALID: Refusal = Refusal {
    ids: &["aws-action-invalid"],
    when: "a request to AWS's Security Token Service has another `Action` than GetCallerIdentity",
    wire: Wire::Text { status: 400, headers: XML, text: include_str!("pages/error.xml") },
    evidence: Evidence::documented(COMMON, "status and code"),
};

/// The session token of the metadata server is not good, or is missing where one is needed.
pub(crate) const SESSION_INVALID: Refusal = Refusal {
    ids: &["aws-metadata-session-invalid"],
    when: "a request to EC2's metadata server has no session token of IMDSv2 that is good, and needs one or has one",
    wire: Wire::Text { status: 401, headers: HTML, text: include_str!("pages/401.html") },
    evidence: Evidence::documented(IMDS, "status"),
};

/// A session token is asked for wrongly.
pub(crate) const SESSION_REQUEST_INVALID: Refusal = Refusal {
    ids: &["aws-metadata-session-request-invalid"],
    when: "a session token is asked for without a good `X-aws-ec2-metadata-token-ttl-seconds`",
    wire: Wire::Text { status: 400, headers: HTML, text: include_str!("pages/400.html") },
    evidence: Evidence::documented(IMDS, "status"),
};

/// A session token is asked for by way of a proxy.
pub(crate) const SESSION_FORWARDED: Refusal = Refusal {
    ids: &["aws-metadata-session-forwarded"],
    when: "a session token is asked for with a header `X-Forwarded-For`",
    wire: Wire::Text { status: 403, headers: HTML, text: include_str!("pages/403.html") },
    evidence: Evidence::documented(IMDS, "status"),
};

/// There is nothing of this name.
pub(crate) const NOT_FOUND: Refusal = Refusal {
    ids: &["aws-metadata-not-found"],
    when: "EC2's metadata server has nothing at this path, or the rig's machine has no role of AWS",
    wire: Wire::Text { status: 404, headers: HTML, text: include_str!("pages/404.html") },
    evidence: Evidence::documented(IMDS, "status"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] =
    &[&NOT_AUTHENTIC, &ACTION_INVALID, &SESSION_INVALID, &SESSION_REQUEST_INVALID, &SESSION_FORWARDED, &NOT_FOUND];
