//! Who sent a request, and by which way.

use std::{net::SocketAddr, sync::Arc};

/// The connection that a request came by; an extension of every request that [`Gateway`](crate::Gateway) and
/// [`Plain`](crate::Plain) hand to a router.
///
/// The address is also there as [`axum::extract::ConnectInfo`], for routers that do not know this crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The peer's address and port.
    pub addr: SocketAddr,
    /// Whether the request came by TLS.
    pub tls: bool,
    /// The server name of the TLS hello, in lower case. Requests are routed by their authority, not by this.
    pub sni: Option<Arc<str>>,
    /// The `host:port` of the CONNECT request through whose tunnel this request came.
    pub via_connect: Option<Arc<str>>,
}
