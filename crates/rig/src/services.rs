//! The services of a rig. A new one is named here, and nowhere else.

use std::sync::Arc;

use tokenrig_clock::{ManualClock, Timestamp};
use tokenrig_cloud::{Cloud, Fetch, Foundation};
use tokenrig_cloudrun::{CloudRun, IssuerRouter};
use tokenrig_decision::{Assumption, Refusal};
use tokenrig_delivery::{Deliveries, NoOp};
use tokenrig_idp::Issuers;
use tokenrig_scheduler::Scheduler;
use tokenrig_tasks::Tasks;
use tokenrig_wire::Service;

use crate::{fetch::ThroughGateway, settings::ServiceSettings};

/// The host name of the metadata server.
pub(crate) const METADATA_HOST: &str = "metadata.google.internal";

/// The services of one rig, with those that the rig itself talks to.
pub(crate) struct Services {
    pub(crate) all: Vec<Service>,
    pub(crate) issuers: Issuers,
    pub(crate) run: CloudRun,
    pub(crate) scheduler: Scheduler,
    pub(crate) tasks: Tasks,
}

/// All services on one cloud.
pub(crate) fn on(cloud: &Cloud, fetch: Arc<dyn Fetch>, deliveries: &Deliveries, settings: ServiceSettings) -> Services {
    let seed = cloud.settings().seed.clone();
    let issuers = Issuers::with_settings(Arc::clone(cloud.clock()), seed, settings.idp);
    let run = CloudRun::new(cloud.clone(), settings.cloudrun, issuer_workloads(cloud, &issuers));
    let scheduler = Scheduler::new(cloud, deliveries, settings.scheduler);
    let tasks = Tasks::new(cloud, deliveries.bell(), settings.tasks);
    deliveries.add(tasks.source());
    let all = vec![
        tokenrig_accounts::with_settings(cloud, settings.accounts),
        tokenrig_aws::service(cloud, settings.aws),
        tokenrig_cloudrun::service(&run),
        tokenrig_iamadmin::service_with(cloud, settings.iamadmin),
        tokenrig_iamcredentials::with_settings(cloud, settings.iamcredentials),
        tokenrig_idp::service(&issuers, cloud),
        tokenrig_metadata::with_settings(cloud, settings.metadata),
        tokenrig_scheduler::service(&scheduler),
        tokenrig_sts::service(cloud, fetch, settings.sts),
        tokenrig_tasks::service(&tasks),
    ];
    Services { all, issuers, run, scheduler, tasks }
}

/// How a service whose workload is `{issuer: ID}` gets the issuer's paths: the service's URL is the issuer from then on.
fn issuer_workloads(cloud: &Cloud, issuers: &Issuers) -> IssuerRouter {
    let (cloud, issuers) = (cloud.clone(), issuers.clone());
    Arc::new(move |id: &str, url: &str| {
        issuers.serve_elsewhere(id, url).ok()?;
        Some(tokenrig_idp::router(&issuers, &cloud, id))
    })
}

/// Every refusal that a rig can give, by service; what all Google APIs share stands under `wire`, what
/// stands in the way of a delivery under `delivery`.
#[must_use]
pub fn refusals() -> Vec<(&'static str, &'static [&'static Refusal])> {
    let services = catalogue().into_iter().map(|service| (service.name, service.refusals));
    services.chain([("delivery", tokenrig_delivery::REFUSALS), ("wire", tokenrig_wire::refusals::ALL)]).collect()
}

/// Everything that Google has not told and a rig does anyway, by service.
#[must_use]
pub fn assumptions() -> Vec<(&'static str, &'static [Assumption])> {
    let services = catalogue().into_iter().map(|service| (service.name, service.assumptions));
    services.chain([("delivery", tokenrig_delivery::ASSUMPTIONS)]).collect()
}

/// What each service plays, in a line, by service; `wire` is what all Google APIs share.
#[must_use]
pub fn played() -> Vec<(&'static str, &'static str)> {
    let services = catalogue().into_iter().map(|service| (service.name, service.about));
    services.chain([("delivery", tokenrig_delivery::ABOUT), ("wire", tokenrig_wire::ABOUT)]).collect()
}

/// What a service can give does not depend on the cloud that it is composed on.
fn catalogue() -> Vec<Service> {
    let cloud = Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))));
    let settings = ServiceSettings::default();
    let deliveries = Deliveries::new(&cloud, Arc::new(NoOp::default()), settings.delivery.clone());
    on(&cloud, Arc::new(ThroughGateway::default()), &deliveries, settings).all
}
