//! Every refusal of Cloud Functions. Its front end answers with the same pages as Cloud Run's.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

use super::INVALID_TOKEN;

/// No credential came with the request.
pub(crate) const FUNCTION_NO_CREDENTIAL: Refusal = Refusal {
    ids: &["functions-front-no-credential"],
    when: "the function requires authentication and the request carries no credential",
    wire: Wire::Page { status: 403, headers: &[], html: include_str!("../pages/403.html") },
    evidence: Evidence::assumed("Cloud Run's page; that it is the same is widely known and not captured"),
};

/// The bearer token is no ID token that the function can take. One wire form for many causes, as for Cloud Run.
pub(crate) const FUNCTION_TOKEN_UNVERIFIABLE: Refusal = Refusal {
    ids: &[
        "functions-front-token-unverifiable",
        "functions-front-expired-token",
        "functions-front-user-without-invoker",
    ],
    when: "the bearer token is not a Google ID token, is expired, or was made for another audience; by a setting also a user of gcloud who may not invoke the function",
    wire: Wire::Page { status: 401, headers: &[INVALID_TOKEN], html: include_str!("../pages/401.html") },
    evidence: Evidence::captured(
        "google/ground-platform quotes status and header; the page is Cloud Run's",
        "status+header",
    ),
};

/// The caller is known and may not invoke the function.
pub(crate) const FUNCTION_PERMISSION_DENIED: Refusal = Refusal {
    ids: &["functions-front-permission-denied"],
    when: "the token is good and its principal lacks `cloudfunctions.functions.invoke` on a function of the first generation, or `run.routes.invoke` on the service of one of the second",
    wire: Wire::Page { status: 403, headers: &[], html: include_str!("../pages/403.html") },
    evidence: Evidence::assumed("as Cloud Run"),
};

/// Nothing that the caller may know of answers here.
pub(crate) const FUNCTION_NOT_FOUND: Refusal = Refusal {
    ids: &["functions-front-not-found", "functions-front-ingress-not-allowed", "functions-front-user-not-found"],
    when: "no function has this address; the function's `ingressSettings` do not take the request; by a setting also a user of gcloud who may not invoke the function",
    wire: Wire::Page { status: 404, headers: &[], html: include_str!("../pages/404.html") },
    evidence: Evidence::assumed("as Cloud Run"),
};

const fn status(code: Code, message: &'static str) -> Wire {
    Wire::Status { code, message, details: &[], headers: &[], legacy_reason: None }
}

/// A function of this name is there already.
pub(crate) const FUNCTION_EXISTS: Refusal = Refusal {
    ids: &["functions-admin-exists"],
    when: "a function of this name exists in the location, or, for the second generation, a Cloud Run service",
    wire: status(Code::AlreadyExists, "Resource '{function}' already exists."),
    evidence: Evidence::assumed("the form of Cloud Run"),
};

/// No function of this name is there.
pub(crate) const NO_SUCH_FUNCTION: Refusal = Refusal {
    ids: &["functions-admin-not-found"],
    when: "no function of this name exists in the location",
    wire: status(Code::NotFound, "Resource '{function}' was not found"),
    evidence: Evidence::assumed("the usual form of Google's newer APIs"),
};

/// The caller may not administer the function.
pub(crate) const FUNCTION_ADMIN_DENIED: Refusal = Refusal {
    ids: &["functions-admin-permission-denied"],
    when: "the caller lacks the permission of the admin method",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied on resource '{resource}' (or resource may not exist).",
        details: &[Detail::ErrorInfo {
            reason: "IAM_PERMISSION_DENIED",
            domain: "cloudfunctions.googleapis.com",
            metadata: &[("permission", "{permission}"), ("resource", "{resource}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the form of Cloud Run"),
};

/// The deployer may not act as the function's account.
pub(crate) const FUNCTION_ACT_AS_DENIED: Refusal = Refusal {
    ids: &["functions-actas-denied"],
    when: "the caller lacks `iam.serviceAccounts.actAs` on the account that the function runs as, or there is no such account",
    // `$MEMBER` stands in Google's text as it is.
    wire: status(
        Code::PermissionDenied,
        "Missing necessary permission iam.serviceAccounts.actAs for $MEMBER on the service account {account}. Grant the role 'roles/iam.serviceAccountUser' to $MEMBER on the service account {account}",
    ),
    evidence: Evidence::captured(
        "public outputs of `firebase deploy` and `gcloud functions deploy`, first generation",
        "message prefix",
    ),
};

/// No operation of this name is there.
pub(crate) const FUNCTION_OPERATION_NOT_FOUND: Refusal = Refusal {
    ids: &["functions-admin-operation-not-found"],
    when: "no operation of this name is known, or it was long ago",
    wire: status(Code::NotFound, "Requested entity was not found."),
    evidence: Evidence::assumed("the usual message of this status"),
};

/// A field of the function or of the request holds something that it cannot hold.
pub(crate) const FUNCTION_FIELD_INVALID: Refusal = Refusal {
    ids: &["functions-admin-field-invalid"],
    when: "a field of the function or of the request holds something that it cannot hold",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid value for {field}: {what}",
        details: &[Detail::BadRequest { field: "{field}", description: "{what}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the form of other Google APIs"),
};
