//! The stand-in for Cloud Run: `*.run.app` and the admin API at `run.googleapis.com`.
//!
//! The front door lets a request in only if its ID token was signed by Google, is in time, was made for this very service,
//! and stands for somebody with `run.routes.invoke`. Behind it answers a [`Workload`]: an echo, or an issuer of the rig.
//! The checks are `credential issuer signature audience times permission`, in this order. What the door saw is kept, and
//! [`CloudRun::received`] tells it.
//!
//! Sources: Cloud Run's documents on authentication (<https://cloud.google.com/run/docs/authenticating/service-to-service>)
//! and custom audiences, the API reference of version 2, public captures of the front door's pages.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_cloudrun::{CloudRun, Settings};
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let run = CloudRun::new(Cloud::new(Foundation::on(clock)), Settings::default(), Arc::new(|_, _| None));
//! assert!(!run.has_host("orders-1071284184436.us-central1.run.app"));
//! ```

mod assumptions;
mod model;
mod refusals;
mod routes;
mod service;
mod urls;

use tokenrig_decision::Refusal;
use tokenrig_wire::{Front, Hosts, Service};

pub use crate::{
    assumptions::Settings,
    service::{CloudRun, IssuerRouter, Received, Workload, WorkloadFault},
};

/// The service as a rig composes it: it answers for every host below `run.app`, as Google does.
#[must_use]
pub fn service(run: &CloudRun) -> Service {
    Service {
        name: "cloudrun",
        api: service::admin::api(run),
        fronts: vec![Front {
            hosts: Hosts::when(|host| host.ends_with(".run.app")),
            router: routes::router(run.clone()),
        }],
        refusals: refusals::ALL,
        assumptions: assumptions::ALL,
    }
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    refusals::ALL
}
