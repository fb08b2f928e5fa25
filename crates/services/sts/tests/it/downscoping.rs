//! Access tokens that are made to permit less.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::minutes;
use tokenrig_cloud::AccessTokenOrder;
use tokenrig_policy::{Attributes, Identity};

use crate::rig::{ACCESS_TOKEN, Answer, EXCHANGE, Rig};

const ORDERS: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn access_token(rig: &Rig, identity: Identity) -> String {
    let order = AccessTokenOrder { identity, scopes: vec![SCOPE.to_owned()], lifetime: minutes(30) };
    rig.cloud.mint().access_token(order).reveal().to_owned()
}

fn viewer() -> Value {
    let rule = json!({ "availableResource": ORDERS, "availablePermissions": ["inRole:roles/run.viewer"] });
    json!({ "accessBoundary": { "accessBoundaryRules": [rule] } })
}

async fn downscope(rig: &Rig, token: &str, options: &str) -> Answer {
    let fields = [
        ("grant_type", EXCHANGE),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token_type", ACCESS_TOKEN),
        ("subject_token", token),
        ("options", options),
    ];
    rig.form("/v1/token", &fields).await
}

#[rstest]
#[case::once(viewer().to_string())]
#[case::twice(form_urlencoded::byte_serialize(viewer().to_string().as_bytes()).collect::<String>().replace('+', "%20"))]
#[tokio::test]
async fn a_downscoped_token_is_the_same_principals_and_permits_only_what_the_boundary_says(#[case] options: String) {
    let rig = Rig::new();
    let owner = rig.cloud.owner().identity();
    let source = access_token(&rig, owner.clone());
    let answer = downscope(&rig, &source, &options).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.body["access_token"].as_str().unwrap();
    // The end is that of the source: no `expires_in`.
    let expected = json!({ "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer" });
    assert_eq!(answer.body, expected);
    assert!(rig.last().checks.iter().map(|check| check.name.as_str()).eq(["request", "token"]));

    let caller = rig.cloud.caller(token).unwrap();
    assert_eq!((&caller.identity, caller.scopes.as_slice()), (&owner, &[SCOPE.to_owned()][..]));
    assert_eq!(caller.expires_at, rig.cloud.caller(&source).unwrap().expires_at);
    let may = |permission| rig.cloud.permit(&caller, permission, ORDERS, &Attributes::at(rig.cloud.now())).granted();
    assert!(may("run.services.get"));
    assert!(!may("run.services.delete"));
    assert!(!serde_json::to_string(&rig.last()).unwrap().contains(&source));
}

#[tokio::test]
async fn a_token_that_is_downscoped_is_not_downscoped_again() {
    let rig = Rig::new();
    let source = access_token(&rig, rig.cloud.owner().identity());
    let answer = downscope(&rig, &source, &viewer().to_string()).await;
    let again = downscope(&rig, answer.body["access_token"].as_str().unwrap(), &viewer().to_string()).await;
    assert_eq!((again.status, again.body["error"].as_str()), (400, Some("invalid_request")));
    assert_eq!(rig.refused(), ("token".to_owned(), "sts-downscope-token-restricted".to_owned()));
    // The source may be, as often as one likes.
    assert_eq!(downscope(&rig, &source, &viewer().to_string()).await.status, 200);
}

#[tokio::test]
async fn a_federated_token_is_not_downscoped() {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(json!({}))).await;
    downscope(&rig, answer.body["access_token"].as_str().unwrap(), &viewer().to_string()).await;
    assert_eq!(rig.refused(), ("token".to_owned(), "sts-downscope-token-federated".to_owned()));
}

#[tokio::test]
async fn a_token_that_does_not_work_is_not_downscoped() {
    let rig = Rig::new();
    let source = access_token(&rig, rig.cloud.owner().identity());
    rig.advance(minutes(30));
    for token in ["ya29.unknown", &rig.token(json!({})), &source] {
        assert_eq!(downscope(&rig, token, &viewer().to_string()).await.status, 400);
        assert_eq!(rig.refused(), ("token".to_owned(), "sts-downscope-token-invalid".to_owned()));
    }
}

#[rstest]
#[case::none("", "an access token is exchanged by an `accessBoundary`")]
#[case::no_rules(r#"{"accessBoundary":{}}"#, "`accessBoundaryRules` is no list")]
#[case::long(&json!({ "accessBoundary": { "accessBoundaryRules": ["x".repeat(2048)] } }).to_string(), "`accessBoundary` is longer than 2048 characters")]
#[tokio::test]
async fn a_boundary_that_is_none_is_refused_by_its_place(#[case] options: &str, #[case] told: &str) {
    let rig = Rig::new();
    let answer = downscope(&rig, &access_token(&rig, rig.cloud.owner().identity()), options).await;
    assert_eq!(answer.status, 400);
    assert_eq!(rig.refused(), ("request".to_owned(), "sts-options-invalid".to_owned()));
    let mend = rig.last().mend.unwrap();
    assert_eq!(mend, format!("correct `options`: {told}"));
}
