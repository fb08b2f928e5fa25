//! A test rig for Google Cloud identity tokens: one fake cloud, on loopback, that unmodified clients reach.
//!
//! A [`Rig`] plays the surfaces that an identity token passes through: an OpenID provider, Google's Security Token
//! Service, IAM Credentials, Google as an issuer, the metadata server, IAM's admin APIs and Cloud Run. Clients use the
//! real host names, over TLS, and reach the rig by the [`Environment`] that it gives them. Each rig is isolated, looks at
//! no environment variable, and ends when it is dropped.
//!
//! ```
//! use tokenrig::{IssuerSpec, Rig};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let rig = Rig::builder().issuer(IssuerSpec::new("corp")).start().await;
//! let request = http::Request::get("https://corp.idp.tokenrig.test/.well-known/openid-configuration");
//! let answer = rig.dialer().send(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
//! assert_eq!(answer.status(), 200);
//! # });
//! ```

mod builder;
mod control;
mod environment;
mod fetch;
mod instances;
mod rig;
mod services;
mod settings;
mod state;

pub use tokenrig_cloud::{Project, Settings};
pub use tokenrig_cloudrun::{Contract, InstanceFault, Workload, WorkloadMaker};
pub use tokenrig_gateway::{DialError, Dialer, Refused, RefusedHost};
pub use tokenrig_idp::{IssuerFault, IssuerPatch, IssuerSpec, KeyChoice, MintFault, MintOrder, Misbehaviour};
pub use tokenrig_jose::forge::Flaw;

pub use tokenrig_wire::settings::SettingFault;

pub use crate::{
    builder::{RigBuilder, Time, fresh_seed},
    environment::Environment,
    rig::{Core, Rig, StartFault},
    services::{assumptions, played, refusals},
};
