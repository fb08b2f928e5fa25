//! Connections to a gateway, for the client.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokenrig_clock::real::within;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Authority, sniff::BoxStream, tls};

/// For a connection and its handshake; the gateway is on this machine or near.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Makes connections to one gateway, whatever the host; or to servers of this machine, and nowhere else.
#[derive(Clone)]
pub(crate) struct Connector {
    reach: Reach,
    config: Result<Arc<ClientConfig>, rustls::Error>,
}

/// Where connections go.
#[derive(Debug, Clone, Copy)]
enum Reach {
    Gateway(SocketAddr),
    /// To the address in the URL, which must be one of this machine's own.
    Loopback,
}

impl Connector {
    pub(crate) fn new(gateway: SocketAddr, authority: &Authority) -> Self {
        Self { reach: Reach::Gateway(gateway), config: tls::client(authority).map(Arc::new) }
    }

    pub(crate) fn loopback(authority: &Authority) -> Self {
        Self { reach: Reach::Loopback, config: tls::client(authority).map(Arc::new) }
    }

    pub(crate) fn http1_only(self) -> Self {
        Self { config: self.config.map(|config| Arc::new(tls::without_http2(&config))), ..self }
    }

    async fn connect(self, uri: Uri) -> io::Result<Dialed> {
        let to = match self.reach {
            Reach::Gateway(gateway) => gateway,
            Reach::Loopback => loopback(&uri)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is no address of this machine's own"))?,
        };
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Dialed { stream: TokioIo::new(Box::new(stream)), http2: false });
        }
        let config = self.config.map_err(io::Error::other)?;
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Dialed { stream: TokioIo::new(Box::new(stream)), http2 })
    }
}

/// The address that a URL names, if it is one of this machine's own.
pub(crate) fn loopback(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address: IpAddr = match host.parse() {
        Ok(address) => address,
        Err(_) if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
        Err(_) => return None,
    };
    let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    address.is_loopback().then_some(SocketAddr::new(address, port))
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Dialed;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Dialed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = within(CONNECT_TIME, self.clone().connect(uri));
        async move { connecting.await.unwrap_or_else(|error| Err(io::Error::new(io::ErrorKind::TimedOut, error))) }
            .boxed()
    }
}

/// A connection that was made.
pub(crate) struct Dialed {
    stream: TokioIo<BoxStream>,
    http2: bool,
}

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        if self.http2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Dialed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Dialed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8080/x", Some("127.0.0.1:8080"))]
    #[case("http://127.9.9.9/x", Some("127.9.9.9:80"))]
    #[case("https://localhost/x", Some("127.0.0.1:443"))]
    #[case("http://[::1]:9/", Some("[::1]:9"))]
    #[case("http://169.254.169.254/", None)]
    #[case("http://10.0.0.1/", None)]
    #[case("http://localhost.example.com/", None)]
    #[case("http://127.0.0.1.example.com/", None)]
    #[case("/x", None)]
    fn only_addresses_of_this_machine_are_loopback(#[case] url: &str, #[case] address: Option<&str>) {
        assert_eq!(loopback(&url.parse().unwrap()), address.map(|address| address.parse().unwrap()));
    }
}
