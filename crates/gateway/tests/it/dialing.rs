//! The client that reaches every host through a gateway.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::{Request, Response};
use rstest::rstest;
use tokenrig_gateway::{Authority, ChooseLeaf, DialError, Dialer, Limits, Shown};

use crate::support::*;

async fn get(dialer: &Dialer, url: &str) -> Result<Response<Bytes>, DialError> {
    dialer.fetch(Request::get(url).body(Body::empty()).unwrap(), PATIENCE, 4096).await
}

#[rstest]
#[case(
    "https://sts.googleapis.com/v1/a%40b//c/../d?e=f%20g",
    "GET https://sts.googleapis.com/v1/a%40b//c/../d?e=f%20g "
)]
#[case("http://metadata.google.internal/x", "GET http://metadata.google.internal/x host=metadata.google.internal ")]
#[case("https://sts.googleapis.com:8443", "GET https://sts.googleapis.com:8443/ host=sts.googleapis.com:8443 ")]
#[tokio::test]
async fn a_url_arrives_byte_for_byte_by_either_protocol(#[case] url: &str, #[case] expected: &str) {
    let rig = Rig::start().await;
    for dialer in [rig.gateway.dialer(), rig.gateway.dialer().http1_only(), rig.gateway.dialer().unpooled()] {
        let answer = get(&dialer, url).await.unwrap();
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(body.starts_with(expected), "{body}");
    }
}

#[tokio::test]
async fn a_host_that_nobody_plays_is_told_apart_from_an_answer() {
    let rig = Rig::start().await;
    for url in ["https://example.com/", "http://example.com/"] {
        let error = get(&rig.gateway.dialer(), url).await.unwrap_err();
        assert!(matches!(&error, DialError::NotPlayed(host) if host == "example.com"), "{error:?}");
    }
}

#[tokio::test]
async fn an_unpooled_client_sees_a_certificate_that_has_gone_wrong() {
    let wrong = Arc::new(AtomicBool::new(false));
    let choose: ChooseLeaf = Arc::new({
        let wrong = Arc::clone(&wrong);
        move |_| if wrong.load(Ordering::SeqCst) { Shown::SelfSigned } else { Shown::Trusted }
    });
    let rig = Rig::of(Limits::default(), Authority::new().unwrap().choosing(choose)).await;
    let dialer = rig.gateway.dialer().unpooled();
    get(&dialer, "https://sts.googleapis.com/").await.unwrap();
    wrong.store(true, Ordering::SeqCst);
    let error = get(&dialer, "https://sts.googleapis.com/").await.unwrap_err();
    assert!(matches!(&error, DialError::Untrusted { host, .. } if host == HOST), "{error:?}");
    wrong.store(false, Ordering::SeqCst);
    get(&dialer, "https://sts.googleapis.com/").await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_has_gone_is_unreachable() {
    let rig = Rig::start().await;
    let dialer = rig.gateway.dialer();
    rig.gateway.shutdown(PATIENCE).await;
    let error = get(&dialer, "https://sts.googleapis.com/").await.unwrap_err();
    assert!(matches!(error, DialError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_late_or_long_is_given_up() {
    let rig = Rig::start().await;
    let dialer = rig.gateway.dialer();
    let request = |path: &str| Request::get(format!("https://{HOST}{path}")).body(Body::empty()).unwrap();
    let error = dialer.fetch(request("/held"), Duration::from_millis(20), 100).await.unwrap_err();
    assert!(matches!(error, DialError::Late { .. }), "{error:?}");
    let error = dialer.fetch(request("/x"), PATIENCE, 10).await.unwrap_err();
    assert!(matches!(error, DialError::TooLong { limit: 10, .. }), "{error:?}");
}

#[rstest]
#[case("/v1/token?secret")]
#[case("ftp://sts.googleapis.com/?secret")]
#[tokio::test]
async fn only_absolute_http_urls_are_dialed_and_the_query_is_kept_out_of_the_error(#[case] url: &str) {
    let rig = Rig::start().await;
    let error = get(&rig.gateway.dialer(), url).await.unwrap_err();
    assert!(matches!(error, DialError::Target(_)) && !error.to_string().contains("secret"), "{error}");
}
