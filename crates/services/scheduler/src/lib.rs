//! Cloud Scheduler: `cloudscheduler.googleapis.com`.
//!
//! Requests that are made at the times of a schedule, with a token of a service account. gRPC and REST are the same methods.
//!
//! | method | permission |
//! |---|---|
//! | `create`, `patch` | `cloudscheduler.jobs.create`, `.update`; and `iam.serviceAccounts.actAs` on the account of the token |
//! | `get`, `list`, `delete`, `run` | `cloudscheduler.jobs.get`, `.list`, `.delete`, `.run` |
//! | `pause`, `resume` | `cloudscheduler.jobs.pause`, `.enable` |
//! | `locations.list`, `locations.get` | `cloudscheduler.locations.list`, `.get` |
//!
//! A schedule is unix-cron or in the words of App Engine's cron. HTTP and App Engine targets are called by way of `delivery`,
//! which makes the token as the project's service agent; a Pub/Sub target is published to once the rig has Pub/Sub, and fails
//! with UNIMPLEMENTED until then. Each attempt leaves two entries in the log of executions.
//!
//! Sources: <https://cloud.google.com/scheduler/docs/reference/rest>, the public proto, public recordings named at each refusal
//! and assumption.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_delivery::{Deliveries, NoOp};
//! use tokenrig_scheduler::{Scheduler, Settings};
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let deliveries = Deliveries::new(&cloud, Arc::new(NoOp::default()), tokenrig_delivery::Settings::default());
//! let scheduler = Scheduler::new(&cloud, &deliveries, Settings::default());
//! let hosts = tokenrig_wire::assemble(&cloud, vec![tokenrig_scheduler::service(&scheduler)]);
//! assert!(hosts.find("cloudscheduler.googleapis.com").is_some());
//! ```

mod assumptions;
mod model;
mod refusals;
mod schedule;
mod service;

use tokenrig_decision::Refusal;
use tokenrig_wire::Service;

pub use crate::{assumptions::Settings, service::Scheduler};

/// The service as a rig composes it.
#[must_use]
pub fn service(scheduler: &Scheduler) -> Service {
    Service {
        name: "scheduler",
        about: "Cloud Scheduler: jobs by unix-cron and in words, with ID and access tokens; gRPC and REST",
        api: service::api(scheduler),
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
