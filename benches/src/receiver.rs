//! Where tasks arrive: a server on this machine that counts, and a client that does nothing but send to it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    server::conn::http1::Builder,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
};

use crate::{empty::free_port, scale::CONNECTIONS};

/// A server that answers 200 to everything, without a body.
#[derive(Clone)]
pub(crate) struct Receiver {
    addr: SocketAddr,
    came: Arc<(AtomicUsize, Notify)>,
}

impl Receiver {
    pub(crate) async fn start() -> Result<Self, String> {
        let listener = free_port().await?;
        let addr = listener.local_addr().map_err(|fault| format!("an address is missing: {fault}"))?;
        let this = Self { addr, came: Arc::default() };
        tokio::spawn(this.clone().serve(listener));
        Ok(this)
    }

    /// The URL that it answers at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/tasks", self.addr)
    }

    async fn serve(self, listener: TcpListener) -> Infallible {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let this = self.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| this.clone().answer(request));
                let _ = Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let _ = request.into_body().collect().await;
        self.came.0.fetch_add(1, Ordering::Relaxed);
        self.came.1.notify_one();
        Ok(Response::new(Empty::new()))
    }

    /// Waits until so many requests have come, since the start.
    pub(crate) async fn until(&self, count: usize) {
        while self.came.0.load(Ordering::Relaxed) < count {
            self.came.1.notified().await;
        }
    }

    /// Sends `count` requests like `request` on some connections, each one after the other.
    pub(crate) async fn post(&self, request: &http::request::Parts, body: Bytes, count: usize) -> Result<(), String> {
        let mut senders = JoinSet::new();
        for number in 0..CONNECTIONS {
            let share = count / CONNECTIONS + usize::from(number < count % CONNECTIONS);
            let (addr, request, body) = (self.addr, request.clone(), body.clone());
            senders.spawn(async move {
                let mut sender = connect(addr).await?;
                for _ in 0..share {
                    let request = Request::from_parts(request.clone(), Full::new(body.clone()));
                    sender.ready().await.map_err(|fault| fault.to_string())?;
                    let answer = sender.send_request(request).await.map_err(|fault| fault.to_string())?;
                    answer.into_body().collect().await.map_err(|fault| fault.to_string())?;
                }
                Ok::<_, String>(())
            });
        }
        while let Some(ended) = senders.join_next().await {
            ended.map_err(|fault| fault.to_string())??;
        }
        Ok(())
    }
}

async fn connect(addr: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(addr).await.map_err(|fault| fault.to_string())?;
    stream.set_nodelay(true).map_err(|fault| fault.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|fault| fault.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}
