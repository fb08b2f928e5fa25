//! Every refusal that the front doors of Cloud Run and Cloud Functions and their admin APIs can give here.

mod functions;

pub(crate) use self::functions::*;
use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

const INVALID_TOKEN: (&str, &str) =
    ("www-authenticate", "Bearer error=\"invalid_token\" error_description=\"The access token could not be verified\"");

/// No credential came with the request.
pub(crate) const NO_CREDENTIAL: Refusal = Refusal {
    ids: &["run-front-no-credential"],
    when: "the service requires authentication and the request carries no credential",
    wire: Wire::Page { status: 403, headers: &[], html: include_str!("pages/403.html") },
    evidence: Evidence::captured("many public captures of private services", "full"),
};

/// The bearer token is no ID token that Cloud Run can take: not Google's, expired, or made for somebody else.
///
/// One wire form for many causes; which one it was, only the decision tells.
pub(crate) const TOKEN_UNVERIFIABLE: Refusal = Refusal {
    ids: &["run-front-token-unverifiable", "run-front-expired-token", "run-front-user-without-invoker"],
    when: "the bearer token is not a Google ID token, is expired, or was made for another audience; by a setting also a user of gcloud who may not invoke the service",
    wire: Wire::Page { status: 401, headers: &[INVALID_TOKEN], html: include_str!("pages/401.html") },
    evidence: Evidence::recorded(
        "google/adk-python#3814 (page); a public capture of a deployed service (header)",
        "2025-12-04",
        "title+h1+h2 text",
    ),
};

/// The caller is known and may not invoke the service.
pub(crate) const PERMISSION_DENIED: Refusal = Refusal {
    ids: &["run-front-permission-denied"],
    when: "the token is good and its principal lacks `run.routes.invoke` on the service",
    wire: Wire::Page { status: 403, headers: &[], html: include_str!("pages/403.html") },
    evidence: Evidence::reported("simulators of the front door and public notes", "status"),
};

/// Nothing that the caller may know of answers here.
pub(crate) const NOT_FOUND: Refusal = Refusal {
    ids: &["run-front-not-found", "run-front-ingress-not-allowed", "run-front-user-not-found"],
    when: "no service has this host name; the path is kept by the front end (`/healthz`); the service's `ingress` does not take the request; by a setting also a user of gcloud who may not invoke the service",
    wire: Wire::Page { status: 404, headers: &[], html: include_str!("pages/404.html") },
    evidence: Evidence::reported("public notes on deleted services, internal services and `/healthz`", "status"),
};

/// No instance takes the request.
pub(crate) const WORKLOAD_UNAVAILABLE: Refusal = Refusal {
    ids: &["run-front-workload-unavailable"],
    when: "the request was let in and no instance of the workload takes requests",
    wire: Wire::Text { status: 503, headers: &[("content-type", "text/plain")], text: "Service Unavailable" },
    evidence: Evidence::assumed("the usual words of this status; Google's page for it is not known"),
};

/// The instance broke off.
pub(crate) const WORKLOAD_BROKE_OFF: Refusal = Refusal {
    ids: &["run-front-workload-broke-off"],
    when: "the request was let in and the instance broke off the connection before it had answered",
    wire: Wire::Text {
        status: 503,
        headers: &[("content-type", "text/plain")],
        text: "The request failed because either the HTTP response was malformed or connection to the instance had an error.",
    },
    evidence: Evidence::assumed("what Cloud Run logs for it (https://cloud.google.com/run/docs/troubleshooting)"),
};

/// The instance took too long.
pub(crate) const WORKLOAD_LATE: Refusal = Refusal {
    ids: &["run-front-workload-late"],
    when: "the request was let in and the instance did not answer within the service's `timeout`",
    wire: Wire::Text { status: 504, headers: &[("content-type", "text/plain")], text: "upstream request timeout" },
    evidence: Evidence::assumed("what proxies of this kind say; the status is documented"),
};

/// The body is longer than the front end takes.
pub(crate) const BODY_TOO_LARGE: Refusal = Refusal {
    ids: &["run-front-body-too-large"],
    when: "the request's body is longer than the front end takes",
    wire: Wire::Text { status: 413, headers: &[("content-type", "text/plain")], text: "Request Entity Too Large" },
    evidence: Evidence::assumed("the usual words of this status"),
};

/// A service of this name is there already.
pub(crate) const SERVICE_EXISTS: Refusal = Refusal {
    ids: &["run-admin-service-exists"],
    when: "a service of this name exists in the location",
    wire: Wire::Status {
        code: Code::AlreadyExists,
        message: "Resource '{service}' already exists.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the usual wording of Cloud Run's Knative API"),
};

/// No service of this name is there.
pub(crate) const SERVICE_NOT_FOUND: Refusal = Refusal {
    ids: &["run-admin-service-not-found"],
    when: "no service of this name exists in the location",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Resource '{service}' of kind 'SERVICE' in region '{location}' in project '{project}' does not exist.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("public gcloud output for a missing service", "message"),
};

/// The caller may not administer the service.
pub(crate) const ADMIN_DENIED: Refusal = Refusal {
    ids: &["run-admin-permission-denied"],
    when: "the caller lacks the permission of the admin method",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied on resource '{resource}' (or resource may not exist).",
        details: &[Detail::ErrorInfo {
            reason: "IAM_PERMISSION_DENIED",
            domain: "iam.googleapis.com",
            metadata: &[("permission", "{permission}"), ("resource", "{resource}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("public gcloud output for denied deployments", "message"),
};

/// The deployer may not act as the service's account.
pub(crate) const ACT_AS_DENIED: Refusal = Refusal {
    ids: &["run-admin-actas-denied"],
    when: "the caller lacks `iam.serviceAccounts.actAs` on the account that the service runs as, or there is no such account",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission 'iam.serviceaccounts.actAs' denied on service account {account} (or it may not exist).",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::documented("https://cloud.google.com/run/docs/troubleshooting", "code+message"),
};

/// Somebody else changed the service meanwhile.
pub(crate) const ETAG_STALE: Refusal = Refusal {
    ids: &["run-admin-etag-stale"],
    when: "the request carries an `etag` that is not the service's any more",
    wire: Wire::Status {
        code: Code::Aborted,
        message: "Conflict for resource '{service}': version '{sent}' was specified but current version is '{present}'.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("public gcloud output for two deployments at once", "code+message"),
};

/// No revision of this name is there.
pub(crate) const REVISION_NOT_FOUND: Refusal = Refusal {
    ids: &["run-admin-revision-not-found"],
    when: "the service has no revision of this name",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Resource '{revision}' of kind 'REVISION' in region '{location}' in project '{project}' does not exist.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the form for a missing service"),
};

/// No operation of this name is there.
pub(crate) const OPERATION_NOT_FOUND: Refusal = Refusal {
    ids: &["run-admin-operation-not-found"],
    when: "no operation of this name is known, or it was long ago",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Requested entity was not found.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the usual message of this status"),
};

/// A field of the service holds something that it cannot hold.
pub(crate) const FIELD_INVALID: Refusal = Refusal {
    ids: &["run-admin-field-invalid"],
    when: "a field of the service or of the request holds something that it cannot hold",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Violation in {field}: {what}",
        details: &[Detail::BadRequest { field: "{field}", description: "{what}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("public Terraform output for wrong services of API version 2"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &NO_CREDENTIAL,
    &TOKEN_UNVERIFIABLE,
    &PERMISSION_DENIED,
    &NOT_FOUND,
    &WORKLOAD_UNAVAILABLE,
    &WORKLOAD_BROKE_OFF,
    &WORKLOAD_LATE,
    &BODY_TOO_LARGE,
    &SERVICE_EXISTS,
    &SERVICE_NOT_FOUND,
    &ADMIN_DENIED,
    &ACT_AS_DENIED,
    &ETAG_STALE,
    &REVISION_NOT_FOUND,
    &OPERATION_NOT_FOUND,
    &FIELD_INVALID,
    &FUNCTION_NO_CREDENTIAL,
    &FUNCTION_TOKEN_UNVERIFIABLE,
    &FUNCTION_PERMISSION_DENIED,
    &FUNCTION_NOT_FOUND,
    &FUNCTION_EXISTS,
    &NO_SUCH_FUNCTION,
    &FUNCTION_ADMIN_DENIED,
    &FUNCTION_ACT_AS_DENIED,
    &FUNCTION_OPERATION_NOT_FOUND,
    &FUNCTION_FIELD_INVALID,
];
