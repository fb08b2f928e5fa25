//! A local command as an instance, with the container contract.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::Value;
use tokenrig_clock::real::{pause, within};
use tokio::{
    net::TcpStream,
    process::{Child, Command as Process},
};

use super::{Contract, InstanceFault, Workload, group::Group, logs::Logs};

/// Between two looks whether it listens.
const PROBE: Duration = Duration::from_millis(20);

/// A program and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    program: String,
    arguments: Vec<String>,
    instance: Mutex<Option<Instance>>,
    logs: Logs,
}

#[derive(Debug)]
struct Instance {
    child: Child,
    group: Group,
    grace: Duration,
}

impl Command {
    /// Reads `command: [PROGRAM, ARGUMENT…]`.
    pub(crate) fn told(words: &Value) -> Result<Self, String> {
        const FORM: &str = "it is a list of texts, the program first";
        let words: Option<Vec<String>> =
            words.as_array().and_then(|words| words.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        let mut words = words.ok_or(FORM)?.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or(FORM)?;
        Ok(Self { program, arguments: words.collect(), instance: Mutex::default(), logs: Logs::default() })
    }

    fn take(&self) -> Option<Instance> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn spawn(&self, contract: &Contract, port: u16) -> Result<(), InstanceFault> {
        let not_started = |why: std::io::Error| InstanceFault::NotStarted(format!("`{}`: {why}", self.program));
        let mut child = Process::new(&self.program)
            .args(&self.arguments)
            // Whoever started the rig may have credentials; an instance has its service's account and no other.
            .env_remove("GOOGLE_APPLICATION_CREDENTIALS")
            .envs(contract.environment.iter().map(|(name, value)| (name, value)))
            .envs(contract.variables())
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;
        let group = Group::of(&child);
        if let Some(output) = child.stdout.take() {
            tokio::spawn(self.logs.clone().read(output));
        }
        if let Some(output) = child.stderr.take() {
            tokio::spawn(self.logs.clone().read(output));
        }
        let instance = Instance { child, group, grace: contract.grace };
        *self.instance.lock().unwrap_or_else(PoisonError::into_inner) = Some(instance);
        Ok(())
    }

    /// Returns once it takes connections.
    async fn probe(&self, port: u16) -> Result<(), InstanceFault> {
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Ok(());
            }
            if !self.lives() {
                // What it said last may still be in the pipe.
                pause(PROBE).await;
                return Err(InstanceFault::Ended(self.logs.tail()));
            }
            pause(PROBE).await;
        }
    }
}

impl Workload for Command {
    fn start<'a>(&'a self, contract: &'a Contract) -> BoxFuture<'a, Result<String, InstanceFault>> {
        async move {
            self.stop().await;
            let port = free_port().map_err(|why| InstanceFault::NotStarted(why.to_string()))?;
            self.spawn(contract, port)?;
            let probed = within(contract.start_up, self.probe(port)).await;
            if let Err(fault) = probed.unwrap_or(Err(InstanceFault::Late(contract.start_up))) {
                self.stop().await;
                return Err(fault);
            }
            Ok(format!("http://127.0.0.1:{port}"))
        }
        .boxed()
    }

    fn lives(&self) -> bool {
        let mut instance = self.instance.lock().unwrap_or_else(PoisonError::into_inner);
        instance.as_mut().is_some_and(|instance| matches!(instance.child.try_wait(), Ok(None)))
    }

    fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async move {
            let Some(mut instance) = self.take() else { return };
            if matches!(instance.child.try_wait(), Ok(None)) {
                instance.group.terminate();
                // Who has not ended by then is killed with the group.
                let _ = within(instance.grace, instance.child.wait()).await;
            }
            let Instance { mut child, group, .. } = instance;
            drop(group);
            let _ = child.wait().await;
        }
        .boxed()
    }
}

/// A port that nobody listens at now.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
