//! An issuer behind which a real provider stands: requests to the issuer's host go to the provider, its answers come
//! back as they are.
//!
//! The provider signs, so only the provider can say what `iss` is. Nothing in its answers is rewritten: a discovery
//! document that named another issuer than the tokens do would move a mistake, not mend it. So the provider must be told
//! the issuer's address as its own public one, and what it needs for that it is sent: the `Host` that the client called, and
//! `X-Forwarded-Host`, `-Proto` and `-Port` and `Forwarded` (RFC 7239) with the same. What a client says in these headers
//! is taken away.
//!
//! | provider | how it learns its address |
//! |---|---|
//! | Keycloak | `--proxy-headers=xforwarded` (or `forwarded`), or `--hostname=https://HOST`; the issuer is `https://HOST/realms/REALM` and the upstream `http://127.0.0.1:8080/realms/REALM` |
//! | Dex | `issuer: https://HOST/dex` in its configuration; the upstream is `http://127.0.0.1:5556/dex` |
//!
//! Where the two paths are the same, as in both rows, every path of the host that is no other issuer's goes to the provider,
//! so that what its pages need beside the issuer's path (`/resources/…`) is there too.
//! Sources: <https://www.keycloak.org/server/reverseproxy>, <https://dexidp.io/docs/getting-started/>.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokenrig_clock::real::within;
use tokenrig_decision::Refused;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{model::IssuerFault, refusals, tls};

/// The largest body of a request that is passed on: 1 MiB.
const MAX_REQUEST: usize = 1024 * 1024;
/// The largest body of an answer that is passed on: 16 MiB.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The longest URL that is taken.
const MAX_URL: usize = 2048;

/// Headers of a connection, not of a message (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What a client may say about where it came from, and nobody believes.
const FORWARDED: [HeaderName; 6] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// A provider on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// As it was written.
    pub(crate) url: String,
    /// Empty, or a path that starts with a slash and does not end with one.
    pub(crate) base: String,
    /// `127.0.0.1`, `localhost` or `::1`.
    host: String,
    port: u16,
    tls: bool,
}

impl Upstream {
    /// Reads `http://HOST:PORT/PATH` or `https://…`; the host is this machine, so that nothing leaves it.
    pub(crate) fn read(url: &str) -> Result<Self, IssuerFault> {
        let uri: Uri = url.parse().map_err(|_| IssuerFault::Upstream)?;
        let authority = uri.authority().ok_or(IssuerFault::Upstream)?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(IssuerFault::Upstream),
        };
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let here = matches!(host.as_str(), "127.0.0.1" | "localhost" | "::1");
        if !here || url.len() > MAX_URL || authority.as_str().contains('@') || url.contains(['?', '#']) {
            return Err(IssuerFault::Upstream);
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { url: url.to_owned(), base: uri.path().trim_end_matches('/').to_owned(), host, port, tls })
    }

    /// Passes a request for `path` (as the provider has it) on, and the answer back. `authority` is the issuer's: host,
    /// and port if it has one. `limit` is the real time for all of it.
    pub(crate) async fn pass(
        &self,
        authority: &str,
        path: &str,
        request: Request<Body>,
        limit: Duration,
    ) -> Result<Response, Refused> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_REQUEST)
            .await
            .map_err(|_| refusals::UPSTREAM_REQUEST_TOO_LARGE.refuse("idp-upstream-request-too-large"))?;
        let target = match parts.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let unreachable =
            |why: String| refusals::UPSTREAM_UNREACHABLE.refuse("idp-upstream-unreachable").with("why", why);
        let target = PathAndQuery::try_from(target).map_err(|fault| unreachable(fault.to_string()))?;
        let mut headers = parts.headers;
        end_to_end(&mut headers);
        say_where(&mut headers, authority);
        // What is passed on is whole and in clear: its length is its own, and nobody is waited for.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::EXPECT);
        let mut asked = Request::new(Full::new(body));
        *asked.method_mut() = parts.method;
        *asked.uri_mut() = Uri::from(target);
        *asked.headers_mut() = headers;
        let answer = within(limit, self.exchange(asked)).await;
        let answer = answer.map_err(|_| refusals::UPSTREAM_LATE.refuse("idp-upstream-late"))?;
        answer.map_err(|fault| unreachable(fault.to_string()))
    }

    /// A connection of its own for each request: few are made, and none is then found closed.
    async fn exchange(&self, request: Request<Full<bytes::Bytes>>) -> io::Result<Response> {
        let stream = self.connect().await?;
        if !self.tls {
            return ask(stream, request).await;
        }
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let config = Arc::new(tls::to_this_machine().map_err(io::Error::other)?);
        ask(TlsConnector::from(config).connect(name, stream).await?, request).await
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        // Not by the resolver: `localhost` is this machine whatever a resolver says.
        let hosts: &[&str] = if self.host == "localhost" { &["127.0.0.1", "::1"] } else { &[&self.host] };
        let mut last = io::ErrorKind::AddrNotAvailable.into();
        for host in hosts {
            match TcpStream::connect((*host, self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }
}

async fn ask<S>(stream: S, request: Request<Full<bytes::Bytes>>) -> io::Result<Response>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the sender and the answer's body; what breaks it shows there.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let (mut parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|fault| {
        if fault.is::<LengthLimitError>() {
            io::Error::other(format!("its answer has more than {MAX_ANSWER} bytes"))
        } else {
            io::Error::other(format!("its answer broke off: {fault}"))
        }
    })?;
    end_to_end(&mut parts.headers);
    parts.version = Version::HTTP_11;
    parts.extensions = http::Extensions::new();
    Ok(Response::from_parts(parts, Body::from(body.to_bytes())))
}

/// Takes away what is of the connection only, also what its `Connection` header names.
fn end_to_end(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Says which address the client called.
fn say_where(headers: &mut HeaderMap, authority: &str) {
    for name in FORWARDED {
        headers.remove(name);
    }
    let port = authority.rsplit_once(':').map_or("443", |(_, port)| port);
    let told = [
        (header::HOST, authority.to_owned()),
        (header::FORWARDED, format!("host=\"{authority}\";proto=https")),
        (HeaderName::from_static("x-forwarded-host"), authority.to_owned()),
        (HeaderName::from_static("x-forwarded-port"), port.to_owned()),
        (HeaderName::from_static("x-forwarded-proto"), "https".to_owned()),
    ];
    for (name, value) in told {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::keycloak("http://127.0.0.1:8080/realms/corp", "127.0.0.1", 8080, "/realms/corp")]
    #[case::dex("https://localhost:5554/dex/", "localhost", 5554, "/dex")]
    #[case::by_address("http://[::1]", "::1", 80, "")]
    #[case::the_usual_port("https://127.0.0.1", "127.0.0.1", 443, "")]
    fn a_provider_on_this_machine_is_one(#[case] url: &str, #[case] host: &str, #[case] port: u16, #[case] base: &str) {
        let upstream = Upstream::read(url).unwrap();
        assert_eq!((upstream.host.as_str(), upstream.port, upstream.base.as_str()), (host, port, base));
    }

    #[rstest]
    #[case::elsewhere("https://login.corp.example/realms/corp")]
    #[case::a_name_that_looks_like_it("http://127.0.0.1.example:8080")]
    #[case::another_address("http://169.254.169.254")]
    #[case::a_user("http://a:b@127.0.0.1:8080")]
    #[case::a_query("http://127.0.0.1:8080/?realm=corp")]
    #[case::a_path_alone("/realms/corp")]
    #[case::another_scheme("ftp://127.0.0.1/")]
    #[case::nothing("")]
    fn whatever_else_is_none(#[case] url: &str) {
        assert_eq!(Upstream::read(url), Err(IssuerFault::Upstream));
    }

    #[test]
    fn the_provider_hears_which_address_was_called_and_not_what_a_client_makes_up() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-prefix", "/a"), ("host", "127.0.0.1")] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        say_where(&mut headers, "login.corp.example:8443");
        let all: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        let told =
            ["host: login.corp.example:8443", "x-forwarded-host: login.corp.example:8443", "x-forwarded-port: 8443"];
        assert!(told.iter().all(|line| all.iter().any(|own| own == line)), "{all:?}");
        assert_eq!(all.len(), 5, "{all:?}");
    }
}
