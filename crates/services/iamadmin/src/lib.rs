//! The administration of identities: `iam.googleapis.com` and its neighbours `cloudresourcemanager.googleapis.com`,
//! `serviceusage.googleapis.com` and `orgpolicy.googleapis.com`.
//!
//! Service accounts and their keys, custom roles, pools and providers of workload and of workforce identities, policies of all
//! of them, of projects and the organization, services that are switched on and off, and the organization policies that concern all these (new and uploaded
//! keys, issuers of providers, members of policies). Of `appengine.googleapis.com` it plays whether a project has an
//! application, which gcloud asks before it looks for locations. The state is the cloud's: what is made here is what tokens are made of
//! elsewhere. Long-running operations are done when they are answered. What is checked first is the caller's permission,
//! then the request, then the resource; who names a service account under `projects/-` and has no part in it learns
//! nothing about whether it exists.
//!
//! Sources: `google/iam/admin/v1/iam.proto`, the discovery documents of IAM v1 (pools of both kinds) and Resource Manager v1,
//! `google/api/serviceusage/v1`, `google/cloud/orgpolicy/v2`, and what is named at each refusal.
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
//! let hosts = assemble(&cloud, vec![tokenrig_iamadmin::service(&cloud)]);
//! assert!(hosts.find("iam.googleapis.com").is_some());
//! ```

mod assumptions;
mod model;
mod refusals;
mod service;

use tokenrig_cloud::Cloud;
use tokenrig_decision::Refusal;
use tokenrig_wire::Service;

pub use crate::assumptions::Settings;

/// The service of a cloud.
#[must_use]
pub fn service(cloud: &Cloud) -> Service {
    service_with(cloud, Settings::default())
}

/// The service of a cloud, with settings.
#[must_use]
pub fn service_with(cloud: &Cloud, settings: Settings) -> Service {
    Service {
        name: "iamadmin",
        about: "IAM, Resource Manager v1, Service Usage, Organization Policy: accounts, keys, roles, pools, policies",
        api: service::api(cloud, settings),
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
