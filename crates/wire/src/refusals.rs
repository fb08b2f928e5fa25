//! What every Google API refuses before its own service has a say, and what the rig does not play.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

/// Everything here.
pub const ALL: &[&Refusal] = &[
    &TOKEN_MISSING,
    &TOKEN_INVALID,
    &TOKEN_TYPE_UNSUPPORTED,
    &SCOPE_INSUFFICIENT,
    &USER_PROJECT_DENIED,
    &UNKNOWN_JSON_FIELD,
    &FIELD_NOT_REPEATED,
    &VALUE_INVALID,
    &JSON_ROOT_NOT_OBJECT,
    &JSON_MALFORMED,
    &UNKNOWN_QUERY_PARAMETER,
    &PAYLOAD_TOO_LARGE,
    &GRPC_MESSAGE_MALFORMED,
    &POLICY_ETAG_STALE,
    &ACCOUNT_MISSING,
    &POOL_MISSING,
    &POLICY_INVALID,
    &MEMBER_NOT_PERMITTED,
    &UNPLAYED,
    &UNSERVED,
    &INTERNAL,
];

/// No credential came along.
///
/// Arguments: `service` (the host), `method` (Google's full name).
pub const TOKEN_MISSING: Refusal = Refusal {
    ids: &["api-token-missing"],
    when: "the request has no Authorization header",
    wire: Wire::Status {
        code: Code::Unauthenticated,
        message: "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        details: &[Detail::ErrorInfo {
            reason: "CREDENTIALS_MISSING",
            domain: "googleapis.com",
            metadata: &[("service", "{service}"), ("method", "{method}")],
        }],
        headers: &[("www-authenticate", "Bearer realm=\"https://accounts.google.com/\"")],
        legacy_reason: None,
    },
    evidence: Evidence::recorded(
        "a public measurement against Google",
        "2026-09-02",
        "full; `service` is usual beside `method`",
    ),
};

/// The bearer is nothing that Google's APIs know; also the access token of a federated identity where it is not taken.
pub const TOKEN_INVALID: Refusal = Refusal {
    ids: &["api-token-invalid", "federated-token-at-unsupported-api"],
    when: "the bearer token is unknown or over, its account is gone or stopped, or the API takes no federated identity",
    wire: Wire::Status {
        code: Code::Unauthenticated,
        message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        details: &[],
        headers: &[("www-authenticate", "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"")],
        legacy_reason: None,
    },
    evidence: Evidence::recorded(
        "a public measurement against Google; for federated tokens https://docs.cloud.google.com/iam/docs/troubleshooting-workload-identity-federation",
        "2026-09-02",
        "full",
    ),
};

/// The bearer is a token, but not one for APIs: an ID token.
pub const TOKEN_TYPE_UNSUPPORTED: Refusal = Refusal {
    ids: &["api-token-type-unsupported"],
    when: "the bearer token is an ID token",
    wire: Wire::Status {
        code: Code::Unauthenticated,
        message: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        details: &[Detail::ErrorInfo { reason: "ACCESS_TOKEN_TYPE_UNSUPPORTED", domain: "", metadata: &[] }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("tests of a public client", "code, start of the message, reason"),
};

/// The token was given for other things.
///
/// Arguments: `service` (the host), `method` (Google's full name).
pub const SCOPE_INSUFFICIENT: Refusal = Refusal {
    ids: &["api-scope-insufficient"],
    when: "the access token has none of the method's scopes",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Request had insufficient authentication scopes.",
        details: &[Detail::ErrorInfo {
            reason: "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            domain: "googleapis.com",
            metadata: &[("service", "{service}"), ("method", "{method}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("https://github.com/analogdotnow/Analog/issues/296", "status, message, details"),
};

/// The caller may not let another project pay.
///
/// Arguments: `project`, `service` (the host).
pub const USER_PROJECT_DENIED: Refusal = Refusal {
    ids: &["api-user-project-denied"],
    when: "X-Goog-User-Project names a project in which the caller lacks serviceusage.services.use",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Caller does not have required permission to use project {project}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, by visiting https://console.developers.google.com/iam-admin/iam/project?project={project} and then retry. Propagation of the new permission may take a few minutes.",
        details: &[
            Detail::Help {
                description: "Google developer console IAM admin",
                url: "https://console.developers.google.com/iam-admin/iam/project?project={project}",
            },
            Detail::ErrorInfo {
                reason: "USER_PROJECT_DENIED",
                domain: "googleapis.com",
                metadata: &[("service", "{service}"), ("consumer", "projects/{project}")],
            },
        ],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::recorded("a debug log in a public bug report", "2024-03-20", "full"),
};

/// The JSON has a key that the message does not have.
///
/// Arguments: `name`, `at` (empty, or ` at 'path'`), `violations`. Of several faults `at` holds the middle of the message.
pub const UNKNOWN_JSON_FIELD: Refusal = Refusal {
    ids: &["api-unknown-json-field"],
    when: "the body has a key that the request message does not have",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.",
        details: &[Detail::BadRequestEach { violations: "{violations}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::recorded("a public measurement against Google", "2026-09-02", "full"),
};

/// The JSON has a list where the message has one value.
///
/// Arguments: as for [`UNKNOWN_JSON_FIELD`].
pub const FIELD_NOT_REPEATED: Refusal = Refusal {
    ids: &["api-field-not-repeated"],
    when: "the body has a list for a field that takes one value",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JSON payload received. Unknown name \"{name}\"{at}: Proto field is not repeating, cannot start list.",
        details: &[Detail::BadRequestEach { violations: "{violations}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("answers of Google in public bug reports", "message"),
};

/// A value is not one of its field's type.
///
/// Arguments: `field` (proto spelling), `type` (`TYPE_STRING`, `type.googleapis.com/NAME`), `value` (as JSON, or what is wrong
/// with it), `violations`. Of several faults `value` holds the rest of the message.
pub const VALUE_INVALID: Refusal = Refusal {
    ids: &["api-enum-invalid", "api-value-invalid"],
    when: "the body or the query has a value that is not one of its field's type, or a name that its enum does not have",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid value at '{field}' ({type}), {value}",
        details: &[Detail::BadRequestEach { violations: "{violations}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::recorded("a public measurement against Google", "2026-09-02", "message, for an enum name"),
};

/// The body is JSON, but no object.
pub const JSON_ROOT_NOT_OBJECT: Refusal = Refusal {
    ids: &["api-json-root-not-object"],
    when: "the body is JSON and no object",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        details: &[Detail::BadRequest {
            field: "",
            description: "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::recorded("a public measurement against Google", "2026-09-02", "message"),
};

/// The body is no JSON.
///
/// Arguments: `near` (the text where it ends to be JSON).
pub const JSON_MALFORMED: Refusal = Refusal {
    ids: &["api-json-malformed"],
    when: "the body is no JSON",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JSON payload received. Unexpected token.\n{near}\n^",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported(
        "https://github.com/googlecodelabs/feedback/issues/299",
        "start of the message; Google has further wordings for other mistakes",
    ),
};

/// The query names a field that the message does not have.
///
/// Arguments: `name`, `what` (the field not found, or the rest of the message), `violations`.
pub const UNKNOWN_QUERY_PARAMETER: Refusal = Refusal {
    ids: &["api-unknown-query-parameter"],
    when: "the query has a parameter that is neither a field of the request message nor one that all APIs take",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{what}' could not be found in request message.",
        details: &[Detail::BadRequestEach { violations: "{violations}" }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("answers of Google in public bug reports", "message"),
};

/// The body is too long.
///
/// Arguments: `limit` (bytes).
pub const PAYLOAD_TOO_LARGE: Refusal = Refusal {
    ids: &["api-payload-too-large"],
    when: "the body is longer than 10 MiB",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Request payload size exceeds the limit: {limit} bytes.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("https://github.com/googleapis/google-cloud-go/issues/9479", "message"),
};

/// The message of a gRPC request cannot be read.
pub const GRPC_MESSAGE_MALFORMED: Refusal = Refusal {
    ids: &["api-grpc-message-malformed"],
    when: "the bytes of a gRPC request are not those of its message",
    wire: Wire::Status {
        code: Code::Internal,
        message: "The request message could not be parsed.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("gRPC servers answer INTERNAL; the words are ours"),
};

/// The rig plays the host, but nothing that this request names.
///
/// Arguments: `verb`, `host`, `path`.
pub const UNPLAYED: Refusal = Refusal {
    ids: &["api-unplayed"],
    when: "the request names no method that the rig knows",
    wire: Wire::Status {
        code: Code::Unimplemented,
        message: "tokenrig does not play {verb} {path} of {host}.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// The rig knows the method and has nobody who serves it.
///
/// Arguments: `id` (the discovery id).
pub const UNSERVED: Refusal = Refusal {
    ids: &["api-unserved"],
    when: "the method is known and not played",
    wire: Wire::Status {
        code: Code::Unimplemented,
        message: "tokenrig does not play {id}.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// A defect of the rig.
pub const INTERNAL: Refusal = Refusal {
    ids: &["api-internal"],
    when: "the rig has a defect",
    wire: Wire::Status {
        code: Code::Internal,
        message: "Internal error encountered.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::reported("answers of Google in public bug reports", "message"),
};

/// A policy was changed since it was read.
pub const POLICY_ETAG_STALE: Refusal = Refusal {
    ids: &["iam-set-policy-etag-stale"],
    when: "the `etag` of a policy that is set is not the present one",
    wire: Wire::Status {
        code: Code::Aborted,
        message: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("public gcloud and Terraform output", "code+message"),
};

/// A policy names a service account that does not exist.
pub const ACCOUNT_MISSING: Refusal = Refusal {
    ids: &["iam-set-policy-account-missing"],
    when: "a member of a policy that is set is a service account that does not exist",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Service account {email} does not exist.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("public Terraform output", "code+message"),
};

/// A policy names a subject of a pool that does not exist.
pub const POOL_MISSING: Refusal = Refusal {
    ids: &["iam-binding-wif-pool-missing", "iam-binding-gke-pool-missing"],
    when: "a member of a policy that is set is a subject of an identity pool that does not exist",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Identity Pool does not exist ({pool}). Please check that you specified a valid resource name as returned in the `name` attribute in the configuration API.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("public gcloud and Terraform output", "message"),
};

/// A policy names somebody whom the organization does not permit.
///
/// Arguments: `member`.
pub const MEMBER_NOT_PERMITTED: Refusal = Refusal {
    ids: &["iam-set-policy-domain-restricted"],
    when: "constraints/iam.allowedPolicyMemberDomains is set and a policy that is set names somebody new who belongs to no permitted customer",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "One or more users named in the policy do not belong to a permitted customer.",
        details: &[Detail::PreconditionFailure {
            kind: "constraints/iam.allowedPolicyMemberDomains",
            subject: "",
            description: "User {member} is not in permitted organization.",
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::captured("public gcloud output", "full"),
};

/// A policy that cannot be stored, or a permission that cannot be tested.
///
/// Arguments: `what`.
pub const POLICY_INVALID: Refusal = Refusal {
    ids: &[
        "iam-set-policy-member-malformed",
        "iam-set-policy-too-many-members",
        "iam-set-policy-version-invalid",
        "iam-test-permissions-wildcard",
    ],
    when: "a policy that is set has a member that is no principal identifier, too many members, or conditions below version 3; permissions that are tested have a wildcard",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "{what}",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("no wording is known; the rules are documented"),
};
