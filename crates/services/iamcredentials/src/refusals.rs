//! Every refusal that IAM Credentials can give here. Those of all Google APIs (credential, scope, JSON) are `wire`'s.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

const MEASURED: &str = "a public measurement of workload identity federation against Google";
const DAY: &str = "2026-09-28";

/// What is said of many requests that cannot be taken.
const INVALID_ARGUMENT: Wire = invalid("Request contains an invalid argument.");

const fn invalid(message: &'static str) -> Wire {
    Wire::Status { code: Code::InvalidArgument, message, details: &[], headers: &[], legacy_reason: None }
}

/// The account is named by something that can be no account's name.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_ID_MALFORMED: Refusal = Refusal {
    ids: &["iamcredentials-account-id-malformed"],
    when: "the account is named by neither an e-mail address nor a unique id",
    wire: invalid("Invalid form of account ID {account}. Should be [Gaia ID |Email |Unique ID |] of the account"),
    evidence: Evidence::captured("public output of gcloud and Cloud Run", "full"),
};

/// The API is not enabled where the caller belongs.
///
/// Arguments: `project` (its number).
pub(crate) const API_DISABLED: Refusal = Refusal {
    ids: &["iamcredentials-api-disabled"],
    when: "iamcredentials.googleapis.com is not enabled in the caller's project",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "IAM Service Account Credentials API has not been used in project {project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project={project} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
        details: &[
            Detail::Help {
                description: "Google developers console API activation",
                url: "https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview?project={project}",
            },
            Detail::ErrorInfo {
                reason: "SERVICE_DISABLED",
                domain: "googleapis.com",
                metadata: &[("consumer", "projects/{project}"), ("service", "iamcredentials.googleapis.com")],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("a public collection of CI logs", "full"),
};

/// Somebody of the chain from the caller to the account lacks a permission, or there is no such account.
///
/// Arguments: `permission`.
pub(crate) const PERMISSION_DENIED: Refusal = Refusal {
    ids: &[
        "iamcredentials-getaccesstoken-denied",
        "iamcredentials-getopenidtoken-denied",
        "iamcredentials-signblob-denied",
        "iamcredentials-signjwt-denied",
        "iamcredentials-implicitdelegation-denied",
        "iamcredentials-allowed-locations-denied",
    ],
    when: "the caller lacks the method's permission on the account, or a delegate lacks it, or there is no such account",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied on resource (or it may not exist).",
        details: &[Detail::ErrorInfo {
            reason: "IAM_PERMISSION_DENIED",
            domain: "iam.googleapis.com",
            metadata: &[("permission", "{permission}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("https://github.com/google-github-actions/auth/issues/340", "full"),
};

/// There is no such account, and the caller may act as all accounts there.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal = Refusal {
    ids: &["iamcredentials-account-not-found"],
    when: "the account does not exist and the caller has the permission all the same, from a policy above it",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Not found; Gaia id not found for email {account}",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported(
        "https://github.com/google-github-actions/auth/issues/471 (status); public logs of impersonation (message)",
        "status and message",
    ),
};

/// The account is there and stopped.
///
/// Arguments: `account`.
pub(crate) const ACCOUNT_DISABLED: Refusal = Refusal {
    ids: &["iamcredentials-account-disabled"],
    when: "the account is disabled, or one of the delegates is",
    wire: ACCOUNT_NOT_FOUND.wire,
    evidence: Evidence::assumed(
        "the reference says that requests for new tokens fail and not how; the form is that for an account that is not there",
    ),
};

/// Of no time at all.
pub(crate) const LIFETIME_ZERO: Refusal = Refusal {
    ids: &["iamcredentials-lifetime-zero"],
    when: "`lifetime` is less than a second",
    wire: invalid("Lifetime of access token must be larger then zero."),
    evidence: Evidence::recorded(MEASURED, DAY, "message, for `0s`"),
};

/// Of too much time.
///
/// Arguments: `account`. Whose lifetimes they are is not in the source: the sentence is known from its third word on.
pub(crate) const LIFETIME_OVER_HOUR: Refusal = Refusal {
    ids: &["iamcredentials-lifetime-over-hour"],
    when: "`lifetime` is more than an hour",
    wire: invalid(
        "{account} can not have lifetimes of more than 1 hour. Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours.",
    ),
    evidence: Evidence::recorded(MEASURED, DAY, "message from `can not have lifetimes` on"),
};

/// A scope that is none.
pub(crate) const SCOPE_BOGUS: Refusal = Refusal {
    ids: &["iamcredentials-scope-bogus"],
    when: "`scope` holds something that is no OAuth scope",
    wire: INVALID_ARGUMENT,
    evidence: Evidence::reported(
        "https://github.com/google-github-actions/auth/issues/144; the status was measured again in 2026",
        "full",
    ),
};

/// A request without what it must have, or with what it must not have.
pub(crate) const REQUEST_INVALID: Refusal = Refusal {
    ids: &[
        "iamcredentials-project-not-wildcard",
        "iamcredentials-delegates-too-many",
        "iamcredentials-scope-missing",
        "iamcredentials-audience-missing",
        "iamcredentials-jwt-payload-invalid",
        "iamcredentials-jwt-exp-invalid",
    ],
    when: "the name has a project in place of `-`, there are more than 20 delegates, `scope` or `audience` is empty, or the payload of signJwt is no JSON object or has an `exp` that is no integer, past, or more than 12 hours ahead",
    wire: INVALID_ARGUMENT,
    evidence: Evidence::assumed("the reference says what is invalid; the form is the one of a scope that is none"),
};

/// A pool that is not there.
pub(crate) const POOL_NOT_FOUND: Refusal = Refusal {
    ids: &["iamcredentials-pool-not-found"],
    when: "the allowed locations are asked for of a pool that does not exist",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Requested entity was not found.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("Google's usual words for what is not there"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &ACCOUNT_ID_MALFORMED,
    &API_DISABLED,
    &PERMISSION_DENIED,
    &ACCOUNT_NOT_FOUND,
    &ACCOUNT_DISABLED,
    &LIFETIME_ZERO,
    &LIFETIME_OVER_HOUR,
    &SCOPE_BOGUS,
    &REQUEST_INVALID,
    &POOL_NOT_FOUND,
];
