//! What is wrong with a provider.

use tokenrig_decision::{Code, Detail, Evidence, Refusal, Wire};

use super::MEASURED;

/// An issuer that serves many customers needs a condition that tells them apart.
pub(crate) const CONDITION_REQUIRED: Refusal = Refusal {
    ids: &["wif-provider-condition-required"],
    when: "the issuer signs for many customers (GitHub, GitLab, HCP Terraform) and the condition is missing or reads no claim",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "The attribute condition must reference one of the provider's claims. For more information, see https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded(
        "https://github.com/chainguard-dev/terraform-infra-common/pull/672",
        "2024-12-17",
        "message",
    ),
};

/// The issuer is no URI.
pub(crate) const ISSUER_NOT_URI: Refusal = Refusal {
    ids: &["wif-provider-issuer-not-uri"],
    when: "`oidc.issuerUri` is no URI",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid OIDC issuer URI.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "message"),
};

/// The issuer is not reached by https.
pub(crate) const ISSUER_NOT_HTTPS: Refusal = Refusal {
    ids: &["wif-provider-issuer-not-https"],
    when: "`oidc.issuerUri` is a URI of another scheme than https",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid OIDC issuer URI. The scheme must be https.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "message"),
};

/// An organization policy does not allow the issuer.
///
/// Arguments: `issuer`, `pool` (its name as it was written).
pub(crate) const ISSUER_NOT_ALLOWED: Refusal = Refusal {
    ids: &["wif-provider-issuer-not-allowed"],
    when: "constraints/iam.workloadIdentityPoolProviders is set for the project and does not allow the provider's issuer",
    wire: Wire::Status {
        code: Code::FailedPrecondition,
        message: "Precondition check failed.",
        details: &[Detail::PreconditionFailure {
            kind: "constraints/iam.workloadIdentityPoolProviders",
            subject: "orgpolicy:{pool}",
            description: "Org Policy violated for value: '{issuer}'.",
        }],
        headers: &[],
        legacy_reason: Some("failedPrecondition"),
    },
    evidence: Evidence::documented(
        "https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation",
        "message and details",
    ),
};

/// A provider of a workforce pool does not say how people sign in with a browser.
pub(crate) const WEB_SSO_MISSING: Refusal = Refusal {
    ids: &["workforce-provider-missing-web-sso-config"],
    when: "`oidc` of a provider of a workforce pool has no `webSsoConfig` with `responseType` and `assertionClaimsBehavior`",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Missing OIDC web single sign-on config.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::documented(
        "https://docs.cloud.google.com/iam/docs/troubleshooting-workforce-identity-federation",
        "code+message",
    ),
};

/// An attribute that cannot be mapped.
///
/// Arguments: `key`.
pub(crate) const MAPPING_KEY: Refusal = Refusal {
    ids: &["wif-provider-mapping-key-invalid"],
    when: "a key of `attributeMapping` is neither `attribute.NAME` nor `google.subject`, `google.groups` or another of Google's that a workforce pool has",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid mapped attribute key: {key}",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::reported("https://github.com/kushin77/self-hosted-runner/issues/1900", "start of the message"),
};

/// An uploaded key of a kind that STS does not take.
pub(crate) const JWKS_KEY_TYPE: Refusal = Refusal {
    ids: &["wif-provider-jwks-ec-curve", "wif-provider-jwks-key-type"],
    when: "`oidc.jwksJson` has an EC key of another curve than P-256, or a key that is neither RSA nor EC",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Invalid JWKs. Only RSA, EC key types are supported.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "start and end of the message; its middle is not known"),
};

/// An uploaded key that is none.
pub(crate) const JWKS_CORRUPTED: Refusal = Refusal {
    ids: &["wif-provider-jwks-corrupted"],
    when: "`oidc.jwksJson` has an Ed25519 key, or one whose numbers cannot be read",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Input jwks contains corrupted key material.",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::recorded(MEASURED, "2026-09-28", "message, of an Ed25519 key"),
};

/// Uploaded keys that are no key set.
pub(crate) const JWKS_MALFORMED: Refusal = Refusal {
    ids: &["wif-provider-jwks-x5c", "wif-provider-jwks-malformed"],
    when: "`oidc.jwksJson` is no JWK set; or, where the rig is set so, a key has `x5c` or `x5t`",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "Input JWK is not in a valid json format",
        details: &[],
        headers: &[],
        legacy_reason: Some("badRequest"),
    },
    evidence: Evidence::documented(
        "https://docs.cloud.google.com/iam/docs/troubleshooting-workload-identity-federation",
        "message",
    ),
};
