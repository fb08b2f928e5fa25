//! How an issuer says no. The forms are those of OAuth 2.0; no real provider has an endpoint that signs what it is
//! sent, so the sentences are ours.
//!
//! `POST /token` makes the check `request`, and for a form `code`; `/authorize` makes `request`, `/userinfo` `credential`.
//! `GET /subject-token` makes `header request key`.

use tokenrig_decision::{Evidence, Refusal, Wire};

const OAUTH: Evidence = Evidence::documented("https://www.rfc-editor.org/rfc/rfc6749#section-5.2", "status and error");
const HTTP: Evidence = Evidence::documented("https://www.rfc-editor.org/rfc/rfc9110#section-15", "status");

const TEXT: &[(&str, &str)] = &[("content-type", "text/plain; charset=utf-8")];

/// What was posted is no JSON object.
pub const CLAIMS_NOT_AN_OBJECT: Refusal = Refusal {
    ids: &["idp-claims-not-an-object"],
    when: "The body posted to an issuer's `/token` is not a JSON object in UTF-8.",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The request body must be a JSON object, the claims of the token.",
    },
    evidence: OAUTH,
};

/// `alg` names no algorithm that issuers have keys for.
pub const ALGORITHM_UNKNOWN: Refusal = Refusal {
    ids: &["idp-algorithm-unknown"],
    when: "The query of a request to an issuer's `/token` asks for an `alg` other than RS256 or ES256.",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The parameter alg must be RS256 or ES256.",
    },
    evidence: OAUTH,
};

/// More than 1 MiB was posted.
pub const CLAIMS_TOO_LARGE: Refusal = Refusal {
    ids: &["idp-claims-too-large"],
    when: "The body posted to an issuer's `/token` has more than 1 MiB, or did not come whole.",
    wire: Wire::OAuth {
        status: 413,
        error: "invalid_request",
        description: "The request body could not be read whole or has more than 1 MiB.",
    },
    evidence: HTTP,
};

/// A path that the issuer has, asked for with another method.
pub const METHOD_NOT_ALLOWED: Refusal = Refusal {
    ids: &["idp-method-not-allowed"],
    when: "An issuer's path is asked for with a method that it does not have.",
    wire: Wire::Text {
        status: 405,
        headers: &[("content-type", "text/plain; charset=utf-8"), ("allow", "{allow}")],
        text: "This path takes {allow}.\n",
    },
    evidence: HTTP,
};

/// A path that the issuer does not have.
pub const NOT_FOUND: Refusal = Refusal {
    ids: &["idp-not-found"],
    when: "A path on an issuer's host is none of its own.",
    wire: Wire::Text {
        status: 404,
        headers: TEXT,
        text: "This issuer answers at /.well-known/openid-configuration, /certs, /.well-known/jwks.json, /token, /subject-token, /authorize, /userinfo and /logout.\n",
    },
    evidence: HTTP,
};

/// A header that the query of `/subject-token` says is needed is not there.
pub const HEADER_MISSING: Refusal = Refusal {
    ids: &["idp-header-missing"],
    when: "A request to an issuer's `/subject-token` lacks the header that its query names, or has another value of it.",
    wire: Wire::Text { status: 401, headers: TEXT, text: "The header {name} is missing or wrong.\n" },
    evidence: HTTP,
};

/// The token is asked for in a form that there is not.
pub const FORMAT_UNKNOWN: Refusal = Refusal {
    ids: &["idp-format-unknown"],
    when: "The query of a request to an issuer's `/subject-token` asks for a `format` other than text and json.",
    wire: Wire::Text { status: 400, headers: TEXT, text: "The parameter format must be text or json.\n" },
    evidence: HTTP,
};

/// Nobody knows whom to answer: an authorization request without a client, or without an address to go back to.
pub const AUTHORIZE_REDIRECT: Refusal = Refusal {
    ids: &["idp-authorize-redirect"],
    when: "A request to an issuer's `/authorize` has no `client_id`, or no absolute `redirect_uri`.",
    wire: Wire::Text {
        status: 400,
        headers: TEXT,
        text: "The request needs client_id and an absolute redirect_uri.\n",
    },
    evidence: Evidence::documented("https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1", "status"),
};

/// A form for tokens that cannot be read in one way.
pub const TOKEN_REQUEST: Refusal = Refusal {
    ids: &["idp-token-request"],
    when: "A form posted to an issuer's `/token` has no `grant_type`, or a parameter twice.",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_request",
        description: "The request needs grant_type, and each parameter once.",
    },
    evidence: OAUTH,
};

/// A grant that issuers do not have.
pub const GRANT_TYPE: Refusal = Refusal {
    ids: &["idp-grant-type"],
    when: "A form posted to an issuer's `/token` asks with another grant than authorization_code and refresh_token.",
    wire: Wire::OAuth {
        status: 400,
        error: "unsupported_grant_type",
        description: "The grant type must be authorization_code or refresh_token.",
    },
    evidence: OAUTH,
};

/// A code or a refresh token that is none.
pub const GRANT_INVALID: Refusal = Refusal {
    ids: &["idp-grant-invalid"],
    when: "A code was used before, has expired, is another client's, or comes with another redirect URI or verifier; or a refresh token is none.",
    wire: Wire::OAuth {
        status: 400,
        error: "invalid_grant",
        description: "The code or refresh token is invalid, expired, or was issued to another client.",
    },
    evidence: OAUTH,
};

/// Userinfo for nobody.
pub const USERINFO_TOKEN: Refusal = Refusal {
    ids: &["idp-userinfo-token"],
    when: "A request to an issuer's `/userinfo` bears no access token of its code flow, or one that has expired.",
    wire: Wire::Text {
        status: 401,
        headers: &[
            ("content-type", "text/plain; charset=utf-8"),
            ("www-authenticate", "Bearer error=\"invalid_token\""),
        ],
        text: "The access token is missing, unknown or expired.\n",
    },
    evidence: Evidence::documented(
        "https://openid.net/specs/openid-connect-core-1_0.html#UserInfoError",
        "status and challenge",
    ),
};

/// More than 1 MiB was sent to an issuer behind which a real provider stands.
pub const UPSTREAM_REQUEST_TOO_LARGE: Refusal = Refusal {
    ids: &["idp-upstream-request-too-large"],
    when: "A request to an issuer with `upstream` has a body of more than 1 MiB, or one that did not come whole.",
    wire: Wire::Text {
        status: 413,
        headers: TEXT,
        text: "The request body could not be read whole or has more than 1 MiB.\n",
    },
    evidence: HTTP,
};

/// The provider behind an issuer gave no answer that can be passed on.
pub const UPSTREAM_UNREACHABLE: Refusal = Refusal {
    ids: &["idp-upstream-unreachable"],
    when: "The provider behind an issuer with `upstream` takes no connection, or breaks its answer off, or sends more than 16 MiB.",
    wire: Wire::Text { status: 502, headers: TEXT, text: "The provider behind this issuer did not answer: {why}\n" },
    evidence: HTTP,
};

/// The provider behind an issuer took too long.
pub const UPSTREAM_LATE: Refusal = Refusal {
    ids: &["idp-upstream-late"],
    when: "The provider behind an issuer with `upstream` does not answer whole within the setting `upstream_deadline`.",
    wire: Wire::Text { status: 504, headers: TEXT, text: "The provider behind this issuer did not answer in time.\n" },
    evidence: HTTP,
};

/// All of them.
pub const ALL: &[&Refusal] = &[
    &CLAIMS_NOT_AN_OBJECT,
    &ALGORITHM_UNKNOWN,
    &CLAIMS_TOO_LARGE,
    &METHOD_NOT_ALLOWED,
    &NOT_FOUND,
    &HEADER_MISSING,
    &FORMAT_UNKNOWN,
    &AUTHORIZE_REDIRECT,
    &TOKEN_REQUEST,
    &GRANT_TYPE,
    &GRANT_INVALID,
    &USERINFO_TOKEN,
    &UPSTREAM_REQUEST_TOO_LARGE,
    &UPSTREAM_UNREACHABLE,
    &UPSTREAM_LATE,
];
