//! Rigs beside each other.

use tokenrig::{Rig, RigBuilder, Settings, Time};
use tokenrig_clock::minutes;

use crate::shop::{ORDERS, Shop};

const NINE: &str = "2026-01-15T09:00:00Z";

fn seeded(seed: &str) -> RigBuilder {
    let settings = Settings { seed: seed.to_owned(), ..Settings::default() };
    Rig::builder().settings(settings).time(Time::StandingAt(NINE.parse().unwrap()))
}

#[tokio::test]
async fn a_token_of_one_rig_is_unknown_to_the_other() {
    let (one, other) = (Shop::open(Rig::builder()).await, Shop::open(Rig::builder()).await);
    let [subject, federated, id_token] = one.tokens().await;

    assert_eq!(other.exchange(&subject).await.status, 400);
    assert_eq!(other.failed().as_deref(), Some("key"));
    assert_eq!(other.id_token(&federated, ORDERS).await.status, 401);
    assert_eq!(other.failed().as_deref(), Some("credential"));
    assert_eq!(other.get(ORDERS, Some(&id_token)).await.status, 401);
    assert_eq!(other.failed().as_deref(), Some("signature"));

    assert_eq!(one.get(ORDERS, Some(&id_token)).await.status, 200);
}

#[tokio::test]
async fn the_same_seed_on_a_standing_clock_makes_the_same_tokens() {
    let (one, other) = (Shop::open(seeded("7d3f")).await, Shop::open(seeded("7d3f")).await);
    assert_eq!(one.tokens().await, other.tokens().await);
    assert_eq!(one.rig.core().state(), other.rig.core().state());
}

#[tokio::test]
async fn another_seed_makes_other_tokens() {
    let (one, other) = (Shop::open(seeded("7d3f")).await, Shop::open(seeded("7d40")).await);
    let (tokens, others) = (one.tokens().await, other.tokens().await);
    for (token, other) in tokens.iter().zip(&others) {
        assert_ne!(token, other);
    }
}

#[tokio::test]
async fn clocks_are_moved_one_by_one() {
    let (one, other) = (Shop::open(seeded("7d3f")).await, Shop::open(seeded("7d3f")).await);
    let ([.., late], [.., early]) = (one.tokens().await, other.tokens().await);
    let later = one.rig.core().cloud().now() + minutes(61);
    one.rig.core().advance(later).await.unwrap();
    assert_eq!(one.get(ORDERS, Some(&late)).await.status, 401);
    assert_eq!(one.failed().as_deref(), Some("times"));
    assert_eq!(other.get(ORDERS, Some(&early)).await.status, 200);
}

#[tokio::test]
async fn a_rig_that_is_dropped_answers_no_longer() {
    let rig = Rig::builder().start().await;
    let (gateway, dialer, folder) = (rig.gateway_addr(), rig.dialer().clone(), rig.folder().unwrap());
    assert!(folder.exists());
    drop(rig);
    assert!(!folder.exists());
    let request = http::Request::get("https://sts.googleapis.com/").body(axum::body::Body::empty()).unwrap();
    assert!(dialer.send(request).await.is_err(), "{gateway} still answers");
}

#[tokio::test]
async fn a_rig_does_not_start_where_another_listens() {
    let rig = Rig::builder().start().await;
    let fault = Rig::builder().listen(rig.gateway_addr()).try_start().await.unwrap_err();
    assert!(fault.to_string().starts_with(&format!("listen at {}", rig.gateway_addr())), "{fault}");
}
