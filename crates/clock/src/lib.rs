//! The one reader of time.
//!
//! Everything that a rig does in time asks a [`Clock`]: how late it is, and to be woken later. Three kinds exist: the
//! [`SystemClock`] of a real run, the same with an offset (`exec` and `serve`, whose clients look at their own clocks),
//! and the [`ManualClock`] of scenarios, which stands still until somebody moves it. What a *peer on the network* costs
//! is real time whatever the rig's clock says; [`real`] has the deadline and the stopwatch for that.
//!
//! ```
//! use tokenrig_clock::{Clock, ManualClock, Timestamp, seconds};
//!
//! let start: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
//! let clock = ManualClock::starting_at(start);
//! clock.advance_to(start + seconds(90)).unwrap();
//! assert_eq!(clock.now().to_string(), "2026-01-15T09:01:30Z");
//! ```

mod manual;
pub mod real;
mod system;

use std::{fmt::Debug, sync::Arc};

use futures_util::future::BoxFuture;
pub use jiff::{SignedDuration, Timestamp};

pub use crate::{manual::ManualClock, system::SystemClock};

/// A clock that many tasks read and at most one test moves.
pub type SharedClock = Arc<dyn Clock>;

/// The time of one rig or run.
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Returns once [`now`](Clock::now) is `at` or later; at once if it already is.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;

    /// Moves the clock forward to `to` and wakes who sleeps until then.
    ///
    /// # Errors
    ///
    /// [`NotAdvanced`] if `to` lies before the present instant, or if this is the real clock.
    fn advance_to(&self, to: Timestamp) -> Result<(), NotAdvanced>;

    /// Whether time passes by itself. A manual clock's does not.
    fn runs(&self) -> bool;
}

/// Why a clock did not move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdvanced {
    /// Time goes forward only.
    #[error("the clock stands at {now} and cannot go back to {to}")]
    Backwards {
        /// The present instant.
        now: Timestamp,
        /// The instant asked for.
        to: Timestamp,
    },
    /// The clock of the real world cannot be moved.
    #[error("the real clock cannot be moved")]
    Real,
}

/// A duration of whole seconds.
#[must_use]
pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A duration of whole minutes.
#[must_use]
pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}
