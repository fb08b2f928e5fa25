//! Where an issuer's keys come from, how long they are kept, and what its hosts may not do.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tokenrig_clock::{SignedDuration, seconds};
use tokenrig_cloud::{FetchFault, Fetched};
use tokenrig_jose::{JwkSet, pool};

use crate::rig::{CERTS, DISCOVERY, ISSUER, KID, Rig, certs, page, redirect, signer};

type Answer = Result<Fetched, FetchFault>;

fn millis(millis: i64) -> SignedDuration {
    SignedDuration::from_millis(millis)
}

#[tokio::test]
async fn many_exchanges_that_wait_for_one_issuer_share_one_fetch() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let answers = join_all((0..50).map(|_| rig.exchange(&token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!((rig.hosts.asked(DISCOVERY), rig.hosts.asked(CERTS)), (1, 1));
}

#[tokio::test]
async fn exchanges_that_waited_share_a_failure_too_and_the_next_one_asks_again() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    rig.hosts.put(DISCOVERY, page(503, ""));
    let answers = join_all((0..50).map(|_| rig.exchange(&token))).await;
    assert!(answers.iter().all(|answer| answer.status == 400));
    assert_eq!(rig.hosts.asked(DISCOVERY), 1);
    rig.hosts.put(DISCOVERY, page(200, json!({ "issuer": ISSUER, "jwks_uri": CERTS }).to_string()));
    assert_eq!(rig.exchange(&token).await.status, 200);
}

#[tokio::test]
async fn fetched_keys_are_kept_for_five_seconds_of_the_rigs_clock() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    assert_eq!(rig.exchange(&token).await.status, 200);
    rig.hosts.put(CERTS, certs(&[("new", pool::rsa(11))]));
    rig.advance(millis(4_999));
    assert_eq!(rig.exchange(&token).await.status, 200);
    assert_eq!(rig.hosts.asked(CERTS), 1);
    rig.advance(millis(1));
    assert_eq!(rig.exchange(&token).await.status, 400);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-key-unknown".to_owned()));
    assert_eq!(rig.hosts.asked(CERTS), 2);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_asked_for_at_once_but_once_in_a_second() {
    let rig = Rig::new();
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 200);
    rig.hosts.put(CERTS, certs(&[(KID, signer()), ("next", pool::rsa(11))]));
    assert_eq!(rig.exchange(&rig.token_by("next", pool::rsa(11), json!({}))).await.status, 200);
    assert_eq!(rig.hosts.asked(CERTS), 2);

    let stranger = rig.token_by("stranger", pool::rsa(12), json!({}));
    for _ in 0..3 {
        assert_eq!(rig.exchange(&stranger).await.status, 400);
    }
    assert_eq!(rig.hosts.asked(CERTS), 2);
    rig.advance(seconds(1));
    for _ in 0..3 {
        assert_eq!(rig.exchange(&stranger).await.status, 400);
    }
    assert_eq!(rig.hosts.asked(CERTS), 3);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-key-unknown".to_owned()));
}

#[tokio::test]
async fn who_asks_for_a_strange_key_of_a_dead_issuer_does_not_spoil_the_kept_ones() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    assert_eq!(rig.exchange(&token).await.status, 200);
    rig.hosts.put(DISCOVERY, page(500, ""));
    assert_eq!(rig.exchange(&rig.token_by("stranger", pool::rsa(12), json!({}))).await.status, 400);
    assert_eq!(rig.refused().1, "sts-issuer-unreachable");
    assert_eq!(rig.exchange(&token).await.status, 200);
}

#[tokio::test]
async fn no_issuer_is_asked_for_a_request_that_is_refused_anyway() {
    let rig = Rig::new();
    assert_eq!(rig.exchange(&rig.token(json!({ "iss": "https://evil.example" }))).await.status, 400);
    rig.provider(|provider| provider.disabled = true);
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 400);
    assert_eq!(rig.hosts.asked(DISCOVERY), 0);
}

#[rstest]
#[case::by_name(redirect("https://login.corp.example/2"))]
#[case::by_path(redirect("/2"))]
#[tokio::test]
async fn three_redirects_are_followed_and_no_fourth(#[case] second: Answer) {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let at = |n: usize| format!("{ISSUER}/{n}");
    rig.hosts.put(CERTS, redirect(&at(1)));
    rig.hosts.put(&at(1), second);
    rig.hosts.put(&at(2), redirect(&at(3)));
    rig.hosts.put(&at(3), certs(&[(KID, signer())]));
    assert_eq!(rig.exchange(&token).await.status, 200);

    rig.hosts.put(&at(3), redirect(&at(4)));
    rig.hosts.put(&at(4), certs(&[(KID, signer())]));
    rig.advance(seconds(5));
    assert_eq!(rig.exchange(&token).await.status, 400);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-issuer-unreachable".to_owned()));
    assert_eq!(rig.hosts.asked(&at(4)), 0);
}

fn discovery(document: &serde_json::Value) -> (&'static str, Answer) {
    (DISCOVERY, page(200, document.to_string()))
}

#[rstest]
#[case::another_issuer(discovery(&json!({ "issuer": "https://evil.example", "jwks_uri": CERTS })))]
#[case::no_issuer(discovery(&json!({ "jwks_uri": CERTS })))]
#[case::no_keys(discovery(&json!({ "issuer": ISSUER })))]
#[case::keys_in_clear(discovery(&json!({ "issuer": ISSUER, "jwks_uri": "http://login.corp.example/certs" })))]
#[case::keys_in_a_file(discovery(&json!({ "issuer": ISSUER, "jwks_uri": "file:///etc/passwd" })))]
#[case::no_document((DISCOVERY, page(200, "<html>")))]
#[case::an_issuer_twice((DISCOVERY, page(200, format!(r#"{{"issuer":"{ISSUER}","issuer":"","jwks_uri":"{CERTS}"}}"#))))]
#[case::to_clear((DISCOVERY, redirect("http://login.corp.example/x")))]
#[case::in_circles((DISCOVERY, redirect(DISCOVERY)))]
#[case::not_found((DISCOVERY, page(404, "{}")))]
#[case::another_success((CERTS, page(204, "")))]
#[case::no_key_set((CERTS, page(200, "{}")))]
#[case::a_list((CERTS, page(200, "[]")))]
#[case::too_large((CERTS, Err(FetchFault::TooLarge(1 << 20))))]
#[case::larger_than_a_mebibyte((CERTS, page(200, vec![b' '; (1 << 20) + 1])))]
#[case::late((CERTS, Err(FetchFault::Deadline(std::time::Duration::from_secs(5)))))]
#[case::nobody((DISCOVERY, Err(FetchFault::UnknownHost("login.corp.example".into()))))]
#[tokio::test]
async fn an_issuer_that_does_not_give_its_keys_is_unreachable(#[case] (url, answer): (&'static str, Answer)) {
    let rig = Rig::new();
    rig.hosts.put(url, answer);
    let told = rig.exchange(&rig.token(json!({}))).await;
    assert_eq!(told.status, 400);
    assert_eq!(told.body["error_description"], "Error connecting to the given credential's issuer.");
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-issuer-unreachable".to_owned()));
    let found = rig.last().failed().unwrap().found.clone();
    let (url, why) = found.as_str().unwrap().split_once(": ").unwrap();
    assert!(url.contains("://") && !why.is_empty(), "{found}");
}

#[tokio::test]
async fn nothing_is_asked_for_in_clear_even_if_it_would_be_given() {
    let rig = Rig::new();
    let clear = "http://login.corp.example/certs";
    rig.hosts.put(clear, certs(&[(KID, signer())]));
    let (url, document) = discovery(&json!({ "issuer": ISSUER, "jwks_uri": clear }));
    for (url, answer) in [(url, document), (url, discovery(&json!({ "issuer": ISSUER, "jwks_uri": CERTS })).1)] {
        rig.hosts.put(url, answer);
        rig.hosts.put(CERTS, redirect(clear));
        assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 400);
        assert_eq!(rig.refused().1, "sts-issuer-unreachable");
    }
    assert_eq!(rig.hosts.asked(clear), 0);
}

#[tokio::test]
async fn uploaded_keys_are_used_and_the_issuer_is_not_asked() {
    let rig = Rig::new();
    let set: JwkSet = [pool::ec(3).public().to_jwk("up")].into_iter().collect();
    rig.oidc(|oidc| oidc.jwks_json = serde_json::to_string(&set).unwrap());
    assert_eq!(rig.exchange(&rig.token_by("up", pool::ec(3), json!({}))).await.status, 200);
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 400);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-key-unknown".to_owned()));
    assert_eq!(rig.hosts.asked(DISCOVERY), 0);
    rig.oidc(|oidc| oidc.jwks_json = "{".to_owned());
    assert_eq!(rig.exchange(&rig.token_by("up", pool::ec(3), json!({}))).await.status, 400);
    assert_eq!(rig.refused(), ("key".to_owned(), "sts-uploaded-jwks-malformed".to_owned()));
}

#[tokio::test]
async fn an_issuer_may_be_written_with_a_slash_at_its_end() {
    let rig = Rig::new();
    rig.oidc(|oidc| oidc.issuer_uri = format!("{ISSUER}/"));
    assert_eq!(rig.exchange(&rig.token(json!({}))).await.status, 200);
}
