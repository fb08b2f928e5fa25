//! An instance that is started when it is needed.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::Request;
use tokio::sync::Mutex;

use super::{Contract, Failure, Workload, proxy::Proxy};

/// A workload and its one instance.
#[derive(Debug)]
pub(crate) struct Hosted {
    workload: Arc<dyn Workload>,
    /// The revision of the instance that was started, and the way to it. Locked while one is started or stopped, so that
    /// there are never two.
    running: Mutex<Option<(String, Arc<Proxy>)>>,
}

impl Hosted {
    pub(crate) fn new(workload: Arc<dyn Workload>) -> Self {
        Self { workload, running: Mutex::default() }
    }

    pub(crate) async fn answer(&self, request: Request<Body>, contract: &Contract) -> Result<Response, Failure> {
        let proxy = self.instance(contract).await?;
        proxy.answer(request, contract.http2).await
    }

    async fn instance(&self, contract: &Contract) -> Result<Arc<Proxy>, Failure> {
        let mut running = self.running.lock().await;
        if let Some((revision, proxy)) = &*running
            && *revision == contract.revision
            && self.workload.lives()
        {
            return Ok(Arc::clone(proxy));
        }
        if running.take().is_some() {
            self.workload.stop().await;
        }
        let url = self.workload.start(contract).await.map_err(|fault| Failure::Unavailable(fault.to_string()))?;
        let proxy = Proxy::to(&url).map_err(Failure::Unavailable)?;
        let proxy = Arc::new(proxy);
        *running = Some((contract.revision.clone(), Arc::clone(&proxy)));
        Ok(proxy)
    }

    pub(crate) fn logs(&self) -> Vec<String> {
        self.workload.logs()
    }

    pub(crate) async fn stop(&self) {
        let mut running = self.running.lock().await;
        *running = None;
        self.workload.stop().await;
    }
}
