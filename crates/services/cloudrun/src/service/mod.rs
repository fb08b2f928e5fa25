//! Deployed services and what answers behind their doors.

pub(crate) mod admin;
pub(crate) mod door;
mod functions;
mod received;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokenrig_cloud::Cloud;
use tokenrig_protos::google::{
    cloud::run::v2::{IngressTraffic, Revision},
    longrunning::Operation,
};

pub(crate) use self::received::Seen;
use self::{
    door::{Entrance, entrance},
    functions::{Backing, DeployedFunction},
};
pub use self::{functions::FunctionSummary, received::Received};
use crate::{
    assumptions::Settings,
    model::{Deployed, FunctionName, ServiceName, hosts, is_functions_host},
    workload::{Behind, Contract, IssuerRouter, WorkloadFault, WorkloadMaker},
};

/// Gives variables for the instances that the rig starts: how they reach the rig, and as whom.
pub type EnvironmentMaker = Arc<dyn Fn(&Contract) -> Vec<(String, String)> + Send + Sync>;

/// How many operations are remembered.
const OPERATIONS: usize = 1_000;

/// The Cloud Run of one rig. A clone is the same one.
#[derive(Clone)]
pub struct CloudRun {
    inner: Arc<Inner>,
}

/// A deployed service in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// `projects/P/locations/L/services/S`.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its location.
    pub location: String,
    /// `customAudiences`.
    pub custom_audiences: Vec<String>,
    /// `ingress`, where it is not INGRESS_TRAFFIC_ALL.
    pub ingress: Option<&'static str>,
    /// `invokerIamDisabled`.
    pub invoker_iam_disabled: bool,
}

/// What a request has reached.
pub(crate) struct Found {
    pub(crate) service: Arc<Deployed>,
    pub(crate) behind: Behind,
    /// Bytes of the path that only led here: `/FUNCTION`.
    pub(crate) taken: usize,
}

struct Inner {
    cloud: Cloud,
    settings: Settings,
    issuer: IssuerRouter,
    state: RwLock<State>,
    received: received::Ring,
    /// Requests that began a trace or a span.
    traced: AtomicU64,
}

#[derive(Default)]
struct State {
    /// By canonical name.
    services: BTreeMap<String, Arc<Deployed>>,
    /// By canonical name of the service, oldest first.
    revisions: BTreeMap<String, VecDeque<Arc<Revision>>>,
    /// The newest last, by name.
    operations: VecDeque<(String, Operation)>,
    /// Host to canonical name.
    hosts: BTreeMap<String, String>,
    /// By canonical name.
    functions: BTreeMap<String, Arc<DeployedFunction>>,
    /// `HOST/FUNCTION` to canonical name.
    addresses: BTreeMap<String, String>,
    /// What was given, by canonical name; it also serves a service that is deployed later.
    workloads: BTreeMap<String, (Value, Behind)>,
    /// Kinds of workloads that others have added.
    makers: BTreeMap<String, WorkloadMaker>,
    environment: Option<EnvironmentMaker>,
}

impl fmt::Debug for CloudRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudRun").field("services", &self.read().services.keys()).finish_non_exhaustive()
    }
}

impl CloudRun {
    /// A Cloud Run without services.
    #[must_use]
    pub fn new(cloud: Cloud, settings: Settings, issuer: IssuerRouter) -> Self {
        let received = received::Ring::new(settings.received);
        Self {
            inner: Arc::new(Inner {
                cloud,
                settings,
                issuer,
                state: RwLock::default(),
                received,
                traced: AtomicU64::new(0),
            }),
        }
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.inner.cloud
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.inner.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name under which `service` is kept: a full name with the project's id or number, or the bare id of a service,
    /// of which the one in the project's own location is meant if there are several. The same of a function.
    fn canonical(&self, service: &str) -> Option<String> {
        let project = self.cloud().project();
        if let Some(name) = ServiceName::parse(service) {
            return project.is(&name.project).then(|| name.canonical(&project.id));
        }
        let state = self.read();
        if let Some(name) = FunctionName::parse(service) {
            return project.is(&name.project).then(|| match state.functions.get(&name.canonical(&project.id)) {
                Some(function) => function.key().to_owned(),
                None => name.canonical(&project.id),
            });
        }
        let mut named: Vec<&Arc<Deployed>> =
            state.services.values().filter(|deployed| deployed.name.service == service).collect();
        named.sort_by_key(|deployed| deployed.name.location != project.location);
        let of_service = named.first().map(|deployed| deployed.canonical.clone());
        of_service.or_else(|| {
            let mut named: Vec<_> = state.functions.values().filter(|one| one.name.function == service).collect();
            named.sort_by_key(|function| function.name.location != project.location);
            named.first().map(|function| function.key().to_owned())
        })
    }

    /// Adds a kind of workload, for example `image`: the word under which a given document tells of it, and what makes one.
    pub fn add_workload_kind(&self, kind: &str, make: WorkloadMaker) {
        self.write().makers.insert(kind.to_owned(), make);
    }

    /// Says which variables the instances get that the rig starts, beside those of their service.
    pub fn set_environment(&self, make: EnvironmentMaker) {
        self.write().environment = Some(make);
    }

    /// Says what answers behind a service or a function, by its full name or id, in the words of a given document. A service that is
    /// not deployed yet gets it when it is. What answered before is stopped.
    ///
    /// # Errors
    ///
    /// [`WorkloadFault`] says what is wrong with `told`.
    pub fn set_workload(&self, service: &str, told: &Value) -> Result<(), WorkloadFault> {
        let service = service.strip_prefix("//run.googleapis.com/").unwrap_or(service);
        let service = service.strip_prefix("//cloudfunctions.googleapis.com/").unwrap_or(service);
        let (canonical, main) = self.meant(service).ok_or_else(|| WorkloadFault::OtherProject(service.to_owned()))?;
        let makers = self.read().makers.clone();
        let behind = Behind::told(told, &format!("https://{main}"), &self.inner.issuer, &makers)?;
        let before = self.write().workloads.insert(canonical, (told.clone(), behind));
        if let Some((_, before)) = before {
            before.retire();
        }
        Ok(())
    }

    /// The name that `service` stands for, deployed or not, and where it answers, without `https://`; `None` if it is of
    /// another project.
    fn meant(&self, service: &str) -> Option<(String, String)> {
        let project = self.cloud().project();
        let canonical = match self.canonical(service) {
            Some(canonical) => canonical,
            None if service.contains('/') => return None,
            None => format!("projects/{}/locations/{}/services/{service}", project.id, project.location),
        };
        let address = match FunctionName::parse(&canonical) {
            Some(function) => function.address(&project.id),
            None => {
                let [_, main] = hosts(&ServiceName::parse(&canonical)?, self.cloud());
                main
            }
        };
        Some((canonical, address))
    }

    /// What the instances that the rig started for a service have written, oldest line first, within bounds.
    /// `None`: nothing is told of its workload.
    #[must_use]
    pub fn logs(&self, service: &str) -> Option<Vec<String>> {
        let canonical = self.canonical(service)?;
        self.read().workloads.get(&canonical).map(|(_, behind)| behind.logs())
    }

    /// Ends every instance that the rig started: SIGTERM, ten seconds, SIGKILL. One that is asked for later starts anew.
    pub async fn stop(&self) {
        let all: Vec<Behind> = self.read().workloads.values().map(|(_, behind)| behind.clone()).collect();
        futures_util::future::join_all(all.iter().map(Behind::stop)).await;
    }

    /// What was told of a service's workload.
    #[must_use]
    pub fn told_workload(&self, service: &str) -> Option<Value> {
        let canonical = self.canonical(service)?;
        self.read().workloads.get(&canonical).map(|(told, _)| told.clone())
    }

    /// Every deployed service, by name.
    #[must_use]
    pub fn deployed(&self) -> Vec<Summary> {
        let state = self.read();
        let told = state.services.iter().map(|(name, deployed)| Summary {
            name: name.clone(),
            id: deployed.name.service.clone(),
            location: deployed.name.location.clone(),
            custom_audiences: deployed.resource.custom_audiences.clone(),
            ingress: match deployed.resource.ingress() {
                IngressTraffic::Unspecified | IngressTraffic::All => None,
                other => Some(other.as_str_name()),
            },
            invoker_iam_disabled: deployed.resource.invoker_iam_disabled,
        });
        told.collect()
    }

    /// The URL of a service or a function, as its `uri` says it. `None`: nothing of this name is deployed.
    #[must_use]
    pub fn uri(&self, service: &str) -> Option<String> {
        let canonical = self.canonical(service)?;
        let state = self.read();
        if let Some(deployed) = state.services.get(&canonical) {
            let [_, hashed] = hosts(&deployed.name, self.cloud());
            return Some(format!("https://{hashed}"));
        }
        let function = state.functions.get(&canonical)?;
        Some(format!("https://{}", function.name.address(&self.cloud().project().id)))
    }

    /// Requests that reached a service or a function after number `since`, refused ones included, oldest first. `None`:
    /// nothing of this name is deployed.
    #[must_use]
    pub fn received(&self, service: &str, since: u64) -> Option<Vec<Received>> {
        let canonical = self.canonical(service)?;
        let known = {
            let state = self.read();
            state.services.contains_key(&canonical) || state.functions.contains_key(&canonical)
        };
        known.then(|| self.inner.received.since(&canonical, since))
    }

    pub(crate) fn keep(&self, seen: Arc<Seen>) {
        self.inner.received.keep(seen);
    }

    /// Whether a service answers at this host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.read().at(host).is_some()
    }

    /// What is at this address. The entrance is also that of what is not there.
    pub(crate) fn at(&self, host: &str, path: &str) -> (&'static Entrance, Option<Found>) {
        let state = self.read();
        let (entrance, service, taken) = if is_functions_host(host) {
            match state.function_at(host, path) {
                None => (&entrance::SECOND, None, 0),
                Some(function) => match &function.backing {
                    Backing::Own(own) => (&entrance::FIRST, Some(own), 1 + function.name.function.len()),
                    Backing::Service(service) => {
                        (&entrance::SECOND, state.services.get(service), 1 + function.name.function.len())
                    }
                },
            }
        } else {
            (&entrance::RUN, state.at(host), 0)
        };
        let found = service.map(|service| Found {
            behind: state.workloads.get(&service.canonical).map(|(_, behind)| behind.clone()).unwrap_or_default(),
            service: Arc::clone(service),
            taken,
        });
        (entrance, found)
    }

    /// What an instance of a service is promised, with the rig's own variables if the rig starts it.
    pub(crate) fn contract(&self, service: &Deployed, behind: &Behind) -> Arc<Contract> {
        let make = if behind.is_hosted() { self.read().environment.clone() } else { None };
        let Some(make) = make else { return Arc::clone(&service.contract) };
        let mut contract = Contract::clone(&service.contract);
        // What the service itself says counts more.
        let told = std::mem::replace(&mut contract.environment, make(&service.contract));
        contract.environment.extend(told);
        Arc::new(contract)
    }

    /// The id of a trace that nobody has begun before: 32 hex digits.
    pub(crate) fn new_trace(&self) -> String {
        let number = self.inner.traced.fetch_add(1, Ordering::Relaxed);
        let mut trace = self.cloud().derived_hex("trace", &number.to_string());
        trace.truncate(32);
        trace
    }

    /// The id of a span, never 0.
    pub(crate) fn new_span(&self) -> u64 {
        self.inner.traced.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl State {
    /// The service at a host: one of its own two, or one of these with a tag in front (`TAG---HOST`).
    fn at(&self, host: &str) -> Option<&Arc<Deployed>> {
        let at = |host: &str| self.hosts.get(host).and_then(|name| self.services.get(name));
        at(host).or_else(|| {
            let (tag, host) = host.split_once("---")?;
            at(host).filter(|deployed| deployed.has_tag(tag))
        })
    }
}
