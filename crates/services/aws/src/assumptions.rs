//! What is done where AWS does not say, or where it is a choice of who runs the machine.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether the metadata server answers without a session token (IMDSv1).
    pub without_session: bool,
    /// How long the credentials of the machine's role are said to live.
    pub credentials_told: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { without_session: true, credentials_told: SignedDuration::from_hours(6) }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] = settable!(Settings { without_session, credentials_told });
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "without_session",
        about: "whether the metadata server of EC2 answers without a session token, as IMDSv1 did",
        default: "it does",
        source: "EC2's default of `HttpTokens` differs by account and image; clients without `imdsv2_session_token_url` need it",
    },
    Assumption {
        name: "credentials_told",
        about: "the `Expiration` of the machine's credentials; they go on working after it",
        default: "6 h from now",
        source: "what instances are seen to be given",
    },
    Assumption {
        name: "request_age",
        about: "how far the date of a signed request may be from now",
        default: "15 min",
        source: "the words with which AWS refuses an older one",
    },
];
