//! Skeleton.
use std::{io, net::SocketAddr, time::Duration};

use crate::Limits;

/// A listener in clear.
#[derive(Debug)]
pub struct Plain {
    addr: SocketAddr,
}

impl Plain {
    /// Starts.
    pub async fn start(addr: SocketAddr, _router: axum::Router, _limits: Limits) -> io::Result<Self> {
        Ok(Self { addr })
    }
    /// Address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
    /// Stops.
    pub async fn shutdown(&self, _grace: Duration) {}
}
