//! `POST /v1/introspect`.

use serde_json::json;
use tokenrig_clock::seconds;
use tokenrig_cloud::AccessTokenOrder;

use crate::rig::{ACCESS_TOKEN, Rig, pool_name};

#[tokio::test]
async fn a_federated_token_that_works_is_told() {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(json!({}))).await;
    let token = answer.body["access_token"].as_str().unwrap();
    let told = rig.form("/v1/introspect", &[("token", token), ("token_type_hint", ACCESS_TOKEN)]).await;
    assert_eq!(told.status, 200);
    let expected = json!({
        "active": true,
        "exp": "1768471200",
        "iat": "1768467600",
        "iss": "https://sts.googleapis.com/",
        "scope": "https://www.googleapis.com/auth/iam",
        "sub": told.body["sub"],
        "username": format!("principal://iam.googleapis.com/{}/subject/alice", pool_name()),
    });
    assert_eq!(told.body, expected);
    let record = rig.last();
    assert_eq!((record.of.as_str(), record.answer.status), ("sts.introspect", 200));
    assert!(!serde_json::to_string(&record).unwrap().contains(token));
}

#[tokio::test]
async fn a_token_that_does_not_work_is_not_active() {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(json!({}))).await;
    let token = answer.body["access_token"].as_str().unwrap();
    let active = async |token: &str| {
        let told = rig.form("/v1/introspect", &[("token", token)]).await;
        assert_eq!(told.status, 200);
        told.body["active"] == true
    };
    assert!(active(token).await);
    assert!(!active("ya29.unknown").await);
    assert!(!active(&rig.token(json!({}))).await);
    let order = AccessTokenOrder {
        identity: rig.cloud.owner().identity(),
        scopes: vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()],
        lifetime: seconds(60),
    };
    assert!(!active(rig.cloud.mint().access_token(order).reveal()).await);
    rig.cloud.pools().update(&pool_name(), |pool| pool.disabled = true).unwrap();
    assert!(!active(token).await);
    rig.cloud.pools().update(&pool_name(), |pool| pool.disabled = false).unwrap();
    rig.advance(seconds(3600));
    assert!(!active(token).await);
    assert_eq!(rig.form("/v1/introspect", &[("token", token)]).await.body, json!({ "active": false }));
}

#[tokio::test]
async fn a_request_without_token_or_about_another_kind_is_refused() {
    let rig = Rig::new();
    for fields in [&[("token", "")][..], &[("token", "x"), ("token_type_hint", "refresh_token")]] {
        let answer = rig.form("/v1/introspect", fields).await;
        assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("invalid_request")));
        assert_eq!(rig.refused().0, "request");
    }
}
