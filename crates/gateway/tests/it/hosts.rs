//! Hosts that nobody plays, requests that are for no host, handlers that panic.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use rstest::rstest;
use tokenrig_gateway::{Authority, ChooseLeaf, Limits, RefusedHost, Shown};

use crate::support::*;

#[rstest]
#[case::connect("CONNECT Example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nConnection: close\r\n\r\n", 403)]
#[case::connect_as_python_does("CONNECT example.com:443 HTTP/1.0\r\n\r\n", 403)]
#[case::absolute_form("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 403)]
#[case::origin_form("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 421)]
#[tokio::test]
async fn a_host_that_nobody_plays_is_refused_and_counted(#[case] words: &str, #[case] status: u16) {
    let rig = Rig::start().await;
    let answer = say(rig.tcp().await, words).await;
    assert!(answer.split(' ').nth(1) == Some(&status.to_string()), "{answer}");
    assert_eq!(body_of(&answer), "this rig does not play the host example.com\n");
    let refused = rig.gateway.refused_hosts();
    assert_eq!(refused.hosts, [RefusedHost { host: "example.com".into(), count: 1 }]);
}

#[tokio::test]
async fn a_host_that_nobody_plays_is_refused_inside_tls_with_a_certificate_that_holds() {
    let rig = Rig::start().await;
    let stream = rig.tls(rig.tcp().await, "example.com", &["http/1.1"]).await;
    let answer = say(stream, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    assert_eq!(rig.gateway.refused_hosts().hosts.len(), 1);
}

#[tokio::test]
async fn hosts_that_are_played_are_not_counted_as_refused() {
    let rig = Rig::start().await;
    drop(rig.tunnel().await);
    assert_eq!(rig.gateway.refused_hosts(), tokenrig_gateway::Refused::default());
}

#[rstest]
#[case::no_host("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "the request names no host\n")]
#[case::two_hosts(
    "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\nConnection: close\r\n\r\n",
    400,
    "the request names more than one host\n"
)]
#[case::strange_host(
    "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    400,
    "the request's host is no host name\n"
)]
#[tokio::test]
async fn a_request_for_no_one_host_is_refused(#[case] words: &str, #[case] status: u16, #[case] line: &str) {
    let rig = Rig::start().await;
    let answer = say(rig.tcp().await, words).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert_eq!(body_of(&answer), line);
}

#[tokio::test]
async fn a_tunnel_inside_a_tunnel_is_refused() {
    let rig = Rig::start().await;
    let words = "CONNECT sts.googleapis.com:443 HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = say(rig.tunnel().await, words).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_others_are_served() {
    let rig = Rig::start().await;
    let words = "GET /panic HTTP/1.1\r\nHost: sts.googleapis.com\r\n\r\n\
                 GET /after HTTP/1.1\r\nHost: sts.googleapis.com\r\nConnection: close\r\n\r\n";
    let answer = say(rig.tcp().await, words).await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("\r\n\r\ninternal error\n"), "{answer}");
    assert!(answer.contains("http://sts.googleapis.com/after"), "{answer}");
    let mut client = rig.http2().await;
    let request = Request::get(format!("https://{HOST}/panic")).body(Body::empty()).unwrap();
    assert_eq!(client.send_request(request).await.unwrap().status(), 500);
}

#[tokio::test]
async fn a_host_may_show_a_wrong_certificate() {
    let choose: ChooseLeaf = Arc::new(|host| if host == METADATA { Shown::SelfSigned } else { Shown::Trusted });
    let rig = Rig::of(Limits::default(), Authority::new().unwrap().choosing(choose)).await;
    rig.try_tls(rig.tcp().await, METADATA, &["h2"]).await.unwrap_err();
    rig.try_tls(rig.tcp().await, HOST, &["h2"]).await.unwrap();
}
