//! An image as a workload.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokenrig_clock::real::within;
use tokenrig_cloudrun::{Contract, InstanceFault, Logs, Workload};
use tokio::sync::oneshot;

use crate::{
    Pull,
    engine::{EngineFault, begin, image_id},
    instance::Instance,
    probe::listens,
    reference::Reference,
};

/// How long whoever drops a workload waits until its container is gone.
const LAST: Duration = Duration::from_secs(20);

/// An image, and the container that was started of it.
pub(crate) struct Container {
    image: Reference,
    pull: Pull,
    logs: Logs,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    instance: Option<Instance>,
    /// What was begun and may still leave a container behind: each end hangs up.
    underway: Vec<mpsc::Receiver<()>>,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("image", &self.image).field("lives", &self.lives()).finish_non_exhaustive()
    }
}

impl Container {
    pub(crate) fn new(image: Reference, pull: Pull) -> Self {
        Self { image, pull, logs: Logs::default(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins work on a container that goes on whoever waits for it, and that a drop waits for.
    fn begin(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), EngineFault> {
        let (hang_up, ends) = mpsc::channel::<()>();
        let mut state = self.state();
        state.underway.retain(|ends| ends.try_recv() == Err(mpsc::TryRecvError::Empty));
        state.underway.push(ends);
        begin(async move {
            work.await;
            drop(hang_up);
        })
    }
}

impl Workload for Container {
    fn start<'a>(&'a self, contract: &'a Contract) -> BoxFuture<'a, Result<String, InstanceFault>> {
        async move {
            self.stop().await;
            let (tell, started) = oneshot::channel();
            let order = Order {
                image: self.image.clone(),
                pull: self.pull,
                contract: contract.clone(),
                logs: self.logs.clone(),
            };
            let not_started = |fault: EngineFault| InstanceFault::NotStarted(fault.to_string());
            self.begin(order.fill(tell)).map_err(not_started)?;
            let broken = || InstanceFault::NotStarted("its start broke off".to_owned());
            let instance = started.await.map_err(|_| broken())??;
            let url = format!("http://127.0.0.1:{}", instance.port());
            self.state().instance = Some(instance);
            Ok(url)
        }
        .boxed()
    }

    fn lives(&self) -> bool {
        self.state().instance.as_ref().is_some_and(Instance::lives)
    }

    fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async move {
            let Some(instance) = self.state().instance.take() else { return };
            let (tell, stopped) = oneshot::channel();
            let begun = self.begin(async move {
                instance.stop().await;
                let _ = tell.send(());
            });
            if begun.is_ok() {
                let _ = stopped.await;
            }
        }
        .boxed()
    }
}

impl Drop for Container {
    /// Waits until nothing is left: the process may end right after.
    fn drop(&mut self) {
        // Taken out first: `begin` locks too.
        let instance = self.state().instance.take();
        if let Some(instance) = instance {
            let _ = self.begin(instance.remove());
        }
        let underway = std::mem::take(&mut self.state().underway);
        for ends in underway {
            let _ = ends.recv_timeout(LAST);
        }
    }
}

/// A container to be started.
struct Order {
    image: Reference,
    pull: Pull,
    contract: Contract,
    logs: Logs,
}

impl Order {
    /// Starts it, unless nobody waits for it any more: then nothing is left.
    async fn fill(self, mut tell: oneshot::Sender<Result<Instance, InstanceFault>>) {
        let limit = self.contract.start_up;
        let found = tokio::select! {
            found = within(limit, image_id(&self.image, self.pull)) => found,
            () = tell.closed() => return,
        };
        // From here on there may be a container, so it is not broken off until that is known.
        let started = match found {
            Err(_) => Err(InstanceFault::Late(limit)),
            Ok(Err(fault)) => Err(InstanceFault::NotStarted(fault.to_string())),
            Ok(Ok(id)) => {
                let started = Instance::start(&id, &self.contract, &self.logs).await;
                started.map_err(|fault| InstanceFault::NotStarted(fault.to_string()))
            }
        };
        let mut instance = match started {
            Ok(instance) => instance,
            Err(fault) => {
                let _ = tell.send(Err(fault));
                return;
            }
        };
        let port = instance.port();
        let fault = tokio::select! {
            listening = within(limit, listens(port)) => listening.err().map(|_| InstanceFault::Late(limit)),
            () = instance.ended() => Some(InstanceFault::Ended(self.logs.tail())),
            () = tell.closed() => None,
        };
        if let Some(fault) = fault {
            instance.remove().await;
            let _ = tell.send(Err(fault));
        } else if let Err(Ok(instance)) = tell.send(Ok(instance)) {
            instance.remove().await;
        }
    }
}
