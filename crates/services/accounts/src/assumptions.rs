//! What Google has not told about its account endpoints, and what is done instead.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings of the account endpoints.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long clients may keep published keys: `max-age`.
    pub keys_kept: SignedDuration,
    /// How long clients may keep the discovery document.
    pub discovery_kept: SignedDuration,
    /// How much longer than an hour an assertion may live.
    pub lifetime_slack: SignedDuration,
    /// How far ahead `iat` of an assertion may be.
    pub skew: SignedDuration,
    /// How long an access token lives that an assertion or a refresh token was given for.
    pub lifetime: SignedDuration,
    /// What a user has granted, and gets if a refresh asks for nothing.
    pub user_scopes: Vec<String>,
    /// Whether tokeninfo tells of an ID token whose service account is disabled or deleted.
    pub gone_accounts_told: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keys_kept: SignedDuration::from_hours(1),
            discovery_kept: SignedDuration::from_hours(1),
            lifetime_slack: SignedDuration::from_secs(60),
            skew: SignedDuration::from_secs(60),
            lifetime: SignedDuration::from_secs(3599),
            user_scopes: [
                "openid",
                "https://www.googleapis.com/auth/userinfo.email",
                "https://www.googleapis.com/auth/cloud-platform",
            ]
            .map(str::to_owned)
            .to_vec(),
            gone_accounts_told: false,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] = settable!(Settings {
        keys_kept,
        discovery_kept,
        lifetime_slack,
        skew,
        lifetime,
        user_scopes,
        gone_accounts_told,
    });
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "gone_accounts_told",
        about: "whether tokeninfo tells of an ID token whose service account is disabled or deleted since",
        default: "it does not: the token is refused like any bad one",
        source: "not known; an ID token says nothing of its account's state, and a rig is strict where it may be",
    },
    Assumption {
        name: "keys_kept",
        about: "`max-age` of published keys",
        default: "1 h",
        source: "not known for 2026; Google's varies and is of some hours",
    },
    Assumption {
        name: "discovery_kept",
        about: "`max-age` of the discovery document",
        default: "1 h",
        source: "stored copies of the document",
    },
    Assumption {
        name: "raw_keys",
        about: "the fields of the form `raw` of an account's keys",
        default: "`keyvalues`, each `algorithm exponent keyid modulus`, numbers in base64",
        source: "what Google's first server libraries read",
    },
    Assumption {
        name: "lifetime_slack",
        about: "how much longer than an hour an assertion may live",
        default: "60 s",
        source: "an official client dates its assertions 10 s back and forth, and they are taken",
    },
    Assumption {
        name: "skew",
        about: "how far ahead `iat` of an assertion may be; `exp` is given no skew",
        default: "60 s",
        source: "not known; an `iat` in the future is refused (public measurement on 2026-09-02)",
    },
    Assumption {
        name: "lifetime",
        about: "`expires_in` of an access token for an assertion or a refresh token",
        default: "3599 s",
        source: "a public measurement on 2026-09-02",
    },
    Assumption {
        name: "scopes",
        about: "which texts count as OAuth scopes in an assertion; with none among them the answer is an ID token for the whole text",
        default: "`https://www.googleapis.com/auth/` and a name, and the few older forms",
        source: "a public measurement on 2026-09-02 for the ID token; names are not looked up",
    },
    Assumption {
        name: "audience_and_scope",
        about: "what an assertion with both `target_audience` and `scope` gets",
        default: "an ID token",
        source: "not known",
    },
    Assumption {
        name: "audiences",
        about: "which `aud` an assertion may have",
        default: "one text: the address that it is sent to, or https://oauth2.googleapis.com/token",
        source: "official clients send the constant wherever they send the assertion; lists are not known",
    },
    Assumption {
        name: "unknown_account",
        about: "whether the signature of an assertion of an unknown account is judged",
        default: "only its algorithm, as there is no key",
        source: "the account was seen to be judged after the signature, and an unknown one to be told as unknown",
    },
    Assumption {
        name: "delegation",
        about: "what an assertion for a user (`sub`) gets",
        default: "it is refused: nobody has domain-wide delegation",
        source: "the rig plays no delegation; the place of the check in the order is not known",
    },
    Assumption {
        name: "user_scopes",
        about: "which scopes a refresh token stands for",
        default: "all that a refresh asks for; if it asks for none: openid, the e-mail address, cloud-platform",
        source: "a given document does not say what the user granted; gcloud asks for these among others",
    },
    Assumption {
        name: "refresh_order",
        about: "the order in which a refresh is judged",
        default: "grant type, client id, client, secret, refresh token, scope",
        source: "RFC 6749, sections 2.3 and 5.2; Google's is not known",
    },
    Assumption {
        name: "refresh_of_no_token",
        about: "what a refresh without a token gets, or with one that is none of Google's",
        default: "`invalid_grant`, `Bad Request`",
        source: "what Google was seen to say of a malformed token",
    },
    Assumption {
        name: "hosted_domain",
        about: "which ID tokens of users have `hd`",
        default: "those of every domain but gmail.com and googlemail.com",
        source: "https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload",
    },
];
