//! The services of a rig. A new one is named here, and nowhere else.

use std::sync::Arc;

use tokenrig_cloud::Cloud;
use tokenrig_cloudrun::CloudRun;
use tokenrig_decision::{Assumption, Refusal};
use tokenrig_idp::Issuers;
use tokenrig_wire::Service;

/// The host name of the metadata server.
pub(crate) const METADATA_HOST: &str = "metadata.google.internal";

/// All services on one cloud, with the two that the rig itself talks to.
pub(crate) fn all(cloud: &Cloud) -> (Vec<Service>, Issuers, CloudRun) {
    let issuers = Issuers::new(cloud);
    let issuer = {
        let issuers = issuers.clone();
        Arc::new(move |id: &str, url: &str| issuers.router(id, url))
    };
    let run = CloudRun::new(cloud.clone(), tokenrig_cloudrun::Settings::default(), issuer);
    let services = vec![
        tokenrig_accounts::service(cloud),
        tokenrig_cloudrun::service(&run),
        tokenrig_iamadmin::service(cloud),
        tokenrig_iamcredentials::service(cloud),
        tokenrig_idp::service(&issuers, cloud),
        tokenrig_metadata::service(cloud),
        tokenrig_sts::service(cloud, tokenrig_sts::Settings::default()),
        tokenrig_wire::service(),
    ];
    (services, issuers, run)
}

/// Every refusal of every service, by service.
#[must_use]
pub fn refusals() -> Vec<(&'static str, &'static [&'static Refusal])> {
    catalogue().into_iter().map(|(name, refusals, _)| (name, refusals)).collect()
}

/// Every assumption of every service, by service.
#[must_use]
pub fn assumptions() -> Vec<(&'static str, &'static [Assumption])> {
    catalogue().into_iter().map(|(name, _, assumptions)| (name, assumptions)).collect()
}

type Entry = (&'static str, &'static [&'static Refusal], &'static [Assumption]);

fn catalogue() -> Vec<Entry> {
    // What a service can give does not depend on the cloud that it is composed on.
    let clock = Arc::new(tokenrig_clock::ManualClock::starting_at(tokenrig_clock::Timestamp::UNIX_EPOCH));
    let cloud = Cloud::new(tokenrig_cloud::Foundation::on(clock));
    all(&cloud).0.into_iter().map(|service| (service.name, service.refusals, service.assumptions)).collect()
}
