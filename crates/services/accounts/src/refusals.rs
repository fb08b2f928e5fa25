//! Every refusal that the account endpoints can give here.

use tokenrig_decision::{Code, Evidence, Refusal, Wire};

const MEASURED: &str = "a public measurement against oauth2.googleapis.com/token";
const DAY: &str = "2026-09-02";
const GUIDE: &str = "https://developers.google.com/identity/protocols/oauth2/service-account";

const fn oauth(status: u16, error: &'static str, description: &'static str) -> Wire {
    Wire::OAuth { status, error, description }
}

/// A grant that is none.
///
/// Arguments: `value` (empty if there is none).
pub(crate) const GRANT_TYPE_UNKNOWN: Refusal = Refusal {
    ids: &["oauth2-grant-type-unknown"],
    when: "`grant_type` is missing or unknown",
    wire: oauth(400, "unsupported_grant_type", "Invalid grant_type: {value}"),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion that cannot be read.
pub(crate) const ASSERTION_MALFORMED: Refusal = Refusal {
    ids: &["oauth2-jwt-assertion-missing", "oauth2-jwt-assertion-not-three-parts", "oauth2-jwt-assertion-undecodable"],
    when: "the assertion is missing, has not three parts, or its parts are no JSON objects in base64url",
    wire: oauth(400, "invalid_request", "Bad Request"),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion that no key of the account signed.
pub(crate) const SIGNATURE_INVALID: Refusal = Refusal {
    ids: &["oauth2-jwt-signature-invalid", "oauth2-jwt-alg-none", "oauth2-jwt-alg-missing"],
    when: "no enabled key of the account in `iss` verifies the assertion, or its algorithm is not RS256",
    wire: oauth(400, "invalid_grant", "Invalid JWT Signature."),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion of nobody.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal = Refusal {
    ids: &["oauth2-jwt-account-not-found"],
    when: "`iss` is missing or no service account's e-mail address",
    wire: oauth(400, "invalid_grant", "Invalid grant: account not found"),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion of an account that is stopped.
pub(crate) const ACCOUNT_DISABLED: Refusal = Refusal {
    ids: &["oauth2-jwt-account-disabled"],
    when: "the service account in `iss` is disabled",
    wire: ACCOUNT_NOT_FOUND.wire,
    evidence: Evidence::reported("https://github.com/googleapis/google-cloud-php/issues/3622", "full"),
};

/// An assertion without a beginning.
pub(crate) const IAT_MISSING: Refusal = Refusal {
    ids: &["oauth2-jwt-iat-missing"],
    when: "the assertion has no `iat`",
    wire: oauth(400, "invalid_grant", "Invalid JWT: iat (issued at) is not set."),
    evidence: Evidence::recorded(MEASURED, DAY, "description"),
};

/// An assertion without an end.
pub(crate) const EXP_MISSING: Refusal = Refusal {
    ids: &["oauth2-jwt-exp-missing"],
    when: "the assertion has no `exp`",
    wire: oauth(400, "invalid_grant", "Invalid JWT: exp (expiration time) is not set."),
    evidence: Evidence::recorded(MEASURED, DAY, "description"),
};

/// An assertion of another time, or for too long.
pub(crate) const WINDOW: Refusal = Refusal {
    ids: &[
        "oauth2-jwt-window-expired",
        "oauth2-jwt-window-iat-in-future",
        "oauth2-jwt-window-too-long",
        "oauth2-jwt-window-unreadable",
    ],
    when: "`exp` is past, `iat` is ahead, more than an hour lies between them, or one of them is no time",
    wire: oauth(
        400,
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
    ),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion for nothing.
pub(crate) const SCOPE_EMPTY: Refusal = Refusal {
    ids: &["oauth2-scope-empty", "oauth2-refresh-scope-unknown"],
    when: "the assertion has neither a `scope` nor a `target_audience`, or no scope of a refresh is one",
    wire: oauth(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// An assertion for somebody else.
pub(crate) const AUDIENCE_WRONG: Refusal = Refusal {
    ids: &["oauth2-jwt-audience-wrong"],
    when: "`aud` of the assertion is not the token endpoint",
    wire: oauth(400, "invalid_grant", "Invalid JWT: Failed audience check."),
    evidence: Evidence::recorded(MEASURED, DAY, "full"),
};

/// The same at the older endpoint, which tells what it expected.
pub(crate) const AUDIENCE_WRONG_LEGACY: Refusal = Refusal {
    ids: &["oauth2-jwt-audience-wrong-legacy-host"],
    when: "`aud` of an assertion that is sent to https://www.googleapis.com/oauth2/v4/token is not the token endpoint",
    wire: oauth(
        400,
        "invalid_grant",
        "Invalid JWT: Failed audience check. The right audience is https://www.googleapis.com/oauth2/v4/token",
    ),
    evidence: Evidence::reported("public notes and samples of clients in Python and PowerShell", "full"),
};

/// An assertion for a user, who can be no user.
pub(crate) const SUBJECT_NOT_EMAIL: Refusal = Refusal {
    ids: &["oauth2-dwd-sub-not-email"],
    when: "`sub` of the assertion is neither the account itself nor an e-mail address",
    wire: oauth(400, "invalid_grant", "Not a valid email"),
    evidence: Evidence::documented(GUIDE, "full"),
};

/// An assertion for a user, by an account that may not.
pub(crate) const DELEGATION_MISSING: Refusal = Refusal {
    ids: &["oauth2-dwd-not-authorised"],
    when: "`sub` of the assertion is a user, and the account has no domain-wide delegation",
    wire: oauth(
        401,
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
    ),
    evidence: Evidence::captured(
        "tests and documents of public clients, with the answer; the same text stands in Google's guide",
        "full",
    ),
};

/// A refresh by nobody.
pub(crate) const CLIENT_ID_MISSING: Refusal = Refusal {
    ids: &["oauth2-client-id-missing"],
    when: "a refresh names no client, neither in the body nor by basic authentication",
    wire: oauth(400, "invalid_request", "Could not determine client ID from request."),
    evidence: Evidence::reported("https://github.com/openid/AppAuth-iOS/issues/226", "full"),
};

/// A refresh by a client that Google does not know.
pub(crate) const CLIENT_NOT_FOUND: Refusal = Refusal {
    ids: &["oauth2-client-not-found"],
    when: "the client of a refresh is unknown",
    wire: oauth(401, "invalid_client", "The OAuth client was not found."),
    evidence: Evidence::reported("tests and logs of public clients", "full"),
};

/// A refresh by a client that does not prove itself.
pub(crate) const CLIENT_SECRET_WRONG: Refusal = Refusal {
    ids: &["oauth2-client-secret-wrong"],
    when: "the secret of the client of a refresh is not the client's; older answers said `Unauthorized`",
    wire: oauth(401, "invalid_client", "The provided client secret is invalid."),
    evidence: Evidence::recorded(
        "a public test of a refresh against oauth2.googleapis.com/token",
        "2026-08-29",
        "full",
    ),
};

/// A refresh by a client that does not try to prove itself.
pub(crate) const CLIENT_SECRET_MISSING: Refusal = Refusal {
    ids: &["oauth2-client-secret-missing"],
    when: "a refresh names a client and no secret",
    wire: oauth(400, "invalid_request", "client_secret is missing."),
    evidence: Evidence::reported("https://github.com/xiufengsun/TokenTracker/issues/610", "full"),
};

/// A refresh without a token, or with one of somebody else.
pub(crate) const REFRESH_BAD_REQUEST: Refusal = Refusal {
    ids: &["oauth2-refresh-bad-request", "oauth2-refresh-token-missing"],
    when: "the refresh token is missing, is none of Google's, or was given to another client",
    wire: oauth(400, "invalid_grant", "Bad Request"),
    evidence: Evidence::reported("a public client's list of refresh errors that it has seen", "full"),
};

/// A refresh token that is over.
pub(crate) const REFRESH_REVOKED: Refusal = Refusal {
    ids: &["oauth2-refresh-token-revoked"],
    when: "the refresh token is unknown or was revoked",
    wire: oauth(400, "invalid_grant", "Token has been expired or revoked."),
    evidence: Evidence::reported("logs of public clients, with the body", "full"),
};

/// A user who has to sign in again.
pub(crate) const REAUTH_DUE: Refusal = Refusal {
    ids: &["oauth2-refresh-reauth-due"],
    when: "the session control of the user's organisation wants the user to sign in again",
    // Beside the two members of RFC 6749 there are two of Google's, by which clients know it.
    wire: Wire::Text {
        status: 400,
        headers: &[("content-type", "application/json; charset=utf-8")],
        text: r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_uri":"https://support.google.com/a/answer/9368756","error_subtype":"invalid_rapt"}"#,
    },
    evidence: Evidence::reported("https://github.com/cline/cline/issues/4080", "full"),
};

/// No token to tell about.
pub(crate) const TOKENINFO_MISSING: Refusal = Refusal {
    ids: &["tokeninfo-token-missing"],
    when: "the request has neither `access_token` nor `id_token`, nor a bearer token",
    wire: oauth(400, "invalid_token", "Either access_token, id_token, or token_handle required"),
    evidence: Evidence::captured("public probes of oauth2.googleapis.com/tokeninfo", "full"),
};

/// A token that tells nothing.
pub(crate) const TOKENINFO_BAD: Refusal = Refusal {
    ids: &["tokeninfo-bad-token"],
    when: "the token is garbage, expired, federated, or of another issuer",
    wire: oauth(400, "invalid_token", "Invalid Value"),
    evidence: Evidence::captured("a public live probe, and the tests of a client", "full"),
};

/// An account whose keys nobody publishes.
pub(crate) const KEYS_NOT_FOUND: Refusal = Refusal {
    ids: &["accounts-keys-not-found"],
    when: "the keys are asked for of a service account that does not exist",
    wire: Wire::Status {
        code: Code::NotFound,
        message: "Requested entity was not found.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("Google's usual words for what is not there"),
};

/// A grant that the rig does not play.
///
/// Arguments: `what`.
pub(crate) const GRANT_NOT_PLAYED: Refusal = Refusal {
    ids: &["oauth2-not-played"],
    when: "the grant needs something that this version of the rig does not play",
    wire: oauth(501, "unimplemented", "This version of the rig does not play {what}."),
    evidence: Evidence::assumed("not an answer of Google's: the rig says what it does not do"),
};

/// Anything else on these hosts.
pub(crate) const NOT_PLAYED: Refusal = tokenrig_wire::refusals::UNPLAYED;

/// All of them.
pub(crate) const ALL: &[&Refusal] = &[
    &GRANT_TYPE_UNKNOWN,
    &ASSERTION_MALFORMED,
    &SIGNATURE_INVALID,
    &ACCOUNT_NOT_FOUND,
    &ACCOUNT_DISABLED,
    &IAT_MISSING,
    &EXP_MISSING,
    &WINDOW,
    &SCOPE_EMPTY,
    &AUDIENCE_WRONG,
    &AUDIENCE_WRONG_LEGACY,
    &SUBJECT_NOT_EMAIL,
    &DELEGATION_MISSING,
    &CLIENT_ID_MISSING,
    &CLIENT_NOT_FOUND,
    &CLIENT_SECRET_WRONG,
    &CLIENT_SECRET_MISSING,
    &REFRESH_BAD_REQUEST,
    &REFRESH_REVOKED,
    &REAUTH_DUE,
    &TOKENINFO_MISSING,
    &TOKENINFO_BAD,
    &KEYS_NOT_FOUND,
    &GRANT_NOT_PLAYED,
    &NOT_PLAYED,
];
