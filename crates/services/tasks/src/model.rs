//! Names, limits and defaults of queues and tasks.

use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_delivery::{Backoff, Retry};
use tokenrig_protos::{
    google::cloud::tasks::v2::{HttpMethod, RateLimits, RetryConfig},
    prost_types,
};

use crate::assumptions::Settings;

/// Dispatches per second, at most and by default.
pub(crate) const FASTEST: f64 = 500.0;
/// Tasks in flight, at most.
pub(crate) const MOST_CONCURRENT: i32 = 5_000;
/// Tasks in flight, by default.
const CONCURRENT: i32 = 1_000;
/// Attempts, by default.
const ATTEMPTS: i32 = 100;
/// Doublings of the interval, by default.
const DOUBLINGS: i32 = 16;
/// The first interval by default, in nanoseconds.
const MIN_BACKOFF_NANOS: i32 = 100_000_000;
/// The longest interval by default, in seconds.
const MAX_BACKOFF_SECONDS: i64 = 3_600;
/// Bytes of a task as it is kept.
pub(crate) const LARGEST_TASK: usize = (1 << 20) - 7;
/// Characters of a URL.
pub(crate) const LONGEST_URL: usize = 2_083;
/// Bytes of all headers.
pub(crate) const LARGEST_HEADERS: usize = 80 << 10;
/// How far ahead a task may be scheduled.
pub(crate) const FARTHEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an HTTP target may take, by default.
pub(crate) const DEADLINE: SignedDuration = SignedDuration::from_secs(600);
/// How long any target may take, at least.
pub(crate) const LEAST_DEADLINE: SignedDuration = SignedDuration::from_secs(15);
/// How long an HTTP target may take, at most.
pub(crate) const MOST_DEADLINE: SignedDuration = SignedDuration::from_secs(1_800);
/// How long App Engine may take, at most.
pub(crate) const MOST_DEADLINE_APP_ENGINE: SignedDuration = SignedDuration::from_secs(24 * 3_600 + 15);

/// `projects/P/locations/L/queues/Q`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueName<'a> {
    /// As written: the project's id or number.
    pub(crate) project: &'a str,
    pub(crate) location: &'a str,
    pub(crate) queue: &'a str,
}

impl<'a> QueueName<'a> {
    /// Reads a full name.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (parent, queue) = name.split_once("/queues/")?;
        let (project, location) = place(parent)?;
        is_queue_id(queue).then_some(Self { project, location, queue })
    }

    /// The name under which it is kept: with the project's id.
    pub(crate) fn canonical(&self, project_id: &str) -> String {
        format!("projects/{project_id}/locations/{}/queues/{}", self.location, self.queue)
    }
}

/// A task's name in two: that of its queue and its id, whatever they hold.
pub(crate) fn split_task(name: &str) -> Option<(&str, &str)> {
    name.split_once("/tasks/")
}

/// `projects/P/locations/L` in two.
pub(crate) fn place(name: &str) -> Option<(&str, &str)> {
    let (project, location) = name.strip_prefix("projects/")?.split_once("/locations/")?;
    let part = |part: &str| !part.is_empty() && !part.contains('/');
    (part(project) && part(location)).then_some((project, location))
}

/// What stands where a project stands, for refusals that name it.
pub(crate) fn project_of(name: &str) -> &str {
    let rest = name.strip_prefix("projects/").unwrap_or(name);
    rest.split('/').next().unwrap_or_default()
}

/// Whether a location can be named like this: `us-central1`.
pub(crate) fn is_location(text: &str) -> bool {
    text.len() <= 32
        && text.contains('-')
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_queue_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a task can have this id.
pub(crate) fn is_task_id(text: &str) -> bool {
    (1..=500).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Rate limits in whole: what was not said has its default, the bucket follows from the rate.
pub(crate) fn rate_limits(told: Option<&RateLimits>, settings: &Settings) -> RateLimits {
    let told = told.copied().unwrap_or_default();
    let rate = if told.max_dispatches_per_second == 0.0 { FASTEST } else { told.max_dispatches_per_second };
    RateLimits {
        max_dispatches_per_second: rate,
        max_burst_size: i32::try_from(settings.burst(rate)).unwrap_or(i32::MAX),
        max_concurrent_dispatches: or(told.max_concurrent_dispatches, CONCURRENT),
    }
}

/// A retry configuration in whole: what was not said has its default. Doublings that are none by somebody's wish stay so.
pub(crate) fn retry_config(told: Option<&RetryConfig>, no_doublings: bool) -> RetryConfig {
    let told = told.copied().unwrap_or_default();
    let min = prost_types::Duration { seconds: 0, nanos: MIN_BACKOFF_NANOS };
    let max = prost_types::Duration { seconds: MAX_BACKOFF_SECONDS, nanos: 0 };
    RetryConfig {
        max_attempts: or(told.max_attempts, ATTEMPTS),
        // None at all is for ever.
        max_retry_duration: told.max_retry_duration.filter(|window| window.seconds != 0),
        min_backoff: Some(told.min_backoff.unwrap_or(min)),
        max_backoff: Some(told.max_backoff.unwrap_or(max)),
        max_doublings: if no_doublings { told.max_doublings } else { or(told.max_doublings, DOUBLINGS) },
    }
}

fn or(told: i32, default: i32) -> i32 {
    if told == 0 { default } else { told }
}

/// What a whole retry configuration means.
pub(crate) fn retry(config: &RetryConfig) -> Retry {
    Retry {
        attempts: u32::try_from(config.max_attempts).ok(),
        window: config.max_retry_duration.map(|window| SignedDuration::from_secs(window.seconds)),
        backoff: Backoff {
            min: duration(config.min_backoff.as_ref()),
            max: duration(config.max_backoff.as_ref()),
            doublings: u32::try_from(config.max_doublings).unwrap_or_default(),
        },
    }
}

/// A duration of a message; what is out of range is the longest.
pub(crate) fn duration(told: Option<&prost_types::Duration>) -> SignedDuration {
    let told = told.copied().unwrap_or_default();
    let whole = SignedDuration::from_secs(told.seconds);
    whole.checked_add(SignedDuration::from_nanos(i64::from(told.nanos))).unwrap_or(SignedDuration::MAX)
}

/// The duration as a message has it.
pub(crate) fn told_duration(duration: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: duration.as_secs(), nanos: duration.subsec_nanos() }
}

/// An instant of a message, cut to microseconds; `None` if there is no such instant.
pub(crate) fn instant(told: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(told.seconds, told.nanos - told.nanos % 1_000).ok()
}

/// The instant as a message has it, cut to microseconds.
pub(crate) fn told_instant(at: Timestamp) -> prost_types::Timestamp {
    let nanos = at.subsec_nanosecond();
    prost_types::Timestamp { seconds: at.as_second(), nanos: nanos - nanos % 1_000 }
}

/// The verb of a request.
pub(crate) fn verb(method: i32) -> http::Method {
    match HttpMethod::try_from(method).unwrap_or_default() {
        HttpMethod::Unspecified | HttpMethod::Post => http::Method::POST,
        HttpMethod::Get => http::Method::GET,
        HttpMethod::Head => http::Method::HEAD,
        HttpMethod::Put => http::Method::PUT,
        HttpMethod::Delete => http::Method::DELETE,
        HttpMethod::Patch => http::Method::PATCH,
        HttpMethod::Options => http::Method::OPTIONS,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("projects/p/locations/us-central1/queues/q-1", Some(("p", "us-central1", "q-1")))]
    #[case("projects/p/locations/l/queues/", None)]
    #[case("projects/p/locations/l/queues/q_1", None)]
    #[case("projects/p/locations/l/queues/q/tasks/t", None)]
    #[case("projects//locations/l/queues/q", None)]
    #[case("projects/p/queues/q", None)]
    #[case("q", None)]
    fn a_queue_has_a_full_name(#[case] name: &str, #[case] parts: Option<(&str, &str, &str)>) {
        assert_eq!(QueueName::parse(name).map(|name| (name.project, name.location, name.queue)), parts);
    }

    #[test]
    fn ids_have_their_letters_and_lengths() {
        let long = |count| "a".repeat(count);
        assert!(is_queue_id(&long(100)) && !is_queue_id(&long(101)));
        assert!(is_task_id(&long(500)) && !is_task_id(&long(501)) && is_task_id("A-b_9"));
        assert!(!is_task_id("") && !is_task_id("a.b") && !is_task_id("ä"));
    }

    #[test]
    fn what_was_not_said_has_its_default() {
        let limits = rate_limits(None, &Settings::default());
        let numbers = (limits.max_dispatches_per_second, limits.max_burst_size, limits.max_concurrent_dispatches);
        assert_eq!(numbers, (500.0, 100, 1_000));
        let config = retry_config(None, false);
        assert_eq!((config.max_attempts, config.max_doublings, config.max_retry_duration), (100, 16, None));
        let meant = retry(&config);
        assert_eq!((meant.attempts, meant.window), (Some(100), None));
        assert_eq!(meant.backoff.min, SignedDuration::from_millis(100));
        assert_eq!(retry_config(Some(&RetryConfig::default()), true).max_doublings, 0);
    }

    #[test]
    fn minus_one_is_any_number_of_attempts() {
        let told = RetryConfig { max_attempts: -1, ..RetryConfig::default() };
        assert_eq!(retry(&retry_config(Some(&told), false)).attempts, None);
    }
}
