//! Bodies that are too large, too slow, or that no handler reads.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::Request;
use hyper::body::Frame;
use tokenrig_clock::real::within;
use tokenrig_gateway::Limits;

use crate::support::*;

/// Sends its frames one by one, each only once the connection has had its turn, and counts itself when it is through.
struct Upload {
    frames: usize,
    frame: Bytes,
    turn: bool,
    through: Arc<AtomicUsize>,
}

impl Upload {
    fn of(frames: usize, size: usize, through: &Arc<AtomicUsize>) -> Body {
        Body::new(Self { frames, frame: vec![b'x'; size].into(), turn: false, through: Arc::clone(through) })
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.turn = !self.turn;
        if self.turn {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.frames == 0 {
            self.through.fetch_add(1, Ordering::SeqCst);
            return Poll::Ready(None);
        }
        self.frames -= 1;
        Poll::Ready(Some(Ok(Frame::data(self.frame.clone()))))
    }
}

fn post(path: &str, body: Body) -> Request<Body> {
    Request::post(format!("https://{HOST}{path}")).body(body).unwrap()
}

#[tokio::test]
async fn bodies_that_no_handler_reads_disturb_no_http2_client() {
    let rig = Rig::start().await;
    let through = Arc::new(AtomicUsize::new(0));
    let mut client = rig.http2().await;
    for n in 1..=60 {
        let answer = client.send_request(post("/unread", Upload::of(20, 10_000, &through))).await.unwrap();
        assert_eq!((answer.status().as_u16(), text(answer).await.as_str()), (200, "not looked at"));
        // Without the drain the stream is reset here and the upload never gets through.
        let all_sent = || through.load(Ordering::SeqCst) == n;
        until(all_sent).await;
    }
}

#[tokio::test]
async fn bodies_of_many_requests_at_once_that_no_handler_reads_disturb_no_http2_client() {
    let rig = Rig::start().await;
    let through = Arc::new(AtomicUsize::new(0));
    let client = rig.http2().await;
    let requests = (0..60).map(|_| client.clone().send_request(post("/unread", Upload::of(20, 10_000, &through))));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(text(answer.unwrap()).await, "not looked at");
    }
    until(|| through.load(Ordering::SeqCst) == 60).await;
}

#[tokio::test]
async fn a_refused_host_disturbs_no_http2_client_either() {
    let rig = Rig::start().await;
    let through = Arc::new(AtomicUsize::new(0));
    let mut client = rig.http2().await;
    let request = Request::post("https://example.com/").body(Upload::of(20, 10_000, &through)).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 421);
    until(|| through.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn an_unread_body_leaves_an_http1_connection_usable() {
    let rig = Rig::start().await;
    let body = "x".repeat(300_000);
    let words = format!(
        "POST /unread HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 300000\r\n\r\n{body}\
         GET /after HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    );
    let answer = say(rig.tcp().await, &words).await;
    assert!(answer.contains("not looked at") && answer.contains("http://sts.googleapis.com/after"), "{answer}");
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_is_not_asked_for_a_body_that_nobody_reads() {
    let rig = Rig::start().await;
    let head = format!("POST /unread HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    let answer = say(rig.tcp().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let head = format!("POST /length HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    let (asked, stream) = connect(rig.tcp().await, &head).await;
    assert!(asked.starts_with("HTTP/1.1 100 "), "{asked}");
    let (answer, _) = connect(stream, "123456789").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn bodies_within_the_limit_are_read_whole_and_larger_ones_answer_413() {
    let rig = Rig::start().await;
    let through = Arc::new(AtomicUsize::new(0));
    let mut client = rig.http2().await;
    let answer = client.send_request(post("/length", Upload::of(160, 65_536, &through))).await.unwrap();
    assert_eq!(text(answer).await, (10 * 1024 * 1024).to_string());
    let answer = client.send_request(post("/length", Upload::of(161, 65_536, &through))).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(text(answer).await, "the request's body is larger than 10485760 bytes\n");
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_answers_413_at_once() {
    let rig = Rig::start().await;
    let head =
        format!("POST /length HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10485761\r\nExpect: 100-continue\r\n\r\n");
    let answer = say(rig.tcp().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // The same from a client that sends first and looks later.
    let dialer = rig.gateway.dialer().http1_only();
    let answer = dialer.fetch(post("/length", Body::from(vec![0; 12_000_000])), PATIENCE, 1024).await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn a_grpc_stream_may_be_longer_than_a_body() {
    let rig = Rig::with(Limits { body: 1000, ..Limits::default() }).await;
    let through = Arc::new(AtomicUsize::new(0));
    let mut client = rig.http2().await;
    let mut request = post("/length", Upload::of(5, 1000, &through));
    request.headers_mut().insert("content-type", "application/grpc+proto".parse().unwrap());
    assert_eq!(text(client.send_request(request).await.unwrap()).await, "5000");
}

#[tokio::test]
async fn a_body_that_does_not_end_answers_408() {
    let rig = Rig::with(Limits { body_time: Duration::from_millis(50), ..Limits::default() }).await;
    let head = format!("POST /length HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\nabc");
    let (answer, _) = connect(rig.tcp().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn an_endless_body_that_nobody_reads_is_answered_and_then_cut() {
    let limits = Limits { linger: Duration::from_millis(100), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let head = format!("POST /unread HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    let (answer, stream) = connect(rig.tcp().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    within(PATIENCE, read_all(stream)).await.unwrap();
}
