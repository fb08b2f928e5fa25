//! Google as an issuer: its keys in every published form, its discovery document, and the OAuth endpoints of accounts.
//!
//! | address | answer |
//! |---|---|
//! | `https://www.googleapis.com/oauth2/v3/certs` | the keys of ID tokens as a JWK set |
//! | `https://www.googleapis.com/oauth2/v1/certs` | the same keys as certificates, by key id |
//! | `https://www.googleapis.com/service_accounts/v1/metadata/{x509,jwk,raw}/EMAIL`, `/service_accounts/v1/jwk/EMAIL`, `/robot/v1/metadata/{x509,jwk,raw}/EMAIL` | the keys of a service account |
//! | `https://accounts.google.com/.well-known/openid-configuration` | OpenID Connect Discovery 1.0 |
//! | `POST https://oauth2.googleapis.com/token`, also at `https://www.googleapis.com/oauth2/v4/token` | the grant of RFC 7523: a service account's assertion for an access token, or for an ID token; `refresh_token`: new tokens of a user who is given |
//! | `https://oauth2.googleapis.com/tokeninfo` | what a token is, of GET and POST |
//!
//! Keys carry `Cache-Control: public, max-age=…`, and each form the same key ids. Grants that somebody has to sign in for
//! (`authorization_code`, devices) and everything else on these hosts answer 501 and say so.
//!
//! A decision about an assertion makes the checks `request assertion signature account times scope audience delegation`, in
//! the order in which Google was seen to judge; one about a refresh `request client refresh-token scope`; one about a token
//! `request token`.
//!
//! Sources: RFC 6749, RFC 7523, <https://developers.google.com/identity/protocols/oauth2/service-account>, stored copies of
//! the discovery document, public measurements against oauth2.googleapis.com.
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
//! let hosts = assemble(&cloud, vec![tokenrig_accounts::service(&cloud)]);
//! for host in ["accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"] {
//!     assert!(hosts.find(host).is_some());
//! }
//! ```

mod assumptions;
mod model;
mod refusals;
mod routes;
mod service;

use tokenrig_cloud::Cloud;
use tokenrig_decision::Refusal;
use tokenrig_wire::{Api, Front, Hosts, Service};

pub use crate::assumptions::Settings;

/// The service as a rig composes it.
#[must_use]
pub fn service(cloud: &Cloud) -> Service {
    with_settings(cloud, Settings::default())
}

/// The service with settings of its own.
#[must_use]
pub fn with_settings(cloud: &Cloud, settings: Settings) -> Service {
    let accounts = service::Accounts::new(cloud.clone(), settings);
    let front = |host: &str, router| Front { hosts: Hosts::exact([host]), router };
    Service {
        name: "accounts",
        about: "Google as an issuer: keys in every published form, discovery, the OAuth token endpoint",
        api: Api::new(),
        fronts: vec![
            front("www.googleapis.com", routes::www(&accounts)),
            front("accounts.google.com", routes::accounts(&accounts)),
            front("oauth2.googleapis.com", routes::oauth2(&accounts)),
        ],
        refusals: refusals::ALL,
        assumptions: assumptions::ALL,
    }
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    refusals::ALL
}
