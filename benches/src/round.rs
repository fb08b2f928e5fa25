//! One round: what a process of its own does, and the line in which it tells what came out.

use std::{num::NonZeroUsize, thread};

use serde_json::Value;

use crate::{dispatch, scenarios, throughput, waiting};

/// What a round does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `generateIdToken`, for another audience each time; its baseline signs, without HTTP.
    GenerateIdToken,
    /// The same; its baseline is a bare server that mints.
    MintOverHttp,
    /// A token exchange, with another subject token each time.
    Exchange,
    /// The same while many exchanges wait for the keys of another issuer; its baseline is the same without them.
    Waiting,
    /// A call of a Cloud Run service, with another ID token each time.
    RunFresh,
    /// A call of a Cloud Run service, with the same ID token each time.
    RunRepeated,
    /// Tasks over gRPC to a receiver; its baseline makes the same calls and sends the same requests.
    Dispatch,
    /// All scenarios that run no command. It has no baseline.
    Scenarios,
    /// The same of deliveries alone.
    Deliveries,
}

impl What {
    const ALL: [(Self, &str); 9] = [
        (Self::GenerateIdToken, "generate-id-token"),
        (Self::MintOverHttp, "mint-over-http"),
        (Self::Exchange, "exchange"),
        (Self::Waiting, "waiting"),
        (Self::RunFresh, "run-fresh"),
        (Self::RunRepeated, "run-repeated"),
        (Self::Dispatch, "dispatch"),
        (Self::Scenarios, "scenarios"),
        (Self::Deliveries, "deliveries"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(what, _)| *what == self).map_or("", |(_, word)| word)
    }
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A rig.
    Subject,
    /// The least that could do it.
    Baseline,
}

/// A round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// What is done.
    pub what: What,
    /// Who does it.
    pub side: Side,
    /// How often.
    pub count: usize,
    /// How long the baseline's answers are.
    pub answer_bytes: usize,
}

impl Round {
    /// The round as arguments of a process.
    #[must_use]
    pub fn arguments(&self) -> [String; 4] {
        let side = if self.side == Side::Subject { "subject" } else { "baseline" };
        [self.what.word().to_owned(), side.to_owned(), self.count.to_string(), self.answer_bytes.to_string()]
    }

    /// Reads what [`arguments`](Self::arguments) wrote.
    #[must_use]
    pub fn read(arguments: &[String]) -> Option<Self> {
        let [what, side, count, answer_bytes] = arguments else { return None };
        Some(Self {
            what: What::ALL.iter().find(|(_, word)| what == word).map(|(what, _)| *what)?,
            side: match side.as_str() {
                "subject" => Side::Subject,
                "baseline" => Side::Baseline,
                _ => return None,
            },
            count: count.parse().ok()?,
            answer_bytes: answer_bytes.parse().ok()?,
        })
    }

    /// Does it, and tells what came out.
    ///
    /// # Errors
    ///
    /// What went wrong: a figure of work that failed means nothing.
    pub fn run(&self) -> Result<Value, String> {
        match (self.what, self.side) {
            (What::Scenarios, _) => scenarios::round(&[""]),
            (What::Deliveries, _) => scenarios::round(&["scheduler", "tasks"]),
            (What::Dispatch, _) => dispatch::round(self),
            (What::Waiting, _) => waiting::round(self),
            (What::GenerateIdToken, Side::Baseline) => throughput::sign(self.count),
            _ => throughput::round(self),
        }
    }
}

/// The cores that may be used.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_read_as_it_was_written() {
        for (what, _) in What::ALL {
            for side in [Side::Subject, Side::Baseline] {
                let round = Round { what, side, count: 7, answer_bytes: 9 };
                assert_eq!(Round::read(&round.arguments()), Some(round));
            }
        }
        assert_eq!(Round::read(&["run-fresh".to_owned()]), None);
    }
}
