//! The control address of a running rig.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    serve::{Rig, SHOP},
    support::{Home, ask},
};

async fn shop(home: &Home) -> Rig {
    home.write("shop.given.yaml", SHOP);
    Rig::serve(home, &["--given", "shop.given.yaml"]).await
}

#[tokio::test]
async fn it_is_healthy_once_it_is_there() {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    assert_eq!(rig.get("/healthz").await, json!({ "status": "ok" }));
    rig.end().await;
}

#[rstest]
#[case::by_its_address("127.0.0.1:1", None, 200)]
#[case::by_name("localhost", None, 200)]
#[case::by_a_name_that_a_page_made_point_here("rig.evil.example", None, 403)]
#[case::by_a_name_that_ends_like_ours("x.localhost", None, 403)]
#[case::from_a_page("localhost", Some("https://evil.example"), 403)]
#[case::from_a_page_without_origin("localhost", Some("null"), 403)]
#[tokio::test]
async fn it_answers_to_this_machine_and_to_no_page(
    #[case] host: &str,
    #[case] origin: Option<&str>,
    #[case] status: u16,
) {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    let mut headers = vec![("host", host)];
    headers.extend(origin.map(|origin| ("origin", origin)));
    for request in ["GET /healthz", "GET /state", "GET /decisions"] {
        assert_eq!(ask(rig.control(), request, &headers, "").await.status, status, "{request}");
    }
    rig.end().await;
}

#[tokio::test]
async fn decisions_tell_who_was_let_in_and_why_not() {
    let home = Home::new();
    let rig = shop(&home).await;
    let before = rig.get("/decisions").await["decisions"].as_array().unwrap().last().unwrap()["seq"].as_u64().unwrap();
    let id_token = rig.owner("identity?audience=elsewhere").await;
    assert_eq!(rig.call_orders(Some(&id_token)).await, 401);
    let since = rig.get(&format!("/decisions?surface=cloud-run-front&since={before}")).await;
    let [decision] = since["decisions"].as_array().unwrap().as_slice() else { panic!("one decision: {since}") };
    assert_eq!(decision["answer"]["status"], 401);
    assert_eq!(decision["surface"], "cloud-run-front");
    assert_eq!(decision["refusal"], "run-front-token-unverifiable");
    let checks: Vec<(&str, bool)> = decision["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["name"].as_str().unwrap(), check["ok"].as_bool().unwrap()))
        .collect();
    let failed: Vec<&str> = checks.iter().filter(|(_, ok)| !ok).map(|(name, _)| *name).collect();
    assert_eq!(failed, ["audience"], "{checks:?}");
    assert!(decision["mend"].as_str().unwrap().contains("audience"), "{decision}");
    assert!(!since.to_string().contains(&id_token));
    rig.end().await;
}

#[rstest]
#[case::an_unknown_word("/decisions?from=1")]
#[case::no_number("/decisions?since=yesterday")]
#[tokio::test]
async fn a_wrong_question_is_told(#[case] path: &str) {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    let answer = ask(rig.control(), &format!("GET {path}"), &[], "").await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].is_string(), "{}", answer.body);
    rig.end().await;
}

#[tokio::test]
async fn what_reached_a_service_is_told_refused_requests_too() {
    let home = Home::new();
    let rig = shop(&home).await;
    let id_token = rig.owner("identity?audience=orders&format=full").await;
    assert_eq!(rig.call_orders(None).await, 403);
    assert_eq!(rig.call_orders(Some(&id_token)).await, 200);
    let received = rig.get("/received/orders").await;
    let [refused, let_in] = received["requests"].as_array().unwrap().as_slice() else { panic!("two: {received}") };
    assert_eq!((&refused["status"], &refused["token"]), (&json!(403), &Value::Null));
    assert_eq!((&let_in["status"], &let_in["method"], &let_in["path"]), (&json!(200), &json!("GET"), &json!("/hello")));
    assert_eq!(let_in["claims"]["aud"], "orders");
    assert_eq!(let_in["token"]["header"]["alg"], "RS256");
    assert!(!received.to_string().contains(&id_token), "tokens are never told whole");
    let since = rig.get(&format!("/received/orders?since={}", refused["seq"])).await;
    assert_eq!(since["requests"], json!([let_in]));
    let named = rig.get("/received/projects/shop-test/locations/us-central1/services/orders").await;
    assert_eq!(named, received);
    assert_eq!(ask(rig.control(), "GET /received/billing", &[], "").await.status, 404);
    rig.end().await;
}

#[tokio::test]
async fn the_clock_moves_ahead_only() {
    let home = Home::new();
    let rig = Rig::serve(&home, &["--now", "2031-03-02T09:00:00Z"]).await;
    let moved = ask(rig.control(), "POST /clock/advance", &[], r#"{"duration":"90s"}"#).await;
    assert!(moved.json()["now"].as_str().unwrap().starts_with("2031-03-02T09:01:3"), "{}", moved.body);
    for body in [r#"{"to":"2031-03-02T09:00:00Z"}"#, r#"{"duration":"-1s"}"#, r#"{"duration":"soon"}"#, "{}", ""] {
        let answer = ask(rig.control(), "POST /clock/advance", &[], body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    assert_eq!(ask(rig.control(), "GET /clock/advance", &[], "").await.status, 405);
    rig.end().await;
}

#[tokio::test]
async fn the_state_is_a_given_document() {
    let home = Home::new();
    let rig = shop(&home).await;
    let state = rig.get("/state").await;
    rig.end().await;
    insta::with_settings!({ filters => vec![(r#""seed": "[0-9a-f]{16}""#, r#""seed": "SEED""#)] }, {
        insta::assert_snapshot!(format!("{state:#}"), @r#"
        {
          "project": {
            "projectId": "shop-test",
            "projectNumber": "1071284184436",
            "location": "us-central1"
          },
          "settings": {
            "seed": "SEED"
          },
          "issuers": {
            "corp": {
              "issuer": "https://corp.idp.tokenrig.test",
              "misbehaves": "none"
            }
          },
          "iam.workloadIdentityPools": {
            "partners": {
              "providers": {
                "corp-oidc": {
                  "oidc": {
                    "issuerUri": "https://corp.idp.tokenrig.test"
                  },
                  "attributeMapping": {
                    "google.subject": "assertion.sub"
                  }
                }
              }
            }
          },
          "iam.serviceAccounts": {
            "caller": {
              "displayName": "What the workload acts as",
              "iamPolicy": {
                "bindings": [
                  {
                    "role": "roles/iam.workloadIdentityUser",
                    "members": [
                      "principal://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/partners/subject/alice"
                    ]
                  }
                ]
              }
            }
          },
          "run.services": {
            "orders": {
              "location": "us-central1",
              "customAudiences": [
                "orders"
              ],
              "iamPolicy": {
                "bindings": [
                  {
                    "role": "roles/run.invoker",
                    "members": [
                      "serviceAccount:tokenrig-owner@shop-test.iam.gserviceaccount.com"
                    ]
                  }
                ]
              }
            }
          }
        }
        "#);
    });
}

#[tokio::test]
async fn nothing_is_delivered_yet_so_there_are_no_attempts() {
    let home = Home::new();
    let rig = Rig::serve(&home, &[]).await;
    assert_eq!(rig.get("/attempts?since=0").await, json!({ "attempts": [] }));
    assert_eq!(ask(rig.control(), "GET /nothing", &[], "").await.status, 404);
    rig.end().await;
}
