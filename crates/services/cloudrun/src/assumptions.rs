//! What Google has not told about Cloud Run's front door, and what is done instead.

use std::{fmt, sync::Arc, time::Duration};

use http::request::Parts;
use serde_json::Value;
use tokenrig_clock::SignedDuration;
use tokenrig_decision::Assumption;
use tokenrig_wire::{
    settable,
    settings::{Named, Settable, Setting},
};

/// The settings of the front door.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far a token's `exp` may be past and its `iat` ahead.
    pub skew: SignedDuration,
    /// Whether an audience with one trailing slash more than a service's URL is that URL.
    pub trailing_slash: bool,
    /// Which requests come from inside, for services whose `ingress` takes no others.
    pub inside: Inside,
    /// What a user with a token of gcloud gets who may not invoke the service.
    pub user_without_invoker: UserWithoutInvoker,
    /// How long an instance may take until it listens. Real time.
    pub start_up: Duration,
    /// How long an instance has between SIGTERM and SIGKILL. Real time.
    pub grace: Duration,
    /// Requests kept per rig for `received`.
    pub received: usize,
    /// Bytes of a received body that are kept.
    pub kept_body: usize,
    /// Bytes of a request's body; gRPC streams have no bound.
    pub largest_body: usize,
    /// Revisions kept per service; beyond, the oldest goes.
    pub revisions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            skew: SignedDuration::ZERO,
            trailing_slash: true,
            inside: Inside::default(),
            user_without_invoker: UserWithoutInvoker::default(),
            start_up: Duration::from_secs(240),
            grace: Duration::from_secs(10),
            received: 10_000,
            kept_body: 256 << 10,
            largest_body: 10 << 20,
            revisions: 1_000,
        }
    }
}

/// Which requests come from inside: from a network of the project, or from a service of Google that acts for it.
#[derive(Clone, Default)]
pub enum Inside {
    /// None: all who reach a rig stand outside.
    #[default]
    Nobody,
    /// All.
    Everybody,
    /// Those for which this is true, by their head and extensions.
    When(Arc<dyn Fn(&Parts) -> bool + Send + Sync>),
}

impl Inside {
    pub(crate) fn holds(&self, parts: &Parts) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::When(is) => is(parts),
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Everybody => "Everybody",
            Self::When(_) => "When(…)",
        })
    }
}

/// What a user gets whose token is good, whose audience is gcloud's client id, and who lacks `run.routes.invoke`.
/// Captures differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserWithoutInvoker {
    /// 403, as a service account does.
    #[default]
    Forbidden,
    /// 401, as was recorded in September 2026.
    Unauthorized,
    /// 404, which hides that the service is there.
    NotFound,
}

impl Named for Settings {
    const KNOWN: &[Setting<Self>] = settable!(Settings {
        skew,
        trailing_slash,
        inside,
        user_without_invoker,
        start_up,
        grace,
        received,
        kept_body,
        largest_body,
        revisions,
    });
}

impl Settable for Inside {
    const TAKES: &'static str = "`nobody` or `everybody`";

    fn read(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "nobody" => Some(Self::Nobody),
            "everybody" => Some(Self::Everybody),
            _ => None,
        }
    }
}

impl Settable for UserWithoutInvoker {
    const TAKES: &'static str = "`forbidden`, `unauthorized` or `not-found`";

    fn read(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "forbidden" => Some(Self::Forbidden),
            "unauthorized" => Some(Self::Unauthorized),
            "not-found" => Some(Self::NotFound),
            _ => None,
        }
    }
}

/// All of them, for the documents.
pub(crate) const ALL: &[Assumption] = &[
    Assumption {
        name: "skew",
        about: "how far an ID token's `exp` may be past and its `iat` ahead at the front door",
        default: "0 s",
        source: "not known",
    },
    Assumption {
        name: "trailing_slash",
        about: "whether an audience with one trailing slash more than a service's URL is accepted",
        default: "it is",
        source: "public reports go both ways",
    },
    Assumption {
        name: "order",
        about: "the order of the front door's checks",
        default: "ingress, credential, issuer, signature, audience, times, permission",
        source: "not known; consistent with all captures",
    },
    Assumption {
        name: "basic_credential",
        about: "what a credential other than `Bearer` gets at a private service",
        default: "401, as a token that is no Google ID token",
        source: "not known",
    },
    Assumption {
        name: "token_at_public_service",
        about: "what becomes of a bad token at a service that everybody may invoke",
        default: "it is ignored",
        source: "a public note of 2026",
    },
    Assumption {
        name: "public_token_kept",
        about: "whether a token that nobody checks, at a service that everybody may invoke, reaches the workload whole",
        default: "it does: public services verify tokens of their own users",
        source: "not known; Google documents the removal for tokens that Cloud Run validates",
    },
    Assumption {
        name: "inside",
        about: "which requests come from inside, for services with `ingress` internal",
        default: "none that reach a rig by its gateway",
        source: "Google counts networks of the project and its own services; a rig has neither by itself",
    },
    Assumption {
        name: "user_without_invoker",
        about: "what a user with a token of gcloud gets who may not invoke the service",
        default: "403",
        source: "a capture of 2026 shows 401, a note of the same month 404, Google's documents 403",
    },
    Assumption {
        name: "gcloud_audience",
        about: "whose tokens may have gcloud's client id as audience",
        default: "users' alone",
        source: "Google documents it for users; for service accounts it is not known",
    },
    Assumption {
        name: "account_gone",
        about: "what a good token gets whose service account was deleted or disabled meanwhile",
        default: "403",
        source: "not known",
    },
    Assumption {
        name: "instance_protocol",
        about: "which requests reach an instance by HTTP/2",
        default: "gRPC always, others if the container's port is named `h2c`",
        source: "Google documents the port's name; that gRPC needs no name is a guess",
    },
    Assumption {
        name: "function_generation",
        about: "whether version 2 of the API makes functions of the first generation",
        default: "it does, where `environment` is GEN_1",
        source: "Google documents that version 2 shows them; gcloud makes them by version 1, which is not played",
    },
    Assumption {
        name: "function_audience",
        about: "which audiences open a function of the first generation",
        default: "its address alone, without a slash or anything else after it",
        source: "not known in every detail",
    },
    Assumption {
        name: "function_path",
        about: "which path the code of a function sees",
        default: "what follows its name, `/` if nothing does; both generations",
        source: "not known; seen in logs of deployed functions",
    },
    Assumption {
        name: "function_signature",
        about: "whether the code of a function of the first generation sees the token's signature",
        default: "it does not, as behind Cloud Run",
        source: "not known",
    },
    Assumption {
        name: "start_up",
        about: "how long an instance may take until it listens at its port",
        default: "240 s",
        source: "the default TCP start-up probe in the documents",
    },
    Assumption {
        name: "revision_of",
        about: "which changes of a service make a new revision",
        default: "those of `template` alone",
        source: "the API reference of version 2",
    },
];
