//! The metadata server: `metadata.google.internal`, 169.254.169.254.
//!
//! What client libraries and gcloud find on a machine in Google Cloud: its project, and tokens of its service account. The
//! machine's account is the rig's owner, so that default credentials may do what a project's owner may. [`router`] gives
//! the same to a machine with another account.
//!
//! | path under `/computeMetadata/v1/` | answer |
//! |---|---|
//! | `project/project-id`, `project/numeric-project-id`, `project/attributes/` | text |
//! | `instance/id`, `name`, `hostname`, `zone`, `region`, `attributes/` | text |
//! | `instance/service-accounts/` | `default` and the address, each a directory |
//! | `…/default/email`, `scopes`, `aliases` | text, a line each |
//! | `…/default/token` | `{access_token, expires_in, token_type}`, the same until five minutes before its end |
//! | `…/default/identity?audience=A&format=standard` or `full`, `&licenses=TRUE` | an ID token, as it is |
//! | `universe/universe-domain` | `googleapis.com` |
//!
//! A directory is listed a name a line, with `?recursive=true` it is JSON; `alt=json` and `alt=text` choose. `/` answers
//! without the header, which is how clients look whether a machine is one of Google's. Whatever the Host header says: a rig
//! serves this on a loopback address too. Waiting for a change, and the legacy versions, answer 501.
//!
//! A decision makes the checks `flavor forwarded path account audience`.
//!
//! Sources: <https://cloud.google.com/compute/docs/metadata/overview>, AIP-4115, what official clients ask.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_wire::assemble;
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let hosts = assemble(&cloud, vec![tokenrig_metadata::service(&cloud)]);
//! assert!(hosts.find("metadata.google.internal").is_some());
//! assert!(hosts.find("169.254.169.254:80").is_some());
//! ```

mod assumptions;
mod model;
mod refusals;
mod routes;
mod service;

use axum::Router;
use tokenrig_cloud::Cloud;
use tokenrig_decision::Refusal;
use tokenrig_wire::{Api, Front, Hosts, Service};

pub use crate::assumptions::{Platform, Settings};

/// The names of the metadata server. Only the first two are Google's documented ones; `metadata` is their short form.
const HOSTS: [&str; 3] = ["metadata.google.internal", "169.254.169.254", "metadata"];

/// The service as a rig composes it: the machine's account is the rig's owner.
#[must_use]
pub fn service(cloud: &Cloud) -> Service {
    with_settings(cloud, Settings::default())
}

/// The service with settings of its own.
#[must_use]
pub fn with_settings(cloud: &Cloud, settings: Settings) -> Service {
    Service {
        name: "metadata",
        about: "the metadata server",
        api: Api::new(),
        fronts: vec![Front { hosts: Hosts::exact(HOSTS), router: router(cloud, &cloud.owner_email(), settings) }],
        refusals: refusals::ALL,
        assumptions: assumptions::ALL,
    }
}

/// The metadata server of one machine, whose service account has this e-mail address. Serve it at any address.
pub fn router(cloud: &Cloud, account: &str, settings: Settings) -> Router {
    routes::router(service::Machine::new(cloud.clone(), account.to_owned(), settings))
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    refusals::ALL
}
