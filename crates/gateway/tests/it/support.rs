//! A gateway with two hosts, and small clients that say exactly what goes over the wire.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::Request,
    routing::{any, get},
};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tokenrig_clock::real::within;
use tokenrig_gateway::{Authority, Find, Gateway, Limits, Peer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

pub(crate) const HOST: &str = "sts.googleapis.com";
pub(crate) const METADATA: &str = "metadata.google.internal";
pub(crate) const HERE: &str = "127.0.0.1:0";

/// A test that waits this long waits for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// A gateway, and a hand on its handlers.
pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) authority: Authority,
    /// `/held` answers once there is a permit.
    pub(crate) gate: Arc<Semaphore>,
    /// How many requests have come to `/held`.
    pub(crate) held: Arc<AtomicUsize>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::of(limits, Authority::new().unwrap()).await
    }

    pub(crate) async fn of(limits: Limits, authority: Authority) -> Self {
        let (gate, held) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let router = handlers(Arc::clone(&gate), Arc::clone(&held));
        let find: Find = Arc::new(move |host| [HOST, METADATA].contains(&host).then(|| router.clone()));
        let gateway = Gateway::start(HERE.parse().unwrap(), find, authority.clone(), limits).await.unwrap();
        Self { gateway, authority, gate, held }
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.gateway.addr()).await.unwrap()
    }

    /// The inside of a tunnel to `HOST`.
    pub(crate) async fn tunnel(&self) -> TcpStream {
        let (answer, stream) =
            connect(self.tcp().await, &format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        stream
    }

    pub(crate) async fn tls<S: Stream>(
        &self,
        stream: S,
        name: &str,
        protocols: &[&str],
    ) -> tokio_rustls::client::TlsStream<S> {
        self.try_tls(stream, name, protocols).await.unwrap()
    }

    /// TLS with the rig's CA; a name that is an address sends no server name.
    pub(crate) async fn try_tls<S: Stream>(
        &self,
        stream: S,
        name: &str,
        protocols: &[&str],
    ) -> std::io::Result<tokio_rustls::client::TlsStream<S>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.ca_der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
    }

    /// An HTTP/2 client by TLS straight to the port.
    pub(crate) async fn http2(&self) -> Http2 {
        http2(self.tls(self.tcp().await, HOST, &["h2"]).await).await
    }
}

fn handlers(gate: Arc<Semaphore>, held: Arc<AtomicUsize>) -> Router {
    Router::new()
        .route("/unread", any(|_: Request| async { "not looked at" }))
        .route("/length", any(|body: Bytes| async move { body.len().to_string() }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("on purpose")
                }
            }),
        )
        .route(
            "/endless",
            get(|| async {
                let chunk = Bytes::from(vec![b'x'; 65_536]);
                Body::from_stream(futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
            }),
        )
        .route(
            "/held",
            any(move || async move {
                held.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                "let go"
            }),
        )
        .fallback(any(|Extension(peer): Extension<Peer>, request: Request| async move {
            let host = request.headers()["host"].to_str().unwrap();
            format!(
                "{} {} host={host} sni={:?} connect={:?}",
                request.method(),
                request.uri(),
                peer.sni.as_deref(),
                peer.via_connect.as_deref()
            )
        }))
}

pub(crate) type Http2 = hyper::client::conn::http2::SendRequest<Body>;

pub(crate) async fn http2(stream: impl Stream) -> Http2 {
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn text(answer: http::Response<hyper::body::Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Sends a head and reads the answer's head.
pub(crate) async fn connect<S: Stream>(mut stream: S, head: &str) -> (String, S) {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(within(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    (String::from_utf8(answer).unwrap(), stream)
}

/// Sends bytes as they are and reads until the gateway closes.
pub(crate) async fn say<S: Stream>(mut stream: S, words: &str) -> String {
    stream.write_all(words.as_bytes()).await.unwrap();
    read_all(stream).await
}

pub(crate) async fn read_all<S: Stream>(mut stream: S) -> String {
    let mut all = Vec::new();
    // A connection that was cut ends with an error; what came before counts.
    let _ = within(PATIENCE, stream.read_to_end(&mut all)).await.expect("the connection to end");
    String::from_utf8(all).unwrap()
}

pub(crate) fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Waits for a fact that nobody announces.
pub(crate) async fn until(fact: impl Fn() -> bool) {
    let waiting = async {
        while !fact() {
            tokenrig_clock::real::pause(Duration::from_millis(1)).await;
        }
    };
    within(PATIENCE, waiting).await.expect("the fact to come true");
}

pub(crate) fn addr(rig: &Rig) -> SocketAddr {
    rig.gateway.addr()
}
