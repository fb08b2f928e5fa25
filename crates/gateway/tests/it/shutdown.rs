//! The end of a gateway.

use std::{sync::atomic::Ordering, time::Duration};

use axum::body::Body;
use http::Request;
use tokenrig_clock::real::within;
use tokio::net::TcpStream;

use crate::support::*;

#[tokio::test]
async fn requests_in_flight_end_within_the_grace_and_no_new_connection_is_taken() {
    let rig = Rig::start().await;
    let words = "GET /held HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n";
    let by_http1 = tokio::spawn(say(rig.tcp().await, words));
    let stream = rig.tls(rig.tunnel().await, HOST, &["http/1.1"]).await;
    let in_tunnel = tokio::spawn(say(stream, words));
    let mut client = rig.http2().await;
    let request = Request::get(format!("https://{HOST}/held")).body(Body::empty()).unwrap();
    let by_http2 = tokio::spawn(async move { text(client.send_request(request).await.unwrap()).await });
    until(|| rig.held.load(Ordering::SeqCst) == 3).await;

    let (gate, at) = (rig.gate.clone(), addr(&rig));
    let stopped = tokio::spawn(async move { rig.gateway.shutdown(PATIENCE).await });
    within(PATIENCE, async { while TcpStream::connect(at).await.is_ok() {} }).await.unwrap();
    assert!(!stopped.is_finished());
    gate.add_permits(3);
    assert!(by_http1.await.unwrap().ends_with("let go"));
    assert!(in_tunnel.await.unwrap().ends_with("let go"));
    assert_eq!(by_http2.await.unwrap(), "let go");
    within(PATIENCE, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_outlasts_the_grace_is_cut() {
    let rig = Rig::start().await;
    let held = tokio::spawn(say(rig.tcp().await, "GET /held HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n"));
    until(|| rig.held.load(Ordering::SeqCst) == 1).await;
    within(PATIENCE, rig.gateway.shutdown(Duration::from_millis(20))).await.unwrap();
    assert_eq!(held.await.unwrap(), "");
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let rig = Rig::start().await;
    let silent = rig.tcp().await;
    let tunnel = rig.tunnel().await;
    let tls = rig.tls(rig.tcp().await, HOST, &["h2"]).await;
    let client = rig.http2().await;
    let watch = tokenrig_clock::real::Stopwatch::start();
    within(PATIENCE, rig.gateway.shutdown(PATIENCE)).await.unwrap();
    assert!(watch.elapsed() < PATIENCE / 10, "{:?}", watch.elapsed());
    drop((silent, tunnel, tls, client));
}

#[tokio::test]
async fn a_dropped_gateway_is_gone() {
    let rig = Rig::start().await;
    let held = tokio::spawn(say(rig.tcp().await, "GET /held HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n"));
    until(|| rig.held.load(Ordering::SeqCst) == 1).await;
    drop(rig);
    assert_eq!(held.await.unwrap(), "");
}
