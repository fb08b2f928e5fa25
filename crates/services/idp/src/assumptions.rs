//! What an issuer is free to choose: nothing of Google's is assumed here.

use std::time::Duration;

use tokenrig_clock::{SignedDuration, minutes};
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The choices of all issuers of a rig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a reader may keep discovery document and keys (`Cache-Control: max-age`), in whole seconds.
    pub cache: Duration,
    /// How long a key stays published after it was replaced, on the rig's clock.
    pub keep_replaced_keys: SignedDuration,
    /// How long a slow issuer takes, in real time.
    pub slow: Duration,
    /// How large an oversized key set is, in bytes.
    pub oversized: usize,
    /// How long a provider behind an issuer may take for a whole answer, in real time.
    pub upstream_deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: Duration::from_secs(3600),
            keep_replaced_keys: minutes(60),
            slow: Duration::from_secs(30),
            oversized: 16 * 1024 * 1024,
            upstream_deadline: Duration::from_secs(30),
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { cache, keep_replaced_keys, slow, oversized, upstream_deadline });
}

/// All of them, for the documents.
pub const ALL: &[Assumption] = &[
    Assumption {
        name: "cache",
        about: "How long readers may keep an issuer's discovery document and keys.",
        default: "1 h",
        source: "Providers differ; how long Google keeps fetched keys is not known.",
    },
    Assumption {
        name: "keep_replaced_keys",
        about: "How long an issuer publishes a key after it was replaced.",
        default: "1 h, the lifetime of its tokens",
        source: "OpenID Connect Core 1.0, section 10.1.1, leaves it to the provider.",
    },
    Assumption {
        name: "slow",
        about: "How long an issuer that misbehaves as `slow` takes to answer.",
        default: "30 s of real time",
        source: "How long Google waits for an issuer is not known; it is longer than anything of the rig waits.",
    },
    Assumption {
        name: "oversized",
        about: "How large the key set of an issuer that misbehaves as `oversized` is.",
        default: "16 MiB",
        source: "How much Google reads of a key set is not known; it is more than anything of the rig reads.",
    },
    Assumption {
        name: "upstream_deadline",
        about: "How long a provider behind an issuer with `upstream` may take for a whole answer.",
        default: "30 s of real time",
        source: "A choice: longer than a provider takes that has just been started.",
    },
];
