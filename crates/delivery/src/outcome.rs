//! How an attempt ended.

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_decision::{Check, Code, Refused};

use crate::{carrier::CarryFault, refusals};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target answered, whatever it said.
    Answered {
        /// The HTTP status.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// The message was published.
    Published {
        /// The message's id.
        id: String,
    },
    /// No token could be made, or the message was not taken: what was answered.
    Refused(Refused),
    /// There was no whole answer before the deadline.
    DeadlineExceeded {
        /// The status, if the head of an answer had come.
        status: Option<u16>,
        /// How many bytes of its body were read, if it was so long that the rest was left.
        limit: Option<u64>,
    },
    /// There was no whole answer.
    Failed(CarryFault),
    /// It ended before the attempt was over: the rig was stopped.
    Stopped,
}

impl Outcome {
    /// Whether the delivery is done: an answer of 200 to 299, or a published message.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        match self {
            Self::Answered { status, .. } => (200..300).contains(status),
            Self::Published { .. } => true,
            _ => false,
        }
    }

    /// The status of the answer, if one came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What a `google.rpc.Status` says about it; `None` for success.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            _ if self.succeeded() => None,
            Self::Answered { status, .. } => Some(code_of(*status)),
            Self::Published { .. } => None,
            Self::Refused(refused) => Some(refused.code()),
            Self::DeadlineExceeded { .. } => Some(Code::DeadlineExceeded),
            Self::Failed(CarryFault::Target(_)) => Some(Code::Unknown),
            Self::Failed(CarryFault::NotPlayed(host)) if is_app_engine(host) => Some(Code::Unimplemented),
            Self::Failed(_) => Some(Code::Unavailable),
            Self::Stopped => Some(Code::Cancelled),
        }
    }

    /// The HTTP status that a decision about it is told with.
    pub(crate) fn told_status(&self) -> u16 {
        self.status().or_else(|| self.code().map(Code::http)).unwrap_or(200)
    }

    /// What went wrong beyond a status, in words; `None` if an answer came.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Answered { .. } | Self::Published { .. } => None,
            Self::Refused(refused) => Some(refused.message()),
            Self::DeadlineExceeded { status: None, .. } => Some("no answer before the deadline".to_owned()),
            Self::DeadlineExceeded { status: Some(status), limit: None } => {
                Some(format!("the answer began with {status} and had not ended at the deadline"))
            }
            Self::DeadlineExceeded { status: Some(status), limit: Some(limit) } => Some(format!(
                "the answer began with {status} and had not ended at the deadline: it is longer than the {limit} bytes that \
                 are read of one"
            )),
            Self::Failed(fault) => Some(fault.to_string()),
            Self::Stopped => Some("the rig was stopped while it was in flight".to_owned()),
        }
    }

    /// The check `target`.
    pub(crate) fn check(&self, url: &str) -> Check {
        let found = match self {
            Self::Answered { status, .. } => json!(status),
            Self::Published { id } => json!({ "messageId": id }),
            other => other.why().map_or(Value::Null, Value::String),
        };
        let check = Check::named("target").expected("an answer of 200 to 299").found(found).holds(self.succeeded());
        match self {
            Self::Refused(refused) => {
                let refused = refused.clone();
                check.or_answer(|| refused)
            }
            Self::DeadlineExceeded { .. } => check
                .or_refuse(&refusals::DEADLINE_EXCEEDED, "delivery-deadline-exceeded")
                .mend(|| format!("let {url} answer sooner, or give the attempt a longer deadline")),
            Self::Failed(CarryFault::Untrusted(_)) => check
                .or_refuse(&refusals::TARGET_UNTRUSTED, "delivery-target-untrusted")
                .with("why", self.why().unwrap_or_default())
                .mend(|| format!("give {url} a certificate that can be trusted: one that it signed itself cannot")),
            Self::Failed(CarryFault::NotPlayed(host)) if is_app_engine(host) => {
                check.or_refuse(&refusals::APP_ENGINE_NOT_BUILT, "delivery-app-engine-not-built").with("host", host)
            }
            Self::Failed(_) | Self::Stopped => check
                .or_refuse(&refusals::TARGET_UNREACHABLE, "delivery-target-unreachable")
                .with("why", self.why().unwrap_or_default())
                .mend(|| format!("see to it that {url} can be reached and answers in whole")),
            Self::Answered { status, .. } => {
                let status = *status;
                check
                    .or_refuse(&refusals::TARGET_FAILED, "delivery-target-failed")
                    .with("status", status.to_string())
                    .mend(|| {
                        format!("let {url} answer with 200 to 299; its own decision says why it answered {status}")
                    })
            }
            Self::Published { .. } => check,
        }
    }
}

/// Whether a host is one of App Engine's, which the rig does not play.
fn is_app_engine(host: &str) -> bool {
    host.ends_with(".appspot.com")
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It is delivered, and nothing follows.
    Done,
    /// It is tried again.
    Retry(Timestamp),
    /// The next start of its schedule.
    Schedule(Timestamp),
    /// It was tried often enough: no more.
    GivenUp,
}

impl Follows {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry(_) => "retry",
            Self::Schedule(_) => "schedule",
            Self::GivenUp => "given up",
        }
    }

    /// When.
    #[must_use]
    pub fn at(self) -> Option<Timestamp> {
        match self {
            Self::Retry(at) | Self::Schedule(at) => Some(at),
            Self::Done | Self::GivenUp => None,
        }
    }
}

/// The canonical code that an HTTP status stands for, as google.rpc.Code documents it.
#[must_use]
pub fn code_of(status: u16) -> Code {
    match status {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        409 => Code::Aborted,
        429 => Code::ResourceExhausted,
        499 => Code::Cancelled,
        500 => Code::Internal,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(200, None)]
    #[case(299, None)]
    #[case(302, Some(2))]
    #[case(401, Some(16))]
    #[case(403, Some(7))]
    #[case(404, Some(5))]
    #[case(418, Some(2))]
    #[case(500, Some(13))]
    #[case(503, Some(14))]
    fn an_answer_stands_for_a_code(#[case] status: u16, #[case] code: Option<i32>) {
        let outcome = Outcome::Answered { status, retry_after: None };
        assert_eq!(outcome.code().map(Code::grpc), code);
        assert_eq!(outcome.check("https://a.example/").ok(), code.is_none());
    }

    #[test]
    fn every_failure_has_words_and_a_refusal() {
        let faults = [
            Outcome::DeadlineExceeded { status: None, limit: None },
            Outcome::DeadlineExceeded { status: Some(200), limit: None },
            Outcome::DeadlineExceeded { status: Some(200), limit: Some(1 << 30) },
            Outcome::Failed(CarryFault::Unreachable("refused".into())),
            Outcome::Failed(CarryFault::Untrusted("self-signed".into())),
            Outcome::Failed(CarryFault::NotPlayed("app.example.com".into())),
            Outcome::Failed(CarryFault::NotPlayed("shop-test.appspot.com".into())),
            Outcome::Failed(CarryFault::Broken("reset".into())),
            Outcome::Stopped,
        ];
        for fault in faults {
            assert!(fault.why().is_some() && fault.check("u").refused().is_some(), "{fault:?}");
            assert!(fault.told_status() >= 400, "{fault:?}");
        }
    }
}
