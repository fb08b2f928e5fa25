//! The endpoint under attack.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header, uri::Scheme};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokenrig::Dialer;
use tokenrig_clock::real::within;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no such target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// The URL is not absolute, or neither `http` nor `https`.
    #[error("`{0}` is no absolute http or https URL")]
    Url(String),
    /// The header has a name that HTTP does not allow.
    #[error("`{0}` is no name of a header")]
    Header(String),
    /// The certificates cannot be used.
    #[error("the CA file cannot be used: {0}")]
    Ca(String),
    /// `https`, and nobody said whose certificates to trust.
    #[error("whose certificates of {0} are to be trusted? name a CA file")]
    NoCa(String),
}

/// An endpoint that takes a bearer token.
#[derive(Debug, Clone)]
pub struct Target {
    uri: Uri,
    host: String,
    method: Method,
    header: HeaderName,
    way: Way,
}

/// How it is reached.
#[derive(Debug, Clone)]
enum Way {
    Plain,
    Tls(Arc<ClientConfig>),
    /// A host that the rig plays.
    Rig(Box<Dialer>),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A status.
    Status(u16),
    /// No connection, or one that broke before the answer, or none in time; with the reason.
    Nothing(String),
}

impl Answer {
    /// Whether the token was let in: 2xx.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

impl Target {
    /// `GET` of a URL, the token in `Authorization`. `ca` is the PEM of whom to trust if it is `https`.
    ///
    /// # Errors
    ///
    /// [`TargetFault`].
    pub fn new(url: &str, ca: Option<&[u8]>) -> Result<Self, TargetFault> {
        let (uri, host) = parsed(url)?;
        let way = match (uri.scheme() == Some(&Scheme::HTTPS), ca) {
            (false, _) => Way::Plain,
            (true, Some(pem)) => Way::Tls(Arc::new(trusting(pem)?)),
            (true, None) => return Err(TargetFault::NoCa(host)),
        };
        Ok(Self { uri, host, method: Method::GET, header: header::AUTHORIZATION, way })
    }

    /// The same, at a host that the rig itself plays.
    ///
    /// # Errors
    ///
    /// [`TargetFault::Url`].
    pub fn played(url: &str, dialer: Dialer) -> Result<Self, TargetFault> {
        let (uri, host) = parsed(url)?;
        Ok(Self { uri, host, method: Method::GET, header: header::AUTHORIZATION, way: Way::Rig(Box::new(dialer)) })
    }

    /// The host that it is at.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends the token in another header; in any but `Authorization` and `X-Serverless-Authorization` without `Bearer `.
    ///
    /// # Errors
    ///
    /// [`TargetFault::Header`].
    pub fn header(mut self, name: &str) -> Result<Self, TargetFault> {
        self.header = name.parse().map_err(|_| TargetFault::Header(name.to_owned()))?;
        Ok(self)
    }

    /// Asks by another method than `GET`, with an empty body.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sends one token, or none.
    pub async fn send(&self, token: Option<&str>) -> Answer {
        let sent = within(DEADLINE, self.exchange(token)).await;
        match sent {
            Ok(Ok(status)) => Answer::Status(status),
            Ok(Err(fault)) => Answer::Nothing(fault.to_string()),
            Err(late) => Answer::Nothing(late.to_string()),
        }
    }

    async fn exchange(&self, token: Option<&str>) -> io::Result<u16> {
        let request = self.request(token)?;
        match &self.way {
            Way::Rig(dialer) => Ok(dialer.send(request).await.map_err(io::Error::other)?.status().as_u16()),
            Way::Plain => over(self.connect(80).await?, request).await,
            Way::Tls(config) => {
                let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, self.connect(443).await?).await?;
                over(stream, request).await
            }
        }
    }

    fn request(&self, token: Option<&str>) -> io::Result<Request<Empty<Bytes>>> {
        let mut request = Request::builder().method(self.method.clone());
        if let Some(token) = token {
            let scheme = if self.header == header::AUTHORIZATION || self.header == "x-serverless-authorization" {
                "Bearer "
            } else {
                ""
            };
            let mut value = HeaderValue::from_bytes(format!("{scheme}{token}").as_bytes()).map_err(io::Error::other)?;
            value.set_sensitive(true);
            request = request.header(&self.header, value);
        }
        request = match &self.way {
            Way::Rig(_) => request.uri(self.uri.clone()),
            Way::Plain | Way::Tls(_) => {
                let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
                let authority = self.uri.authority().map_or("", |authority| authority.as_str());
                request.uri(path).header(header::HOST, authority).header(header::CONNECTION, "close")
            }
        };
        request.body(Empty::new()).map_err(io::Error::other)
    }

    async fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        TcpStream::connect((host, self.uri.port_u16().unwrap_or(port))).await
    }
}

fn parsed(url: &str) -> Result<(Uri, String), TargetFault> {
    let fault = || TargetFault::Url(url.split('?').next().unwrap_or_default().to_owned());
    let uri: Uri = url.parse().map_err(|_| fault())?;
    let known = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    let host = uri.host().filter(|host| known && !host.is_empty()).ok_or_else(fault)?.to_owned();
    Ok((uri, host))
}

fn trusting(pem: &[u8]) -> Result<ClientConfig, TargetFault> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    let fault = |why: &dyn std::fmt::Display| TargetFault::Ca(why.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|why| fault(&why))?).map_err(|why| fault(&why))?;
    }
    if roots.is_empty() {
        return Err(fault(&"it holds no certificate"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|why| fault(&why))?.with_root_certificates(roots).with_no_client_auth())
}

/// A connection for one request: what a broken one does to the next is nobody's business here.
async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> io::Result<u16> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(async move { drop(connection.await) });
    let answer = sender.send_request(request).await;
    connection.abort();
    Ok(answer.map_err(io::Error::other)?.status().as_u16())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_scheme("127.0.0.1:8080")]
    #[case::another_scheme("ftp://127.0.0.1/")]
    #[case::no_host("http:///x")]
    #[case::text("here")]
    fn what_is_no_url_is_refused(#[case] url: &str) {
        assert!(matches!(Target::new(url, None), Err(TargetFault::Url(_))));
    }

    #[test]
    fn tls_needs_somebody_to_trust() {
        assert_eq!(Target::new("https://app.example", None).unwrap_err(), TargetFault::NoCa("app.example".to_owned()));
        assert!(matches!(Target::new("https://app.example", Some(b"no PEM")), Err(TargetFault::Ca(_))));
    }
}
