//! The face that a test of an application sees. The first two tests are those that the documents print.

use rstest::{fixture, rstest};
use serde_json::json;
use tokenrig::{
    Rig, StartFault,
    time::{hours, minutes},
};

use crate::orders_client;

#[tokio::test]
async fn the_client_reaches_the_private_service() {
    let rig = Rig::builder().given_file("tests/orders.given.yaml").start().await;
    let subject_token = rig.subject_token("corp-oidc", json!({ "sub": "alice", "department": "orders" }));
    let credentials = rig.credential_file("corp-oidc", &subject_token); // external_account JSON, gone with the rig

    let greeting =
        orders_client::connect(rig.uri("orders"), credentials.path(), rig.http_client()).await.unwrap().hello().await;

    assert_eq!(greeting.unwrap(), "hello caller");
    let received = rig.received("orders").await;
    assert_eq!(received[0].claims["email"], rig.service_account("caller").email());
}

#[fixture]
async fn rig() -> Rig {
    Rig::builder().given_file("tests/orders.given.yaml").start().await
}

#[rstest]
#[case::made_for_another_service("https://billing.example.com", 0, "audience")]
#[case::made_an_hour_ago("https://orders.example.com", 61, "times")]
#[tokio::test]
async fn a_wrong_id_token_is_refused(
    #[future(awt)] rig: Rig,
    #[case] audience: &str,
    #[case] age: i64,
    #[case] failed: &str,
) {
    let token = rig.id_token("caller").audience(audience).mint().await;
    rig.clock().advance(minutes(age)).await;

    let answer = rig.http_client().get(rig.uri("orders")).bearer_auth(token).send().await.unwrap();

    assert_eq!(answer.status(), 401);
    let decision = rig.last_decision().await;
    assert_eq!(decision.failed(), Some(failed), "{decision}"); // the message is the whole explanation
}

#[rstest]
#[tokio::test]
async fn a_decision_as_text_is_the_whole_explanation(#[future(awt)] rig: Rig) {
    let token = rig.id_token("caller").audience("https://billing.example.com").without_email().mint().await;
    rig.http_client().get(rig.uri("orders")).bearer_auth(token).send().await.unwrap();
    let decision = rig.last_decision().await;
    assert_eq!(decision.refusal(), Some("run-front-token-unverifiable"));
    let told = decision.to_string();
    for part in ["FAIL  audience", "or https://orders.example.com", "found    https://billing.example.com", "\nhelp: "]
    {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    let received = rig.received("orders").await;
    assert_eq!((received[0].status, &received[0].claims["email"]), (401, &json!(null)));
}

#[rstest]
#[tokio::test]
async fn the_files_of_a_rig_go_with_it(#[future(awt)] rig: Rig) {
    let token = rig.subject_token("partners/corp-oidc", json!({ "sub": "alice" }));
    let [one, other] = [0, 1].map(|_| rig.credential_file("corp-oidc", &token).impersonating("caller"));
    assert_ne!(one.path(), other.path());
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(one.path()).unwrap()).unwrap();
    assert_eq!(written["type"], "external_account");
    let url = written["service_account_impersonation_url"].as_str().unwrap();
    assert!(url.ends_with("/caller@shop-test.iam.gserviceaccount.com:generateAccessToken"), "{url}");
    drop(rig);
    assert!(!one.path().exists());
}

#[rstest]
#[tokio::test]
async fn a_token_has_the_claims_that_were_said_and_the_usual_ones(#[future(awt)] rig: Rig) {
    let claims = |token: &str| tokenrig_jose::peek(token).unwrap().claims;
    let own = claims(&rig.subject_token("corp-oidc", json!({ "sub": "alice" })));
    let project = "1071284184436";
    let provider = format!("projects/{project}/locations/global/workloadIdentityPools/partners/providers/corp-oidc");
    assert_eq!(own["aud"], json!(format!("https://iam.googleapis.com/{provider}")));
    assert_eq!(own["exp"].as_i64(), own["iat"].as_i64().map(|iat| iat + 3600));
    let said = claims(&rig.subject_token("corp-oidc", json!({ "sub": "alice", "aud": "me", "exp": 1 })));
    assert_eq!((&said["aud"], &said["exp"]), (&json!("me"), &json!(1)));
    assert_eq!(claims(&rig.subject_token("corp", json!({}))).get("aud"), None, "an issuer knows no provider");
}

#[tokio::test]
async fn a_wrong_given_document_is_told_as_a_whole() {
    let wrong = "iam.serviceAccounts: { caller: { displayNam: x } }\nrun.service: {}\n";
    let fault = Rig::builder().given(wrong).given("issuers: 5").try_start().await.unwrap_err();
    assert!(matches!(fault, StartFault::Given(_)), "{fault:?}");
    let told = fault.to_string();
    for part in
        ["given:1:34", "did you mean `displayName`?", "given:2:1", "did you mean `run.services`?", "`issuers` is a map"]
    {
        assert!(told.contains(part), "{part} in\n{told}");
    }
}

#[tokio::test]
async fn what_google_refuses_is_told_with_its_place_and_the_exchange() {
    let refused = "iam.serviceAccounts: { x: {} }";
    let told = Rig::builder().given(refused).try_start().await.unwrap_err().to_string();
    for part in ["iam.serviceAccounts.create refused what is given with 400", "given:1:24", "exchange:"] {
        assert!(told.contains(part), "{part} in\n{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told() {
    let told = Rig::builder().given_file("tests/nowhere.given.yaml").try_start().await.unwrap_err().to_string();
    assert!(told.contains("tests/nowhere.given.yaml") && told.contains("cannot read the file"), "{told}");
}

#[tokio::test]
#[should_panic(expected = "there is no service `billing`; there are orders")]
async fn a_name_that_is_not_there_is_told_with_those_that_are() {
    let _ = rig().await.uri("billing");
}

#[tokio::test]
#[should_panic(expected = "there is no provider or issuer `okta`; there are corp-oidc, corp")]
async fn a_provider_that_is_not_there_is_told_with_those_that_are() {
    let _ = rig().await.subject_token("okta", json!({}));
}

/// Two rigs, two clocks, the same names: nothing of one is seen in the other.
#[tokio::test]
async fn rigs_beside_each_other_share_nothing() {
    let (one, other) = (rig().await, rig().await);
    one.clock().advance(hours(2)).await;
    assert!(one.clock().now() > other.clock().now() + hours(1));
    let token = one.id_token("caller").audience(one.uri("orders")).mint().await;
    let answer = other.http_client().get(other.uri("orders")).bearer_auth(&token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), other.last_decision().await.failed()), (401, Some("signature")));
    assert_eq!(one.received("orders").await, []);
}

#[tokio::test]
async fn an_access_token_of_an_account_needs_no_grant() {
    let rig = rig().await;
    let token = rig.access_token("caller");
    let info = rig.http_client().get(format!("https://oauth2.googleapis.com/tokeninfo?access_token={token}"));
    let told: serde_json::Value = info.send().await.unwrap().json().await.unwrap();
    assert_eq!(told["azp"], rig.service_account("caller").unique_id());
}
