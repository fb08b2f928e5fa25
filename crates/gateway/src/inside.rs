//! The way in without a connection: for what a process asks of the gateway that it runs itself.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Response, Version, uri::Scheme};

use crate::{
    Peer,
    dial::{DialError, host_of},
    gateway::Find,
    route, target,
};

/// Hands requests to what a gateway plays, in the form in which they come to it over a connection: with the peer that a
/// client of this machine would be. Nothing is encrypted and nothing is watched, so it is not for what a client does.
#[derive(Clone)]
pub struct Inside {
    find: Find,
}

impl Inside {
    pub(crate) fn of(find: Find) -> Self {
        Self { find }
    }

    /// Sends a request to the absolute URL that it bears; the answer's body is still to be read.
    ///
    /// # Errors
    ///
    /// [`DialError::Target`] and [`DialError::NotPlayed`].
    pub async fn send<B>(&self, request: Request<B>) -> Result<Response<Body>, DialError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let host = host_of(&request)?;
        let (mut parts, body) = request.into_parts();
        parts.version = Version::HTTP_2;
        let peer = Peer {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: parts.uri.scheme() == Some(&Scheme::HTTPS),
            sni: Some(host.to_ascii_lowercase().into()),
            via_connect: None,
        };
        let target = target::resolve(&mut parts, &peer).map_err(|_| DialError::Target(host.clone()))?;
        let router = (self.find)(&target.host).ok_or(DialError::NotPlayed(target.host))?;
        let mut answer = route::handle(router, Request::from_parts(parts, Body::new(body)), &peer).await;
        *answer.version_mut() = Version::HTTP_2;
        Ok(answer)
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").finish_non_exhaustive()
    }
}
