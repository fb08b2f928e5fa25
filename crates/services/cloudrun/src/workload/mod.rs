//! What answers behind the door: in the rig itself, at a local URL, or in an instance that the rig starts.

mod command;
mod contract;
mod echo;
mod group;
mod hosted;
mod logs;
mod proxy;
mod script;

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::Request;
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) use self::proxy::is_grpc;
use self::{command::Command, hosted::Hosted, proxy::Proxy, script::Script};
pub use self::{
    contract::{Contract, InstanceFault, Workload},
    logs::Logs,
};

/// Makes the workload of a kind from what is told under the kind's name: how another crate adds a kind, for example `image`.
///
/// # Errors
///
/// What is wrong with what was told, in words that end a sentence.
pub type WorkloadMaker = Arc<dyn Fn(&Value) -> Result<Arc<dyn Workload>, String> + Send + Sync>;

/// Gives the router of a given issuer, as it answers at a base URL: how a service whose workload is `{issuer: ID}` gets one.
pub type IssuerRouter = Arc<dyn Fn(&str, &str) -> Option<Router> + Send + Sync>;

/// Why a workload cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadFault {
    /// The issuer is not given.
    #[error("no issuer `{0}` is given")]
    UnknownIssuer(String),
    /// Known to the format and not played by this rig.
    #[error("workloads of kind `{0}` are not played here")]
    NotPlayed(String),
    /// No form of the format.
    #[error("a workload is `echo`, a URL, or a map with one of `issuer`, `answers`, `command`, `image`")]
    Form,
    /// The kind is known and what is told of it is wrong.
    #[error("`{kind}` of a workload: {what}")]
    Told {
        /// The kind: `url`, `answers`, `command` or one that was added.
        kind: String,
        /// What is wrong.
        what: String,
    },
    /// The service is in another project.
    #[error("`{0}` is no service of this project")]
    OtherProject(String),
}

/// Why nothing answered behind the door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no instance that takes requests.
    #[error("no instance takes requests: {0}")]
    Unavailable(String),
    /// The instance broke off.
    #[error("the instance broke off: {0}")]
    Broken(String),
}

/// What answers the requests that the door lets in. A clone is the same one.
#[derive(Clone, Default)]
pub(crate) enum Behind {
    /// Answers with the request as JSON: `method`, `path`, `query`, `headers`, `body`; a gRPC call with its messages.
    #[default]
    Echo,
    /// A router of the rig's own, for example an issuer.
    Router(Router),
    /// Answers that were told beforehand.
    Script(Arc<Script>),
    /// A server that somebody else runs on this machine.
    Proxy(Arc<Proxy>),
    /// An instance that the rig starts and stops.
    Hosted(Arc<Hosted>),
}

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Echo => "Echo",
            Self::Router(_) => "Router",
            Self::Script(_) => "Script",
            Self::Proxy(_) => "Proxy",
            Self::Hosted(_) => "Hosted",
        })
    }
}

impl Behind {
    /// Reads what is told of a workload in a given document. `url` is where the service answers.
    pub(crate) fn told(
        told: &Value,
        url: &str,
        issuers: &IssuerRouter,
        makers: &BTreeMap<String, WorkloadMaker>,
    ) -> Result<Self, WorkloadFault> {
        let wrong = |kind: &str| {
            let kind = kind.to_owned();
            move |what| WorkloadFault::Told { kind, what }
        };
        let (kind, value) = match told {
            Value::String(word) if word == "echo" => return Ok(Self::Echo),
            Value::String(url) => {
                return Proxy::to_loopback(url).map(|proxy| Self::Proxy(Arc::new(proxy))).map_err(wrong("url"));
            }
            Value::Object(map) if map.len() == 1 => map.iter().next().ok_or(WorkloadFault::Form)?,
            _ => return Err(WorkloadFault::Form),
        };
        let hosted = |workload| Self::Hosted(Arc::new(Hosted::new(workload)));
        match (kind.as_str(), value) {
            ("issuer", Value::String(issuer)) => {
                issuers(issuer, url).map(Self::Router).ok_or_else(|| WorkloadFault::UnknownIssuer(issuer.clone()))
            }
            ("issuer", _) => Err(WorkloadFault::Form),
            ("answers", answers) => {
                Script::told(answers).map(|script| Self::Script(Arc::new(script))).map_err(wrong(kind))
            }
            ("command", words) => Command::told(words).map(|command| hosted(Arc::new(command))).map_err(wrong(kind)),
            (kind, value) => match makers.get(kind) {
                Some(make) => make(value).map(hosted).map_err(wrong(kind)),
                None if kind == "image" => Err(WorkloadFault::NotPlayed(kind.to_owned())),
                None => Err(WorkloadFault::Form),
            },
        }
    }

    /// The answer's head; its body may still be on its way.
    pub(crate) async fn answer(&self, request: Request<Body>, contract: &Contract) -> Result<Response, Failure> {
        match self {
            Self::Echo => echo::answer(request).await,
            Self::Router(router) => match router.clone().oneshot(request).await {
                Ok(response) => Ok(response.into_response()),
                Err(never) => match never {},
            },
            Self::Script(script) => script.answer(request).await,
            Self::Proxy(proxy) => proxy.answer(request, contract.http2).await,
            Self::Hosted(hosted) => hosted.answer(request, contract).await,
        }
    }

    /// Whether requests are passed on as they come, so that a body need not fit into memory.
    pub(crate) fn passes_on(&self) -> bool {
        matches!(self, Self::Proxy(_) | Self::Hosted(_))
    }

    /// Whether the rig starts it.
    pub(crate) fn is_hosted(&self) -> bool {
        matches!(self, Self::Hosted(_))
    }

    /// What the instance has written, oldest line first; nothing for what has no instance.
    pub(crate) fn logs(&self) -> Vec<String> {
        match self {
            Self::Hosted(hosted) => hosted.logs(),
            _ => Vec::new(),
        }
    }

    /// Ends the instance, if there is one. The next request starts another.
    pub(crate) async fn stop(&self) {
        if let Self::Hosted(hosted) = self {
            hosted.stop().await;
        }
    }

    /// Ends the instance of a workload that answers no longer, beside whatever is going on.
    pub(crate) fn retire(self) {
        if let (Self::Hosted(_), Ok(runtime)) = (&self, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { self.stop().await });
        }
    }
}
