//! signBlob and signJwt.

use base64::{Engine, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::json;
use tokenrig_jose::{Algorithm, Jws};

use crate::support::{Over, Rig};

fn ready() -> Rig {
    let rig = Rig::new();
    rig.grant_on("target", "roles/iam.serviceAccountTokenCreator", "caller");
    rig
}

#[rstest]
#[tokio::test]
async fn a_blob_is_signed_by_the_key_that_google_keeps(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = ready();
    let target = rig.account("target");
    let text = b"GOOG4-RSA-SHA256\n20260115T090000Z\n";
    let body = json!({ "payload": STANDARD.encode(text), "delegates": [] });
    let answer = rig.call(over, &rig.token("caller"), "signBlob", &target.email, body).await;
    let key = rig.cloud.mint().account_key(&target);
    assert_eq!(answer.body["keyId"], key.id(), "{answer:?}");
    let signature = STANDARD.decode(answer.body["signedBlob"].as_str().unwrap()).unwrap();
    assert!(key.public().verify(Algorithm::Rs256, text, &signature));
}

#[rstest]
#[tokio::test]
async fn a_jwt_is_signed_as_it_was_sent(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = ready();
    let target = rig.account("target");
    let payload = r#"{ "sub": "x",  "exp": 1768471200 }"#;
    let body = json!({ "payload": payload });
    let answer = rig.call(over, &rig.token("caller"), "signJwt", &target.email, body).await;
    let token = Jws::parse(answer.body["signedJwt"].as_str().unwrap()).unwrap();
    assert_eq!(token.payload(), payload.as_bytes());
    assert_eq!(token.header().keys().collect::<Vec<_>>(), ["alg", "kid", "typ"]);
    assert_eq!(token.kid(), answer.body["keyId"].as_str());
    token.verify(&rig.cloud.mint().account_key(&target).public()).unwrap();
}

#[rstest]
#[case::no_object("[]", "iamcredentials-jwt-payload-invalid")]
#[case::no_json("x", "iamcredentials-jwt-payload-invalid")]
#[case::nothing("", "iamcredentials-jwt-payload-invalid")]
#[case::past(r#"{"exp":1768467599}"#, "iamcredentials-jwt-exp-invalid")]
#[case::text(r#"{"exp":"1768471200"}"#, "iamcredentials-jwt-exp-invalid")]
#[case::too_far(r#"{"exp":1768510801}"#, "iamcredentials-jwt-exp-invalid")]
#[tokio::test]
async fn a_payload_that_is_no_jwt_is_refused(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] payload: &str,
    #[case] id: &str,
) {
    let rig = ready();
    let target = rig.account("target").email.clone();
    let answer = rig.call(over, &rig.token("caller"), "signJwt", &target, json!({ "payload": payload })).await;
    assert_eq!(answer.refused(), (3, "Request contains an invalid argument."));
    assert_eq!(rig.last().refusal.as_deref(), Some(id));
}

#[rstest]
#[case("signBlob", "e30=", "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist).")]
#[case("signJwt", "{}", "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).")]
#[tokio::test]
async fn each_kind_of_signature_has_its_permission(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] method: &str,
    #[case] payload: &str,
    #[case] message: &str,
) {
    let rig = Rig::new();
    rig.grant_on("target", "roles/iam.workloadIdentityUser", "caller");
    let target = rig.account("target").email.clone();
    let answer = rig.call(over, &rig.token("caller"), method, &target, json!({ "payload": payload })).await;
    assert_eq!(answer.refused(), (7, message));
}
