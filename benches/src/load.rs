//! The client: one for all servers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
    vec,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokenrig_clock::real::Stopwatch;
use tokio::{
    net::TcpStream,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsConnector;

use crate::scale::CONNECTIONS;

/// A request that is ready to be sent.
pub(crate) type Prepared = Request<Full<Bytes>>;

/// Who is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) host: String,
    pub(crate) trusted: CertificateDer<'static>,
}

/// What a load came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    pub(crate) answers: usize,
    /// Of the longest body.
    pub(crate) answer_bytes: usize,
}

/// TLS of a client that trusts one certificate.
pub(crate) fn trusting(certificate: CertificateDer<'static>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(|fault| format!("cannot trust the server: {fault}"))?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| format!("configure TLS: {fault}"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Sends all requests, each connection one after the other. The handshakes are over when the time begins; no request is
/// sent before.
///
/// # Errors
///
/// The first answer that is not 200, or what broke.
pub(crate) async fn drive(target: &Target, requests: Vec<Prepared>) -> Result<Outcome, String> {
    let config = trusting(target.trusted.clone())?;
    let mut senders = Vec::new();
    for _ in 0..CONNECTIONS {
        senders.push(connect(target, &config).await?);
    }
    let wanted = requests.len();
    let queue = Arc::new(Mutex::new(requests.into_iter()));
    let watch = Stopwatch::start();
    let mut tasks = JoinSet::new();
    for sender in senders {
        tasks.spawn(send_all(sender, Arc::clone(&queue)));
    }
    let (mut answers, mut answer_bytes) = (0, 0);
    while let Some(ended) = tasks.join_next().await {
        let (count, longest) = ended.map_err(|fault| fault.to_string())??;
        answers += count;
        answer_bytes = answer_bytes.max(longest);
    }
    let took = watch.elapsed();
    if answers == wanted { Ok(Outcome { took, answers, answer_bytes }) } else { Err("answers are missing".to_owned()) }
}

/// Requests that were sent and are not answered yet, each on a connection of its own.
pub(crate) struct Held(Vec<JoinHandle<Result<u16, String>>>);

/// Sends each request on a connection of its own, and does not wait for the answers.
pub(crate) async fn hold(target: &Target, requests: Vec<Prepared>) -> Result<Held, String> {
    let config = trusting(target.trusted.clone())?;
    let mut held = Vec::with_capacity(requests.len());
    for request in requests {
        let mut sender = connect(target, &config).await?;
        held.push(tokio::spawn(async move {
            let answer = sender.send_request(request).await;
            answer.map(|answer| answer.status().as_u16()).map_err(|fault| format!("a request got no answer: {fault}"))
        }));
    }
    Ok(Held(held))
}

impl Held {
    /// How many were answered by now.
    pub(crate) fn answered(&self) -> usize {
        self.0.iter().filter(|held| held.is_finished()).count()
    }

    /// The statuses of all answers, once they are there.
    pub(crate) async fn statuses(self) -> Result<Vec<u16>, String> {
        let mut statuses = Vec::with_capacity(self.0.len());
        for held in self.0 {
            statuses.push(held.await.map_err(|fault| fault.to_string())??);
        }
        Ok(statuses)
    }
}

async fn connect(target: &Target, config: &Arc<ClientConfig>) -> Result<SendRequest<Full<Bytes>>, String> {
    let told = |fault: &dyn std::fmt::Display| format!("cannot connect to {}: {fault}", target.host);
    let stream = TcpStream::connect(target.addr).await.map_err(|fault| told(&fault))?;
    stream.set_nodelay(true).map_err(|fault| told(&fault))?;
    let name = ServerName::try_from(target.host.clone()).map_err(|fault| told(&fault))?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(|fault| told(&fault))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|fault| told(&fault))?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn send_all(
    mut sender: SendRequest<Full<Bytes>>,
    queue: Arc<Mutex<vec::IntoIter<Prepared>>>,
) -> Result<(usize, usize), String> {
    let told = |fault: hyper::Error| format!("a request got no answer: {fault}");
    let (mut count, mut longest) = (0, 0);
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(request) = next else { return Ok((count, longest)) };
        sender.ready().await.map_err(told)?;
        let (parts, body) = sender.send_request(request).await.map_err(told)?.into_parts();
        let body = body.collect().await.map_err(told)?.to_bytes();
        if parts.status != 200 {
            let text: String = String::from_utf8_lossy(&body).chars().take(400).collect();
            return Err(format!("answered {}: {text}", parts.status));
        }
        count += 1;
        longest = longest.max(body.len());
    }
}
