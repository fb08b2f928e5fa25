use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_jose::pool;

use crate::{
    pools::{self, NAME, POOLS},
    rig::{IAM, Rig},
};

const ISSUER: &str = "https://login.corp.example";

fn provider() -> Value {
    json!({
        "disabled": false,
        "oidc": { "issuerUri": ISSUER, "allowedAudiences": ["https://iam.example/partners"] },
        "attributeMapping": { "google.subject": "assertion.sub", "attribute.department": "assertion.department" },
        "attributeCondition": "assertion.department == 'sales'",
    })
}

/// The provider with one more or other member; `oidc.jwksJson` goes a level down.
fn with(name: &str, value: Value) -> Value {
    let mut provider = provider();
    match name.split_once('.') {
        Some((outer, inner)) => provider[outer][inner] = value,
        None => provider[name] = value,
    }
    provider
}

async fn create(rig: &Rig, id: &str, provider: Value) -> (u16, Value) {
    rig.post(&format!("{POOLS}/partners/providers?workloadIdentityPoolProviderId={id}"), provider).await
}

async fn rig() -> Rig {
    let rig = Rig::new();
    pools::create(&rig, "partners").await;
    rig
}

#[tokio::test]
async fn a_provider_is_made_read_and_listed() {
    let rig = rig().await;
    let (status, operation) = create(&rig, "corp-oidc", provider()).await;
    assert_eq!((status, &operation["done"]), (200, &json!(true)));
    let (_, got) = rig.get(&format!("{POOLS}/partners/providers/corp-oidc")).await;
    assert_eq!(got["name"], format!("{NAME}/providers/corp-oidc"));
    assert_eq!((&got["oidc"], &got["attributeMapping"]), (&provider()["oidc"], &provider()["attributeMapping"]));
    let (_, list) = rig.get(&format!("{POOLS}/partners/providers?showDeleted=False")).await;
    assert_eq!(list["workloadIdentityPoolProviders"], json!([got]));
    assert_eq!(rig.get(&format!("/v1/{}", operation["name"].as_str().unwrap())).await.0, 200);
    let answer = create(&rig, "corp-oidc", provider()).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "wif-provider-create-exists"));
}

fn jwk(change: impl FnOnce(&mut Value)) -> Value {
    let mut jwk = serde_json::to_value(pool::rsa(0).public().to_jwk("k")).unwrap();
    change(&mut jwk);
    json!(json!({ "keys": [jwk] }).to_string())
}

fn jwks_of(value: Value) -> Value {
    json!(value.to_string())
}

#[rstest]
#[case::no_uri("oidc.issuerUri", json!("frisket-host"), "wif-provider-issuer-not-uri")]
#[case::no_https("oidc.issuerUri", json!("http://login.corp.example"), "wif-provider-issuer-not-https")]
#[case::eleven_audiences("oidc.allowedAudiences", json!(vec!["a"; 11]), "wif-provider-field-invalid")]
#[case::a_long_audience("oidc.allowedAudiences", json!(["a".repeat(257)]), "wif-provider-field-invalid")]
#[case::no_subject("attributeMapping", json!({ "attribute.a": "assertion.a" }), "wif-provider-mapping-invalid")]
#[case::no_mapping("attributeMapping", json!({}), "wif-provider-mapping-invalid")]
#[case::a_wrong_key(
    "attributeMapping",
    json!({ "google.subject": "assertion.sub", "assertion.repository": "assertion.repository" }),
    "wif-provider-mapping-key-invalid"
)]
#[case::no_expression("attributeMapping", json!({ "google.subject": "assertion." }), "wif-provider-mapping-invalid")]
#[case::a_variable_of_elsewhere("attributeMapping", json!({ "google.subject": "request.sub" }), "wif-provider-mapping-invalid")]
#[case::a_long_expression(
    "attributeMapping",
    json!({ "google.subject": format!("assertion.{}", "a".repeat(2048)) }),
    "wif-provider-mapping-invalid"
)]
#[case::no_condition("attributeCondition", json!("assertion.sub =="), "wif-provider-condition-invalid")]
#[case::a_long_condition(
    "attributeCondition",
    json!(format!("'{}' == ''", "a".repeat(4096))),
    "wif-provider-condition-invalid"
)]
#[case::no_config("oidc", Value::Null, "wif-provider-field-invalid")]
#[case::keys_that_are_no_json("oidc.jwksJson", json!("{"), "wif-provider-jwks-malformed")]
#[case::nine_keys("oidc.jwksJson", jwks_of(json!({ "keys": vec![json!({}); 9] })), "wif-provider-field-invalid")]
#[case::another_curve(
    "oidc.jwksJson",
    jwks_of(json!({ "keys": [{ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "k" }] })),
    "wif-provider-jwks-ec-curve"
)]
#[case::ed25519(
    "oidc.jwksJson",
    jwks_of(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "k" }] })),
    "wif-provider-jwks-corrupted"
)]
#[case::no_modulus("oidc.jwksJson", jwk(|jwk| jwk["n"] = json!("AQ")), "wif-provider-jwks-corrupted")]
#[tokio::test]
async fn a_provider_that_cannot_be_is_refused(#[case] name: &str, #[case] value: Value, #[case] refusal: &str) {
    let rig = rig().await;
    let answer = create(&rig, "corp-oidc", with(name, value.clone())).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, refusal), "{answer:?}");
    assert_eq!(rig.last().failed().unwrap().name, "request");
    assert!(rig.last().mend.is_some());

    create(&rig, "corp-oidc", provider()).await;
    let path = format!("{POOLS}/partners/providers/corp-oidc?updateMask={}", name.split('.').next().unwrap());
    let patched = rig.call("PATCH", IAM, &path, with(name, value)).await;
    assert_eq!((patched.0, rig.refused(&patched).0.as_str()), (400, refusal));
}

#[rstest]
#[case::no_algorithm(jwk(|jwk| _ = jwk.as_object_mut().unwrap().remove("alg")))]
#[case::an_algorithm_that_sts_does_not_take(jwk(|jwk| jwk["alg"] = json!("PS256")))]
#[case::a_certificate(jwk(|jwk| jwk["x5c"] = json!(["garbage"])))]
#[tokio::test]
async fn keys_that_were_seen_accepted_are(#[case] jwks: Value) {
    let rig = rig().await;
    assert_eq!(create(&rig, "corp-oidc", with("oidc.jwksJson", jwks)).await.0, 200);
}

#[rstest]
#[case::github("https://token.actions.githubusercontent.com", None, 400)]
#[case::with_a_slash("https://gitlab.com/", None, 400)]
#[case::a_condition_that_reads_nothing("https://app.terraform.io", Some("true"), 400)]
#[case::a_condition_that_reads_a_claim("https://app.terraform.io", Some("assertion.organization_id == 'o'"), 200)]
#[case::a_condition_on_what_is_mapped("https://app.terraform.io", Some("attribute.department == 'o'"), 200)]
#[case::an_enterprise_of_its_own("https://token.actions.githubusercontent.com/acme", None, 200)]
#[case::another_issuer(ISSUER, None, 200)]
#[tokio::test]
async fn an_issuer_of_many_customers_needs_a_condition(
    #[case] issuer: &str,
    #[case] condition: Option<&str>,
    #[case] status: u16,
) {
    let rig = rig().await;
    let mut provider = with("oidc.issuerUri", json!(issuer));
    provider["attributeCondition"] = json!(condition.unwrap_or_default());
    let answer = create(&rig, "corp-oidc", provider).await;
    assert_eq!(answer.0, status);
    if status == 400 {
        let (refusal, message) = rig.refused(&answer);
        assert_eq!(refusal, "wif-provider-condition-required");
        assert!(message.starts_with("The attribute condition must reference one of the provider's claims."));
    }
}

#[tokio::test]
async fn a_patch_writes_one_field_of_the_issuers() {
    let rig = rig().await;
    create(&rig, "corp-oidc", provider()).await;
    let path = format!("{POOLS}/partners/providers/corp-oidc");
    let body = json!({ "oidc": { "issuerUri": "https://other.example", "allowedAudiences": ["b"] } });
    let (status, operation) = rig.call("PATCH", IAM, &format!("{path}?updateMask=oidc.allowedAudiences"), body).await;
    assert_eq!(status, 200, "{operation}");
    assert_eq!(operation["response"]["oidc"], json!({ "issuerUri": ISSUER, "allowedAudiences": ["b"] }));
    let answer = rig.call("PATCH", IAM, &format!("{path}?updateMask=nothing"), json!({})).await;
    assert_eq!(answer.0, 400);
}

#[tokio::test]
async fn a_provider_goes_and_comes_back_and_cannot_be_made_in_a_pool_that_is_gone() {
    let rig = rig().await;
    create(&rig, "corp-oidc", provider()).await;
    let path = format!("{POOLS}/partners/providers/corp-oidc");
    assert_eq!(rig.call("DELETE", IAM, &path, Value::Null).await.1["response"]["state"], "DELETED");
    let answer = create(&rig, "corp-oidc", provider()).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "wif-provider-create-exists"));
    assert_eq!(rig.post(&format!("{path}:undelete"), json!({})).await.1["response"]["state"], "ACTIVE");

    rig.call("DELETE", IAM, &format!("{POOLS}/partners"), Value::Null).await;
    assert_eq!(rig.get(&path).await.1["state"], "DELETED");
    let answer = create(&rig, "another", provider()).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-deleted"));
    let missing = format!("{POOLS}/nothing/providers?workloadIdentityPoolProviderId=corp-oidc");
    let answer = rig.post(&missing, provider()).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (404, "wif-unknown"));
}

#[tokio::test]
async fn who_has_no_part_in_the_project_may_not_see_providers() {
    let rig = rig().await;
    let path = format!("{POOLS}/partners/providers/corp-oidc");
    let answer = rig.call_as(&rig.stranger(), "GET", IAM, &path, Value::Null).await;
    let message = format!(
        "Permission 'iam.workloadIdentityPoolProviders.get' denied on resource '//iam.googleapis.com{}' (or it may not exist).",
        path.strip_prefix("/v1").unwrap()
    );
    assert_eq!((answer.0, rig.refused(&answer)), (403, ("wif-permission-denied".to_owned(), message)));
}

#[rstest]
#[case::x509(json!({ "x509": { "trustStore": {} } }), 501)]
#[case::aws(json!({ "aws": { "accountId": "123456789012" } }), 200)]
#[case::a_wrong_aws_account(json!({ "aws": { "accountId": "12" } }), 400)]
#[tokio::test]
async fn other_kinds_of_providers_are_kept_or_refused(#[case] provider: Value, #[case] status: u16) {
    let rig = rig().await;
    assert_eq!(create(&rig, "corp-other", provider).await.0, status);
}
