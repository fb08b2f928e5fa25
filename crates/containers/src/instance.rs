//! One container, from its making to its end.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use futures_util::StreamExt as _;
use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        errors::Error,
        models::{HostConfig, PortBinding},
        query_parameters::{InspectContainerOptions, KillContainerOptionsBuilder, WaitContainerOptions},
    },
    core::IntoContainerPort as _,
    runners::AsyncRunner as _,
};
use tokenrig_clock::real::{pause, within};
use tokenrig_cloudrun::{Contract, Logs};
use tokio::{sync::watch, task::JoinHandle};

use crate::engine::{EngineFault, begin, client, remove};

/// How long the last lines of a container that has ended may take to arrive.
const LAST_LINES: Duration = Duration::from_secs(1);
/// Between two questions whether a container still runs, if the engine broke off to wait for its end.
const LOOK: Duration = Duration::from_secs(1);
/// Which service a container stands for.
const LABEL: &str = "dev.tokenrig.service";

/// A container that was started.
pub(crate) struct Instance {
    container: ContainerAsync<GenericImage>,
    client: Docker,
    /// Where it is published.
    port: u16,
    ended: watch::Receiver<bool>,
    outputs: Vec<JoinHandle<()>>,
    grace: Duration,
}

impl Instance {
    /// Makes a container and starts it. If that fails none is left.
    pub(crate) async fn start(image_id: &str, contract: &Contract, logs: &Logs) -> Result<Self, EngineFault> {
        let name = format!("tokenrig-{:016x}", RandomState::new().hash_one("container"));
        let started = Self::started(request(image_id, contract).with_container_name(&name), contract, logs).await;
        if started.is_err() {
            // What was made and could not be started is left there otherwise.
            remove(&name).await;
        }
        started
    }

    async fn started(
        request: ContainerRequest<GenericImage>,
        contract: &Contract,
        logs: &Logs,
    ) -> Result<Self, EngineFault> {
        let client = client().await?;
        let container = request.start().await.map_err(EngineFault::refused)?;
        let outputs = vec![
            tokio::spawn(logs.clone().read(container.stdout(true))),
            tokio::spawn(logs.clone().read(container.stderr(true))),
        ];
        let (tell, ended) = watch::channel(false);
        let (watched, id) = (client.clone(), container.id().to_owned());
        begin(async move {
            tokio::select! {
                () = end_of(&watched, &id) => { let _ = tell.send(true); }
                () = tell.closed() => {}
            }
        })?;
        let port = match container.get_host_port_ipv4(contract.port.tcp()).await {
            Ok(port) => port,
            // It had ended before it could be asked.
            Err(_) if !runs(&client, container.id()).await => 0,
            Err(fault) => return Err(EngineFault::refused(fault)),
        };
        Ok(Self { container, client, port, ended, outputs, grace: contract.grace })
    }

    /// The published port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn lives(&self) -> bool {
        !*self.ended.borrow()
    }

    /// Returns once it has ended and all that it wrote is read.
    pub(crate) async fn ended(&mut self) {
        // Whoever tells it ends no sooner than the container.
        let _ = self.ended.wait_for(|ended| *ended).await;
        for output in self.outputs.drain(..) {
            let _ = within(LAST_LINES, output).await;
        }
    }

    /// SIGTERM, the contract's time, SIGKILL; then it is removed.
    pub(crate) async fn stop(mut self) {
        if self.lives() {
            // Not the engine's own way to stop: that sends the signal which the image names, and Cloud Run does not.
            let options = KillContainerOptionsBuilder::new().signal("SIGTERM").build();
            let _ = self.client.kill_container(self.container.id(), Some(options)).await;
            let _ = within(self.grace, self.ended()).await;
        }
        self.remove().await;
    }

    /// Kills and removes it.
    pub(crate) async fn remove(self) {
        // If it fails the container tries once more while it is dropped.
        let _ = self.container.rm().await;
    }
}

fn request(image_id: &str, contract: &Contract) -> ContainerRequest<GenericImage> {
    // By its id, so that the engine has it and nothing is pulled.
    let (algorithm, hex) = image_id.split_once(':').unwrap_or(("sha256", image_id));
    let mut image = GenericImage::new(algorithm, hex).with_exposed_port(contract.port.tcp());
    let mut arguments = contract.command.iter().chain(&contract.args);
    if let Some(program) = contract.command.first() {
        image = image.with_entrypoint(program);
        arguments.next();
    }
    let mut request = image.with_cmd(arguments).with_label(LABEL, &contract.service);
    for (name, value) in &contract.environment {
        request = request.with_env_var(name, value);
    }
    for (name, value) in contract.variables() {
        request = request.with_env_var(name, value);
    }
    let published = format!("{}/tcp", contract.port);
    request.with_env_var("PORT", contract.port.to_string()).with_host_config_modifier(move |host: &mut HostConfig| {
        // The one port, on loopback, in place of all that the image exposes on every address.
        let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(String::new()) };
        host.publish_all_ports = Some(false);
        host.port_bindings = Some(HashMap::from([(published.clone(), Some(vec![binding]))]));
    })
}

/// Returns once a container does not run.
async fn end_of(client: &Docker, id: &str) {
    loop {
        let mut waiting = Box::pin(client.wait_container(id, None::<WaitContainerOptions>));
        match waiting.next().await {
            Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => return,
            _ if !runs(client, id).await => return,
            _ => pause(LOOK).await,
        }
    }
}

async fn runs(client: &Docker, id: &str) -> bool {
    let found = client.inspect_container(id, None::<InspectContainerOptions>).await;
    found.ok().and_then(|found| found.state?.running).unwrap_or_default()
}
