//! The client: reaches every host through a gateway.

use std::{
    error::Error,
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, Response, StatusCode, Uri, Version, uri::Scheme};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokenrig_clock::real::within;

use crate::{
    Authority,
    connector::{Connector, loopback},
    route::REFUSED_HOST,
};

/// A pooled connection that nobody uses is closed. Well before the gateway does so, lest both act at once.
const POOLED: Duration = Duration::from_secs(30);

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The URL is not absolute, neither `http` nor `https`, or has no host.
    #[error("cannot send to {0:?}: an absolute http or https URL is needed")]
    Target(String),
    /// The gateway does not play the host.
    #[error("the host {0} is not played by this rig")]
    NotPlayed(String),
    /// The certificate that the host shows is not to be trusted.
    #[error("the certificate of {host} is not to be trusted: {cause}")]
    Untrusted {
        /// The host.
        host: String,
        /// What is wrong with the certificate.
        cause: String,
    },
    /// No connection could be made.
    #[error("cannot connect to {host}: {cause}")]
    Unreachable {
        /// The host.
        host: String,
        /// What went wrong.
        cause: String,
    },
    /// The connection broke before the answer's end.
    #[error("the connection to {host} broke: {cause}")]
    Broken {
        /// The host.
        host: String,
        /// What went wrong.
        cause: String,
    },
    /// No whole answer within the time given.
    #[error("no answer from {host} within {limit:?}")]
    Late {
        /// The host.
        host: String,
        /// The time given.
        limit: Duration,
    },
    /// The answer is longer than the caller takes.
    #[error("the answer of {host} is longer than {limit} bytes")]
    TooLong {
        /// The host.
        host: String,
        /// The most bytes taken.
        limit: usize,
    },
}

/// A client that reaches every host through a gateway: `https` URLs by TLS with the host's name, trusting the gateway's
/// authority alone; `http` URLs in clear. HTTP/2 where the gateway selects it. Redirects are never followed; path and
/// query are sent byte for byte. Connections are pooled; a clone is cheap and shares the pool.
///
/// It is a [`tower::Service`] as well, for gRPC clients.
#[derive(Debug, Clone)]
pub struct Dialer {
    client: Client<Connector, Body>,
    connector: Connector,
    pooled: bool,
}

impl Dialer {
    /// A client through the gateway at `gateway`, which shows certificates of `authority`.
    #[must_use]
    pub fn new(gateway: SocketAddr, authority: &Authority) -> Self {
        Self::by(Connector::new(gateway, authority), true)
    }

    /// A client of servers on this machine: `http` and `https` URLs whose host is `localhost` or a loopback address, reached
    /// at that address and not through a gateway. TLS trusts `authority` alone, so that a certificate which a server signed
    /// itself is refused. Any other host is [`Unreachable`](DialError::Unreachable).
    #[must_use]
    pub fn loopback(authority: &Authority) -> Self {
        Self::by(Connector::loopback(authority), true)
    }

    /// Whether [`loopback`](Self::loopback) reaches what this URL names.
    #[must_use]
    pub fn is_loopback(url: &Uri) -> bool {
        loopback(url).is_some()
    }

    /// The same, but each request has a connection of its own, so that each sees the host's certificate anew.
    #[must_use]
    pub fn unpooled(self) -> Self {
        Self::by(self.connector, false)
    }

    /// The same, but it offers HTTP/1.1 alone.
    #[must_use]
    pub fn http1_only(self) -> Self {
        Self::by(self.connector.http1_only(), self.pooled)
    }

    fn by(connector: Connector, pooled: bool) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(POOLED);
        if !pooled {
            builder.pool_max_idle_per_host(0);
        }
        Self { client: builder.build(connector.clone()), connector, pooled }
    }

    /// Sends a request to the absolute URL that it bears; the answer's body is still to be read.
    ///
    /// # Errors
    ///
    /// [`DialError`], except [`Late`](DialError::Late) and [`TooLong`](DialError::TooLong): there is no deadline here.
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<Body>, DialError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let host = host_of(&request)?;
        let mut request = request.map(Body::new);
        // The connection's protocol decides; a request that says HTTP/2 would be refused on any other.
        *request.version_mut() = Version::HTTP_11;
        let answer = self.client.request(request).await.map_err(|error| fault(host, &error))?;
        if matches!(answer.status(), StatusCode::MISDIRECTED_REQUEST | StatusCode::FORBIDDEN)
            && let Some(host) = answer.headers().get(REFUSED_HOST)
        {
            return Err(DialError::NotPlayed(String::from_utf8_lossy(host.as_bytes()).into_owned()));
        }
        Ok(answer.map(Body::new))
    }

    /// Sends a request and reads the whole answer: within `time`, and at most `most` bytes of body.
    ///
    /// # Errors
    ///
    /// [`DialError`].
    pub async fn fetch<B>(&self, request: Request<B>, time: Duration, most: usize) -> Result<Response<Bytes>, DialError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let host = host_of(&request)?;
        let whole = async {
            let (parts, body) = self.send(request).await?.into_parts();
            match Limited::new(body, most).collect().await {
                Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
                Err(error) if error.is::<LengthLimitError>() => {
                    Err(DialError::TooLong { host: host.clone(), limit: most })
                }
                Err(error) => Err(DialError::Broken { host: host.clone(), cause: innermost(&*error) }),
            }
        };
        match within(time, whole).await {
            Ok(answer) => answer,
            Err(_) => Err(DialError::Late { host, limit: time }),
        }
    }
}

impl<B> tower::Service<Request<B>> for Dialer
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Response<Body>, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let dialer = self.clone();
        async move { dialer.send(request).await }.boxed()
    }
}

pub(crate) fn host_of<B>(request: &Request<B>) -> Result<String, DialError> {
    let uri = request.uri();
    let known = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    match uri.host() {
        Some(host) if known && !host.is_empty() => Ok(host.to_owned()),
        // The query may hold a secret.
        _ => Err(DialError::Target(uri.to_string().split('?').next().unwrap_or_default().to_owned())),
    }
}

fn fault(host: String, error: &hyper_util::client::legacy::Error) -> DialError {
    let cause = innermost(error);
    if certificate_fault(error) {
        DialError::Untrusted { host, cause }
    } else if error.is_connect() {
        DialError::Unreachable { host, cause }
    } else {
        DialError::Broken { host, cause }
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<std::io::Error>() {
        // An I/O error that wraps another one answers in its place instead of naming it as its source.
        Some(io) => io.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
        None => error.source(),
    })
}

fn certificate_fault(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .any(|error| matches!(error.downcast_ref::<rustls::Error>(), Some(rustls::Error::InvalidCertificate(_))))
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}
