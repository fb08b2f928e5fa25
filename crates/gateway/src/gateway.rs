//! The one port behind which all hosts are.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio_rustls::TlsAcceptor;

use crate::{
    Authority, Dialer, Inside, Limits, Refused,
    refused::Tally,
    server::{Front, Server},
    tls,
};

/// Gives the router that plays a host (lower case, without port, brackets and final dot), if the rig plays it.
pub type Find = Arc<dyn Fn(&str) -> Option<Router> + Send + Sync>;

/// All hosts of a rig behind one port.
///
/// A peer may speak TLS, HTTP/1 or HTTP/2 in clear, or take the port for its proxy: CONNECT (its tunnel ends here, with
/// TLS or clear HTTP inside) and requests in absolute form. Requests are routed by their authority. Routers see one form
/// of them, whatever the way: an absolute URI, whose scheme is `https` if TLS was there, one `host` header, and the
/// extensions [`Peer`](crate::Peer) and [`ConnectInfo`](axum::extract::ConnectInfo).
///
/// A host that the rig does not play is refused: 403 to a CONNECT request and to one in absolute form, 421 to any other,
/// always with one line of text. Dropping a gateway cuts everything at once.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
    authority: Authority,
    inside: Inside,
}

pub(crate) struct Hosts {
    find: Find,
    pub(crate) tls: TlsAcceptor,
    pub(crate) refused: Tally,
}

impl Hosts {
    pub(crate) fn find(&self, host: &str) -> Option<Router> {
        (self.find)(host)
    }
}

impl Gateway {
    /// Listens at `addr` (port 0: any that is free). Call it inside a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened at.
    pub async fn start(addr: SocketAddr, find: Find, authority: Authority, limits: Limits) -> io::Result<Self> {
        let config = tls::server(authority.clone()).map_err(io::Error::other)?;
        let inside = Inside::of(Find::clone(&find));
        let hosts = Hosts { find, tls: TlsAcceptor::from(Arc::new(config)), refused: Tally::default() };
        let server = Server::start(addr, Front::Hosts(hosts), limits).await?;
        Ok(Self { server, authority, inside })
    }

    /// The address listened at.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The hosts that were asked for and are not played.
    #[must_use]
    pub fn refused_hosts(&self) -> Refused {
        match self.server.front() {
            Front::Hosts(hosts) => hosts.refused.read(),
            Front::Plain(_) => Refused::default(),
        }
    }

    /// A client that reaches every host through this gateway.
    #[must_use]
    pub fn dialer(&self) -> Dialer {
        Dialer::new(self.addr(), &self.authority)
    }

    /// The way to all hosts that needs no connection.
    #[must_use]
    pub fn inside(&self) -> &Inside {
        &self.inside
    }

    /// Takes no more connections and requests, lets those in flight end within `grace`, cuts the others. Returns when
    /// all have ended.
    pub async fn shutdown(&self, grace: Duration) {
        self.server.shutdown(grace).await;
    }
}
