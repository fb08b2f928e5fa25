//! How fast a queue may be emptied.

use tokenrig_clock::{SignedDuration, Timestamp};

use crate::backoff::from_nanos;

/// A token bucket: it holds so many tokens, is full at first, and refills continuously. Each dispatch takes one.
///
/// Source: <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RateLimits>.
///
/// ```
/// use tokenrig_clock::{SignedDuration, Timestamp};
/// use tokenrig_delivery::Bucket;
///
/// let start = Timestamp::UNIX_EPOCH;
/// let mut bucket = Bucket::full(2, 5.0);
/// assert!(bucket.take(start) && bucket.take(start) && !bucket.take(start));
/// assert_eq!(bucket.ready_at(start), Some(start + SignedDuration::from_millis(200)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    size: u32,
    per_second: f64,
    /// When it is full again; in the past if it is full.
    full_at: Timestamp,
}

impl Bucket {
    /// A full one of `size` tokens that refills `per_second`. With a rate that is no positive number it never refills.
    #[must_use]
    pub fn full(size: u32, per_second: f64) -> Self {
        Self { size: size.max(1), per_second, full_at: Timestamp::MIN }
    }

    /// The same level with another size and rate.
    pub fn change(&mut self, now: Timestamp, size: u32, per_second: f64) {
        let missing = self.missing(now);
        (self.size, self.per_second) = (size.max(1), per_second);
        let missing = missing.min(f64::from(self.size));
        self.full_at = self.interval().map_or(self.full_at, |one| later(now, scaled(one, missing)));
    }

    /// Takes a token, if there is a whole one.
    pub fn take(&mut self, now: Timestamp) -> bool {
        if self.ready_at(now) != Some(now) {
            return false;
        }
        let from = self.full_at.max(now);
        self.full_at = self.interval().map_or(Timestamp::MAX, |one| later(from, one));
        true
    }

    /// When there is a whole token: `now`, or later; `None` if never.
    #[must_use]
    pub fn ready_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Some(one) = self.interval() else { return (self.full_at <= now).then_some(now) };
        // It may lack all tokens but one.
        let slack = scaled(one, f64::from(self.size - 1));
        let ready = self.full_at.checked_sub(slack).unwrap_or(Timestamp::MIN);
        Some(ready.max(now))
    }

    /// The time in which one token comes.
    fn interval(&self) -> Option<SignedDuration> {
        let usable = self.per_second.is_finite() && self.per_second > 0.0;
        #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer that there is")]
        usable.then(|| from_nanos((1e9 / self.per_second).round() as i128))
    }

    fn missing(&self, now: Timestamp) -> f64 {
        let Some(one) = self.interval() else { return 0.0 };
        let left = self.full_at.duration_since(now).as_secs_f64().max(0.0);
        left / one.as_secs_f64().max(1e-9)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn scaled(one: SignedDuration, times: f64) -> SignedDuration {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "nanoseconds of a queue's pace")]
    from_nanos((one.as_nanos() as f64 * times).round() as i128)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn start() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    /// When each of `count` tasks is dispatched that are all there at the start, in milliseconds.
    fn dispatches(count: usize, size: u32, per_second: f64) -> Vec<i128> {
        let mut bucket = Bucket::full(size, per_second);
        let mut now = start();
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            now = bucket.ready_at(now).unwrap();
            assert!(bucket.take(now));
            times.push(now.duration_since(start()).as_millis());
        }
        times
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let times = dispatches(100, 10, 5.0);
        assert!(times[..10].iter().all(|time| *time == 0));
        assert_eq!(&times[10..13], [200, 400, 600]);
        assert_eq!(times[99], 18_000);
    }

    #[rstest]
    #[case(10_000, 100, 500.0, 19_800)]
    #[case(5, 1, 0.5, 8_000)]
    #[case(5, 1, 4.0, 1_000)]
    fn the_last_of_many_is_dispatched_when_the_rate_says(
        #[case] count: usize,
        #[case] size: u32,
        #[case] per_second: f64,
        #[case] last: i128,
    ) {
        assert_eq!(*dispatches(count, size, per_second).last().unwrap(), last);
    }

    #[test]
    fn it_holds_no_more_than_its_size_however_long_nobody_took() {
        let mut bucket = Bucket::full(3, 1.0);
        assert!((0..3).all(|_| bucket.take(start())));
        let much_later = start() + SignedDuration::from_hours(24);
        assert!((0..3).all(|_| bucket.take(much_later)));
        assert!(!bucket.take(much_later));
    }

    #[rstest]
    #[case(0.0)]
    #[case(-1.0)]
    #[case(f64::NAN)]
    fn a_bucket_without_a_rate_gives_once_and_never_again(#[case] rate: f64) {
        let mut bucket = Bucket::full(1, rate);
        assert!(bucket.take(start()));
        assert_eq!(bucket.ready_at(start()), None);
    }

    #[test]
    fn another_rate_keeps_the_level() {
        let mut bucket = Bucket::full(10, 1.0);
        assert!((0..10).all(|_| bucket.take(start())));
        bucket.change(start(), 10, 100.0);
        assert_eq!(bucket.ready_at(start()), Some(start() + SignedDuration::from_millis(10)));
        bucket.change(start(), 1, 1.0);
        assert_eq!(bucket.ready_at(start()), Some(start() + SignedDuration::from_secs(1)));
    }
}
