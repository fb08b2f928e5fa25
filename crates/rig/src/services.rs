//! The services of a rig. A new one is named here, and nowhere else.

use std::sync::Arc;

use tokenrig_clock::{ManualClock, Timestamp};
use tokenrig_cloud::{Cloud, Fetch, Foundation};
use tokenrig_cloudrun::{CloudRun, IssuerRouter};
use tokenrig_decision::{Assumption, Refusal};
use tokenrig_idp::Issuers;
use tokenrig_wire::Service;

use crate::fetch::ThroughGateway;

/// The host name of the metadata server.
pub(crate) const METADATA_HOST: &str = "metadata.google.internal";

/// The services of one rig, with the two that the rig itself talks to.
pub(crate) struct Services {
    pub(crate) all: Vec<Service>,
    pub(crate) issuers: Issuers,
    pub(crate) run: CloudRun,
}

/// All services on one cloud.
pub(crate) fn on(cloud: &Cloud, fetch: Arc<dyn Fetch>) -> Services {
    let issuers = Issuers::new(Arc::clone(cloud.clock()), cloud.settings().seed.clone());
    let run = CloudRun::new(cloud.clone(), tokenrig_cloudrun::Settings::default(), issuer_workloads(cloud, &issuers));
    let all = vec![
        tokenrig_accounts::service(cloud),
        tokenrig_cloudrun::service(&run),
        tokenrig_iamadmin::service(cloud),
        tokenrig_iamcredentials::service(cloud),
        tokenrig_idp::service(&issuers, cloud),
        tokenrig_metadata::service(cloud),
        tokenrig_sts::service(cloud, fetch, tokenrig_sts::Settings::default()),
    ];
    Services { all, issuers, run }
}

/// How a service whose workload is `{issuer: ID}` gets the issuer's paths: the service's URL is the issuer from then on.
fn issuer_workloads(cloud: &Cloud, issuers: &Issuers) -> IssuerRouter {
    let (cloud, issuers) = (cloud.clone(), issuers.clone());
    Arc::new(move |id: &str, url: &str| {
        issuers.serve_elsewhere(id, url).ok()?;
        Some(tokenrig_idp::router(&issuers, &cloud, id))
    })
}

/// Every refusal that a rig can give, by service; what all Google APIs share stands under `wire`.
#[must_use]
pub fn refusals() -> Vec<(&'static str, &'static [&'static Refusal])> {
    let services = catalogue().into_iter().map(|(name, refusals, _)| (name, refusals));
    services.chain([("wire", tokenrig_wire::refusals::ALL)]).collect()
}

/// Everything that Google has not told and a rig does anyway, by service.
#[must_use]
pub fn assumptions() -> Vec<(&'static str, &'static [Assumption])> {
    catalogue().into_iter().map(|(name, _, assumptions)| (name, assumptions)).collect()
}

type Entry = (&'static str, &'static [&'static Refusal], &'static [Assumption]);

/// What a service can give does not depend on the cloud that it is composed on.
fn catalogue() -> Vec<Entry> {
    let cloud = Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))));
    let services = on(&cloud, Arc::new(ThroughGateway::default()));
    services.all.into_iter().map(|service| (service.name, service.refusals, service.assumptions)).collect()
}
