//! Tokens of the machine's account.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::{minutes, seconds};
use tokenrig_jose::peek;
use tokenrig_metadata::{Platform, Settings};

use crate::support::Rig;

async fn token(rig: &Rig, query: &str) -> Value {
    rig.get(&format!("instance/service-accounts/default/token{query}")).await.json()
}

async fn claims(rig: &Rig, query: &str) -> Value {
    let answer = rig.get(&format!("instance/service-accounts/default/identity?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Value::Object(peek(&answer.text).unwrap().claims)
}

#[tokio::test]
async fn a_token_is_the_owners_and_stays_until_five_minutes_before_its_end() {
    let rig = Rig::new();
    let first = token(&rig, "").await;
    assert_eq!((&first["expires_in"], &first["token_type"]), (&json!(3600), &json!("Bearer")));
    let caller = rig.cloud.caller(first["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.identity, rig.cloud.owner().identity());

    rig.advance(minutes(55) - seconds(1));
    let same = token(&rig, "").await;
    assert_eq!((&same["access_token"], &same["expires_in"]), (&first["access_token"], &json!(301)));
    rig.advance(seconds(1));
    let other = token(&rig, "").await;
    assert_ne!(other["access_token"], first["access_token"]);
    assert_eq!(other["expires_in"], 3600);
}

#[rstest]
#[case::a_machine(Platform::ComputeEngine, &["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"])]
#[case::serverless(Platform::Serverless, &["https://www.googleapis.com/auth/drive", "openid"])]
#[tokio::test]
async fn scopes_are_honoured_where_there_is_no_machine(#[case] platform: Platform, #[case] scopes: &[&str]) {
    let rig = Rig::with(Settings { platform, ..Settings::default() });
    let asked = token(&rig, "?scopes=https://www.googleapis.com/auth/drive,openid").await;
    let caller = rig.cloud.caller(asked["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.scopes, scopes);
}

#[rstest]
#[case::raw("audience=https://orders.example.com/a&format=standard&licenses=FALSE", "https://orders.example.com/a")]
#[case::encoded("audience=https%3A%2F%2Forders.example.com", "https://orders.example.com")]
#[case::client_id("audience=32555940559.apps.googleusercontent.com", "32555940559.apps.googleusercontent.com")]
#[tokio::test]
async fn an_id_token_is_for_any_audience(#[case] query: &str, #[case] audience: &str) {
    let rig = Rig::new();
    let claims = claims(&rig, query).await;
    assert_eq!(claims["aud"], audience);
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "azp", "exp", "iat", "iss", "sub"]);
}

#[tokio::test]
async fn the_full_format_tells_of_the_machine() {
    let rig = Rig::new();
    let told = claims(&rig, "audience=a&format=full").await;
    assert_eq!((&told["email"], &told["email_verified"]), (&json!(rig.cloud.owner_email()), &json!(true)));
    assert_eq!(
        told["google"]["compute_engine"],
        json!({
            "instance_creation_timestamp": 1_768_467_600,
            "instance_id": "4520031799277581759",
            "instance_name": "tokenrig",
            "project_id": "shop-test",
            "project_number": 1_071_284_184_436_u64,
            "zone": "us-central1-a",
        })
    );
    let told = claims(&rig, "audience=a&format=full&licenses=TRUE").await;
    assert_eq!(told["google"]["compute_engine"]["license_id"], json!(["1000204"]));
}

#[tokio::test]
async fn without_a_machine_an_id_token_has_the_email_and_nothing_else() {
    let rig = Rig::with(Settings { platform: Platform::Serverless, ..Settings::default() });
    for format in ["standard", "full"] {
        let told = claims(&rig, &format!("audience=a&format={format}")).await;
        assert!(told.get("email").is_some() && told.get("google").is_none(), "{told}");
    }
}

#[rstest]
#[case::none("", "metadata-identity-audience-missing")]
#[case::empty("audience=&format=full", "metadata-identity-audience-missing")]
#[case::format("audience=a&format=short", "metadata-parameter-invalid")]
#[case::licenses("audience=a&licenses=SOME", "metadata-parameter-invalid")]
#[tokio::test]
async fn an_id_token_needs_an_audience_and_known_parameters(#[case] query: &str, #[case] id: &str) {
    let rig = Rig::new();
    let answer = rig.get(&format!("instance/service-accounts/default/identity?{query}")).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(rig.cloud.decisions().last().unwrap().refusal.as_deref(), Some(id));
}
