//! What Google has not told about deliveries, and what is done instead.

use std::time::Duration;

use tokenrig_clock::{SignedDuration, minutes, seconds};
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings of all deliveries.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long before its end a token is used no more and a new one is made. Never less than 60 s.
    pub token_margin: SignedDuration,
    /// How long in real time an answer is waited for when the clock is advanced, before its attempt is left in flight.
    pub patience: Duration,
    /// The most bytes of an answer that are read. What is longer ends at the attempt's deadline.
    pub largest_answer: usize,
    /// How many attempts are kept in the log.
    pub attempts: usize,
}

/// No token is sent with less life left than this.
pub(crate) const LEAST_LEFT: SignedDuration = SignedDuration::from_secs(60);

impl Default for Settings {
    fn default() -> Self {
        Self { token_margin: minutes(5), patience: Duration::from_secs(2), largest_answer: 1 << 30, attempts: 10_000 }
    }
}

impl Settings {
    /// How much life a token must have left to be sent.
    pub(crate) fn least_left(&self) -> SignedDuration {
        // A token lives an hour: one that is never good enough would be made for every attempt.
        self.token_margin.clamp(LEAST_LEFT, seconds(3_540))
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] = settable!(Settings { token_margin, patience, largest_answer, attempts });
}

/// All of them, for the documents.
pub const ALL: &[Assumption] = &[
    Assumption {
        name: "token_margin",
        about: "how long before its end a token is used no more; each service, account and audience has one token at a time",
        default: "5 min, and never less than 60 s",
        source: "Pub/Sub's reference says that a token may be up to an hour old; a receiver that allows no leeway must still take it",
    },
    Assumption {
        name: "patience",
        about: "how long, in real time, an answer is waited for when the clock is advanced",
        default: "2 s; then the clock goes on, and the attempt is cut when it reaches the attempt's deadline",
        source: "ours: receivers take real time, the rig's clock stands still",
    },
    Assumption {
        name: "largest_answer",
        about: "how many bytes of an answer are read and thrown away; of a longer one the rest is left, so that it has not ended when the attempt's deadline comes",
        default: "1 GiB",
        source: "not known; ours, so that a receiver that sends without end costs no more than this",
    },
    Assumption { name: "attempts", about: "how many attempts are kept in the log", default: "10000", source: "ours" },
    Assumption {
        name: "self_signed",
        about: "whether a target may show a certificate that it signed itself",
        default: "it may not: the delivery fails; the rig's own authority is trusted",
        source: "a published tutorial: the server must have a valid certificate and cannot be self-signed",
    },
    Assumption {
        name: "unjudged",
        about: "whether the permissions of the service agent and the state of the account are asked for again while a token is used again",
        default: "they are not: a change counts when the next token is made",
        source: "follows from tokens that are used again",
    },
    Assumption {
        name: "order",
        about: "in which order what falls due at one instant is done when the clock is advanced",
        default: "by service, resource name and number, one after the other",
        source: "Google guarantees no order; a test needs the same one every time",
    },
];
