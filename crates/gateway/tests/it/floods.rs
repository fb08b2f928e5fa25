//! Peers that send much, say little, or leave: what they cost is bounded, and others are served.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use tokenrig_gateway::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::support::{HOST, Rig, read_all, text, until};

/// What a client of HTTP/2 says first: the preface, and SETTINGS that change nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A PING that asks for an answer (RFC 9113, 6.7).
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0tokenrig";
/// SETTINGS that ask to be acknowledged (RFC 9113, 6.5).
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// WINDOW_UPDATE of one byte for the connection (RFC 9113, 6.9).
const WINDOW: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01";
/// More than this of a flood is taken by nobody who keeps what it must answer.
const FLOOD: usize = 64 * 1024 * 1024;

/// Sends a frame again and again and never reads, until the gateway takes no more. How many bytes it took.
async fn flooded(rig: &Rig, frame: &[u8]) -> usize {
    let mut stream = rig.tls(rig.tcp().await, HOST, &["h2"]).await;
    stream.write_all(PREFACE).await.unwrap();
    let frames = frame.repeat(64 * 1024 / frame.len());
    let mut sent = 0;
    while sent < FLOOD && stream.write_all(&frames).await.is_ok() {
        sent += frames.len();
    }
    sent
}

async fn is_served(rig: &Rig) {
    let request = Request::get(format!("https://{HOST}/x")).body(Body::empty()).unwrap();
    assert_eq!(rig.http2().await.send_request(request).await.unwrap().status(), 200);
}

async fn a_flood_that_asks_for_answers_and_reads_none_ends(frame: &[u8]) {
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let (sent, ()) = tokio::join!(flooded(&rig, frame), is_served(&rig));
    assert!(sent < FLOOD, "the gateway took {sent} bytes of a flood whose answers nobody reads");
    is_served(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_whose_answers_nobody_reads_ends() {
    a_flood_that_asks_for_answers_and_reads_none_ends(PING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_settings_whose_answers_nobody_reads_ends() {
    a_flood_that_asks_for_answers_and_reads_none_ends(SETTINGS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_only_ever_opens_its_window_is_idle() {
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let mut stream = rig.tls(rig.tcp().await, HOST, &["h2"]).await;
    stream.write_all(PREFACE).await.unwrap();
    let talking = async {
        while stream.write_all(WINDOW).await.is_ok() && stream.flush().await.is_ok() {
            tokenrig_clock::real::pause(Duration::from_millis(10)).await;
        }
    };
    tokenrig_clock::real::within(crate::support::PATIENCE, talking).await.expect("the connection to end");
    is_served(&rig).await;
}

/// The end of a stream is how nearly all clients leave: to wait for one who has gone would cost more than it serves.
#[tokio::test(flavor = "multi_thread")]
async fn who_closes_its_half_while_the_answer_is_made_has_left() {
    let rig = Rig::start().await;
    let mut stream = rig.tcp().await;
    stream.write_all(format!("GET /held HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    until(|| rig.held.load(std::sync::atomic::Ordering::SeqCst) == 1).await;
    stream.shutdown().await.unwrap();
    // No permit is ever given: the connection ends because the peer has left, and not because it was answered.
    assert_eq!(read_all(stream).await, "");
    is_served(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_its_half_within_a_body_is_let_go() {
    let rig = Rig::start().await;
    let mut stream = rig.tcp().await;
    let words = format!("POST /length HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100\r\n\r\nhalf");
    stream.write_all(words.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_all(stream).await;
    assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
    is_served(&rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_and_two_hundred_busy_ones_leave_room_for_more() {
    let rig = Rig::start().await;
    let mut idle: Vec<TcpStream> = Vec::new();
    for _ in 0..1000 {
        idle.push(rig.tcp().await);
    }
    let mut busy = JoinSet::new();
    for _ in 0..200 {
        let mut client = rig.http2().await;
        busy.spawn(async move {
            let request = Request::get(format!("https://{HOST}/held")).body(Body::empty()).unwrap();
            text(client.send_request(request).await.unwrap()).await
        });
    }
    until(|| rig.held.load(std::sync::atomic::Ordering::SeqCst) == 200).await;
    is_served(&rig).await;
    rig.gate.add_permits(200);
    while let Some(answer) = busy.join_next().await {
        assert_eq!(answer.unwrap(), "let go");
    }
    // The idle ones were not cut to make room.
    let mut first = idle.swap_remove(0);
    first.write_all(format!("GET /x HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    first.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
}
