//! What Google has not told about Cloud Run's front door, and what is done instead.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;

/// The settings of the front door.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far a token's `exp` may be past and its `iat` ahead.
    pub skew: SignedDuration,
    /// Whether an audience with one trailing slash more than a service's URL is that URL.
    pub trailing_slash: bool,
    /// Requests kept per rig for `received`.
    pub received: usize,
    /// Bytes of a received body that are kept.
    pub kept_body: usize,
    /// Bytes of a request's body.
    pub largest_body: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skew: SignedDuration::ZERO,
            trailing_slash: true,
            received: 10_000,
            kept_body: 256 << 10,
            largest_body: 10 << 20,
        }
    }
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "skew",
        about: "how far an ID token's `exp` may be past and its `iat` ahead at the front door",
        default: "0 s",
        source: "not known",
    },
    Assumption {
        name: "trailing_slash",
        about: "whether an audience with one trailing slash more than a service's URL is accepted",
        default: "it is",
        source: "public reports go both ways",
    },
    Assumption {
        name: "order",
        about: "the order of the front door's checks",
        default: "ingress, credential, issuer, signature, audience, times, permission",
        source: "not known; consistent with all captures",
    },
    Assumption {
        name: "basic_credential",
        about: "what a credential other than `Bearer` gets at a private service",
        default: "401, as a token that is no Google ID token",
        source: "not known",
    },
    Assumption {
        name: "token_at_public_service",
        about: "what becomes of a bad token at a service that everybody may invoke",
        default: "it is ignored",
        source: "a public note of 2026",
    },
];
