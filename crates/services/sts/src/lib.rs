//! Google's Security Token Service: `sts.googleapis.com`.
//!
//! A workload, or a person of a workforce pool, shows a token of its own OpenID provider and gets a federated access token for it (RFC 8693). The checks
//! stand in the order `request audience provider issuer key signature token-audience times mapping condition size`.
//! Tokens of OpenID providers are exchanged, with keys fetched from the issuer or uploaded with the provider, and the
//! federated tokens can be introspected. So are signed requests to AWS, whose credentials the rig gave itself: there the
//! checks are `request audience provider signature token-audience aws account mapping condition size`. Access tokens of
//! users and service accounts are downscoped by a credential access boundary. Both have the checks `request token`. Other
//! kinds of subject tokens, client-side downscoping and the browser flow answer 501.
//!
//! Sources: the STS reference (<https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>), RFC 8693,
//! AIP-4117, <https://cloud.google.com/iam/docs/downscoping-short-lived-credentials>, Google's troubleshooting pages, public measurements.
//!
//! ```
//! use tokenrig_sts::{Settings, refusals};
//!
//! assert_eq!(Settings::default().skew.as_secs(), 60);
//! assert_eq!(refusals().iter().filter(|refusal| refusal.ids.contains(&"sts-signature-invalid")).count(), 1);
//! ```

mod assumptions;
mod model;
mod refusals;
mod routes;
mod service;

use std::sync::Arc;

use tokenrig_cloud::{Cloud, Fetch};
use tokenrig_decision::Refusal;
use tokenrig_wire::{Api, Front, Hosts, Service};

pub use crate::{
    assumptions::Settings,
    service::{Evaluated, MappedAttribute, Reading, ReadingFault, read},
};

/// The service as a rig composes it. It gets issuers' keys by `fetch`.
#[must_use]
pub fn service(cloud: &Cloud, fetch: Arc<dyn Fetch>, settings: Settings) -> Service {
    let sts = service::Sts::new(cloud.clone(), fetch, settings);
    let hosts = ["sts.googleapis.com", "sts.mtls.googleapis.com"].map(str::to_owned).to_vec();
    Service {
        name: "sts",
        about: "the Security Token Service: federation by OpenID Connect and AWS, introspection, downscoping",
        api: Api::new(),
        fronts: vec![Front { hosts: Hosts::Exact(hosts), router: routes::router(sts) }],
        refusals: refusals::ALL,
        assumptions: assumptions::ALL,
    }
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    refusals::ALL
}
