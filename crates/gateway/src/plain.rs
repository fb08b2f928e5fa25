//! A listener in clear for one router.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;

use crate::{
    Limits,
    server::{Front, Server},
};

/// One router on a port of its own, in clear, by HTTP/1 or HTTP/2 with prior knowledge: the control address, the
/// metadata address. Same [`Limits`] as a [`Gateway`](crate::Gateway), but requests are handed on as they come: whose
/// `host` they bear is the router's to judge. Dropping it cuts everything at once.
///
/// ```
/// use axum::{Router, routing::get};
/// use tokenrig_gateway::{Limits, Plain};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let router = Router::new().route("/healthz", get(|| async { "ok" }));
/// let control = Plain::start("127.0.0.1:0".parse().unwrap(), router, Limits::default()).await.unwrap();
/// assert_ne!(control.addr().port(), 0);
/// control.shutdown(std::time::Duration::from_secs(1)).await;
/// # });
/// ```
#[derive(Debug)]
pub struct Plain {
    server: Server,
}

impl Plain {
    /// Listens at `addr` (port 0: any that is free). Call it inside a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub async fn start(addr: SocketAddr, router: Router, limits: Limits) -> io::Result<Self> {
        Ok(Self { server: Server::start(addr, Front::Plain(router), limits).await? })
    }

    /// The address listened at.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// As [`Gateway::shutdown`](crate::Gateway::shutdown).
    pub async fn shutdown(&self, grace: Duration) {
        self.server.shutdown(grace).await;
    }
}
