//! A decision as it is kept and told: the JSON of a rig's control address.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::Decision;

/// A decision that was made: when, about what, and what was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts all decisions of a rig from 1.
    pub seq: u64,
    /// The rig's time.
    pub at: Timestamp,
    /// A surface word of the refusal catalogue.
    pub surface: String,
    /// The method, in Google's spelling.
    pub of: String,
    /// What the client got.
    pub answer: Answer,
    /// The catalogue's id of the refusal, if it was one.
    pub refusal: Option<String>,
    /// The checks, in order of judgement.
    pub checks: Vec<CheckRecord>,
    /// What would have let it pass.
    pub mend: Option<String>,
}

/// What the client got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status; of a gRPC answer the one that its code stands for.
    pub status: u16,
}

/// One check of a kept decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Its public name.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What would let it pass.
    pub expected: Value,
    /// What was there.
    pub found: Value,
}

impl Record {
    /// Keeps `decision`, answered with `status`. [`seq`](Self::seq) is given by whoever keeps it.
    #[must_use]
    pub fn new(at: Timestamp, decision: &Decision, status: u16) -> Self {
        let failed = decision.failed();
        Self {
            seq: 0,
            at,
            surface: decision.surface().to_owned(),
            of: decision.method().to_owned(),
            answer: Answer { status },
            refusal: failed.and_then(|check| check.refused()).map(|refused| refused.id().to_owned()),
            checks: decision
                .checks()
                .iter()
                .map(|check| CheckRecord {
                    name: check.name().to_owned(),
                    ok: check.ok(),
                    expected: check.expectation().clone(),
                    found: check.finding().clone(),
                })
                .collect(),
            mend: failed.and_then(|check| check.mending()).map(str::to_owned),
        }
    }

    /// The check that gave the answer, if one failed.
    #[must_use]
    pub fn failed(&self) -> Option<&CheckRecord> {
        self.checks.iter().find(|check| !check.ok)
    }
}
