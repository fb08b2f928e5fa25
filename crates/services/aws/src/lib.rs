//! Amazon's cloud, as far as a workload there meets it on its way into Google's: `sts.REGION.amazonaws.com` and the
//! metadata server of an EC2 machine at 169.254.169.254.
//!
//! The accounts, roles and access keys are the rig's own (`aws.accounts` of a given document). If they hold one role, the
//! rig's machine has it, and client libraries find its credentials where EC2 has them:
//!
//! | path at 169.254.169.254 | answer |
//! |---|---|
//! | `PUT /latest/api/token` | a session token of IMDSv2 |
//! | `/latest/meta-data/placement/availability-zone`, `…/region` | text |
//! | `/latest/meta-data/iam/security-credentials/`, `…/ROLE` | the role's name; its credentials as JSON |
//! | `/latest/meta-data/instance-id` | the name of the role's session |
//!
//! `sts.amazonaws.com` and its regions answer GetCallerIdentity, signed by Signature Version 4. Other actions of AWS are
//! answered as AWS answers unknown ones. Decisions make the checks `action signature`, and `token path`.
//!
//! Sources: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>, what clients ask.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_aws::Settings;
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let hosts = tokenrig_wire::assemble(&cloud, vec![tokenrig_aws::service(&cloud, Settings::default())]);
//! assert!(hosts.find("sts.eu-central-1.amazonaws.com").is_some());
//! assert!(hosts.find("s3.eu-central-1.amazonaws.com").is_none());
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

/// The addresses of EC2's metadata server.
const METADATA: [&str; 2] = ["169.254.169.254", "[fd00:ec2::254]"];

/// The service as a rig composes it.
#[must_use]
pub fn service(cloud: &Cloud, settings: Settings) -> Service {
    let aws = service::Aws::new(cloud.clone(), settings);
    Service {
        name: "aws",
        about: "AWS as a workload meets it: GetCallerIdentity, and the metadata server of EC2",
        api: Api::new(),
        fronts: vec![
            Front { hosts: Hosts::when(model::is_sts), router: routes::sts(aws.clone()) },
            Front { hosts: Hosts::exact(METADATA), router: routes::metadata(aws) },
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
