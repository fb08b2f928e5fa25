//! IAM Credentials: `iamcredentials.googleapis.com`.
//!
//! Tokens and signatures of a service account, for whoever may act as it: a user, another service account, or a federated
//! identity, whose token is taken as it is. gRPC and REST are the same methods.
//!
//! | method | gives | permission on the account |
//! |---|---|---|
//! | `generateAccessToken` | an access token, one hour at most | `iam.serviceAccounts.getAccessToken` |
//! | `generateIdToken` | an ID token of Google's for an audience | `iam.serviceAccounts.getOpenIdToken` |
//! | `signBlob` | a signature by the key that Google keeps for the account | `iam.serviceAccounts.signBlob` |
//! | `signJwt` | claims, signed by that key | `iam.serviceAccounts.signJwt` |
//! | `getAllowedLocations` (REST only) | where the principal may be used from | `iam.serviceAccounts.get`, `iam.workloadIdentityPools.get`, `iam.workforcePools.get` |
//!
//! Through `delegates` the caller goes by way of other accounts: each needs `iam.serviceAccounts.implicitDelegation` on the
//! next, the last of them the method's permission on the account itself.
//!
//! A decision makes the checks `credential scope request permission resource`; the first two are made by `wire`.
//!
//! Sources: <https://cloud.google.com/iam/docs/reference/credentials/rest>, the public proto, public measurements.
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
//! let hosts = assemble(&cloud, vec![tokenrig_iamcredentials::service(&cloud)]);
//! assert!(hosts.find("iamcredentials.googleapis.com").is_some());
//! ```

mod assumptions;
mod model;
mod refusals;
mod service;

use tokenrig_cloud::Cloud;
use tokenrig_decision::Refusal;
use tokenrig_wire::Service;

pub use crate::assumptions::{AllowedLocations, Settings};

/// The service as a rig composes it.
#[must_use]
pub fn service(cloud: &Cloud) -> Service {
    with_settings(cloud, Settings::default())
}

/// The service with settings of its own.
#[must_use]
pub fn with_settings(cloud: &Cloud, settings: Settings) -> Service {
    let service = service::IamCredentials::new(cloud.clone(), settings);
    Service {
        name: "iamcredentials",
        about: "IAM Credentials: ID tokens, access tokens, signatures; gRPC and REST",
        api: service::api(&service),
        fronts: Vec::new(),
        refusals: refusals::ALL,
        assumptions: assumptions::ALL,
    }
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    refusals::ALL
}
