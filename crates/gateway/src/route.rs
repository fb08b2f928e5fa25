//! One request: to the router that plays its host, or refused.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use tower::{Layer, ServiceExt};

use crate::{
    Peer,
    body::{self, BodyFault},
    connection::{self, Connection},
    gateway::Hosts,
    server::Front,
    target,
    watch::Answer,
};

/// Marks an answer as the gateway's own word that it does not play a host; the value is the host.
pub(crate) const REFUSED_HOST: HeaderName = HeaderName::from_static("x-tokenrig-refused-host");

pub(crate) async fn answer(connection: Arc<Connection>, request: Request<Incoming>) -> Response<Answer> {
    let in_flight = connection.watch.enter();
    let answer = if request.method() == Method::CONNECT {
        connect(&connection, request)
    } else {
        serve(&connection, request).await
    };
    answer.map(|body| Answer::new(body, in_flight))
}

async fn serve(connection: &Connection, request: Request<Incoming>) -> Response<Body> {
    let (request, unread) = body::guard(request, &connection.shared.limits);
    let answer = match unread.fault() {
        Some(_) => Response::default(),
        None => match &connection.shared.front {
            Front::Plain(router) => handle(router.clone(), request, &connection.peer).await,
            Front::Hosts(hosts) => by_host(hosts, request, connection).await,
        },
    };
    // Whatever the handler made of a body that it could not read: the cause is ours to tell.
    let answer = match unread.fault() {
        Some(fault @ BodyFault::TooLarge(_)) => text(StatusCode::PAYLOAD_TOO_LARGE, &fault.to_string()),
        Some(fault @ BodyFault::Late(_)) => text(StatusCode::REQUEST_TIMEOUT, &fault.to_string()),
        None => answer,
    };
    unread.settle().await;
    answer
}

async fn by_host(hosts: &Hosts, request: Request<Body>, connection: &Connection) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let target = match target::resolve(&mut parts, &connection.peer) {
        Ok(target) => target,
        Err(fault) => return text(StatusCode::BAD_REQUEST, &fault.to_string()),
    };
    match hosts.find(&target.host) {
        Some(router) => handle(router, Request::from_parts(parts, body), &connection.peer).await,
        // As a proxy we refuse; as the host itself we are the wrong one.
        None if target.proxied => refuse(hosts, StatusCode::FORBIDDEN, &target.host),
        None => refuse(hosts, StatusCode::MISDIRECTED_REQUEST, &target.host),
    }
}

/// What the router makes of a request, which is in the one form.
pub(crate) async fn handle(router: Router, mut request: Request<Body>, peer: &Peer) -> Response<Body> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    request.extensions_mut().insert(ConnectInfo(peer.addr));
    request.extensions_mut().insert(peer.clone());
    // The bound on bodies is ours; axum's own would be a second, smaller one.
    let handler = DefaultBodyLimit::disable().layer(router).oneshot(request);
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            // Without the query, which may hold a secret.
            let (host, path) = (uri.host(), uri.path());
            tracing::error!(%method, host, path, panic = why.unwrap_or("of unknown kind"), "a handler panicked");
            text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
    }
}

/// Opens a tunnel that ends in this very gateway, if the host is one that it plays.
fn connect(connection: &Arc<Connection>, mut request: Request<Incoming>) -> Response<Body> {
    let Front::Hosts(hosts) = &connection.shared.front else {
        return text(StatusCode::METHOD_NOT_ALLOWED, "this is no proxy");
    };
    if connection.peer.via_connect.is_some() || request.version() >= Version::HTTP_2 {
        return text(StatusCode::METHOD_NOT_ALLOWED, "a tunnel is opened by HTTP/1.1 and not inside another one");
    }
    let (host, authority) = match target::of_connect(request.uri()) {
        Ok(found) => found,
        Err(fault) => return text(StatusCode::BAD_REQUEST, &fault.to_string()),
    };
    if hosts.find(&host).is_none() {
        return refuse(hosts, StatusCode::FORBIDDEN, &host);
    }
    connection::open_tunnel(connection, Arc::from(authority.as_str()), hyper::upgrade::on(&mut request));
    Response::default()
}

fn refuse(hosts: &Hosts, status: StatusCode, host: &str) -> Response<Body> {
    hosts.refused.add(host);
    let mut answer = text(status, &format!("this rig does not play the host {host}"));
    if let Ok(host) = HeaderValue::from_str(host) {
        answer.headers_mut().insert(REFUSED_HOST, host);
    }
    answer
}

/// An answer of one line.
fn text(status: StatusCode, line: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!("{line}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}
