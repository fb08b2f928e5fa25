//! What can be set about a rig's cloud.

use std::collections::{BTreeMap, BTreeSet};

use tokenrig_clock::SignedDuration;

/// Settings that the whole cloud honours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What everything that the rig makes up comes from.
    pub seed: String,
    /// How long a changed policy takes to have effect. At Google about 70 s for a grant and 90 s for its end were
    /// measured; none by default.
    pub propagation: SignedDuration,
    /// Requests per minute, by quota (`sts.googleapis.com/requests`). A quota that is not named here is not counted.
    pub quotas: BTreeMap<String, u32>,
    /// Services that are not enabled in the project at start (`run.googleapis.com`).
    pub disabled_services: BTreeSet<String>,
    /// How many decisions, and how many audit entries, are kept.
    pub ring: usize,
    /// How many access tokens are remembered. Beyond, the oldest is forgotten and answers as unknown.
    pub tokens: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: "tokenrig".into(),
            propagation: SignedDuration::ZERO,
            quotas: BTreeMap::new(),
            disabled_services: BTreeSet::new(),
            ring: 10_000,
            tokens: 250_000,
        }
    }
}
