//! What a rig is built from.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde_json::{Map, Value};
use tokenrig_clock::Timestamp;
use tokenrig_cloud::{Project, Settings};
use tokenrig_cloudrun::WorkloadMaker;
use tokenrig_idp::IssuerSpec;
use tokenrig_wire::settings::SettingFault;

use crate::{
    given::{self, GivenSource},
    people::People,
    rig::{Rig, StartFault},
    settings::ServiceSettings,
};

/// Which clock a rig runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// The machine's clock, which can be moved ahead: real clients look at their own.
    #[default]
    System,
    /// A clock that shows this instant at start and runs on from there.
    RunningFrom(Timestamp),
    /// A clock that stands at this instant until it is advanced.
    StandingAt(Timestamp),
}

/// Builds a [`Rig`].
#[derive(Debug, Clone)]
pub struct RigBuilder {
    pub(crate) project: Project,
    /// The number of the organization that the project is in.
    pub(crate) organization: Option<String>,
    pub(crate) agents: Vec<(String, Vec<String>)>,
    pub(crate) issuers: Vec<IssuerSpec>,
    pub(crate) settings: Settings,
    pub(crate) services: ServiceSettings,
    pub(crate) time: Time,
    pub(crate) listen: SocketAddr,
    pub(crate) workloads: Vec<(String, Value)>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) people: People,
    /// `aws.accounts` of a given document, as it stands there.
    pub(crate) aws: Map<String, Value>,
    pub(crate) given: Vec<GivenSource>,
    pub(crate) drives: bool,
}

/// A kind of workload that another crate makes.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) word: String,
    pub(crate) make: WorkloadMaker,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("word", &self.word).finish_non_exhaustive()
    }
}

impl Default for RigBuilder {
    fn default() -> Self {
        Self {
            project: Project::default(),
            organization: None,
            agents: Vec::new(),
            issuers: Vec::new(),
            settings: Settings { seed: fresh_seed(), ..Settings::default() },
            services: ServiceSettings::default(),
            time: Time::default(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            workloads: Vec::new(),
            kinds: Vec::new(),
            people: People::default(),
            aws: Map::new(),
            given: Vec::new(),
            drives: true,
        }
    }
}

impl RigBuilder {
    /// A given file: what the rig holds at start, in the field names of Google's REST resources. Several files are put in
    /// place one after the other. What is wrong with them is told by [`try_start`](Self::try_start), all at once.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let orders = folder.path().join("orders.given.yaml");
    /// # std::fs::write(&orders, "run.services: { orders: {} }").unwrap();
    /// let rig = tokenrig::Rig::builder().given_file(orders).start().await;
    /// assert!(rig.uri("orders").starts_with("https://orders-"));
    /// # });
    /// ```
    #[must_use]
    pub fn given_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.given.push(GivenSource::File(path.into()));
        self
    }

    /// A given document as text, YAML or JSON. It includes no files.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let rig = tokenrig::Rig::builder().given("iam.serviceAccounts: { caller: {} }").start().await;
    /// assert_eq!(rig.service_account("caller").email(), "caller@shop-test.iam.gserviceaccount.com");
    /// # });
    /// ```
    #[must_use]
    pub fn given(mut self, document: impl Into<String>) -> Self {
        self.given.push(GivenSource::Text(document.into()));
        self
    }

    /// The instant that the clock shows at start; it runs on from there, and can be moved ahead.
    #[must_use]
    pub fn now(self, now: Timestamp) -> Self {
        self.time(Time::RunningFrom(now))
    }

    /// The project. `shop-test`, number `1071284184436`, in `us-central1` unless said otherwise.
    #[must_use]
    pub fn project(mut self, project: Project) -> Self {
        self.project = project;
        self
    }

    /// Replaces the roles that the agent of a service has in the project.
    #[must_use]
    pub fn agent_roles(mut self, service: impl Into<String>, roles: Vec<String>) -> Self {
        self.agents.push((service.into(), roles));
        self
    }

    /// One more OpenID provider.
    #[must_use]
    pub fn issuer(mut self, issuer: IssuerSpec) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Settings of the cloud, all of them. Without them a rig has a seed of its own, so that no other rig knows its
    /// tokens; on one seed and a standing clock two rigs that are asked the same make the same tokens.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets something of a single service: `sts.skew` to `"60s"`, `cloudrun.trailing_slash` to `false`. The names are those
    /// of the service's assumptions.
    ///
    /// # Errors
    ///
    /// [`SettingFault`]: there is no such setting, or it takes something else.
    pub fn service_setting(mut self, key: &str, value: &Value) -> Result<Self, SettingFault> {
        self.services.set(key, value)?;
        Ok(self)
    }

    /// The clock.
    #[must_use]
    pub fn time(mut self, time: Time) -> Self {
        self.time = time;
        self
    }

    /// Where the gateway listens; a free port of 127.0.0.1 unless said otherwise.
    #[must_use]
    pub fn listen(mut self, listen: SocketAddr) -> Self {
        self.listen = listen;
        self
    }

    /// What answers behind a Cloud Run service once it is deployed, in the words of a given document.
    #[must_use]
    pub fn workload(mut self, service: impl Into<String>, workload: Value) -> Self {
        self.workloads.push((service.into(), workload));
        self
    }

    /// Plays one more kind of workload, for example `image`, by what makes one of what is told under that word.
    #[must_use]
    pub fn workload_kind(mut self, word: impl Into<String>, make: WorkloadMaker) -> Self {
        self.kinds.push(Kind { word: word.into(), make });
        self
    }

    /// Whether what is due already is delivered by itself while a standing clock stands; it is, unless said otherwise. If
    /// not, it waits until the clock is advanced or the rig is asked to [settle](crate::Core::settle): then each request that
    /// is made sees all that the ones before it set off, and nothing else.
    #[must_use]
    pub fn delivers_by_itself(mut self, drives: bool) -> Self {
        self.drives = drives;
        self
    }

    /// Starts the rig.
    ///
    /// # Panics
    ///
    /// If it cannot start, with the whole reason: a test has no use for a rig that does not run.
    pub async fn start(self) -> Rig {
        match self.try_start().await {
            Ok(rig) => rig,
            Err(fault) => panic!("the rig did not start: {fault}"),
        }
    }

    /// Starts the rig.
    ///
    /// # Errors
    ///
    /// [`StartFault`]: an address is taken, a file cannot be written, what is given is wrong or refused.
    pub async fn try_start(self) -> Result<Rig, StartFault> {
        given::start(self).await
    }
}

/// A seed that no other rig has: 16 hex digits. Nothing secret comes from it, the keys of a rig are public.
#[must_use]
pub fn fresh_seed() -> String {
    format!("{:016x}", RandomState::new().hash_one("seed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rig_has_a_seed_of_its_own() {
        assert_ne!(RigBuilder::default().settings.seed, RigBuilder::default().settings.seed);
    }
}
