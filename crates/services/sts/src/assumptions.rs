//! What Google has not told about the exchange, and what is done instead.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;

/// The settings of the exchange.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far `exp` may be past and `iat` ahead.
    pub skew: SignedDuration,
    /// How long fetched keys are kept.
    pub keys_kept: SignedDuration,
    /// How much shorter than the subject token's life a federated token's life is told to be.
    pub shortened: SignedDuration,
    /// The longest subject token that is read, in bytes.
    pub longest_token: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skew: SignedDuration::from_secs(60),
            keys_kept: SignedDuration::from_secs(5),
            shortened: SignedDuration::from_secs(1),
            longest_token: 64 << 10,
        }
    }
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "skew",
        about: "how far a subject token's `exp` may be past and its `iat` ahead",
        default: "60 s",
        source: "a public measurement on 2026-09-28: exp −59 s and iat +60 s pass, exp −61 s and iat +119 s do not",
    },
    Assumption {
        name: "keys_kept",
        about: "how long an issuer's fetched keys are used without asking again",
        default: "5 s of the rig's clock",
        source: "not known; an uploaded key set was seen to take effect within 5 s",
    },
    Assumption {
        name: "shortened",
        about: "how much less than the lesser of the subject token's life and one hour `expires_in` says",
        default: "1 s",
        source: "a public measurement on 2026-09-28: one or two seconds less",
    },
    Assumption {
        name: "missing_attribute",
        about: "what becomes of an `attribute.*` whose expression has no value, for example because a claim is missing",
        default: "it is left out",
        source: "not known; providers that map optional claims are in public use",
    },
    Assumption {
        name: "trailing_slash",
        about: "whether one trailing slash tells an issuer from another",
        default: "it does not",
        source: "two public walk-throughs that work differ from the token's `iss` by one trailing slash",
    },
    Assumption {
        name: "default_scope",
        about: "the scope of a federated token when the request names none",
        default: "https://www.googleapis.com/auth/cloud-platform",
        source: "not known; official clients send an empty or no scope in some flows",
    },
    Assumption {
        name: "longest_token",
        about: "the longest subject token that is read",
        default: "64 KiB",
        source: "not known",
    },
];
