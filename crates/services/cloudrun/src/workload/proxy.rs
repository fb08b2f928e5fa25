//! The way to a server on this machine: requests and answers pass as they come, frame by frame.

use std::{
    error::Error,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use futures_util::{FutureExt as _, future::BoxFuture};
use http::{
    HeaderMap, HeaderName, Request, Uri, Version,
    header::{self, HeaderValue},
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokenrig_clock::real::within;
use tokio::net::TcpStream;

use super::Failure;

/// How long a server on this machine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept.
const POOLED: Duration = Duration::from_secs(30);
/// Headers of a connection, not of a message (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("proxy-connection"),
];

/// A server, by HTTP/1.1 or by HTTP/2 in clear.
#[derive(Debug)]
pub(crate) struct Proxy {
    http1: Client<To, Body>,
    http2: Client<To, Body>,
    authority: Authority,
    prefix: String,
}

impl Proxy {
    /// To a URL that a person told: it must be on this machine, so that nothing leaves it.
    pub(crate) fn to_loopback(url: &str) -> Result<Self, String> {
        let proxy = Self::to(url)?;
        match proxy.authority.host() {
            "127.0.0.1" | "localhost" | "[::1]" => Ok(proxy),
            host => Err(format!("`{host}` is not this machine: `http://127.0.0.1:PORT` is called")),
        }
    }

    /// To a URL `http://HOST:PORT`, perhaps with a path that stands before every request's.
    pub(crate) fn to(url: &str) -> Result<Self, String> {
        const FORM: &str = "it is no `http://HOST:PORT`";
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(FORM)?;
        if uri.scheme() != Some(&Scheme::HTTP) || uri.query().is_some() {
            return Err(FORM.to_owned());
        }
        let port = authority.port_u16().unwrap_or(80);
        let to = To(Arc::from(format!("{}:{port}", authority.host())));
        let client = |http2: bool| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(POOLED);
            builder.http2_only(http2).build(to.clone())
        };
        Ok(Self {
            http1: client(false),
            http2: client(true),
            authority: authority.clone(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Passes a request on; the answer's body is still to come. gRPC goes by HTTP/2 whatever `http2` says.
    pub(crate) async fn answer(&self, request: Request<Body>, http2: bool) -> Result<Response, Failure> {
        let (mut parts, body) = request.into_parts();
        let http2 = http2 || is_grpc(&parts.headers);
        parts.uri = self.uri(&parts.uri, &parts.headers)?;
        parts.version = Version::HTTP_11;
        parts.extensions = http::Extensions::new();
        clean(&mut parts.headers);
        // The door has taken the body: the instance must not ask for it.
        parts.headers.remove(header::EXPECT);
        let trailers = parts.headers.get(header::TE).is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
        if !trailers {
            parts.headers.remove(header::TE);
        }
        if http2 {
            // There the host is in the URI.
            parts.headers.remove(header::HOST);
        } else if let Some(authority) = parts.uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            parts.headers.insert(header::HOST, host);
        }
        let client = if http2 { &self.http2 } else { &self.http1 };
        let answer = client.request(Request::from_parts(parts, body)).await.map_err(|error| {
            let cause = innermost(&error);
            if error.is_connect() {
                Failure::Unavailable(format!("{}: {cause}", self.authority))
            } else {
                Failure::Broken(cause)
            }
        })?;
        let (mut parts, body) = answer.into_parts();
        clean(&mut parts.headers);
        parts.version = Version::HTTP_11;
        parts.extensions = http::Extensions::new();
        Ok(Response::from_parts(parts, Body::new(body)))
    }

    /// The request's URI with the host that the client called, so that the server sees it; [`To`] knows the way.
    fn uri(&self, uri: &Uri, headers: &HeaderMap) -> Result<Uri, Failure> {
        let host = || headers.get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(uri.authority().cloned().or_else(host).unwrap_or_else(|| self.authority.clone()));
        parts.path_and_query = PathAndQuery::try_from(format!("{}{target}", self.prefix)).ok();
        Uri::from_parts(parts).map_err(|_| Failure::Broken("the target cannot be passed on".to_owned()))
    }
}

/// Whether a message is one of gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Takes away what is of the connection only, also what its `Connection` header names.
fn clean(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| *name != header::TE)
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}

/// Connects to one server, whatever host a request is for.
#[derive(Debug, Clone)]
struct To(Arc<str>);

impl tower::Service<Uri> for To {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let to = Arc::clone(&self.0);
        async move {
            let connected = within(CONNECT, TcpStream::connect(&*to)).await;
            let stream = connected.unwrap_or_else(|late| Err(std::io::Error::other(late)))?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8080", true)]
    #[case("http://localhost:8080/base/", true)]
    #[case("http://[::1]:8080", true)]
    #[case("https://127.0.0.1:8080", false)]
    #[case("http://127.0.0.1:8080/?a=b", false)]
    #[case("http://user:pass@127.0.0.1:8080", false)]
    #[case("http://127.0.0.1.example.com", false)]
    #[case("http://10.0.0.1:8080", false)]
    #[case("orders", false)]
    #[case("", false)]
    fn only_a_server_of_this_machine_can_be_told(#[case] url: &str, #[case] good: bool) {
        assert_eq!(Proxy::to_loopback(url).is_ok(), good);
    }

    #[test]
    fn what_is_of_the_connection_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Mine"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("x-other", "2"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        clean(&mut headers);
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["te", "x-other"]);
    }

    #[rstest]
    #[case("http://127.0.0.1:1", "/a?b=c", "http://orders.run.app/a?b=c")]
    #[case("http://127.0.0.1:1/base/", "https://orders.run.app/", "http://orders.run.app/base/")]
    #[case("http://127.0.0.1:1", "/%2e%2e//x", "http://orders.run.app/%2e%2e//x")]
    fn the_server_sees_the_host_and_path_that_the_client_called(
        #[case] to: &str,
        #[case] called: &str,
        #[case] seen: &str,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("orders.run.app"));
        let proxy = Proxy::to(to).unwrap();
        assert_eq!(proxy.uri(&called.parse().unwrap(), &headers).unwrap().to_string(), seen);
    }
}
