//! Deployed services and what answers behind their doors.

pub(crate) mod admin;
pub(crate) mod door;
mod received;
mod workload;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use axum::Router;
use serde_json::Value;
use tokenrig_cloud::Cloud;

pub use self::{
    received::Received,
    workload::{Workload, WorkloadFault},
};
use crate::{
    assumptions::Settings,
    model::{Deployed, ServiceName},
};

/// Gives the router of a given issuer, as it answers at a base URL: how a service whose workload is `{issuer: ID}` gets one.
pub type IssuerRouter = Arc<dyn Fn(&str, &str) -> Option<Router> + Send + Sync>;

/// The Cloud Run of one rig. A clone is the same one.
#[derive(Clone)]
pub struct CloudRun {
    inner: Arc<Inner>,
}

struct Inner {
    cloud: Cloud,
    settings: Settings,
    issuer: IssuerRouter,
    state: RwLock<State>,
    received: received::Ring,
}

#[derive(Default)]
struct State {
    /// By canonical name.
    services: BTreeMap<String, Arc<Deployed>>,
    /// Host to canonical name.
    hosts: BTreeMap<String, String>,
    /// What was given, by canonical name; it also serves a service that is deployed later.
    workloads: BTreeMap<String, (Value, Workload)>,
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
        Self { inner: Arc::new(Inner { cloud, settings, issuer, state: RwLock::default(), received }) }
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
    /// of which the one in the project's own location is meant if there are several.
    fn canonical(&self, service: &str) -> Option<String> {
        let project = self.cloud().project();
        if let Some(name) = ServiceName::parse(service) {
            return project.is(&name.project).then(|| name.canonical(&project.id));
        }
        let state = self.read();
        let mut named: Vec<&Arc<Deployed>> =
            state.services.values().filter(|deployed| deployed.name.service == service).collect();
        named.sort_by_key(|deployed| deployed.name.location != project.location);
        named.first().map(|deployed| deployed.name.canonical(&project.id))
    }

    /// Says what answers behind a service, by its full name or id, in the words of a given document. A service that is
    /// not deployed yet gets it when it is.
    ///
    /// # Errors
    ///
    /// [`WorkloadFault`] says what is wrong with `told`.
    pub fn set_workload(&self, service: &str, told: &Value) -> Result<(), WorkloadFault> {
        let workload = self.workload(service, told)?;
        let project = self.cloud().project();
        let canonical = self
            .canonical(service)
            .unwrap_or_else(|| format!("projects/{}/locations/{}/services/{service}", project.id, project.location));
        self.write().workloads.insert(canonical, (told.clone(), workload));
        Ok(())
    }

    fn workload(&self, service: &str, told: &Value) -> Result<Workload, WorkloadFault> {
        match told {
            Value::String(word) if word == "echo" => Ok(Workload::Echo),
            Value::String(_) => Err(WorkloadFault::NotPlayed("URL".to_owned())),
            Value::Object(map) if map.len() == 1 => {
                let (kind, value) = map.iter().next().ok_or(WorkloadFault::Form)?;
                match (kind.as_str(), value) {
                    ("issuer", Value::String(issuer)) => {
                        let url = self.url(service);
                        let router = (self.inner.issuer)(issuer, &url);
                        router.map(Workload::Router).ok_or_else(|| WorkloadFault::UnknownIssuer(issuer.clone()))
                    }
                    ("answers" | "command" | "image", _) => Err(WorkloadFault::NotPlayed(kind.clone())),
                    _ => Err(WorkloadFault::Form),
                }
            }
            _ => Err(WorkloadFault::Form),
        }
    }

    /// The URL at which `service` answers or will answer.
    fn url(&self, service: &str) -> String {
        let project = self.cloud().project();
        let parsed = ServiceName::parse(service);
        let (id, location) = match &parsed {
            Some(name) => (name.service.as_str(), name.location.as_str()),
            None => (service, project.location.as_str()),
        };
        format!("https://{}", crate::urls::hashed_host(id, &self.cloud().run_hash(), location))
    }

    /// What was told of a service's workload.
    #[must_use]
    pub fn told_workload(&self, service: &str) -> Option<Value> {
        let canonical = self.canonical(service)?;
        self.read().workloads.get(&canonical).map(|(told, _)| told.clone())
    }

    /// Requests that reached a service after number `since`, refused ones included, oldest first. `None`: no such service.
    #[must_use]
    pub fn received(&self, service: &str, since: u64) -> Option<Vec<Received>> {
        let canonical = self.canonical(service)?;
        self.read().services.contains_key(&canonical).then(|| self.inner.received.since(&canonical, since))
    }

    pub(crate) fn keep(&self, received: Received) {
        self.inner.received.keep(received);
    }

    /// Whether a service answers at this host.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.read().hosts.contains_key(host)
    }

    /// The service at this host, and what answers behind it.
    pub(crate) fn at_host(&self, host: &str) -> Option<(Arc<Deployed>, Workload)> {
        let state = self.read();
        let name = state.hosts.get(host)?;
        let deployed = Arc::clone(state.services.get(name)?);
        let workload = state.workloads.get(name).map(|(_, workload)| workload.clone()).unwrap_or_default();
        Some((deployed, workload))
    }
}
