//! Every refusal that the Security Token Service can give here.

use tokenrig_decision::{Evidence, Refusal, Wire};

const MEASURED: &str = "a public measurement of workload identity federation against Google";
const TROUBLESHOOTING: &str = "https://docs.cloud.google.com/iam/docs/troubleshooting-workload-identity-federation";
const WORKFORCE_TROUBLESHOOTING: &str =
    "https://docs.cloud.google.com/iam/docs/troubleshooting-workforce-identity-federation";

/// A field of the request is missing or holds a value that the exchange does not know.
pub(crate) const REQUEST_FIELD_INVALID: Refusal = Refusal {
    ids: &["sts-request-field-invalid", "sts-options-invalid", "sts-subject-token-of-another-kind"],
    when: "a field of the request is missing or holds a value that the exchange does not know, or that the provider \
           does not take",
    wire: Wire::OAuth { status: 400, error: "invalid_request", description: "Invalid value for \"{field}\"." },
    evidence: Evidence::assumed("the opening words of the refusal of a malformed `audience`"),
};

/// The grant type is no token exchange.
pub(crate) const GRANT_TYPE_UNSUPPORTED: Refusal = Refusal {
    ids: &["sts-grant-type-unsupported"],
    when: "`grant_type` is missing or no token exchange",
    wire: Wire::OAuth { status: 400, error: "unsupported_grant_type", description: "Invalid grant_type: {value}" },
    evidence: Evidence::assumed("the recorded answer of oauth2.googleapis.com/token to an unknown grant type"),
};

/// The access token cannot be downscoped.
pub(crate) const TOKEN_NOT_DOWNSCOPABLE: Refusal = Refusal {
    ids: &["sts-downscope-token-invalid", "sts-downscope-token-restricted", "sts-downscope-token-federated"],
    when: "the access token to be downscoped does not work, is downscoped already, or is a federated one",
    wire: Wire::OAuth { status: 400, error: "invalid_request", description: "Invalid value for \"subject_token\"." },
    evidence: Evidence::assumed(
        "RFC 8693, section 2.2.2, for the error code; the opening words of the refusal of a malformed `audience`",
    ),
};

/// `audience` is no provider's resource name.
pub(crate) const AUDIENCE_MALFORMED: Refusal = Refusal {
    ids: &["sts-audience-malformed", "sts-audience-empty-segments"],
    when: "`audience` is not the full resource name of a provider",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "Invalid value for \"audience\". This value should be the full resource name of the Identity \
                      Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the \
                      list of possible formats.",
    },
    evidence: Evidence::reported("google-github-actions/auth#211 and #60", "full"),
};

/// The pool or provider is not there, disabled or deleted.
pub(crate) const TARGET_INVALID: Refusal = Refusal {
    ids: &["sts-provider-disabled", "sts-provider-not-found", "sts-audience-project-id-instead-of-number"],
    when: "the pool or provider does not exist, is disabled or is deleted, or the project's id stands for its number",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_target",
        description: "The target service indicated by the \"audience\" parameters is invalid. This might either be \
                      because the pool or provider is disabled or deleted or because it doesn't exist.",
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// `iss` is not the provider's issuer.
pub(crate) const ISSUER_MISMATCH: Refusal = Refusal {
    ids: &["sts-issuer-mismatch", "sts-issuer-missing"],
    when: "the token's `iss` is missing or not the provider's `oidc.issuerUri`",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "The issuer in ID Token {iss} does not match the expected one in config: {issuerUri}",
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// No key of the issuer could be had for the token.
pub(crate) const ISSUER_UNREACHABLE: Refusal = Refusal {
    ids: &["sts-issuer-unreachable", "sts-uploaded-jwks-malformed", "sts-key-unknown", "sts-key-type-mismatch"],
    when: "the issuer's keys cannot be fetched or read, or none of them has the token's key id and type",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "Error connecting to the given credential's issuer.",
    },
    evidence: Evidence::documented(TROUBLESHOOTING, "full"),
};

/// The signature is not by the key that the token names.
pub(crate) const SIGNATURE_INVALID: Refusal = Refusal {
    ids: &["sts-signature-invalid"],
    when: "the token is not signed by the published key that its `kid` names",
    wire: Wire::OAuth { status: 400, error: "invalid_grant", description: "Unable to verify the ID Token signature." },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// The token is no signed JWT at all.
pub(crate) const TOKEN_MALFORMED: Refusal = Refusal {
    ids: &["sts-token-malformed"],
    when: "the subject token is no compact JWS with a JSON object for claims, or is not signed with RS256 or ES256",
    wire: Wire::OAuth { status: 400, error: "invalid_grant", description: "Unable to verify the ID Token signature." },
    evidence: Evidence::assumed("the recorded refusal of a token whose signature does not verify"),
};

/// `aud` holds no allowed audience.
pub(crate) const AUDIENCE_MISMATCH: Refusal = Refusal {
    ids: &["sts-audience-mismatch"],
    when: "the token's `aud` holds none of the provider's allowed audiences",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "The audience in ID Token [{aud}] does not match the expected audience.",
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// The token's time is over, has not come, or is not told.
pub(crate) const TOKEN_STALE: Refusal = Refusal {
    ids: &["sts-token-expired", "sts-token-exp-missing", "sts-token-iat-missing", "sts-token-iat-in-future"],
    when: "`exp` is past by more than the skew, `iat` is ahead by more than the skew, or one of them is missing",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "ID Token issued at {iat} is stale to sign-in.",
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// The token has hardly any life left.
pub(crate) const ONE_SECOND_LEFT: Refusal = Refusal {
    ids: &["sts-one-second-left"],
    when: "the subject token has a second of life left, if the setting `one_second_left_fails` is on",
    wire: Wire::OAuth { status: 500, error: "internal_failure", description: "Internal error encountered." },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "status"),
};

/// Too many requests this minute.
pub(crate) const RATE_LIMITED: Refusal = Refusal {
    ids: &["sts-rate-limited"],
    when: "the quota `sts.googleapis.com/requests` has an end, and is used up for this minute",
    wire: Wire::OAuth {
        status: 429,
        error: "quota_exceeded",
        description: "The request was throttled due to rate limit: sts.googleapis.com/requests. Please retry after a \
                      few seconds.",
    },
    evidence: Evidence::documented(TROUBLESHOOTING, "full"),
};

/// The mapping gives no subject.
pub(crate) const SUBJECT_UNOBTAINABLE: Refusal = Refusal {
    ids: &["sts-google-subject-unobtainable"],
    when: "the mapping of `google.subject` yields nothing, or an empty text",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "Could not obtain a value for google.subject from the given credential.",
    },
    evidence: Evidence::documented(WORKFORCE_TROUBLESHOOTING, "full"),
};

/// The mapping gives no value for an attribute.
pub(crate) const ATTRIBUTE_UNOBTAINABLE: Refusal = Refusal {
    ids: &["sts-attribute-unobtainable"],
    when: "the mapping of an `attribute.*` has no value, if the setting `missing_attribute_fails` is on",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "Could not obtain a value for {attribute} from the given credential.",
    },
    evidence: Evidence::assumed("the documented refusal of a mapping that gives no `google.subject`"),
};

/// A mapped attribute is no text.
pub(crate) const ATTRIBUTE_NOT_STRING: Refusal = Refusal {
    ids: &["sts-mapped-attribute-boolean", "sts-mapped-attribute-list"],
    when: "`google.subject` or an `attribute.*` is mapped to something other than a string",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "The mapped attribute '{attribute}' must be of type STRING.",
    },
    evidence: Evidence::reported("google-github-actions/auth#378", "full"),
};

/// The groups are no list.
pub(crate) const GROUPS_NOT_LIST: Refusal = Refusal {
    ids: &["sts-groups-not-list"],
    when: "`google.groups` is mapped to something other than a list",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "The mapped attribute 'google.groups' must be of type LIST<STRING>.",
    },
    evidence: Evidence::reported("a public re-implementation of the mapping (loicsikidi/wif-go)", "description"),
};

/// A group is no text.
pub(crate) const GROUP_NOT_STRING: Refusal = Refusal {
    ids: &["sts-groups-elements-not-string"],
    when: "an element of `google.groups` is not a string",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "The elements in mapped attribute 'google.groups' must be of type STRING.",
    },
    evidence: Evidence::reported("a public re-implementation of the mapping (loicsikidi/wif-go)", "description"),
};

/// The condition is false.
pub(crate) const CONDITION_FALSE: Refusal = Refusal {
    ids: &["sts-attribute-condition-false", "sts-sub-missing-with-condition"],
    when: "the attribute condition is false or cannot be evaluated",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "The given credential is rejected by the attribute condition.",
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "full"),
};

/// The subject is too long.
pub(crate) const SUBJECT_TOO_LONG: Refusal = Refusal {
    ids: &["sts-subject-over-127-bytes"],
    when: "`google.subject` has more than 127 bytes",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your \
                      attribute mapping or the incoming assertion to produce a mapped attribute that is less than \
                      127 bytes.",
    },
    evidence: Evidence::documented(TROUBLESHOOTING, "full"),
};

/// All attributes together are too large.
pub(crate) const ATTRIBUTES_TOO_LARGE: Refusal = Refusal {
    ids: &["sts-mapped-attributes-over-limit"],
    when: "all mapped attributes together have more than 8 KB, of a workforce identity more than 16 KB",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The size of the entire mapped attributes exceeds the {limit} KB limit.",
    },
    evidence: Evidence::documented(WORKFORCE_TROUBLESHOOTING, "description"),
};

/// The identity is in too many groups.
pub(crate) const TOO_MANY_GROUPS: Refusal = Refusal {
    ids: &["sts-too-many-groups"],
    when: "of a workforce identity more groups are mapped than the setting `most_workforce_groups` allows",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The current count of {count} mapped attribute google.groups exceeds the {limit} count limit. \
                      Either modify your attribute mapping or the incoming assertion to produce a mapped attribute \
                      that has fewer than {limit} groups.",
    },
    evidence: Evidence::documented(WORKFORCE_TROUBLESHOOTING, "description"),
};

/// The pool's people sign in with a browser only.
pub(crate) const PROGRAMMATIC_SIGN_IN_DISABLED: Refusal = Refusal {
    ids: &["sts-programmatic-sign-in-disabled"],
    when: "`accessRestrictions.disableProgrammaticSignin` of the workforce pool is set",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_target",
        description: "The target service indicated by the \"audience\" parameters is invalid. This might either be \
                      because the pool or provider is disabled or deleted or because it doesn't exist.",
    },
    evidence: Evidence::assumed(
        "the recorded refusal of a disabled pool; the IAM reference says that no token is issued",
    ),
};

/// The identity may not let the project pay.
pub(crate) const USER_PROJECT_DENIED: Refusal = Refusal {
    ids: &["sts-user-project-denied"],
    when: "the identity lacks `serviceusage.services.use` on `options.userProject`, if the setting \
           `user_project_needs_permission` is on",
    wire: Wire::OAuth {
        status: 400,
        error: "unauthorized_client",
        description: "Caller does not have required permission to use project {project}.",
    },
    evidence: Evidence::assumed("the opening words of the documented refusal of `X-Goog-User-Project`"),
};

/// The subject token is no JSON.
pub(crate) const AWS_CREDENTIAL_NOT_JSON: Refusal = Refusal {
    ids: &["sts-aws-credential-not-json"],
    when: "the subject token for a provider of AWS is not a JSON object, encoded for a URL",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "Invalid format of AWS credentials:Error at line 0:0: Unexpected end of stream : expected '{'\n",
    },
    evidence: Evidence::reported("googleapis/google-api-python-client#1136", "description"),
};

/// The subject token is no request to AWS that could be sent on.
///
/// That the form is also given for another provider's request, and for another account's, is assumed.
pub(crate) const AWS_REQUEST_INVALID: Refusal = Refusal {
    ids: &["sts-aws-request-invalid", "sts-aws-target-resource-mismatch", "sts-aws-account-mismatch"],
    when: "the subject token is no GetCallerIdentity request to AWS's Security Token Service, was signed for another \
           provider, or by another account than the provider's",
    wire: Wire::OAuth { status: 400, error: "invalid_grant", description: "AWS request has invalid format." },
    evidence: Evidence::reported(
        "https://discuss.google.dev/t/federating-into-gcp-via-aws-sts-token-api-fails-with-aws-request-has-invalid-format-despite-following-gcp-docs-exactly/244519",
        "description",
    ),
};

/// AWS does not say who signed.
pub(crate) const AWS_REFUSED: Refusal = Refusal {
    ids: &["sts-aws-refused"],
    when: "AWS refuses the signed request: an unknown key, a wrong or old signature",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "Received invalid AWS response of type {code} with error message: {message}",
    },
    evidence: Evidence::assumed(
        "what users of client libraries are said to see; no public report could be found again",
    ),
};

/// What this service does not play yet.
pub(crate) const NOT_PLAYED: Refusal = Refusal {
    ids: &["sts-not-played"],
    when: "the exchange needs something that this version of the rig does not play",
    wire: Wire::OAuth { status: 501, error: "unimplemented", description: "{what}" },
    evidence: Evidence::assumed("the rig's own: Google does not answer so"),
};

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &REQUEST_FIELD_INVALID,
    &GRANT_TYPE_UNSUPPORTED,
    &TOKEN_NOT_DOWNSCOPABLE,
    &AUDIENCE_MALFORMED,
    &TARGET_INVALID,
    &ISSUER_MISMATCH,
    &ISSUER_UNREACHABLE,
    &SIGNATURE_INVALID,
    &TOKEN_MALFORMED,
    &AUDIENCE_MISMATCH,
    &TOKEN_STALE,
    &ONE_SECOND_LEFT,
    &RATE_LIMITED,
    &SUBJECT_UNOBTAINABLE,
    &ATTRIBUTE_UNOBTAINABLE,
    &ATTRIBUTE_NOT_STRING,
    &GROUPS_NOT_LIST,
    &GROUP_NOT_STRING,
    &CONDITION_FALSE,
    &SUBJECT_TOO_LONG,
    &ATTRIBUTES_TOO_LARGE,
    &TOO_MANY_GROUPS,
    &PROGRAMMATIC_SIGN_IN_DISABLED,
    &USER_PROJECT_DENIED,
    &AWS_CREDENTIAL_NOT_JSON,
    &AWS_REQUEST_INVALID,
    &AWS_REFUSED,
    &NOT_PLAYED,
];
