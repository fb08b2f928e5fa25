//! The stand-in for Cloud Run and Cloud Functions: `*.run.app`, `*.cloudfunctions.net`, and the admin APIs at
//! `run.googleapis.com` and `cloudfunctions.googleapis.com`.
//!
//! The front door lets a request in only if its ID token was signed by Google, is in time, was made for this very service,
//! and stands for somebody with `run.routes.invoke`. The checks are `ingress credential issuer signature audience times
//! permission`, in this order. What the door saw is kept, and [`CloudRun::received`] tells it; a log of requests stands in
//! the cloud's audit trail.
//!
//! Functions are doors of the same kind. One of the second generation is a service of the same name, with one address and
//! one audience more; one of the first has its own policy and the permission `cloudfunctions.functions.invoke`.
//!
//! Behind it answers what [`CloudRun::set_workload`] was told: an echo, an issuer of the rig, answers in their order, a
//! server on this machine, a command that the rig starts, or a [`Workload`] of another crate's.
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
mod front;
mod model;
mod refusals;
mod routes;
mod service;
mod urls;
mod workload;

use tokenrig_decision::Refusal;
use tokenrig_wire::{Front, Hosts, Service};

pub use crate::{
    assumptions::{Inside, Settings, UserWithoutInvoker},
    service::{CloudRun, EnvironmentMaker, FunctionSummary, Received, Summary},
    workload::{Contract, InstanceFault, IssuerRouter, Logs, Workload, WorkloadFault, WorkloadMaker},
};

/// The service as a rig composes it: it answers for every host below `run.app` and `cloudfunctions.net`, as Google
/// does.
#[must_use]
pub fn service(run: &CloudRun) -> Service {
    Service {
        name: "cloudrun",
        about: "Cloud Run and Cloud Functions: front doors, workloads, the admin APIs v2",
        api: service::admin::api(run),
        fronts: vec![Front {
            hosts: Hosts::when(|host| host.ends_with(".run.app") || urls::is_functions_host(host)),
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
