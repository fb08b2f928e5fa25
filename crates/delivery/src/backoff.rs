//! When a failed attempt is made again.

use tokenrig_clock::{SignedDuration, Timestamp};

/// How long is waited before each retry: doubled so often, then grown by the same step, never above a maximum.
///
/// Sources: `RetryConfig` of <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs> and of
/// <https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues>.
///
/// ```
/// use tokenrig_clock::seconds;
/// use tokenrig_delivery::Backoff;
///
/// let backoff = Backoff { min: seconds(10), max: seconds(300), doublings: 3 };
/// let waits: Vec<i64> = (1..=8).map(|retry| backoff.interval(retry).as_secs()).collect();
/// assert_eq!(waits, [10, 20, 40, 80, 160, 240, 300, 300]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first retry.
    pub min: SignedDuration,
    /// The longest.
    pub max: SignedDuration,
    /// How often the interval is doubled before it grows by a constant step.
    pub doublings: u32,
}

impl Backoff {
    /// The time between the end of a failed attempt and retry number `retry`, which counts from 1.
    #[must_use]
    pub fn interval(&self, retry: u32) -> SignedDuration {
        let retry = retry.max(1);
        let min = self.min.as_nanos().max(0);
        let doubled =
            |times: u32| if min == 0 { 0 } else { min.saturating_mul(1_i128.checked_shl(times).unwrap_or(0)) };
        // Beyond a hundred doublings every interval is the longest.
        let times = self.doublings.min(100);
        let nanos = if retry - 1 <= times {
            doubled(retry - 1)
        } else {
            doubled(times).saturating_mul(i128::from(retry - times))
        };
        let most = self.max.as_nanos().max(0);
        from_nanos(nanos.min(most))
    }
}

/// Whether and when a failed delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts are made at most, the first one among them. `None`: any number.
    pub attempts: Option<u32>,
    /// How long is tried, from the first attempt on. `None`: for ever. With both limits it ends when both are reached; with
    /// this one alone no attempt is made that would begin beyond it.
    pub window: Option<SignedDuration>,
    /// How long is waited in between.
    pub backoff: Backoff,
}

impl Retry {
    /// When the next attempt is made after `made` attempts, of which the first began at `first` and the last failed at
    /// `ended`; `None` if no more is made.
    #[must_use]
    pub fn after(&self, made: u32, first: Timestamp, ended: Timestamp) -> Option<Timestamp> {
        let next = ended.checked_add(self.backoff.interval(made)).ok()?;
        let over = match (self.attempts, self.window) {
            (None, None) => false,
            (Some(most), None) => made >= most,
            (None, Some(window)) => next.duration_since(first) > window,
            (Some(most), Some(window)) => made >= most && ended.duration_since(first) >= window,
        };
        (!over).then_some(next)
    }
}

/// A duration of so many nanoseconds, within what a duration can be.
pub(crate) fn from_nanos(nanos: i128) -> SignedDuration {
    let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    match (i64::try_from(seconds), i32::try_from(rest)) {
        (Ok(seconds), Ok(rest)) => SignedDuration::new(seconds, rest),
        _ => SignedDuration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokenrig_clock::seconds;

    use super::*;

    fn millis(millis: i64) -> SignedDuration {
        SignedDuration::from_millis(millis)
    }

    #[rstest]
    #[case::the_documented_example(10_000, 300_000, 3, &[10_000, 20_000, 40_000, 80_000, 160_000, 240_000, 300_000, 300_000, 300_000])]
    #[case::five_retries(5_000, 3_600_000, 5, &[5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 480_000, 640_000, 800_000, 960_000, 1_120_000, 1_280_000, 1_440_000])]
    #[case::four_to_fifty(4_000, 50_000, 2, &[4_000, 8_000, 16_000, 32_000])]
    #[case::sixteen_doublings(5_000, 3_600_000, 16, &[5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000, 3_600_000, 3_600_000])]
    #[case::tasks(100, 3_600_000, 16, &[100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800, 409_600, 819_200, 1_638_400, 3_276_800, 3_600_000, 3_600_000])]
    #[case::no_doubling(1_000, 10_000, 0, &[1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000, 10_000, 10_000])]
    #[case::linear_to_a_minute(1_000, 60_000, 2, &[1_000, 2_000, 4_000, 8_000, 12_000, 16_000, 20_000, 24_000])]
    #[case::one_doubling(30_000, 600_000, 1, &[30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000, 540_000, 600_000])]
    #[case::capped_while_doubling(2_000, 7_000, 5, &[2_000, 4_000, 7_000, 7_000, 7_000])]
    #[case::constant(10_000, 10_000, 3, &[10_000, 10_000, 10_000])]
    #[case::push(10_000, 600_000, 16, &[10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000])]
    #[case::none_at_all(0, 0, 5, &[0, 0, 0])]
    fn intervals_double_then_grow_by_a_step_then_stay(
        #[case] min: i64,
        #[case] max: i64,
        #[case] doublings: u32,
        #[case] expected: &[i64],
    ) {
        let backoff = Backoff { min: millis(min), max: millis(max), doublings };
        let found: Vec<i128> = (1..).take(expected.len()).map(|retry| backoff.interval(retry).as_millis()).collect();
        assert_eq!(found, expected.iter().map(|one| i128::from(*one)).collect::<Vec<_>>());
    }

    /// The starts of all attempts in seconds after the first, of a receiver that fails at once.
    fn starts(retry: Retry, most: usize) -> Vec<i64> {
        let first: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let mut starts = vec![first];
        while starts.len() < most {
            let made = u32::try_from(starts.len()).unwrap();
            let Some(next) = retry.after(made, first, *starts.last().unwrap()) else { break };
            starts.push(next);
        }
        starts.iter().map(|start| start.duration_since(first).as_secs()).collect()
    }

    fn backoff(min: i64, max: i64, doublings: u32) -> Backoff {
        Backoff { min: seconds(min), max: seconds(max), doublings }
    }

    #[rstest]
    #[case::count(Some(6), None, backoff(5, 3600, 5), &[0, 5, 15, 35, 75, 155])]
    #[case::count_of_four(Some(5), None, backoff(4, 50, 2), &[0, 4, 12, 28, 60])]
    #[case::no_retry(Some(1), None, backoff(5, 3600, 5), &[0])]
    #[case::window_alone(None, Some(30), backoff(4, 10, 5), &[0, 4, 12, 22])]
    #[case::both_run_until_both_are_reached(Some(3), Some(60), backoff(10, 300, 3), &[0, 10, 30, 70])]
    #[case::the_window_was_over_first(Some(4), Some(5), backoff(10, 300, 3), &[0, 10, 30, 70])]
    #[case::for_ever(None, None, backoff(10, 10, 0), &[0, 10, 20, 30, 40, 50, 60])]
    fn attempts_end_by_count_and_window(
        #[case] attempts: Option<u32>,
        #[case] window: Option<i64>,
        #[case] backoff: Backoff,
        #[case] expected: &[i64],
    ) {
        let retry = Retry { attempts, window: window.map(seconds), backoff };
        assert_eq!(starts(retry, 7), expected);
    }

    #[test]
    fn no_configuration_overflows() {
        let backoff = Backoff { min: SignedDuration::MAX, max: SignedDuration::MAX, doublings: u32::MAX };
        assert_eq!(backoff.interval(u32::MAX), SignedDuration::MAX);
        let retry = Retry { attempts: None, window: None, backoff };
        assert_eq!(retry.after(1, Timestamp::UNIX_EPOCH, Timestamp::MAX), None);
    }
}
