//! The clock of scenarios: it stands still until it is moved.

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::watch;

use crate::{Clock, NotAdvanced, Timestamp};

/// A clock that stands still until [`advance_to`](Clock::advance_to) moves it.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut now = self.now.subscribe();
        async move {
            // The sender lives as long as `self`, so the channel cannot close under us.
            let _ = now.wait_for(|now| *now >= at).await;
        }
        .boxed()
    }

    fn advance_to(&self, to: Timestamp) -> Result<(), NotAdvanced> {
        let mut refused = None;
        self.now.send_if_modified(|now| {
            if to < *now {
                refused = Some(NotAdvanced::Backwards { now: *now, to });
                return false;
            }
            let moved = to > *now;
            *now = to;
            moved
        });
        refused.map_or(Ok(()), Err)
    }

    fn runs(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::seconds;

    fn start() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::starting_at(start());
        assert_eq!(clock.now(), start());
        clock.advance_to(start() + seconds(5)).unwrap();
        assert_eq!(clock.now(), start() + seconds(5));
    }

    #[test]
    fn time_never_goes_back() {
        let clock = ManualClock::starting_at(start());
        let earlier = start() - seconds(1);
        assert_eq!(clock.advance_to(earlier), Err(NotAdvanced::Backwards { now: start(), to: earlier }));
        assert_eq!(clock.now(), start());
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_instant_is_reached_and_not_before() {
        let clock = Arc::new(ManualClock::starting_at(start()));
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move {
                clock.sleep_until(start() + seconds(60)).await;
                clock.now()
            }
        });
        clock.advance_to(start() + seconds(59)).unwrap();
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance_to(start() + seconds(61)).unwrap();
        assert_eq!(sleeper.await.unwrap(), start() + seconds(61));
    }
}
