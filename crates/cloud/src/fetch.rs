//! Getting something from somebody else's host: an issuer's keys.

use std::{fmt::Debug, time::Duration};

use futures_util::future::BoxFuture;

/// Gets a URL the way the rig's own services reach hosts: the rig's issuers through its gateway. Who composes the rig
/// brings it; a service only uses it. Redirects are not followed: they are answers like others.
pub trait Fetch: Debug + Send + Sync {
    /// Gets `url` (`https://…`).
    fn get<'a>(&'a self, url: &'a str, limits: FetchLimits) -> BoxFuture<'a, Result<Fetched, FetchFault>>;
}

/// What a peer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Real time until the body is there.
    pub deadline: Duration,
    /// Bytes of the body.
    pub body: usize,
}

impl Default for FetchLimits {
    /// Five seconds, one mebibyte.
    fn default() -> Self {
        Self { deadline: Duration::from_secs(5), body: 1 << 20 }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// Lower-case names, in the order of arrival; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// The first header of this name, which is lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// It is no URL that can be fetched.
    #[error("`{0}` is no URL of a host")]
    Url(String),
    /// Nobody in the rig is called so, and nothing outside is asked.
    #[error("the rig plays no host `{0}`")]
    UnknownHost(String),
    /// The host did not take the connection or broke it.
    #[error("no connection to {host}: {why}")]
    Connection {
        /// The host.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The host's certificate was not accepted, or TLS failed otherwise.
    #[error("TLS with {host} failed: {why}")]
    Tls {
        /// The host.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// It took too long.
    #[error("no whole answer within {0:?}")]
    Deadline(Duration),
    /// The body is larger than allowed.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}
