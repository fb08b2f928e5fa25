//! Federation to Cloud Run, from a provider's token to the echo of a private service.

use serde_json::json;
use tokenrig::Rig;

use crate::shop::{CALLER, ORDERS, Shop};

#[tokio::test]
async fn a_workload_reaches_the_private_service() {
    let shop = Shop::open(Rig::builder()).await;
    let [_, _, id_token] = shop.tokens().await;
    let echo = shop.get(&format!("{ORDERS}/hello"), Some(&id_token)).await;
    assert_eq!(echo.status, 200, "{}", echo.body);
    assert_eq!(echo.body["path"], "/hello");
    let authorization =
        echo.body["headers"]["authorization"].as_str().or(echo.body["headers"]["Authorization"].as_str());
    assert!(authorization.is_some_and(|seen| seen.ends_with("SIGNATURE_REMOVED_BY_GOOGLE")), "{}", echo.body);
    let received = shop.rig.core().received("orders", 0).unwrap();
    assert_eq!(received[0]["claims"]["email"], json!(CALLER));
    assert_eq!(shop.failed(), None);
}

#[tokio::test]
async fn who_is_not_granted_gets_no_id_token() {
    let shop = Shop::open(Rig::builder()).await;
    let federated = shop.exchange(&shop.subject_token("bob")).await.text("access_token");
    let refused = shop.id_token(&federated, ORDERS).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(shop.failed().as_deref(), Some("permission"));
}

#[tokio::test]
async fn a_token_for_another_service_is_not_let_in() {
    let shop = Shop::open(Rig::builder()).await;
    let [_, federated, _] = shop.tokens().await;
    let id_token = shop.id_token(&federated, "https://billing.example.com").await.text("token");
    assert_eq!(shop.get(ORDERS, Some(&id_token)).await.status, 401);
    assert_eq!(shop.failed().as_deref(), Some("audience"));
}

#[tokio::test]
async fn a_host_that_is_not_played_is_refused_and_listed() {
    let shop = Shop::open(Rig::builder()).await;
    let request = http::Request::get("https://example.com/").body(axum::body::Body::empty()).unwrap();
    assert!(shop.rig.dialer().send(request).await.is_err());
    let hosts: Vec<String> = shop.rig.refused_hosts().hosts.into_iter().map(|refused| refused.host).collect();
    assert_eq!(hosts, ["example.com"]);
}

#[tokio::test]
async fn a_method_that_is_not_played_says_so_and_is_listed() {
    let shop = Shop::open(Rig::builder()).await;
    let answer = shop.get("https://run.googleapis.com/v1/nothing", None).await;
    assert_eq!((answer.status, &answer.body["error"]["status"]), (501, &json!("UNIMPLEMENTED")));
    assert_eq!(shop.rig.unplayed_methods(), [("GET run.googleapis.com/v1/nothing".to_owned(), 1)]);
}
