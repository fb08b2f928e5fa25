//! One connection: what it speaks, its TLS, its protocol machine, and the tunnel that it may become.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, select},
};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokenrig_clock::real::within;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    Limits, Peer, route,
    server::{Front, Shared},
    sniff::{BoxStream, Speech, sniff},
    watch::{Expired, Watch, Watched},
};

/// The smallest read buffer that hyper takes for HTTP/1.
const LEAST_BUFFER: usize = 8 * 1024;

/// For a peer's part in ending a connection in good order.
const FAREWELL: Duration = Duration::from_millis(250);

/// What all requests of one connection share.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    pub(crate) watch: Arc<Watch>,
    /// Its place among the connections that may be open; a tunnel keeps it.
    place: Arc<OwnedSemaphorePermit>,
}

/// Serves a connection that was just accepted, to its end.
pub(crate) async fn serve(shared: Arc<Shared>, stream: BoxStream, addr: SocketAddr, place: OwnedSemaphorePermit) {
    let peer = Peer { addr, tls: false, sni: None, via_connect: None };
    speak(shared, stream, peer, Arc::new(place)).await;
}

/// Serves the tunnel that the connection becomes once the answer to its CONNECT request has gone.
pub(crate) fn open_tunnel(connection: &Arc<Connection>, to: Arc<str>, upgrade: OnUpgrade) {
    let shared = Arc::clone(&connection.shared);
    let peer = Peer { via_connect: Some(to), ..connection.peer.clone() };
    let place = Arc::clone(&connection.place);
    connection.shared.spawn({
        async move {
            match within(shared.limits.header_time, upgrade).await {
                Ok(Ok(upgraded)) => speak(shared, Box::new(TokioIo::new(upgraded)), peer, place).await,
                Ok(Err(error)) => tracing::debug!(%error, "a tunnel did not open"),
                Err(error) => tracing::debug!(%error, "a tunnel did not open"),
            }
        }
    });
}

/// Boxed, because a tunnel's inside is served in the same way.
fn speak(
    shared: Arc<Shared>,
    stream: BoxStream,
    mut peer: Peer,
    place: Arc<OwnedSemaphorePermit>,
) -> BoxFuture<'static, ()> {
    async move {
        let limits = shared.limits;
        let Some(sniffed) = unless_stopped(&shared, limits.header_time, sniff(stream)).await else { return };
        let (speech, stream) = match sniffed {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "a connection broke before its first request"),
        };
        let (speech, stream) = match (speech, &shared.front) {
            (Speech::Tls, Front::Hosts(hosts)) => {
                let accepted = unless_stopped(&shared, limits.handshake_time, hosts.tls.accept(stream)).await;
                let stream = match accepted {
                    Some(Ok(stream)) => stream,
                    // Most often a client that does not know the CA.
                    Some(Err(error)) => return tracing::warn!(peer = %peer.addr, %error, "a TLS handshake failed"),
                    None => return,
                };
                let (_, tls) = stream.get_ref();
                peer.tls = true;
                peer.sni = tls.server_name().map(|name| Arc::from(name.to_ascii_lowercase()));
                // Clients that offer no protocol (Java, Node's https) mean HTTP/1.1.
                let speech = if tls.alpn_protocol() == Some(b"h2") { Speech::Http2 } else { Speech::Http1 };
                (speech, Box::new(stream) as BoxStream)
            }
            (Speech::Tls, Front::Plain(_)) => {
                return tracing::debug!(peer = %peer.addr, "TLS at an address that speaks in clear");
            }
            clear => (clear.0, stream),
        };
        let watch = Watch::new(speech == Speech::Http1);
        let stream = TokioIo::new(Watched { stream, watch: Arc::clone(&watch) });
        let connection = Arc::new(Connection { shared: Arc::clone(&shared), peer, watch, place });
        let service = service_fn({
            let connection = Arc::clone(&connection);
            move |request| route::answer(Arc::clone(&connection), request).map(Ok::<_, Infallible>)
        });
        match speech {
            Speech::Http2 => run(&connection, http2_of(&limits).serve_connection(stream, service)).await,
            _ => run(&connection, http1_of(&limits).serve_connection(stream, service).with_upgrades()).await,
        }
    }
    .boxed()
}

/// The work's result; `None` if it took too long or the listener was stopped.
async fn unless_stopped<T>(shared: &Shared, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(within(limit, work)), pin!(shared.stop.cancelled())).await {
        Either::Left((Ok(done), _)) => Some(done),
        Either::Left((Err(error), _)) => {
            tracing::debug!(%error, "a connection that did not get going was closed");
            None
        }
        Either::Right(_) => None,
    }
}

fn http1_of(limits: &Limits) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    http1
        .max_header_size(limits.header_bytes)
        .max_buf_size(limits.header_bytes.saturating_mul(2).max(LEAST_BUFFER))
        // Hyper's would run between requests too; ours is in the watch.
        .header_read_timeout(None)
        .timer(TokioTimer::new());
    http1
}

fn http2_of(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.reset_streams)
        .timer(TokioTimer::new());
    http2
}

/// A protocol machine that can be told to end in good order.
trait Machine: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Machine for http1::UpgradeableConnection<I, S>
where
    http1::UpgradeableConnection<I, S>: Future<Output = hyper::Result<()>>,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<axum::BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: hyper::body::Body + 'static,
    B::Error: Into<axum::BoxError>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B> Machine for http2::Connection<I, S, TokioExecutor>
where
    http2::Connection<I, S, TokioExecutor>: Future<Output = hyper::Result<()>>,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<axum::BoxError>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: hyper::body::Body + 'static,
    B::Error: Into<axum::BoxError>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs the machine to its end, or to the first reason to end it.
async fn run(connection: &Connection, machine: impl Machine) {
    let Connection { shared, peer, watch, .. } = connection;
    let mut machine = pin!(machine);
    let ended = tokio::select! {
        ended = machine.as_mut() => Some(ended),
        () = shared.stop.cancelled() => None,
        expired = watch.expired(&shared.limits) => match expired {
            Expired::Idle => None,
            Expired::Head | Expired::Unread => {
                return tracing::debug!(peer = %peer.addr, ?expired, "a connection took too long");
            }
        },
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            machine.as_mut().finish();
            // What is in flight may end; its listener has a grace for it. A peer that only owes us its part of the
            // farewell is not waited for.
            tokio::select! {
                ended = machine => ended,
                () = watch.quiet(FAREWELL) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.addr, %error, "a connection broke");
    }
}
