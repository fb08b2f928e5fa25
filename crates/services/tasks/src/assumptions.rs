//! What Google has not told about Cloud Tasks, and what is done instead.

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Setting},
};

/// The settings of the service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long the name of a task that is done or deleted is not free.
    pub name_window: SignedDuration,
    /// How long the name of a deleted queue is not free.
    pub queue_window: SignedDuration,
    /// How long a task lives, whatever happens.
    pub task_life: SignedDuration,
    /// Whether a queue slows down when its targets answer 429 or 503.
    pub throttling: bool,
    /// The smallest bucket of a queue.
    pub least_burst: usize,
    /// The largest bucket of a queue.
    pub most_burst: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name_window: SignedDuration::from_hours(24),
            queue_window: SignedDuration::from_hours(7 * 24),
            task_life: SignedDuration::from_hours(31 * 24),
            throttling: false,
            least_burst: 10,
            most_burst: 100,
        }
    }
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] =
        settable!(Settings { name_window, queue_window, task_life, throttling, least_burst, most_burst });
}

impl Settings {
    /// `maxBurstSize` of a queue with this rate.
    pub(crate) fn burst(&self, per_second: f64) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 500 a second, never below 0"
        )]
        let share = (per_second.clamp(0.0, 500.0) / 5.0).ceil() as u32;
        let bound = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        share.min(bound(self.most_burst)).max(bound(self.least_burst)).max(1)
    }
}

/// The least that is left of a slowed-down queue's rate.
pub(crate) const SLOWEST: f64 = 1.0 / 64.0;

/// How much of its rate a slowed-down queue gets back in a second in which its targets answer.
pub(crate) const RECOVERY: f64 = 0.1;

/// A queue is slowed down at most once in this time.
pub(crate) const SLOWED_ONCE_IN: SignedDuration = SignedDuration::from_secs(1);

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "name_window",
        about: "how long the name of a task that is done or deleted is not free",
        default: "24 h",
        source: "the page about quotas says up to 24 hours, the reference of CreateTask one hour",
    },
    Assumption {
        name: "queue_window",
        about: "how long the name of a deleted queue is not free",
        default: "7 d",
        source: "the reference of DeleteQueue",
    },
    Assumption {
        name: "task_life",
        about: "how long a task lives, whatever happens",
        default: "31 d",
        source: "the reference of CreateQueue",
    },
    Assumption {
        name: "throttling",
        about: "whether a queue slows down when its HTTP targets answer 429 or 503: the rate is halved, at most once a second and down to 1/64, and comes back by a tenth for each second after which a target answers well",
        default: "it does not",
        source: "the reference says that queues back off and gives no numbers",
    },
    Assumption {
        name: "retry_after",
        about: "what `Retry-After` of an answer 429 or 503 does",
        default: "the task's next attempt is not made before",
        source: "the reference says that it is considered",
    },
    Assumption {
        name: "least_burst",
        about: "the smallest `maxBurstSize`, which else is a fifth of the rate, rounded up",
        default: "10",
        source: "public outputs show 100 at 500 a second and 10 at 1 a second; Google picks it by the rate",
    },
    Assumption { name: "most_burst", about: "the largest `maxBurstSize`", default: "100", source: "as `least_burst`" },
    Assumption {
        name: "retries_of_both_limits",
        about: "when a task is given up that has `maxAttempts` and `maxRetryDuration`",
        default: "when both are reached; with any number of attempts no attempt begins beyond the duration",
        source: "the reference; where exactly it ends is not told",
    },
    Assumption {
        name: "backoff_fractions",
        about: "whether fractions of a second in `minBackoff` and `maxBackoff` count",
        default: "they do",
        source: "the reference says that they are cut off, and gives 0.100 s as the default of `minBackoff`",
    },
    Assumption {
        name: "purge",
        about: "when a purge takes effect",
        default: "at once; attempts in flight go on and nothing follows them",
        source: "the reference says within a minute",
    },
    Assumption {
        name: "attempt_message",
        about: "the message in the status of an attempt",
        default: "`UNKNOWN(2): HTTP status code 500`, with the code's name and number",
        source: "the form of a public emulator",
    },
    Assumption {
        name: "previous_response",
        about: "the header X-CloudTasks-TaskPreviousResponse after an attempt without an answer",
        default: "504 after a deadline, 0 after a connection that failed, the status of the refusal if no token was made",
        source: "the first two were seen in public captures",
    },
    Assumption {
        name: "app_engine_host",
        about: "where App Engine tasks go; the rig plays no App Engine, so that they fail there unless somebody answers",
        default: "`https://[VERSION-dot-][SERVICE-dot-]PROJECT.appspot.com`",
        source: "the reference of AppEngineRouting",
    },
    Assumption {
        name: "default_audience",
        about: "the audience of an ID token that is ordered without one",
        default: "the URL with its query; a URL that the queue changes counts as changed",
        source: "the reference says the URI of the target; for the query, what is documented of Cloud Scheduler",
    },
    Assumption {
        name: "buffered_task",
        about: "what becomes of a buffered request",
        default: "verb, body and headers, without those that tell of the connection or the caller; all of its URL is the queue's",
        source: "the reference of BufferTask in outline",
    },
    Assumption {
        name: "locations",
        about: "which locations there are",
        default: "the project's own is listed; any that is named like one is taken",
        source: "ours",
    },
    Assumption {
        name: "queue_filter",
        about: "which filters of queues are played",
        default: "`state: WORD` and `state = WORD`",
        source: "the reference's own example",
    },
];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(500.0, 100)]
    #[case(1.0, 10)]
    #[case(0.1, 10)]
    #[case(100.0, 20)]
    #[case(101.0, 21)]
    #[case(0.0, 10)]
    #[case(f64::NAN, 10)]
    fn the_bucket_of_a_queue_follows_its_rate(#[case] rate: f64, #[case] size: u32) {
        assert_eq!(Settings::default().burst(rate), size);
    }
}
