//! Skeleton.
use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use crate::{Authority, Dialer, Limits, Refused};

/// Gives the router that plays a host, if the rig plays it.
pub type Find = Arc<dyn Fn(&str) -> Option<axum::Router> + Send + Sync>;

/// One port.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    authority: Authority,
}

impl Gateway {
    /// Starts.
    pub async fn start(addr: SocketAddr, _find: Find, authority: Authority, _limits: Limits) -> io::Result<Self> {
        Ok(Self { addr, authority })
    }
    /// Address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
    /// Refused.
    pub fn refused_hosts(&self) -> Refused {
        Refused::default()
    }
    /// Client.
    pub fn dialer(&self) -> Dialer {
        Dialer::new(self.addr, &self.authority)
    }
    /// Stops.
    pub async fn shutdown(&self, _grace: Duration) {}
}
