//! Cloud Tasks: `cloudtasks.googleapis.com`.
//!
//! Queues hold requests and make them at their pace: to Cloud Run and functions, to Google's own APIs, to any application of
//! this machine. With each goes a token of a service account, if the task or its queue orders one. Version 2 and version
//! 2beta3 are the same queues and tasks by other messages; gRPC and REST are the same methods.
//!
//! | of | methods | permissions |
//! |---|---|---|
//! | queues | create, get, list, patch, delete, purge, pause, resume, policies | `cloudtasks.queues.*` on the queue, or on its location |
//! | tasks | create, get, list, delete, run | `cloudtasks.tasks.*` on the queue, `cloudtasks.tasks.fullView` to see bodies |
//! | tasks, by any request | `tasks:buffer` and `tasks/TASK:buffer` | `cloudtasks.tasks.create` |
//!
//! Who makes a task with a token, or says at a queue which token goes along, needs `iam.serviceAccounts.actAs` on the account.
//! The token itself is made when the task is dispatched, by the service agent `service-N@gcp-sa-cloudtasks`; that, the attempts
//! and their log are `delivery`'s. This crate is a [`Source`] of deliveries.
//!
//! Not played: pull queues, batches, encryption keys, App Engine itself (its tasks are attempted at the application's host,
//! where nobody answers), log entries of `stackdriverLoggingConfig`, the minutes that Google takes until a change counts.
//!
//! A decision makes the checks `credential scope request permission resource`; the first two are made by `wire`.
//!
//! Sources: <https://cloud.google.com/tasks/docs/reference/rest>, the public protos, public recordings of Google's answers.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_delivery::{Deliveries, NoOp};
//! use tokenrig_tasks::{Settings, Tasks};
//! use tokenrig_wire::assemble;
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let deliveries = Deliveries::new(&cloud, Arc::new(NoOp::default()), Default::default());
//! let tasks = Tasks::new(&cloud, deliveries.bell(), Settings::default());
//! deliveries.add(tasks.source());
//! let hosts = assemble(&cloud, vec![tokenrig_tasks::service(&tasks)]);
//! assert!(hosts.find("cloudtasks.googleapis.com").is_some());
//! ```
//!
//! [`Source`]: tokenrig_delivery::Source

mod assumptions;
mod model;
mod refusals;
mod service;
mod store;

use tokenrig_decision::Refusal;
use tokenrig_wire::Service;

pub use crate::{
    assumptions::Settings,
    service::{Tasks, ToldQueue},
};

/// The service as a rig composes it.
#[must_use]
pub fn service(tasks: &Tasks) -> Service {
    Service {
        name: "tasks",
        about: "Cloud Tasks: queues, tasks and their pace, versions 2 and 2beta3; gRPC and REST",
        api: service::api(tasks),
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
