//! Published keys and the discovery document.

use rstest::rstest;
use serde_json::Value;
use tokenrig_cloud::IdTokenOrder;
use tokenrig_jose::{JwkSet, Jws, x509};

use crate::support::Rig;

const WWW: &str = "https://www.googleapis.com";

fn kids(document: &Value) -> Vec<String> {
    let mut kids: Vec<String> = match (document.get("keys"), document.get("keyvalues")) {
        (Some(keys), _) => keys.as_array().unwrap().iter().map(|key| text(&key["kid"])).collect(),
        (_, Some(keys)) => keys.as_array().unwrap().iter().map(|key| text(&key["keyid"])).collect(),
        _ => document.as_object().unwrap().keys().cloned().collect(),
    };
    kids.sort();
    kids
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[rstest]
#[case::v1("/oauth2/v1/certs")]
#[case::v3("/oauth2/v3/certs")]
#[case::robot("/robot/v1/metadata/x509/federated-signon@system.gserviceaccount.com")]
#[tokio::test]
async fn each_form_of_googles_keys_has_the_same_key_ids_and_may_be_kept(#[case] path: &str) {
    let rig = Rig::new();
    let answer = rig.get(&format!("{WWW}{path}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=3600, must-revalidate, no-transform");
    assert_eq!(answer.headers["content-type"], "application/json; charset=UTF-8");
    let mut published: Vec<_> =
        rig.cloud.mint().google_keys().published().iter().map(|key| key.kid().to_owned()).collect();
    published.sort();
    assert_eq!(kids(&answer.body), published);
}

#[tokio::test]
async fn an_id_token_verifies_with_either_form_after_a_rotation_too() {
    let rig = Rig::new();
    for _ in 0..3 {
        let token = rig.cloud.mint().id_token(&IdTokenOrder::generated(&rig.account, "a", false));
        rig.cloud.mint().rotate_google_keys();
        let token = Jws::parse(&token).unwrap();
        let kid = token.kid().unwrap();
        let jwks = rig.get(&format!("{WWW}/oauth2/v3/certs")).await.body;
        let jwks = JwkSet::parse(jwks.to_string().as_bytes()).unwrap();
        token.verify(jwks.resolve(kid, token.algorithm().unwrap()).unwrap()).unwrap();
        for key in jwks.keys() {
            let names: Vec<_> = key.members().keys().map(String::as_str).collect();
            assert_eq!(names, ["kty", "alg", "use", "kid", "n", "e"]);
        }
        let certificates = rig.get(&format!("{WWW}/oauth2/v1/certs")).await.body;
        token.verify(&x509::public_key_from_pem(certificates[kid].as_str().unwrap()).unwrap()).unwrap();
    }
}

#[rstest]
#[case("/service_accounts/v1/metadata/x509/{}")]
#[case("/service_accounts/v1/metadata/jwk/{}")]
#[case("/service_accounts/v1/metadata/raw/{}")]
#[case("/service_accounts/v1/jwk/{}")]
#[case("/robot/v1/metadata/x509/{}")]
#[tokio::test]
async fn an_account_publishes_googles_key_for_it_and_its_users_enabled_ones(
    #[case] path: &str,
    #[values("@", "%40")] at: &str,
) {
    let rig = Rig::new();
    let url = format!("{WWW}{}", path.replace("{}", &rig.account.email.replace('@', at)));
    let system = rig.cloud.mint().account_key(&rig.account).id().to_owned();
    let mut both = vec![system.clone(), rig.key_id.clone()];
    both.sort();
    assert_eq!(kids(&rig.get(&url).await.body), both);
    rig.cloud.accounts().set_key_disabled(&rig.account, &rig.key_id, true).unwrap();
    assert_eq!(kids(&rig.get(&url).await.body), [system]);
}

#[tokio::test]
async fn raw_keys_are_numbers() {
    let rig = Rig::new();
    let answer = rig.get(&format!("{WWW}/service_accounts/v1/metadata/raw/{}", rig.account.email)).await;
    let key = &answer.body["keyvalues"][0];
    assert_eq!((&key["algorithm"], &key["exponent"]), (&"RSA".into(), &"AQAB".into()));
    assert!(key["modulus"].as_str().unwrap().ends_with('='), "{key}");
}

#[tokio::test]
async fn an_account_that_is_not_there_has_no_keys() {
    let rig = Rig::new();
    let answer = rig.get(&format!("{WWW}/robot/v1/metadata/x509/nobody@shop-test.iam.gserviceaccount.com")).await;
    assert_eq!((answer.status, &answer.body["error"]["status"]), (404, &"NOT_FOUND".into()));
}

#[tokio::test]
async fn the_discovery_document_leads_to_the_keys() {
    let rig = Rig::new();
    let answer = rig.get("https://accounts.google.com/.well-known/openid-configuration").await;
    assert_eq!(answer.body["issuer"], "https://accounts.google.com");
    assert_eq!(answer.body["id_token_signing_alg_values_supported"], serde_json::json!(["RS256"]));
    assert!(answer.headers["cache-control"].to_str().unwrap().starts_with("public, max-age="));
    let keys = rig.get(answer.body["jwks_uri"].as_str().unwrap()).await;
    assert_eq!(keys.status, 200);
}

#[rstest]
#[case("GET", "https://accounts.google.com/o/oauth2/v2/auth?client_id=x")]
#[case("POST", "https://oauth2.googleapis.com/revoke")]
#[case("GET", "https://oauth2.googleapis.com/token")]
#[case("POST", "https://www.googleapis.com/oauth2/v3/certs")]
#[case("GET", "https://www.googleapis.com/service_accounts/v1/metadata/pkcs12/a@b.c")]
#[case("GET", "https://www.googleapis.com/")]
#[tokio::test]
async fn everything_else_says_that_it_is_not_played(#[case] verb: &str, #[case] url: &str) {
    let rig = Rig::new();
    let answer = rig.ask(verb, url, &[], "").await;
    assert_eq!((answer.status, &answer.body["error"]["status"]), (501, &"UNIMPLEMENTED".into()));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("tokenrig does not play {verb} /")), "{message}");
    assert_eq!(rig.last().refusal.as_deref(), Some("api-unplayed"));
    assert_eq!(rig.cloud.unplayed().list().len(), 1);
}
