//! What an instance is promised, and what it owes.

use std::{
    fmt::{self, Debug},
    time::Duration,
};

use futures_util::future::BoxFuture;

/// What Cloud Run promises the container of a revision (<https://cloud.google.com/run/docs/container-contract>).
#[derive(Clone, PartialEq, Eq)]
pub struct Contract {
    /// `K_SERVICE`: the service's id.
    pub service: String,
    /// `K_REVISION`: the revision's id.
    pub revision: String,
    /// `K_CONFIGURATION`: the configuration's id, which is the service's.
    pub configuration: String,
    /// The e-mail address of the account that the revision runs as.
    pub service_account: String,
    /// The port that a container listens at (`PORT`); a process without a network of its own gets a free one instead.
    pub port: u16,
    /// Whether it takes HTTP/2 in clear (a port named `h2c`).
    pub http2: bool,
    /// What starts in place of the image's entry point (`command` of the template's container); empty leaves the image's.
    /// The workload `{command: …}` says itself what starts, and takes neither this nor `args`.
    pub command: Vec<String>,
    /// The arguments in place of the image's (`args` of the template's container).
    pub args: Vec<String>,
    /// Variables of the revision's template and of the rig; of two with one name the last counts.
    pub environment: Vec<(String, String)>,
    /// How long it may take until it takes connections.
    pub start_up: Duration,
    /// How long it has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long it may take to answer a request.
    pub timeout: Duration,
}

impl Debug for Contract {
    /// Without the values of variables: there may be secrets among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Contract")
            .field("revision", &self.revision)
            .field("service_account", &self.service_account)
            .field("environment", &names)
            .finish_non_exhaustive()
    }
}

impl Contract {
    /// The contract's own variables but `PORT`.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, &str); 3] {
        [("K_SERVICE", &self.service), ("K_REVISION", &self.revision), ("K_CONFIGURATION", &self.configuration)]
    }
}

/// Why there is no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceFault {
    /// It could not be started.
    #[error("it could not be started: {0}")]
    NotStarted(String),
    /// It ended before it took connections. With the last lines that it wrote.
    #[error("it ended before it listened at its port: {0}")]
    Ended(String),
    /// It took no connections in time.
    #[error("it did not listen at its port within {0:?}")]
    Late(Duration),
    /// The URL that it gave is none that can be called.
    #[error("its URL cannot be called: {0}")]
    Url(String),
}

/// Something that is started, answers at a URL, and is stopped: a local command, a container.
///
/// The door starts it at the first request, again after it has ended, and anew for a new revision; never two at once.
/// When it is dropped whatever it has started must end.
pub trait Workload: Debug + Send + Sync {
    /// Starts an instance. The URL, `http://HOST:PORT`, takes connections when it is returned.
    ///
    /// # Errors
    ///
    /// [`InstanceFault`]; nothing is left running then.
    fn start<'a>(&'a self, contract: &'a Contract) -> BoxFuture<'a, Result<String, InstanceFault>>;

    /// Whether the instance still lives.
    fn lives(&self) -> bool;

    /// What it has written, oldest line first, within bounds.
    fn logs(&self) -> Vec<String>;

    /// Ends the instance: SIGTERM, the contract's time, SIGKILL. Returns once it is gone; at once if there is none.
    fn stop(&self) -> BoxFuture<'_, ()>;
}
