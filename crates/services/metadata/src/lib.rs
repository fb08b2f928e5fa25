//! Being built.

use tokenrig_cloud::Cloud;
use tokenrig_decision::Refusal;
use tokenrig_wire::{Api, Service};

/// The service as a rig composes it.
#[must_use]
pub fn service(_cloud: &Cloud) -> Service {
    Service { name: "metadata", api: Api::new(), fronts: Vec::new(), refusals: refusals(), assumptions: &[] }
}

/// Every refusal that it can give.
#[must_use]
pub fn refusals() -> &'static [&'static Refusal] {
    &[]
}
