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
    /// like others. It may take any time: whoever waits drops the future at the attempt's deadline. What is longer than it
    /// reads of one answer has no end for it: it says so to `progress` and waits.
    fn carry(&self, sending: Sending<'_>, progress: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>>;
}

/// A request on its way: what a service wants sent, and the token that goes along.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// What is sent.
    pub request: &'a Outgoing,
    /// The value of `Authorization`, if a token goes along: it takes the place of the request's own.
    pub(crate) authorization: Option<&'a Authorization>,
}

impl<'a> Sending<'a> {
    /// All headers but Host and Content-Length, in the order in which they are sent.
    pub fn headers(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.request.headers.iter().map(|(name, value)| (name.as_ref(), &**value));
        // Documented of all services: the configured token takes the place of the user's own header.
        let own =
            own.filter(move |(name, _)| self.authorization.is_none() || !name.eq_ignore_ascii_case("authorization"));
        own.chain(self.authorization.map(|value| ("Authorization", &*value.0)))
    }
}

/// The value of `Authorization`: it holds a token, and is shown to nobody but the target.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authorization(Arc<str>);

impl Authorization {
    pub(crate) fn bearer(token: &str) -> Self {
        Self(format!("Bearer {token}").into())
    }

    #[cfg(test)]
    pub(crate) fn token(&self) -> &str {
        self.0.strip_prefix("Bearer ").unwrap_or_default()
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer …")
    }
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
}

impl std::fmt::Display for CarryFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Target(why) => write!(f, "it cannot be sent: {why}"),
            Self::NotPlayed(host) => write!(f, "the rig plays no host {host}, and nothing outside of it is asked"),
            Self::Untrusted(why) => write!(f, "the target's certificate is not to be trusted: {why}"),
            Self::Unreachable(why) => write!(f, "the target cannot be reached: {why}"),
            Self::Broken(why) => write!(f, "the target broke off: {why}"),
        }
    }
}

impl std::error::Error for CarryFault {}

/// How far an answer has come, for whoever stops waiting for it.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Come>);

#[derive(Debug, Default)]
struct Come {
    status: AtomicU16,
    /// The bytes beyond which it is read no more; 0 while it is read.
    limit: AtomicU64,
}

impl Progress {
    /// The head of an answer has come.
    pub fn began(&self, status: u16) {
        self.0.status.store(status, Ordering::Relaxed);
    }

    /// It is longer than these bytes, and the rest is left unread.
    pub fn passed(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// The status, if the head has come.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        Some(self.0.status.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }

    /// How many bytes were read, if there are more.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        Some(self.0.limit.load(Ordering::Relaxed)).filter(|limit| *limit != 0)
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
    fn carry(&self, _: Sending<'_>, _: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Answer { status: 200, headers: HeaderMap::new() })).boxed()
    }
}
