//! Peers that take too long, say too much, or are too many.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use tokenrig_clock::real::Stopwatch;
use tokenrig_gateway::Limits;
use tokio::io::AsyncWriteExt;

use crate::support::*;

const SOON: Duration = Duration::from_millis(80);

#[tokio::test]
async fn a_connection_that_says_nothing_ends_by_the_header_time() {
    let rig = Rig::with(Limits { header_time: SOON, ..Limits::default() }).await;
    let watch = Stopwatch::start();
    assert_eq!(read_all(rig.tcp().await).await, "");
    assert!(watch.elapsed() >= SOON);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_by_the_header_time() {
    let rig = Rig::with(Limits { header_time: SOON, ..Limits::default() }).await;
    for half in ["G", "GET / HTTP/1.1\r\nHost: sts.goo", "PRI * HT"] {
        assert_eq!(say(rig.tcp().await, half).await, "");
    }
    assert_eq!(read_all(rig.tunnel().await).await, "");
    let stream = rig.tls(rig.tcp().await, HOST, &["http/1.1"]).await;
    assert_eq!(say(stream, "GET / HTTP/1.1\r\nHo").await, "");
}

#[tokio::test]
async fn a_second_head_that_does_not_end_is_cut_too() {
    let rig = Rig::with(Limits { header_time: SOON, ..Limits::default() }).await;
    let (answer, stream) = connect(rig.tcp().await, "GET /1 HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let watch = Stopwatch::start();
    say(stream, "GET /2 HTT").await;
    assert!(watch.elapsed() >= SOON);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_by_the_handshake_time() {
    let rig = Rig::with(Limits { handshake_time: SOON, ..Limits::default() }).await;
    assert_eq!(say(rig.tcp().await, "\x16\x03\x01\x02\x00\x01").await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed_but_not_by_the_header_time() {
    let limits = Limits { header_time: SOON, idle: SOON * 4, ..Limits::default() };
    let rig = Rig::with(limits).await;
    let watch = Stopwatch::start();
    let answer = say(rig.tcp().await, "GET /1 HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n").await;
    assert!(answer.contains("http://sts.googleapis.com/1"), "{answer}");
    assert!(watch.elapsed() >= SOON * 4);
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed() {
    let rig = Rig::with(Limits { idle: SOON, ..Limits::default() }).await;
    let mut client = rig.http2().await;
    let request = || Request::get(format!("https://{HOST}/x")).body(Body::empty()).unwrap();
    client.send_request(request()).await.unwrap();
    until(|| client.is_closed()).await;
    client.send_request(request()).await.unwrap_err();
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answer_is_cut_by_the_idle_time() {
    let rig = Rig::with(Limits { idle: SOON, connections: 1, ..Limits::default() }).await;
    let mut deaf = rig.tcp().await;
    deaf.write_all(b"GET /endless HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n").await.unwrap();
    // There is a place for this one only when the other has gone.
    let answer = say(rig.tcp().await, "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(deaf);
}

#[tokio::test]
async fn a_request_in_flight_keeps_its_connection_however_long_it_takes() {
    let rig = Rig::with(Limits { idle: SOON, header_time: SOON, ..Limits::default() }).await;
    let words = "GET /held HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n";
    let answer = tokio::spawn(say(rig.tcp().await, words));
    tokenrig_clock::real::pause(SOON * 8).await;
    rig.gate.add_permits(1);
    assert!(answer.await.unwrap().ends_with("let go"));
}

#[tokio::test]
async fn a_flood_of_headers_answers_431() {
    let rig = Rig::start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000));
    let answer = say(rig.tcp().await, &long).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{}\r\n", "X-Many: x\r\n".repeat(1000));
    let answer = say(rig.tcp().await, &many).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_flood_of_headers_that_never_ends_is_cut() {
    let rig = Rig::start().await;
    let mut stream = rig.tcp().await;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n").as_bytes()).await.unwrap();
    let line = format!("X-Flood: {}\r\n", "x".repeat(1000));
    let mut sent = 0;
    while stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
        assert!(sent < 50_000_000, "the gateway takes headers without end");
    }
}

#[tokio::test]
async fn headers_up_to_the_limit_pass() {
    let rig = Rig::start().await;
    let long =
        format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nX-Long: {}\r\n\r\n", "x".repeat(60_000));
    assert!(say(rig.tcp().await, &long).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_flood_of_headers_by_http2_is_refused_and_others_on_the_connection_are_served() {
    let rig = Rig::start().await;
    let mut client = rig.http2().await;
    let mut request = Request::get(format!("https://{HOST}/x")).body(Body::empty()).unwrap();
    for n in 0..70 {
        let name: http::HeaderName = format!("x-long-{n}").parse().unwrap();
        request.headers_mut().insert(name, "x".repeat(1000).parse().unwrap());
    }
    if let Ok(answer) = client.send_request(request).await {
        assert_eq!(answer.status(), 431);
    }
    let request = Request::get(format!("https://{HOST}/x")).body(Body::empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let rig = Rig::with(Limits { connections: 1, ..Limits::default() }).await;
    let tunnel = rig.tunnel().await;
    let words = "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n";
    let waiting = tokio::spawn(say(rig.tcp().await, words));
    tokenrig_clock::real::pause(SOON).await;
    assert!(!waiting.is_finished());
    drop(tunnel);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn streams_opened_and_reset_in_a_rush_end_the_connection_and_nothing_else() {
    let rig = Rig::start().await;
    let client = rig.http2().await;
    for _ in 0..2000 {
        let request = Request::get(format!("https://{HOST}/held")).body(Body::empty()).unwrap();
        let mut client = client.clone();
        // Polled once, so that the request goes out, and dropped, which resets the stream.
        let _ = futures_util::poll!(std::pin::pin!(client.send_request(request)));
        if client.is_closed() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let request = Request::get(format!("https://{HOST}/x")).body(Body::empty()).unwrap();
    assert_eq!(rig.http2().await.send_request(request).await.unwrap().status(), 200);
}
