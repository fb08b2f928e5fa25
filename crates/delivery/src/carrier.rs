//! Who carries a request to its target.

use std::sync::{
    Arc,
    atomic::{AtomicU16, AtomicU64, Ordering},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use http::HeaderMap;

use crate::order::{Outgoing, Publication};

/// Carries requests to their targets. Who composes the rig brings it: the services know no network.
pub trait Carrier: Send + Sync {
    /// Sends a request and reads the whole answer, of which nothing but status and headers is kept. Redirects are answers
    /// like others. It may take any time: whoever waits drops the future at the attempt's deadline.
    fn carry(&self, request: Outgoing, progress: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>>;
}

/// Publishes messages: Pub/Sub of the rig, once there is one.
pub trait Publisher: Send + Sync {
    /// Publishes a message as the service agent of `service` (`cloudscheduler`).
    ///
    /// # Errors
    ///
    /// What Pub/Sub answers.
    fn publish(&self, service: &'static str, message: &Publication) -> Result<String, tokenrig_decision::Refused>;
}

/// An answer that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
}

/// Why no whole answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarryFault {
    /// The URL is none that can be asked.
    Target(String),
    /// Nobody plays the host, and nothing outside the machine is asked.
    NotPlayed(String),
    /// The host's certificate is not to be trusted.
    Untrusted(String),
    /// No connection was made.
    Unreachable(String),
    /// The connection broke before the answer's end, or what came is no HTTP.
    Broken(String),
    /// The answer is longer than what is read of one.
    TooLarge {
        /// Bytes.
        limit: u64,
    },
}

impl std::fmt::Display for CarryFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Target(why) => write!(f, "it cannot be sent: {why}"),
            Self::NotPlayed(host) => write!(f, "the rig plays no host {host}, and nothing outside of it is asked"),
            Self::Untrusted(why) => write!(f, "the target's certificate is not to be trusted: {why}"),
            Self::Unreachable(why) => write!(f, "the target cannot be reached: {why}"),
            Self::Broken(why) => write!(f, "the target broke off: {why}"),
            Self::TooLarge { limit } => write!(f, "the answer is longer than {limit} bytes"),
        }
    }
}

impl std::error::Error for CarryFault {}

/// How far an answer has come, for whoever stops waiting for it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU16>);

impl Progress {
    /// The head of an answer has come.
    pub fn began(&self, status: u16) {
        self.0.store(status, Ordering::Relaxed);
    }

    /// The status, if the head has come.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        Some(self.0.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }
}

/// A receiver in this process that answers 200 to everything, at once: for measurements of all the rest.
#[derive(Debug, Clone, Default)]
pub struct NoOp(Arc<AtomicU64>);

impl NoOp {
    /// How many requests it has got.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Carrier for NoOp {
    fn carry(&self, _: Outgoing, _: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Answer { status: 200, headers: HeaderMap::new() })).boxed()
    }
}
