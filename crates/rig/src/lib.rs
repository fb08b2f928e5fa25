//! A test rig for Google Cloud identity tokens: one fake cloud, on loopback, that unmodified clients reach.
//!
//! A [`Rig`] plays the surfaces that an identity token passes through: an OpenID provider, Google's Security Token
//! Service, IAM Credentials, Google as an issuer, the metadata server, IAM's admin APIs and Cloud Run. Clients use the
//! real host names, over TLS, and reach the rig by the [`Environment`] that it gives them. Each rig is isolated, looks at
//! no environment variable, and ends when it is dropped.
//!
//! ```
//! use tokenrig::{Rig, time::minutes};
//!
//! const GIVEN: &str = r#"
//! iam.serviceAccounts: { caller: {} }
//! run.services:
//!   orders:
//!     iamPolicy: { bindings: [{ role: roles/run.invoker, members: ["serviceAccount:${caller.email}"] }] }
//! "#;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let rig = Rig::builder().given(GIVEN).start().await;
//! let token = rig.id_token("caller").audience(rig.uri("orders")).mint().await;
//! let ask = || rig.http_client().get(rig.uri("orders")).bearer_auth(&token).send();
//! assert_eq!(ask().await.unwrap().status(), 200);
//! assert_eq!(rig.received("orders").await[0].claims["email"], rig.service_account("caller").email());
//!
//! rig.clock().advance(minutes(61)).await;
//! assert_eq!(ask().await.unwrap().status(), 401);
//! let decision = rig.last_decision().await;
//! assert_eq!(decision.failed(), Some("times"), "{decision}"); // the message is the whole explanation
//! # });
//! ```

mod aws;
mod builder;
mod carry;
mod client;
mod control;
mod environment;
mod fetch;
mod foundation;
mod given;
mod instances;
mod people;
mod pools;
mod rig;
mod seen;
mod services;
mod settings;
mod site;
mod state;
mod tokens;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/use-it-from-rust.md")]
struct Guide;

/// Instants, durations, and words for them: `rig.clock().advance(minutes(61))`.
pub mod time {
    pub use tokenrig_clock::{SignedDuration, Timestamp, minutes, seconds};

    /// A duration of whole hours.
    #[must_use]
    pub fn hours(count: i64) -> SignedDuration {
        SignedDuration::from_hours(count)
    }
}

/// The client of [`Rig::http_client`], in the version that it is of.
pub use reqwest;

pub use tokenrig_cloud::{Project, Settings};
pub use tokenrig_cloudrun::{Contract, InstanceFault, Workload, WorkloadMaker};
pub use tokenrig_gateway::{DialError, Dialer, Refused, RefusedHost};
pub use tokenrig_idp::{IssuerFault, IssuerPatch, IssuerSpec, KeyChoice, MintFault, MintOrder, Misbehaviour};
pub use tokenrig_jose::forge::{Duty, Flaw, Rule};

pub use tokenrig_wire::settings::SettingFault;

pub use crate::{
    builder::{RigBuilder, Time, fresh_seed},
    environment::{Addresses, Environment},
    foundation::FoundationFault,
    rig::{Core, Rig, StartFault, prepare},
    seen::{Decided, Received, RigClock},
    services::{assumptions, played, refusals},
    tokens::{Account, CredentialFile, IdToken},
};
