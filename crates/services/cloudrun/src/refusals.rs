//! Every refusal that Cloud Run's front door and its admin API can give here.

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
    ids: &["run-front-token-unverifiable", "run-front-expired-token"],
    when: "the bearer token is not a Google ID token, is expired, or was made for another audience",
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

/// Nothing has this host name.
pub(crate) const NOT_FOUND: Refusal = Refusal {
    ids: &["run-front-not-found"],
    when: "no service has this host name, or the path is kept by the front door (`/healthz`)",
    wire: Wire::Page { status: 404, headers: &[], html: include_str!("pages/404.html") },
    evidence: Evidence::reported("public notes on deleted services", "status"),
};

/// The workload behind the door did not answer.
pub(crate) const WORKLOAD_UNAVAILABLE: Refusal = Refusal {
    ids: &["run-front-workload-unavailable"],
    when: "the request was let in and the workload behind the door did not answer",
    wire: Wire::Text { status: 503, headers: &[("content-type", "text/plain")], text: "Service Unavailable" },
    evidence: Evidence::reported("public captures of failing containers", "text"),
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
    &SERVICE_EXISTS,
    &SERVICE_NOT_FOUND,
    &ADMIN_DENIED,
    &FIELD_INVALID,
];
