//! How much is measured.

use std::time::Duration;

/// How often subject and baseline run.
pub(crate) const ROUNDS: usize = 5;
/// Connections of the client.
pub(crate) const CONNECTIONS: usize = 16;
/// No round may take longer, with all that it prepares.
pub(crate) const LONGEST_ROUND: Duration = Duration::from_secs(120);

/// How many of each are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// What the goals are held against.
    Full,
    /// A hundredth: whether the measurements work. The figures mean nothing.
    Quick,
}

impl Scale {
    /// `full` of something, or the hundredth part, and not less than `least`.
    pub(crate) fn of(self, full: usize, least: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => (full / 100).max(least),
        }
    }
}
