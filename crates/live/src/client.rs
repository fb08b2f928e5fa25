//! The HTTP client: through the proxy by CONNECT, TLS inside, one HTTP/2 connection per host.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header::HOST, uri::Scheme};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokenrig_clock::real::{Stopwatch, within};
use tokenrig_runner::{Answer, Request, SiteFault, redact};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::reach::Reach;

/// The longest head of a proxy's answer to CONNECT.
const HEAD: usize = 8 << 10;

type Sender = http2::SendRequest<Full<Bytes>>;
type Built = http::Request<Full<Bytes>>;

/// A client of everything within reach.
#[derive(Debug)]
pub(crate) struct Client {
    reach: Arc<Reach>,
    /// Open connections by host and port. A case at most waits for a handshake that another makes as well.
    open: Mutex<HashMap<String, Sender>>,
}

impl Client {
    pub(crate) fn new(reach: Arc<Reach>) -> Self {
        Self { reach, open: Mutex::default() }
    }

    /// Sends a request and reads the whole answer, within the request's deadline.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, SiteFault> {
        let deadline = request.deadline;
        within(deadline, self.exchange(request)).await.unwrap_or(Err(SiteFault::Deadline(deadline)))
    }

    async fn exchange(&self, request: Request) -> Result<Answer, SiteFault> {
        let watch = Stopwatch::start();
        let shown = redact::text(&request.url).into_owned();
        let built = built(request).map_err(|why| SiteFault::Target { url: shown, why })?;
        let response = if built.uri().scheme() == Some(&Scheme::HTTPS) {
            self.by_tls(built).await
        } else {
            self.in_clear(built).await
        };
        let (parts, body) = response.map_err(SiteFault::Connection)?.into_parts();
        let body = Limited::new(body, Answer::LIMIT).collect().await;
        let body = body.map_err(|fault| match fault.is::<LengthLimitError>() {
            true => SiteFault::TooLarge(Answer::LIMIT),
            false => SiteFault::Connection(format!("the answer broke off: {fault}")),
        })?;
        let trailers = body.trailers().map(pairs).unwrap_or_default();
        Ok(Answer {
            status: parts.status.as_u16(),
            version: if parts.version == http::Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
            headers: pairs(&parts.headers),
            body: body.to_bytes().to_vec(),
            trailers,
            took: watch.elapsed(),
        })
    }

    async fn by_tls(&self, request: Built) -> Result<http::Response<Incoming>, String> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let place = format!("{host}:{}", request.uri().port_u16().unwrap_or(443));
        let known = self.lock().get(&place).filter(|sender| sender.is_ready()).cloned();
        if let Some(mut sender) = known {
            return sender.send_request(request).await.map_err(told);
        }
        let stream = self.tunnel(&place).await?;
        let name = ServerName::try_from(host).map_err(told)?;
        let stream = TlsConnector::from(Arc::clone(&self.reach.tls)).connect(name, stream).await.map_err(told)?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return by_http1(TokioIo::new(stream), request, false).await;
        }
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.map_err(told)?;
        tokio::spawn(connection);
        self.lock().insert(place, sender.clone());
        sender.send_request(request).await.map_err(told)
    }

    /// By the proxy if there is one, which is told the whole URL.
    async fn in_clear(&self, request: Built) -> Result<http::Response<Incoming>, String> {
        let host = request.uri().host().unwrap_or_default();
        let own = format!("{host}:{}", request.uri().port_u16().unwrap_or(80));
        let direct = matches!(host, "127.0.0.1" | "localhost");
        let proxy = self.reach.proxy.clone().filter(|_| !direct);
        let stream = TcpStream::connect(proxy.as_ref().unwrap_or(&own)).await.map_err(told)?;
        by_http1(TokioIo::new(stream), request, proxy.is_some()).await
    }

    /// A connection to a host, by the proxy if there is one.
    async fn tunnel(&self, place: &str) -> Result<TcpStream, String> {
        let Some(proxy) = &self.reach.proxy else { return TcpStream::connect(place).await.map_err(told) };
        let mut stream = TcpStream::connect(proxy).await.map_err(told)?;
        stream.set_nodelay(true).map_err(told)?;
        let head = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.map_err(told)?;
        // Byte by byte: what comes after the head is TLS's.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() > HEAD {
                return Err("the proxy's answer has no end".to_owned());
            }
            answer.push(stream.read_u8().await.map_err(told)?);
        }
        let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned();
        if status == "200" { Ok(stream) } else { Err(format!("the proxy answered {status} for {place}")) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Sender>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request on a connection of its own.
async fn by_http1<S>(stream: TokioIo<S>, mut request: Built, whole: bool) -> Result<http::Response<Incoming>, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(&authority).map_err(told)?);
    }
    if !whole {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(told)?;
    }
    let (mut sender, connection) = http1::handshake(stream).await.map_err(told)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(told)
}

fn built(request: Request) -> Result<Built, String> {
    let method =
        Method::from_bytes(request.method.as_bytes()).map_err(|_| format!("`{}` is no HTTP method", request.method))?;
    let uri: Uri = request.url.parse().map_err(told)?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        return Err("an absolute http or https URL is needed".to_owned());
    }
    let mut builder = http::Request::builder().method(method).uri(uri);
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header"))?;
        let wrong = || format!("the value of header `{name}` holds bytes that HTTP does not allow");
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(request.body))).map_err(told)
}

fn pairs(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn told(fault: impl std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}
