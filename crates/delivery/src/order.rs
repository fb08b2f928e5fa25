//! What is to be delivered.

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::Bytes;
use http::Method;
use tokenrig_clock::{SignedDuration, Timestamp};

/// A header as it is sent: its name in its written case, its value.
pub type Header = (Cow<'static, str>, Arc<str>);

/// Headers in the order in which they are sent: those that every attempt of a resource has, and those of one attempt. A clone
/// shares both: an attempt costs as much as what is new in it.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    shared: Arc<[Header]>,
    own: Arc<[Header]>,
}

impl Headers {
    /// The same, with others behind them that one attempt has, or all of one instant.
    #[must_use]
    pub fn and(&self, own: Arc<[Header]>) -> Self {
        Self { shared: Arc::clone(&self.shared), own }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.shared.iter().chain(self.own.iter())
    }
}

impl From<Vec<Header>> for Headers {
    fn from(shared: Vec<Header>) -> Self {
        Self { shared: shared.into(), own: Arc::default() }
    }
}

impl FromIterator<Header> for Headers {
    fn from_iter<I: IntoIterator<Item = Header>>(headers: I) -> Self {
        headers.into_iter().collect::<Vec<_>>().into()
    }
}

/// When something falls due, and where it stands among what falls due at the same instant: by service, then by name, then
/// by sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The instant. One that is past is due now.
    pub at: Timestamp,
    /// The resource's name.
    pub name: Arc<str>,
    /// Its number, which its service gives.
    pub sequence: u64,
}

/// One attempt that a service wants made.
#[derive(Debug, Clone)]
pub struct Order {
    /// The resource, `projects/P/locations/L/jobs/J`.
    pub resource: Arc<str>,
    /// What the service knows the attempt by.
    pub ticket: u64,
    /// Where it goes.
    pub target: Target,
    /// The token that goes with it.
    pub token: Option<Arc<TokenOrder>>,
    /// How long the answer may take, by the rig's clock.
    pub deadline: SignedDuration,
    /// How many redirects are followed.
    pub redirects: u8,
}

/// Where an attempt goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// An HTTP request.
    Http(Outgoing),
    /// A message to a Pub/Sub topic.
    Topic(Publication),
}

impl Target {
    /// The URL, or the topic.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Http(request) => &request.url,
            Self::Topic(message) => &message.topic,
        }
    }
}

/// A request as it is sent.
#[derive(Clone)]
pub struct Outgoing {
    /// The verb.
    pub method: Method,
    /// An absolute `http` or `https` URL.
    pub url: Arc<str>,
    /// All headers but Host, Content-Length and the token's.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// A message as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// `projects/P/topics/T`.
    pub topic: Arc<str>,
    /// The data.
    pub data: Bytes,
    /// The attributes, in the order of their keys.
    pub attributes: Vec<(String, String)>,
}

/// A token that goes with an attempt. Tokens are kept and used again by what is in here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenOrder {
    /// The service account's e-mail address or unique id.
    pub account: String,
    /// What kind of token.
    pub kind: TokenKind,
}

/// What kind of token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKind {
    /// An ID token for this audience.
    Oidc {
        /// `aud`.
        audience: String,
    },
    /// An access token of these scopes, separated by blanks.
    OAuth {
        /// The scopes.
        scope: String,
    },
}

impl TokenOrder {
    /// An ID token; without an audience of its own it is for the target's URL.
    #[must_use]
    pub fn oidc(account: impl Into<String>, audience: &str, url: &str) -> Self {
        let audience = if audience.is_empty() { default_audience(url) } else { audience };
        Self { account: account.into(), kind: TokenKind::Oidc { audience: audience.to_owned() } }
    }

    /// An access token; without a scope of its own it is for Google Cloud.
    #[must_use]
    pub fn oauth(account: impl Into<String>, scope: &str) -> Self {
        let scope = if scope.is_empty() { CLOUD_PLATFORM } else { scope };
        Self { account: account.into(), kind: TokenKind::OAuth { scope: scope.to_owned() } }
    }
}

/// The scope of access tokens that were ordered without one.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What an ID token is for if nobody says: the whole URL, its query included (documented for Cloud Scheduler: "the entire
/// URL is used as the audience including request parameters"). A fragment is never sent and not in it.
#[must_use]
pub fn default_audience(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://orders.example.com/tick?day=1&x=y#part", "https://orders.example.com/tick?day=1&x=y")]
    #[case("https://orders.example.com", "https://orders.example.com")]
    fn the_default_audience_is_the_url_with_its_query(#[case] url: &str, #[case] audience: &str) {
        let TokenKind::Oidc { audience: found } = TokenOrder::oidc("a@b.c", "", url).kind else { unreachable!() };
        assert_eq!(found, audience);
    }

    #[test]
    fn what_falls_due_together_has_an_order() {
        let due = |at: i64, name: &str, sequence| Due {
            at: Timestamp::from_second(at).unwrap(),
            name: name.into(),
            sequence,
        };
        let mut all = [due(2, "a", 1), due(1, "b", 1), due(1, "a", 2), due(1, "a", 1)];
        all.sort();
        assert_eq!(all, [due(1, "a", 1), due(1, "a", 2), due(1, "b", 1), due(2, "a", 1)]);
    }
}
