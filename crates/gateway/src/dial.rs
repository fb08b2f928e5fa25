//! Skeleton.
use std::{net::SocketAddr, time::Duration};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Response};

use crate::Authority;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The URL.
    #[error("cannot send to {0}")]
    Target(String),
}

/// A client that reaches every host through a gateway.
#[derive(Debug, Clone)]
pub struct Dialer {}

impl Dialer {
    /// Through the gateway at `gateway`.
    #[must_use]
    pub fn new(_gateway: SocketAddr, _authority: &Authority) -> Self {
        Self {}
    }
    /// Each request on a connection of its own.
    #[must_use]
    pub fn unpooled(self) -> Self {
        self
    }
    /// HTTP/1.1 only.
    #[must_use]
    pub fn http1_only(self) -> Self {
        self
    }
    /// Sends.
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<Body>, DialError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        Err(DialError::Target(request.uri().to_string()))
    }
    /// Sends and reads the whole answer, at most `most` bytes and for `time`.
    pub async fn fetch<B>(&self, request: Request<B>, time: Duration, most: usize) -> Result<Response<Bytes>, DialError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let _ = (time, most);
        Err(DialError::Target(request.uri().to_string()))
    }
}
