//! The clock of the machine, with an offset where a rig may be moved ahead of it.

#![expect(clippy::disallowed_methods, reason = "this is the clock that shows the machine's time")]

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::watch;

use crate::{Clock, NotAdvanced, SignedDuration, Timestamp};

/// The machine's clock plus an offset.
#[derive(Debug)]
pub struct SystemClock {
    offset: watch::Sender<SignedDuration>,
    movable: bool,
}

impl SystemClock {
    /// The real clock. It cannot be moved.
    #[must_use]
    pub fn real() -> Self {
        Self { offset: watch::Sender::new(SignedDuration::ZERO), movable: false }
    }

    /// The machine's clock as it is, until it is advanced.
    #[must_use]
    pub fn movable() -> Self {
        Self { offset: watch::Sender::new(SignedDuration::ZERO), movable: true }
    }

    /// A clock that shows `start` now and runs on from there.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { offset: watch::Sender::new(start.duration_since(Timestamp::now())), movable: true }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // An offset that leaves the calendar's range leaves the clock where the machine's is.
        let now = Timestamp::now();
        now.checked_add(*self.offset.borrow()).unwrap_or(now)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut offset = self.offset.subscribe();
        async move {
            loop {
                let left = at.duration_since(self.now());
                let Ok(left) = std::time::Duration::try_from(left) else { return };
                if left.is_zero() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    _ = offset.changed() => {}
                }
            }
        }
        .boxed()
    }

    fn advance_to(&self, to: Timestamp) -> Result<(), NotAdvanced> {
        if !self.movable {
            return Err(NotAdvanced::Real);
        }
        let now = self.now();
        if to < now {
            return Err(NotAdvanced::Backwards { now, to });
        }
        self.offset.send_modify(|offset| *offset += to.duration_since(now));
        Ok(())
    }

    fn runs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{minutes, seconds};

    #[test]
    fn the_real_clock_cannot_be_moved() {
        let clock = SystemClock::real();
        assert_eq!(clock.advance_to(clock.now() + minutes(1)), Err(NotAdvanced::Real));
    }

    #[test]
    fn a_clock_runs_on_from_its_start() {
        let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = SystemClock::starting_at(start);
        let shown = clock.now();
        assert!(shown >= start && shown < start + minutes(1), "{shown}");
    }

    #[tokio::test]
    async fn moving_the_clock_wakes_who_sleeps_on_it() {
        let clock = Arc::new(SystemClock::movable());
        let due = clock.now() + minutes(60);
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep_until(due).await }
        });
        tokio::task::yield_now().await;
        clock.advance_to(due + seconds(1)).unwrap();
        sleeper.await.unwrap();
        assert!(clock.now() >= due);
    }
}
