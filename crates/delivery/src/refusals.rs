//! Why a delivery does not arrive, in the form of the status that its resource then shows. No client is answered by them:
//! they stand in decisions, and their codes in `status` of a job or in the response of a task's attempt.

use tokenrig_decision::{Code, Evidence, Refusal, Wire};

const fn status(code: Code, message: &'static str) -> Wire {
    Wire::Status { code, message, details: &[], headers: &[], legacy_reason: None }
}

/// The service agent may not make tokens for the account.
///
/// Arguments: `agent`, `permission`, `account`.
pub(crate) const AGENT_DENIED: Refusal = Refusal {
    ids: &["delivery-agent-denied"],
    when: "the service agent lacks the permission to make tokens for the account: its role was taken away",
    wire: status(
        Code::PermissionDenied,
        "The principal (user or service account) lacks IAM permission \"{permission}\" for the resource \"{account}\" (or the resource may not exist).",
    ),
    evidence: Evidence::assumed(
        "that the delivery fails with PERMISSION_DENIED is reported; the words are those that Scheduler and Tasks have for actAs",
    ),
};

/// The account is gone.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal = Refusal {
    ids: &["delivery-account-not-found"],
    when: "the service account that the token is to stand for was deleted",
    wire: status(Code::NotFound, "Not found; Gaia id not found for email {account}"),
    evidence: Evidence::assumed("the words of IAM Credentials for an account that is not there"),
};

/// The account is disabled.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_DISABLED: Refusal = Refusal {
    ids: &["delivery-account-disabled"],
    when: "the service account that the token is to stand for is disabled",
    wire: ACCOUNT_NOT_FOUND.wire,
    evidence: Evidence::assumed("the form of an account that is not there"),
};

/// The target answered, and not with 200 to 299.
///
/// Arguments: `status`.
pub(crate) const TARGET_FAILED: Refusal = Refusal {
    ids: &["delivery-target-failed"],
    when: "the target answered with something else than 200 to 299",
    wire: status(Code::Unknown, "The target answered with HTTP status {status}."),
    evidence: Evidence::assumed("resources show the code alone, which comes from the status; the words are ours"),
};

/// No whole answer came in time.
pub(crate) const DEADLINE_EXCEEDED: Refusal = Refusal {
    ids: &["delivery-deadline-exceeded"],
    when: "the target had not answered in whole at the attempt's deadline",
    wire: status(Code::DeadlineExceeded, "The target did not answer before the deadline."),
    evidence: Evidence::assumed("DEADLINE_EXCEEDED is documented for attempts; the words are ours"),
};

/// There was no connection, or it broke.
///
/// Arguments: `why`.
pub(crate) const TARGET_UNREACHABLE: Refusal = Refusal {
    ids: &["delivery-target-unreachable"],
    when: "there is no connection to the target, it breaks off, or what comes is no HTTP",
    wire: status(Code::Unavailable, "{why}"),
    evidence: Evidence::assumed(
        "UNAVAILABLE is what clients of Google tell of a broken connection; the words are ours",
    ),
};

/// The target's certificate is not to be trusted.
///
/// Arguments: `why`.
pub(crate) const TARGET_UNTRUSTED: Refusal = Refusal {
    ids: &["delivery-target-untrusted"],
    when: "the target shows a certificate that no known authority signed",
    wire: status(Code::Unavailable, "{why}"),
    evidence: Evidence::assumed(
        "that a self-signed certificate is not taken is told in a published tutorial; code and words are not",
    ),
};

/// Pub/Sub is not played.
///
/// Arguments: `topic`.
pub(crate) const TOPIC_NOT_BUILT: Refusal = Refusal {
    ids: &["delivery-topic-not-built"],
    when: "the target is a Pub/Sub topic and the rig has no Pub/Sub",
    wire: status(Code::Unimplemented, "tokenrig does not play Pub/Sub: nothing was published to {topic}."),
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// App Engine is not played.
///
/// Arguments: `host`.
pub(crate) const APP_ENGINE_NOT_BUILT: Refusal = Refusal {
    ids: &["delivery-app-engine-not-built"],
    when: "the target is an App Engine application, and the rig has none that answers",
    wire: status(Code::Unimplemented, "tokenrig does not play App Engine: nothing was sent to {host}."),
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// All of them.
pub const ALL: &[&Refusal] = &[
    &AGENT_DENIED,
    &ACCOUNT_NOT_FOUND,
    &ACCOUNT_DISABLED,
    &TARGET_FAILED,
    &DEADLINE_EXCEEDED,
    &TARGET_UNREACHABLE,
    &TARGET_UNTRUSTED,
    &TOPIC_NOT_BUILT,
    &APP_ENGINE_NOT_BUILT,
];
