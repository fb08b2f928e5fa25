//! Where scenarios run: the two traits that a world implements, and what passes between it and the runner.
//!
//! A [`World`] opens a [`Site`] per case. The site decides addresses, credentials and clock; all else that a scenario
//! does goes through it as plain requests to public APIs. Everything here is object-safe, and bodies are bytes.

use std::{collections::BTreeMap, fmt, io, path::Path, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokenrig_decision::Record;
pub use tokenrig_jose::Opened;
use tokenrig_jose::{JwkSet, forge::Flaw};
pub use tokenrig_scenario::WorldName;

/// The word of a world, as scenario files and `--world` write it.
#[must_use]
pub const fn word(kind: WorldName) -> &'static str {
    match kind {
        WorldName::Offline => "offline",
        WorldName::Live => "live",
    }
}

/// A place that scenarios can run in.
pub trait World: Send + Sync {
    /// Which of the two it is.
    fn kind(&self) -> WorldName;

    /// Whether it has what a scenario `needs`: `Ok`, or why not in words that fit after "needs `docker`: ".
    ///
    /// # Errors
    ///
    /// The reason, lower case, no full stop.
    fn offers(&self, need: &str) -> Result<(), String>;

    /// Whether its clock is the real one, so that to move it means to wait.
    fn waits(&self) -> bool {
        self.kind() == WorldName::Live
    }

    /// Opens a site for one case. Nothing of another case is visible in it.
    fn open(&self, foundation: Foundation) -> BoxFuture<'_, Result<Box<dyn Site>, WorldFault>>;
}

/// What must be known before a site can stand: all of a given document that is no Google resource. Values are evaluated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foundation {
    /// Names the case in logs and run prefixes, for example `federation/cloud-run`.
    pub name: String,
    /// `projectId`, `projectNumber`, `location`, `agents`: what the given document says, and nothing else.
    pub project: Map<String, Value>,
    /// `organization` as given: `id`, or nothing.
    pub organization: Map<String, Value>,
    /// The issuers by id, each the map of its fields (`issuer`, `misbehaves`, `upstream`, …).
    pub issuers: Map<String, Value>,
    /// `users` as given.
    pub users: Map<String, Value>,
    /// `oauth2.clients` as given.
    pub clients: Map<String, Value>,
    /// `aws.accounts` as given.
    pub aws: Map<String, Value>,
    /// `settings` as given.
    pub settings: Map<String, Value>,
    /// The first instant: the scenario's `now`, else that of `--now`. `None` leaves it to the world.
    pub now: Option<Timestamp>,
    /// Whether a step runs a real client, which looks at its own clock.
    pub has_run_step: bool,
}

/// The world as one case sees it. Dropping a site without [`close`](Site::close) must still end all that it started.
pub trait Site: Send + Sync {
    /// What `project` and the issuers' ids mean in CEL.
    fn facts(&self) -> Facts;

    /// The present instant of the site's clock.
    fn now(&self) -> Timestamp;

    /// Sends a request and waits for the whole answer, at most [`Request::deadline`] of real time. Redirects are not
    /// followed, nothing is retried, the target goes out byte for byte, no header is added beyond what HTTP needs.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>>;

    /// As [`send`](Self::send), for what is put in place before anybody acts. Who holds the cloud itself may take a shorter
    /// way than a client's.
    fn place(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.send(request)
    }

    /// Signs a token with a key of a given issuer.
    fn mint(&self, order: MintOrder) -> BoxFuture<'_, Result<String, SiteFault>>;

    /// The keys of an issuer, by its URL, where nobody can reach it to ask for them. `None`: they are published there.
    fn issuer_keys(&self, _issuer: &str) -> Option<JwkSet> {
        None
    }

    /// An access token of the run's owner or of a given service account. The scenario needs no grant for it, and its
    /// making leaves no decision behind.
    fn credentials(&self, who: Who) -> BoxFuture<'_, Result<String, SiteFault>>;

    /// Moves the clock to `to` and waits until all that fell due is done. Live it waits, up to the world's limit.
    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, SiteFault>>;

    /// Decisions made after the one numbered `since` (0: all), oldest first. `None`: this world shows no decisions.
    fn decisions(&self, since: u64) -> BoxFuture<'_, Option<Vec<Record>>>;

    /// Requests that reached a service, refused ones included, after the one numbered `since` (0: all), oldest first.
    /// `service` is the full resource name (`projects/P/locations/L/services/S`) or a given service's id.
    fn received(&self, service: &str, since: u64) -> BoxFuture<'_, Result<Vec<Received>, SiteFault>>;

    /// The whole environment of a real client of this site, that of `exec`; programs of `needs` such as `python` are
    /// found first on its `PATH`. A command gets these variables and no others.
    fn environment(&self, needs: &[String]) -> BoxFuture<'_, Result<Vec<(String, String)>, SiteFault>>;

    /// Says what answers behind a service, by its full resource name: the value of `workload` in a given document.
    fn set_workload(&self, service: &str, workload: &Value) -> BoxFuture<'_, Result<(), SiteFault>>;

    /// Changes fields of a given issuer, for example `{"misbehaves": "keys-unreachable"}`.
    fn patch_issuer(&self, issuer: &str, fields: &Map<String, Value>) -> BoxFuture<'_, Result<(), SiteFault>>;

    /// Replaces signing keys, as their owner does every now and then: `google`'s, those of a service account (by e-mail)
    /// or those of a given issuer (by id or URL). Old keys stay published for as long as they usually do.
    fn rotate_keys(&self, of: &str) -> BoxFuture<'_, Result<(), SiteFault>>;

    /// The id and the fields with which a given resource is really created: a world that others share puts a prefix
    /// before the id, and tells a provider the keys of an issuer that nobody can reach. What is not a create call of
    /// `given` is none of its business.
    ///
    /// # Errors
    ///
    /// [`SiteFault::Unsupported`] if this world cannot have such a resource.
    fn placed(&self, _collection: &str, id: &str, fields: Map<String, Value>) -> Result<Placed, SiteFault> {
        Ok(Placed { id: id.to_owned(), fields })
    }

    /// Writes into `folder` what a person may want to look at once the case has failed. Each file's name says what is in
    /// it; tokens are not whole.
    fn leave<'a>(&'a self, _folder: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Ends all that the site started and gives up its resources.
    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), SiteFault>>;
}

/// What a site says of itself before anything was created.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The project's id.
    pub project_id: String,
    /// The project's number, in digits.
    pub project_number: String,
    /// The location of resources that do not say another.
    pub location: String,
    /// The number of the organization that the project is in, if it is in one.
    pub organization: Option<String>,
    /// E-mail addresses of the service agents, by service word (`pubsub`, `cloudscheduler`, …).
    pub agents: BTreeMap<String, String>,
    /// The issuers by given id; each has at least `issuer`, its URL.
    pub issuers: BTreeMap<String, Map<String, Value>>,
    /// The users by e-mail address, lower case; each has `email`, and `id` where the site knows it.
    pub users: BTreeMap<String, Map<String, Value>>,
    /// The OAuth clients by given id; each has `clientId` and `clientSecret`.
    pub clients: BTreeMap<String, Map<String, Value>>,
    /// The AWS accounts by id; each has `id`, `region`, `roles` and `users`, with the credentials of each.
    pub aws: BTreeMap<String, Map<String, Value>>,
}

/// A given resource as it is really created: see [`Site::placed`].
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The id in the create call.
    pub id: String,
    /// The resource's fields.
    pub fields: Map<String, Value>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The run's own credentials.
    Owner,
    /// A service account, by e-mail.
    Account(String),
}

/// The HTTP version that a request must use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Whatever is agreed.
    #[default]
    Any,
    /// HTTP/2, with trailers read: what gRPC needs.
    Http2,
}

/// A request as it goes out.
#[derive(Clone)]
pub struct Request {
    /// The verb, in capitals as a rule.
    pub method: String,
    /// Scheme, authority and the rest: everything after the authority goes out byte for byte.
    pub url: String,
    /// In order; names as written.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// Which HTTP.
    pub protocol: Protocol,
    /// How long the whole exchange may take, in real time.
    pub deadline: Duration,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &crate::redact::text(&self.url))
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// The answer to a [`Request`].
#[derive(Clone, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// In order; lower-case names.
    pub headers: Vec<(String, String)>,
    /// The whole body, at most [`Answer::LIMIT`] bytes.
    pub body: Vec<u8>,
    /// Trailers, lower-case names.
    pub trailers: Vec<(String, String)>,
    /// Real time from the first byte sent to the last received.
    pub took: Duration,
}

impl Answer {
    /// The longest body that a site hands on: 16 MiB. A longer one is a [`SiteFault::TooLarge`].
    pub const LIMIT: usize = 16 << 20;
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// A token to be signed. The claims are whole: nothing is filled in by the site.
///
/// A principal of AWS signs a request to AWS instead. Then `claims` are headers beyond those that such a request has (null
/// takes one away), and `header` may hold `url`, `method`, `body` and `region`.
#[derive(Debug, Clone, PartialEq)]
pub struct MintOrder {
    /// The id of the given issuer, or the principal: `ACCOUNT/ROLE`, `ACCOUNT/user/NAME`.
    pub issuer: String,
    /// Members of the JOSE header that differ from the usual (`alg`, `kid`, `typ`); null takes one away.
    pub header: Map<String, Value>,
    /// All claims, in order.
    pub claims: Map<String, Value>,
    /// The key that signs.
    pub key: MintKey,
    /// What is wrong with it on purpose. The site gives the token this flaw, as
    /// [`forge::flawed`](tokenrig_jose::forge::flawed) does, which overwrites what the claims say about the flawed thing.
    pub flaw: Option<Flaw>,
}

/// Which key signs a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MintKey {
    /// The issuer's present one.
    #[default]
    Current,
    /// The issuer's key for an algorithm (`RS256`, `ES256`) or with this key id.
    Named(String),
}

/// What [`Site::advance`] did.
#[derive(Debug, Clone, PartialEq)]
pub struct Advanced {
    /// The instant reached.
    pub now: Timestamp,
    /// What was still in flight when waiting ended, in words.
    pub in_flight: Vec<String>,
}

/// A request that reached a service.
#[derive(Clone)]
pub struct Received {
    /// Counts all received requests of a site from 1.
    pub seq: u64,
    /// When, on the site's clock.
    pub at: Timestamp,
    /// The verb.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// In order; lower-case names; as the service's door saw them.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was kept.
    pub body: Vec<u8>,
    /// What was answered.
    pub status: u16,
    /// The bearer token's header and claims, if it was a JWT.
    pub token: Option<Opened>,
    /// Whether the door's own check found the token's signature good; `None` if it did not get that far.
    pub signature_checked: Option<bool>,
    /// The door's decision, where this world shows it.
    pub decision: Option<Record>,
}

/// Why no site could be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldFault {
    /// The foundation asks for something that is wrong or unknown: a fault of the file.
    #[error("{0}")]
    Foundation(String),
    /// The world itself could not be set up.
    #[error("{0}")]
    Unavailable(String),
    /// A foundation that this kind of world cannot have; the case is skipped with this reason.
    #[error("{0}")]
    Unsupported(String),
}

/// What a site could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteFault {
    /// The URL is none that this site can reach or parse.
    #[error("cannot send to `{url}`: {why}")]
    Target {
        /// The URL, secrets shortened.
        url: String,
        /// Why not.
        why: String,
    },
    /// The connection failed: refused, TLS, reset.
    #[error("{0}")]
    Connection(String),
    /// The deadline passed.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// The answer is larger than [`Answer::LIMIT`].
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Nothing of this name is there.
    #[error("{0}")]
    Unknown(String),
    /// This world cannot do it; the case is skipped with this reason.
    #[error("{0}")]
    Unsupported(String),
    /// Anything else, in words that fit after "failed to …:".
    #[error("{0}")]
    Other(String),
}
