//! A listener: accepts connections, serves each in a task of its own, and ends them in good order.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokenrig_clock::real::{pause, within};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Limits, connection, gateway::Hosts};

/// Between two attempts to accept while the process has no file descriptors left.
const WITHOUT_DESCRIPTORS: Duration = Duration::from_millis(50);

/// Who answers.
pub(crate) enum Front {
    /// Many hosts, by TLS or in clear, also as a proxy.
    Hosts(Hosts),
    /// One router, in clear.
    Plain(Router),
}

/// What all connections of one listener share.
pub(crate) struct Shared {
    pub(crate) front: Front,
    pub(crate) limits: Limits,
    /// No new requests; what is in flight goes on.
    pub(crate) stop: CancellationToken,
    /// Everything ends.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Shared {
    /// Runs a connection's work, until it ends or all is ended.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.tasks.spawn(async move {
            kill.run_until_cancelled_owned(work).await;
        });
    }
}

/// A running listener. Dropping it ends everything at once.
pub(crate) struct Server {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    pub(crate) async fn start(addr: SocketAddr, front: Front, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            front,
            limits,
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        shared.tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn front(&self) -> &Front {
        &self.shared.front
    }

    pub(crate) async fn shutdown(&self, grace: Duration) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        if within(grace, self.shared.tasks.wait()).await.is_err() {
            tracing::debug!(?grace, "requests in flight were cut");
        }
        self.shared.kill.cancel();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.kill.cancel();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections.min(Semaphore::MAX_PERMITS)));
    while let Some(next) = shared.stop.run_until_cancelled(next(&listener, &places)).await {
        match next {
            Ok((stream, addr, place)) => {
                // An answer is written in few pieces; waiting to join them costs 40 ms.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                }
                shared.spawn(connection::serve(Arc::clone(&shared), Box::new(stream), addr, place));
            }
            // The peer has gone before we came to it.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections at the moment");
                pause(WITHOUT_DESCRIPTORS).await;
            }
        }
    }
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, addr) = listener.accept().await?;
    Ok((stream, addr, place))
}
