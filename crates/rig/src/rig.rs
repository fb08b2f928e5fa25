//! One fake cloud, composed and running.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value, json};
use tokenrig_clock::{ManualClock, NotAdvanced, SharedClock, SystemClock, Timestamp, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation};
use tokenrig_cloudrun::{CloudRun, WorkloadFault};
use tokenrig_delivery::{Carrier, Deliveries, Running};
use tokenrig_gateway::{Authority, Dialer, Find, Gateway, Inside, Limits, Plain, Refused, Shown};
use tokenrig_idp::Issuers;
use tokenrig_jose::pool;
use tokenrig_policy::Roles;
use tokenrig_scheduler::Scheduler;
use tokenrig_tasks::Tasks;

use crate::{
    aws,
    builder::{RigBuilder, Time},
    carry::Network,
    control,
    environment::{Addresses, Environment, Files, FilesFault, LazyFiles, environment},
    fetch::ThroughGateway,
    instances::Instances,
    people, services, state,
};

/// Begins to make what all rigs of a process share and what takes its time: the table of methods, the certificate
/// authority, the first keys, the roles. Who calls it first of all finds them made when the rig starts.
pub fn prepare() {
    std::thread::spawn(tokenrig_protos::table);
    std::thread::spawn(|| {
        // A fault is told by the start that meets it.
        let _ = Authority::shared();
        for key in 0..2 {
            let _ = pool::rsa(key);
        }
        let _ = Roles::predefined().next();
    });
}

/// What a rig in flight gets to finish when it ends.
const GRACE: Duration = Duration::from_secs(1);
/// The scope of the owner's tokens.
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Why a rig did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// An address cannot be listened at.
    #[error("listen at {addr}: {cause}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// Certificates or temporary files could not be made.
    #[error("{0}")]
    Files(String),
    /// What was given does not fit: every fault with its place, as commands tell it.
    #[error("{0}")]
    Given(String),
}

impl From<FilesFault> for StartFault {
    fn from(fault: FilesFault) -> Self {
        Self::Files(fault.to_string())
    }
}

/// What the parts of a rig share: its cloud, its issuers and its Cloud Run. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Core {
    clock: SharedClock,
    cloud: Cloud,
    issuers: Issuers,
    run: CloudRun,
    tasks: Tasks,
    deliveries: Deliveries,
    scheduler: Scheduler,
    agents: Arc<[(String, Vec<String>)]>,
    /// Settings of single services, as they were given.
    settings: Arc<BTreeMap<String, Value>>,
}

impl Core {
    /// The state that all services share.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The OpenID providers.
    #[must_use]
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Cloud Run.
    #[must_use]
    pub fn cloud_run(&self) -> &CloudRun {
        &self.run
    }

    /// The service agents whose roles were replaced, by service.
    pub(crate) fn agents(&self) -> &[(String, Vec<String>)] {
        &self.agents
    }

    /// Cloud Scheduler.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Cloud Tasks.
    #[must_use]
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// What is delivered: jobs, tasks.
    #[must_use]
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Moves the clock to `to`, does all that falls due until then, and returns once the rig is quiet: with the instant
    /// reached, and what is still in flight, in words. See [`Deliveries::advance`].
    ///
    /// # Errors
    ///
    /// [`NotAdvanced`] if `to` is past.
    pub async fn advance(&self, to: Timestamp) -> Result<(Timestamp, Vec<String>), NotAdvanced> {
        let in_flight = self.deliveries.advance(to).await?;
        Ok((self.clock.now(), in_flight))
    }

    /// Does what is due already, if the clock stands: by a running clock it is done by itself. At once if nothing is.
    pub async fn settle(&self) {
        if !self.clock.runs() {
            self.deliveries.settle().await;
        }
    }

    /// What reached a service, as the control address tells it. `None`: no such service.
    #[must_use]
    pub fn received(&self, service: &str, since: u64) -> Option<Vec<Value>> {
        let received = self.run.received(service, since)?;
        let told = received.into_iter().map(|one| {
            let headers: serde_json::Map<String, Value> =
                one.headers.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
            let (header, claims) = one.token.map_or((Value::Null, Value::Null), |(h, c)| (json!(h), json!(c)));
            let token = if claims.is_null() { Value::Null } else { json!({ "header": header, "claims": claims }) };
            json!({
                "seq": one.seq,
                "at": one.at.to_string(),
                "method": one.method,
                "path": one.path,
                "headers": headers,
                "body": String::from_utf8_lossy(&one.body),
                "token": token,
                "claims": claims,
                "status": one.status,
            })
        });
        Some(told.collect())
    }

    pub(crate) fn service_settings(&self) -> &BTreeMap<String, Value> {
        &self.settings
    }

    /// What the rig holds, as a given document.
    #[must_use]
    pub fn state(&self) -> Value {
        state::document(self)
    }

    /// An access token of the run's owner, good for an hour.
    #[must_use]
    pub fn owner_token(&self) -> String {
        self.access_token(self.cloud.owner().identity())
    }

    /// An access token of any service account of the rig, good for an hour; no grant is asked for. `None`: no such account.
    #[must_use]
    pub fn account_token(&self, email: &str) -> Option<String> {
        let account = self.cloud.accounts().get(email)?;
        Some(self.access_token(account.identity()))
    }

    fn access_token(&self, identity: tokenrig_policy::Identity) -> String {
        let scopes = vec![CLOUD_PLATFORM.to_owned()];
        let order = AccessTokenOrder { identity, scopes, lifetime: minutes(60) };
        self.cloud.mint().access_token(order).reveal().to_owned()
    }
}

/// A running rig. It ends when dropped.
#[derive(Debug)]
pub struct Rig {
    core: Core,
    gateway: Gateway,
    control: Plain,
    metadata: Plain,
    dialer: Dialer,
    pub(crate) files: Arc<LazyFiles>,
    /// Made when somebody first asks for it.
    pub(crate) client: OnceLock<reqwest::Client>,
    delivering: Running,
}

impl Rig {
    /// What to build one from.
    #[must_use]
    pub fn builder() -> RigBuilder {
        RigBuilder::default()
    }

    pub(crate) async fn start(builder: RigBuilder) -> Result<Self, StartFault> {
        let clock: SharedClock = match builder.time {
            Time::System => Arc::new(SystemClock::movable()),
            Time::RunningFrom(start) => Arc::new(SystemClock::starting_at(start)),
            Time::StandingAt(start) => Arc::new(ManualClock::starting_at(start)),
        };
        let fetch = ThroughGateway::default();
        let cloud = Cloud::new(Foundation {
            project: builder.project,
            settings: builder.settings,
            agents: builder.agents.iter().cloned().collect(),
            organization: builder.organization,
            ..Foundation::on(Arc::clone(&clock))
        });
        let settings = Arc::new(builder.services.told().clone());
        let network = Network::reading(builder.services.delivery.largest_answer);
        let carrier = Arc::new(network.clone()) as Arc<dyn Carrier>;
        let deliveries = Deliveries::new(&cloud, carrier, builder.services.delivery.clone());
        let services::Services { all, issuers, run, scheduler, tasks } =
            services::on(&cloud, Arc::new(fetch.clone()), &deliveries, builder.services);

        for issuer in builder.issuers {
            issuers.add(issuer).map_err(|fault| StartFault::Given(fault.to_string()))?;
        }
        aws::enter(&cloud, &builder.aws).map_err(|fault| StartFault::Given(fault.to_string()))?;
        people::enter(&cloud, &builder.people).map_err(|fault| StartFault::Given(fault.to_string()))?;
        for kind in builder.kinds {
            run.add_workload_kind(&kind.word, kind.make);
        }
        for (service, workload) in builder.workloads {
            run.set_workload(&service, &workload)
                .map_err(|fault: WorkloadFault| StartFault::Given(fault.to_string()))?;
        }
        let agents = builder.agents.into();
        let core = Core {
            clock,
            cloud: cloud.clone(),
            issuers: issuers.clone(),
            run,
            deliveries,
            scheduler,
            tasks,
            agents,
            settings,
        };
        let hosts = tokenrig_wire::assemble(&cloud, all);
        let authority = Authority::shared().map_err(|fault| StartFault::Files(fault.to_string()))?;
        let authority = authority.choosing(Arc::new(move |host: &str| {
            if issuers.wrong_certificate(host) { Shown::SelfSigned } else { Shown::Trusted }
        }));
        let find: Find = Arc::new({
            let hosts = hosts.clone();
            move |host: &str| hosts.find(host)
        });
        let limits = Limits::default();
        let listen = |addr| move |cause| StartFault::Listen { addr, cause };
        let gateway =
            Gateway::start(builder.listen, find, authority.clone(), limits).await.map_err(listen(builder.listen))?;
        let free = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let metadata = hosts.find(services::METADATA_HOST).unwrap_or_default();
        let metadata = Plain::start(free, metadata, limits).await.map_err(listen(free))?;
        let control = Plain::start(free, control::router(core.clone()), limits).await.map_err(listen(free))?;
        let dialer = gateway.dialer();
        fetch.join(dialer.clone());
        network.join(dialer.clone(), Dialer::loopback(&authority));
        let files = Arc::new(LazyFiles::of(authority));
        core.run.set_environment(Instances::maker(cloud, &files, gateway.addr(), control.addr()));
        let deliveries = &core.deliveries;
        let delivering = if builder.drives { deliveries.run() } else { deliveries.stand() };
        Ok(Self { core, gateway, control, metadata, dialer, files, client: OnceLock::new(), delivering })
    }

    /// What its parts share.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The control address, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control.addr())
    }

    /// Where the gateway listens: the proxy of its clients.
    #[must_use]
    pub fn gateway_addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Where the rig listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        Addresses { gateway: self.gateway.addr(), control: self.control.addr(), metadata: self.metadata.addr() }
    }

    /// A client that reaches the hosts of the rig over TLS.
    #[must_use]
    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// The way to the hosts of the rig that needs no connection: for what is put in place.
    pub(crate) fn inside(&self) -> &Inside {
        self.gateway.inside()
    }

    /// Hosts that were asked for and are not played.
    #[must_use]
    pub fn refused_hosts(&self) -> Refused {
        self.gateway.refused_hosts()
    }

    /// Methods of Google that were called and are not played, with how often.
    #[must_use]
    pub fn unplayed_methods(&self) -> Vec<(String, u64)> {
        self.core.cloud.unplayed().list()
    }

    /// The environment in which unmodified clients reach the rig. Its files go away with the rig.
    ///
    /// # Errors
    ///
    /// [`StartFault`] if the files cannot be written.
    pub fn environment(&self) -> Result<Environment, StartFault> {
        let files = self.files()?;
        let project = self.core.cloud.project();
        Ok(environment(self.addresses(), &files, &project.id, &project.location))
    }

    /// The file of the rig's CA certificate (PEM).
    ///
    /// # Errors
    ///
    /// [`StartFault`] if it cannot be written.
    pub fn ca_file(&self) -> Result<PathBuf, StartFault> {
        Ok(self.files()?.ca())
    }

    /// A folder for files that shall end with the rig.
    ///
    /// # Errors
    ///
    /// [`StartFault`] if it cannot be made.
    pub fn folder(&self) -> Result<PathBuf, StartFault> {
        Ok(self.files()?.path().to_owned())
    }

    /// A key file of the run's owner, for clients that would otherwise find somebody else's credentials.
    ///
    /// # Errors
    ///
    /// [`StartFault`] if it cannot be made or written.
    pub fn owner_key_file(&self) -> Result<PathBuf, StartFault> {
        let files = self.files()?;
        let owner = self.core.cloud.owner();
        files.owner_key(|| self.core.cloud.accounts().create_key(&owner).map(|key| key.credential_file(&owner)))
    }

    fn files(&self) -> Result<Arc<Files>, StartFault> {
        Ok(self.files.get()?)
    }

    /// Ends the rig: no new attempts and connections, what is in flight gets a second. The deliveries that had not ended by
    /// then, in words.
    pub async fn stop(self) -> Vec<String> {
        // Their targets may be this rig's own hosts.
        let left = self.delivering.stop(GRACE).await;
        tokio::join!(self.gateway.shutdown(GRACE), self.control.shutdown(GRACE), self.metadata.shutdown(GRACE));
        // Instances go last: what is in flight may still need them.
        self.core.run.stop().await;
        left
    }
}
