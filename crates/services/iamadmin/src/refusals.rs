//! Every refusal that the administration of identities can give here.
//!
//! IAM's own answers still carry the legacy `errors` list; those of Resource Manager and Service Usage do not.

mod providers;

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

pub(crate) use self::providers::*;

const GOLDEN: &str = "golden logs of GoogleCloudPlatform/k8s-config-connector";
const MEASURED: &str = "a public measurement against Google";

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &DENIED,
    &DENIED_ON,
    &ACCOUNT_UNKNOWN,
    &ACCOUNT_EXISTS,
    &ACCOUNT_ID_LENGTH,
    &ACCOUNT_CHANGED,
    &KEY_UNKNOWN,
    &KEY_LIMIT,
    &KEY_CREATION_DISABLED,
    &KEY_UPLOAD_DISABLED,
    &PRECONDITION,
    &ENTITY_EXISTS,
    &ENTITY_UNKNOWN,
    &ROLE_UNKNOWN,
    &ROLE_EXISTS,
    &ROLE_NAME,
    &ROLE_NAME_GIVEN,
    &ROLE_DELETED,
    &CONDITION_REQUIRED,
    &ISSUER_NOT_URI,
    &ISSUER_NOT_HTTPS,
    &ISSUER_NOT_ALLOWED,
    &WEB_SSO_MISSING,
    &MAPPING_KEY,
    &JWKS_KEY_TYPE,
    &JWKS_CORRUPTED,
    &JWKS_MALFORMED,
    &FIELD_INVALID,
    &UNPLAYED,
    &PROJECT_NOT_VISIBLE,
    &SERVICES_DENIED,
];

/// The caller lacks a permission on a service account, key or role; or there is no such thing.
///
/// Arguments: `permission`.
pub(crate) const DENIED: Refusal = Refusal {
    ids: &["iam-permission-denied"],
    when: "the caller lacks the method's permission on a service account, key or role, or the account is named under `projects/-` and does not exist",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied on resource (or it may not exist).",
        details: &[Detail::ErrorInfo {
            reason: "IAM_PERMISSION_DENIED",
            domain: "iam.googleapis.com",
            metadata: &[("permission", "{permission}")],
        }],
        headers: &[],
        legacy_reason: Some("forbidden"),
    },
    evidence: Evidence::recorded(
        "https://github.com/everycure-org/matrix/issues/75",
        "2024-07-19",
        "message and details",
    ),
};

/// The caller lacks a permission on a pool or provider; or there is no such thing.
///
/// Arguments: `permission`, `resource` (its full name).
pub(crate) const DENIED_ON: Refusal = Refusal {
    ids: &[
        "wif-pool-create-denied",
        "wif-permission-denied",
        "workforce-permission-denied",
        "orgpolicy-permission-denied",
    ],
    when: "the caller lacks the method's permission on an identity pool, a provider or an organization policy, or on the project or organization that is to hold it",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied on resource '{resource}' (or it may not exist).",
        details: &[Detail::ErrorInfo {
            reason: "IAM_PERMISSION_DENIED",
            domain: "iam.googleapis.com",
            metadata: &[("permission", "{permission}"), ("resource", "{resource}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("public Terraform output", "code+message, of `iam.workloadIdentityPools.create`"),
};

/// No such service account.
pub(crate) const ACCOUNT_UNKNOWN: Refusal = Refusal {
    ids: &["iam-sa-get-unknown", "iam-sa-undelete-unknown"],
    when: "the project has no such service account, or none that can be undeleted",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Unknown service account",
        details: &[],
        headers: &[],
        legacy_reason: Some("notFound"),
    },
    evidence: Evidence::captured(GOLDEN, "full, of `get`"),
};

/// The account's id is in use.
///
/// Arguments: `id`, `project`.
pub(crate) const ACCOUNT_EXISTS: Refusal = Refusal {
    ids: &["iam-sa-create-exists"],
    when: "the project has a service account of this id",
    wire: Wire::Status {
        code: Code::AlreadyExists,
        message: "Service account {id} already exists within project projects/{project}.",
        details: &[],
        headers: &[],
        legacy_reason: Some("alreadyExists"),
    },
    evidence: Evidence::captured(GOLDEN, "full"),
};

/// The account's id is too short or too long.
///
/// Arguments: `id`.
pub(crate) const ACCOUNT_ID_LENGTH: Refusal = Refusal {
    ids: &["iam-sa-create-id-length"],
    when: "`accountId` has fewer than 6 or more than 30 characters",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "The account ID \"{id}\" does not have a length between 6 and 30.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded("https://github.com/google/litmus/issues/107", "2025-03-06", "message"),
};

/// A resource was changed since it was read.
pub(crate) const ACCOUNT_CHANGED: Refusal = Refusal {
    ids: &["iam-etag-stale"],
    when: "the `etag` of a service account or role that is changed is not the present one",
    wire: Wire::Status {
        code: Code::Aborted,
        message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        details: &[],
        headers: &[],
        legacy_reason: Some("aborted"),
    },
    evidence: Evidence::assumed("the wording for policies, `iam-set-policy-etag-stale`"),
};

/// No such key.
///
/// Arguments: `key`.
pub(crate) const KEY_UNKNOWN: Refusal = Refusal {
    ids: &["iam-sa-key-unknown"],
    when: "the service account has no key of this id",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Service account key {key} does not exist.",
        details: &[],
        headers: &[],
        legacy_reason: Some("notFound"),
    },
    evidence: Evidence::recorded(
        "https://github.com/googleapis/google-cloud-cpp/issues/7330",
        "2023-01-13",
        "code and message",
    ),
};

/// The account has as many keys as it can.
pub(crate) const KEY_LIMIT: Refusal = Refusal {
    ids: &["iam-sa-key-limit"],
    when: "a service account that has 10 user-managed keys is to get another",
    wire: Wire::Status {
        code: Code::ResourceExhausted,
        message: "Maximum number of keys on account reached.",
        details: &[],
        headers: &[],
        legacy_reason: Some("rateLimitExceeded"),
    },
    evidence: Evidence::captured("public documents of two key managers, public gcloud output", "code+message+reason"),
};

/// An organization policy forbids new keys.
///
/// Arguments: `project`, `email`, `escaped` (the address with `%40`).
pub(crate) const KEY_CREATION_DISABLED: Refusal = Refusal {
    ids: &["iam-sa-key-creation-disabled"],
    when: "constraints/iam.disableServiceAccountKeyCreation is enforced for the project of a service account that is to get a key",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "Key creation is not allowed on this service account.",
        details: &[Detail::PreconditionFailure {
            kind: "constraints/iam.disableServiceAccountKeyCreation",
            subject: "projects/{project}/serviceAccounts/{email}?configvalue={escaped}",
            description: "Key creation is not allowed on this service account.",
        }],
        headers: &[],
        legacy_reason: Some("failedPrecondition"),
    },
    evidence: Evidence::recorded(
        "https://github.com/google/create-service-account/issues/21",
        "2025-04-03",
        "message and details",
    ),
};

/// An organization policy forbids uploaded keys.
///
/// Arguments: as for [`KEY_CREATION_DISABLED`].
pub(crate) const KEY_UPLOAD_DISABLED: Refusal = Refusal {
    ids: &["iam-sa-key-upload-disabled"],
    when: "constraints/iam.disableServiceAccountKeyUpload is enforced for the project of a service account that is to get a key",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "Precondition check failed.",
        details: &[Detail::PreconditionFailure {
            kind: "constraints/iam.disableServiceAccountKeyUpload",
            subject: "projects/{project}/serviceAccounts/{email}?configvalue={escaped}",
            description: "Constraint `constraints/iam.disableServiceAccountKeyUpload` violated for service account projects/{project}/serviceAccounts/{email} attempting to upload public key.",
        }],
        headers: &[],
        legacy_reason: Some("failedPrecondition"),
    },
    evidence: Evidence::recorded("https://github.com/GAM-team/GAM/issues/1678", "2024-03-17", "details"),
};

/// The thing is in a state in which this cannot be done.
pub(crate) const PRECONDITION: Refusal = Refusal {
    ids: &["iam-sa-key-system", "iam-sa-undelete-exists", "iam-role-not-deleted", "wif-not-deleted", "wif-deleted"],
    when: "a key that Google keeps is to be changed; a thing is to be undeleted and was not deleted, or its name was given again; a deleted thing is to be changed",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "Precondition check failed.",
        details: &[],
        headers: &[],
        legacy_reason: Some("failedPrecondition"),
    },
    evidence: Evidence::recorded(
        "https://github.com/uc-cdis/fence/pull/868",
        "2021-01-22",
        "code and message, of keys",
    ),
};

/// The id of a pool, provider or uploaded key is in use.
pub(crate) const ENTITY_EXISTS: Refusal = Refusal {
    ids: &[
        "wif-pool-create-exists",
        "wif-provider-create-exists",
        "workforce-create-exists",
        "iam-sa-key-exists",
        "orgpolicy-create-exists",
    ],
    when: "a pool or provider of this id exists, or was deleted within 30 days; the service account has this public key; the constraint is set already",
    wire: Wire::Status {
        code: Code::AlreadyExists,
        message: "Requested entity already exists",
        details: &[],
        headers: &[],
        legacy_reason: Some("alreadyExists"),
    },
    evidence: Evidence::captured("public Terraform output", "code+message, of pools"),
};

/// No such pool, provider, operation or project.
pub(crate) const ENTITY_UNKNOWN: Refusal = Refusal {
    ids: &["wif-unknown", "wif-operation-unknown", "workforce-unknown", "orgpolicy-unknown"],
    when: "there is no such pool, provider, operation or organization policy",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Requested entity was not found.",
        details: &[],
        headers: &[],
        legacy_reason: Some("notFound"),
    },
    evidence: Evidence::recorded(
        "https://github.com/googleapis/google-cloud-cpp/issues/6637",
        "2021-05-26",
        "code and message, of service accounts of a project that does not exist",
    ),
};

/// No such role.
///
/// Arguments: `name`.
pub(crate) const ROLE_UNKNOWN: Refusal = Refusal {
    ids: &["iam-role-unknown"],
    when: "there is no such role",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "The role named {name} was not found.",
        details: &[],
        headers: &[],
        legacy_reason: Some("notFound"),
    },
    evidence: Evidence::reported("gcloud output in tests of a public tool", "message"),
};

/// The role's id is in use.
///
/// Arguments: `id`, `parent`.
pub(crate) const ROLE_EXISTS: Refusal = Refusal {
    ids: &["iam-role-create-exists"],
    when: "the project has a custom role of this id",
    wire: Wire::Status {
        code: Code::AlreadyExists,
        message: "A role named {id} in {parent} already exists.",
        details: &[],
        headers: &[],
        legacy_reason: Some("alreadyExists"),
    },
    evidence: Evidence::assumed("the code is documented; the wording follows that for a role that is missing"),
};

/// The name is that of no role.
pub(crate) const ROLE_NAME: Refusal = Refusal {
    ids: &["iam-role-name-invalid"],
    when: "a role's name or id has characters that it cannot have",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "The role name must be in the form \"roles/{role}\", \"organizations/{organization_id}/roles/{role}\", or \"projects/{project_id}/roles/{role}\".",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded("https://github.com/pulumi/pulumi-gcp/issues/70", "2018-12-01", "message and reason"),
};

/// A new role's name follows from its id.
pub(crate) const ROLE_NAME_GIVEN: Refusal = Refusal {
    ids: &["iam-role-create-name-given"],
    when: "`role.name` is set in a request that makes a role",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Must not specify role.name.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded("https://github.com/pulumi/pulumi-google-native/issues/209", "2021-10-06", "message"),
};

/// A role of this id was deleted and its id is not yet free.
///
/// Arguments: `id`.
pub(crate) const ROLE_DELETED: Refusal = Refusal {
    ids: &["iam-role-create-deleted"],
    when: "a custom role of this id was deleted within 37 days",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "You can't create a role_id ({id}) which has been marked for deletion.",
        details: &[],
        headers: &[],
        legacy_reason: Some("failedPrecondition"),
    },
    evidence: Evidence::recorded(
        "https://github.com/DataBiosphere/azul/issues/4390",
        "2022-08-18",
        "message and reason",
    ),
};

/// A field holds something that it cannot hold, and no wording is known.
///
/// Arguments: `field` (proto spelling), `what`.
pub(crate) const FIELD_INVALID: Refusal = Refusal {
    ids: &[
        "iam-field-invalid",
        "iam-sa-field-invalid",
        "iam-sa-key-invalid",
        "iam-role-field-invalid",
        "wif-pool-field-invalid",
        "workforce-pool-field-invalid",
        "workforce-provider-field-invalid",
        "wif-provider-field-invalid",
        "wif-provider-mapping-invalid",
        "wif-provider-condition-invalid",
        "iam-page-token-invalid",
        "crm-field-invalid",
        "serviceusage-field-invalid",
        "orgpolicy-field-invalid",
    ],
    when: "a field of the resource or of the request holds something that it cannot hold",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid value for {field}: {what}",
        details: &[Detail::BadRequest { field: "{field}", description: "{what}" }],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::assumed("the limits are documented, Google's words for these are not known"),
};

/// The method is played, but not this use of it.
///
/// Arguments: `what`.
pub(crate) const UNPLAYED: Refusal = Refusal {
    ids: &["iam-use-unplayed"],
    when: "the request asks a played method for something that the rig does not do",
    wire: Wire::Status {
        code: Code::Unimplemented,
        message: "tokenrig does not play {what}.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// The project does not exist, or the caller has no part in it. That an organization is refused in the same words is assumed;
/// that App Engine says the same of a project's application is reported (GoogleCloudPlatform/cloud-builders#54).
pub(crate) const PROJECT_NOT_VISIBLE: Refusal = Refusal {
    ids: &["crm-project-not-visible", "crm-organization-not-visible", "appengine-app-not-visible"],
    when: "the project or organization does not exist or the caller lacks the method's permission on it",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "The caller does not have permission",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured(GOLDEN, "full"),
};

/// The caller may not see or switch the services of the project.
///
/// Arguments: `what` (what was to be done, `enable service [run.googleapis.com]`).
pub(crate) const SERVICES_DENIED: Refusal = Refusal {
    ids: &["serviceusage-permission-denied"],
    when: "the project does not exist or the caller lacks the method's permission on it",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission denied to {what}",
        details: &[
            Detail::PreconditionFailure { kind: "googleapis.com", subject: "110002", description: "" },
            Detail::ErrorInfo {
                reason: "AUTH_PERMISSION_DENIED",
                domain: "serviceusage.googleapis.com",
                metadata: &[],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::recorded(
        "https://github.com/su-kaka/gcli2api/issues/283",
        "2026-01-14",
        "all of `enable` but the help token after the message; the other methods have the same form by analogy",
    ),
};
