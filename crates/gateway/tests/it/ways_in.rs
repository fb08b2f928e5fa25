//! Every way by which a client reaches a host.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use rstest::rstest;
use tokenrig_gateway::{DialError, Limits, Plain};
use tokio::net::TcpStream;

use crate::support::*;

#[tokio::test]
async fn http2_through_connect_reaches_the_host() {
    let rig = Rig::start().await;
    let stream = rig.tls(rig.tunnel().await, HOST, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let mut client = http2(stream).await;
    let request = Request::get(format!("https://{HOST}/v1/a%40b?c=d")).body(Body::empty()).unwrap();
    let answer = text(client.send_request(request).await.unwrap()).await;
    assert_eq!(
        answer,
        r#"GET https://sts.googleapis.com/v1/a%40b?c=d host=sts.googleapis.com sni=Some("sts.googleapis.com") connect=Some("sts.googleapis.com:443")"#
    );
}

#[tokio::test]
async fn the_way_inside_reaches_the_host_as_a_connection_does() {
    let rig = Rig::start().await;
    let get = |url: &str| Request::get(url).body(Body::empty()).unwrap();
    let url = format!("https://{HOST}/v1/a%40b?c=d");
    let inside = rig.gateway.inside().send(get(&url)).await.unwrap();
    let told = inside.into_body().collect().await.unwrap().to_bytes();
    let dialed = rig.gateway.dialer().send(get(&url)).await.unwrap();
    assert_eq!(told, dialed.into_body().collect().await.unwrap().to_bytes());
    assert!(told.starts_with(b"GET https://sts.googleapis.com/v1/a%40b?c=d host=sts.googleapis.com "));

    let refused = rig.gateway.inside().send(get("https://example.com/")).await.unwrap_err();
    assert!(matches!(refused, DialError::NotPlayed(host) if host == "example.com"));
}

#[rstest]
#[case::chosen(&["http/1.1"], Some(b"http/1.1".as_slice()))]
#[case::not_spoken_of(&[], None)]
#[tokio::test]
async fn http1_through_connect_reaches_the_host(#[case] offered: &[&str], #[case] selected: Option<&[u8]>) {
    let rig = Rig::start().await;
    let stream = rig.tls(rig.tunnel().await, HOST, offered).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), selected);
    let answer = say(stream, "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(body_of(&answer).starts_with("GET https://sts.googleapis.com/x host=sts.googleapis.com "), "{answer}");
}

#[tokio::test]
async fn python_connects_by_http_1_0_without_a_host_header() {
    let rig = Rig::start().await;
    let (answer, stream) = connect(rig.tcp().await, "CONNECT sts.googleapis.com:443 HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 ") || answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let stream = rig.tls(stream, HOST, &["http/1.1"]).await;
    let answer = say(stream, "GET /x HTTP/1.0\r\n\r\n").await;
    assert!(body_of(&answer).starts_with("GET https://sts.googleapis.com/x host=sts.googleapis.com "), "{answer}");
}

#[tokio::test]
async fn a_hello_sent_with_the_connect_request_is_not_lost() {
    let rig = Rig::start().await;
    let words = "CONNECT metadata.google.internal:80 HTTP/1.1\r\nHost: metadata.google.internal:80\r\n\r\n\
                 GET /x HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n\r\n";
    let answer = say(rig.tcp().await, words).await;
    assert!(answer.ends_with("connect=Some(\"metadata.google.internal:80\")"), "{answer}");
}

#[tokio::test]
async fn node_speaks_in_clear_through_connect_to_port_80() {
    let rig = Rig::start().await;
    let head = "CONNECT metadata.google.internal:80 HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: keep-alive\r\n\r\n";
    let (_, stream) = connect(rig.tcp().await, head).await;
    let answer = say(stream, "GET /x HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n\r\n").await;
    assert!(
        body_of(&answer).starts_with("GET http://metadata.google.internal/x host=metadata.google.internal sni=None")
    );
}

#[tokio::test]
async fn tls_straight_to_the_port_is_routed_by_the_host_and_not_by_the_server_name() {
    let rig = Rig::start().await;
    let stream = rig.tls(rig.tcp().await, "iam.googleapis.com", &["http/1.1"]).await;
    let answer = say(stream, "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains(r#"https://sts.googleapis.com/x host=sts.googleapis.com sni=Some("iam.googleapis.com")"#));
}

#[tokio::test]
async fn a_client_without_server_name_gets_the_certificate_with_the_address() {
    let rig = Rig::start().await;
    let stream = rig.tls(rig.tcp().await, "127.0.0.1", &["http/1.1"]).await;
    let answer = say(stream, "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("https://sts.googleapis.com/x host=sts.googleapis.com sni=None"), "{answer}");
}

#[rstest]
#[case::absolute_form("GET http://metadata.google.internal/x HTTP/1.1\r\nHost: other.example\r\n")]
#[case::origin_form("GET /x HTTP/1.1\r\nHost: metadata.google.internal\r\n")]
#[tokio::test]
async fn requests_in_clear_reach_the_host(#[case] head: &str) {
    let rig = Rig::start().await;
    let answer = say(rig.tcp().await, &format!("{head}Connection: close\r\n\r\n")).await;
    assert_eq!(
        body_of(&answer),
        "GET http://metadata.google.internal/x host=metadata.google.internal sni=None connect=None"
    );
}

#[tokio::test]
async fn http2_in_clear_with_prior_knowledge_is_understood() {
    let rig = Rig::start().await;
    let mut client = http2(rig.tcp().await).await;
    let request = Request::get(format!("http://{HOST}/x")).body(Body::empty()).unwrap();
    assert!(text(client.send_request(request).await.unwrap()).await.starts_with("GET http://sts.googleapis.com/x "));
}

#[tokio::test]
async fn a_proxy_may_itself_be_reached_by_tls() {
    let rig = Rig::start().await;
    let proxy = rig.tls(rig.tcp().await, "localhost", &["http/1.1"]).await;
    let (answer, stream) = connect(proxy, "CONNECT sts.googleapis.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let stream = rig.tls(stream, HOST, &["http/1.1"]).await;
    let answer = say(stream, "GET /x HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("https://sts.googleapis.com/x"), "{answer}");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let rig = Rig::start().await;
    let words = "GET /1 HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n\
                 GET /2 HTTP/1.1\r\nHost: metadata.google.internal\r\nConnection: close\r\n\r\n";
    let answer = say(rig.tcp().await, words).await;
    assert!(answer.contains("http://sts.googleapis.com/1") && answer.contains("http://metadata.google.internal/2"));
}

#[tokio::test]
async fn a_plain_listener_hands_requests_on_as_they_come_and_is_no_proxy() {
    let router = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        format!("{} {:?}", request.uri(), request.headers().get("host"))
    });
    let plain = Plain::start(HERE.parse().unwrap(), router, Limits::default()).await.unwrap();
    let stream = || async { TcpStream::connect(plain.addr()).await.unwrap() };
    let answer = say(stream().await, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").await;
    assert_eq!(body_of(&answer), r#"/healthz Some("evil.example")"#);
    let answer = say(stream().await, "CONNECT sts.googleapis.com:443 HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert_eq!(say(stream().await, "\x16\x03\x01\x01\x01").await, "");
}
