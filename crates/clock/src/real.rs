//! Real time: what a peer on the network may take, and how long something took. No rig's clock matters here.

#![expect(
    clippy::disallowed_methods,
    reason = "deadlines and stopwatches towards real peers are made here and nowhere else"
)]

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// The deadline passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct DeadlineExceeded(pub Duration);

/// Waits for `work`, at most `limit` of real time.
///
/// # Errors
///
/// [`DeadlineExceeded`] if `work` was not done by then; it is dropped.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, DeadlineExceeded> {
    tokio::time::timeout(limit, work).await.map_err(|_| DeadlineExceeded(limit))
}

/// Waits for `pause` of real time: between two looks at a process or a peer outside the rig, never for the rig's own work.
pub async fn pause(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Measures real time from its start.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
