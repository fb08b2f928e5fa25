use serde_json::{Value, json};
use tokenrig_jose::{pool, x509};

use crate::rig::{IAM, Rig};

const OWNER: &str = "tokenrig-owner@shop-test.iam.gserviceaccount.com";
const KEYS: &str = "/v1/projects/-/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com/keys";

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

fn unbase64(value: &Value) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
}

fn id(key: &Value) -> &str {
    key["name"].as_str().unwrap().rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_new_key_comes_as_a_credential_file_once() {
    let rig = Rig::new();
    let (status, key) = rig.post(KEYS, json!({ "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE" })).await;
    assert_eq!(status, 200);
    let file: Value = serde_json::from_str(&unbase64(&key["privateKeyData"])).unwrap();
    let members: Vec<&str> = file.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "type",
            "project_id",
            "private_key_id",
            "private_key",
            "client_email",
            "client_id",
            "auth_uri",
            "token_uri",
            "auth_provider_x509_cert_url",
            "client_x509_cert_url",
            "universe_domain"
        ]
    );
    assert_eq!(file["private_key_id"], id(&key));
    assert_eq!(
        (&file["client_email"], &file["token_uri"]),
        (&json!(OWNER), &json!("https://oauth2.googleapis.com/token"))
    );
    assert!(file["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!((&key["keyOrigin"], &key["keyType"]), (&json!("GOOGLE_PROVIDED"), &json!("USER_MANAGED")));
    assert_eq!(key["validBeforeTime"], "9999-12-31T23:59:59Z");

    let (_, again) = rig.get(&format!("{KEYS}/{}?publicKeyType=TYPE_X509_PEM_FILE", id(&key))).await;
    assert_eq!(again["privateKeyData"], Value::Null);
    let public = x509::public_key_from_pem(&unbase64(&again["publicKeyData"])).unwrap();
    let raw = rig.get(&format!("{KEYS}/{}?publicKeyType=TYPE_RAW_PUBLIC_KEY", id(&key))).await.1;
    assert_eq!(unbase64(&raw["publicKeyData"]), x509::public_pem(&public));
    assert_eq!(rig.get(&format!("{KEYS}/{}", id(&key))).await.1["publicKeyData"], Value::Null);
}

#[tokio::test]
async fn an_uploaded_key_is_kept_and_only_an_rsa_certificate_is_taken() {
    let rig = Rig::new();
    let pem = x509::self_signed_pem(
        pool::rsa(15),
        "unused",
        "2020-01-01T00:00:00Z".parse().unwrap(),
        "2049-01-01T00:00:00Z".parse().unwrap(),
    );
    let upload = format!("{KEYS}:upload");
    let (status, key) = rig.post(&upload, json!({ "publicKeyData": base64(&pem) })).await;
    assert_eq!((status, &key["keyOrigin"]), (200, &json!("USER_PROVIDED")));
    let answer = rig.post(&upload, json!({ "publicKeyData": base64(&pem) })).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "iam-sa-key-exists"));
    for wrong in ["garbage".to_owned(), x509::public_pem(&pool::ec(0).public())] {
        let answer = rig.post(&upload, json!({ "publicKeyData": base64(&wrong) })).await;
        assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "iam-sa-key-invalid"));
    }
}

#[tokio::test]
async fn what_is_given_may_say_the_id_of_an_uploaded_key() {
    let rig = Rig::new();
    let pem = x509::public_pem(&pool::rsa(15).public());
    let send = async |id: &str| {
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("{KEYS}:upload"))
            .header("authorization", rig.bearer(&rig.cloud.owner()))
            .header("x-tokenrig-key-id", id)
            .body(json!({ "publicKeyData": base64(&pem) }).to_string().into())
            .unwrap();
        rig.send(IAM, request).await
    };
    assert_eq!(send("6F7254").await.0, 400);
    let given = "6f7254101f56e41cf35c9926de84a2d552b4c6f1";
    assert_eq!(id(&send(given).await.1), given);
}

#[tokio::test]
async fn keys_are_listed_by_kind_disabled_and_deleted() {
    let rig = Rig::new();
    let (_, key) = rig.post(KEYS, json!({})).await;
    let one = format!("{KEYS}/{}", id(&key));
    let count = async |query: &str| rig.get(&format!("{KEYS}{query}")).await.1["keys"].as_array().map_or(0, Vec::len);
    assert_eq!(count("").await, 2);
    assert_eq!(count("?keyTypes=USER_MANAGED").await, 1);
    assert_eq!(count("?keyTypes=SYSTEM_MANAGED").await, 1);
    assert_eq!(rig.post(&format!("{one}:disable"), json!({})).await.0, 200);
    assert_eq!(rig.get(&one).await.1["disabled"], true);
    assert_eq!(rig.post(&format!("{one}:enable"), json!({})).await.0, 200);
    assert_eq!(rig.call("DELETE", IAM, &one, Value::Null).await.0, 200);
    let answer = rig.get(&one).await;
    let message = format!("Service account key {} does not exist.", id(&key));
    assert_eq!((answer.0, rig.refused(&answer)), (404, ("iam-sa-key-unknown".to_owned(), message)));
}

#[tokio::test]
async fn the_key_that_google_keeps_is_not_the_users_to_change() {
    let rig = Rig::new();
    let (_, list) = rig.get(&format!("{KEYS}?keyTypes=SYSTEM_MANAGED")).await;
    let one = format!("{KEYS}/{}", id(&list["keys"][0]));
    assert_eq!(rig.get(&one).await.0, 200);
    let answer = rig.call("DELETE", IAM, &one, Value::Null).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "iam-sa-key-system"));
}

#[tokio::test]
async fn an_eleventh_key_is_refused() {
    let rig = Rig::new();
    for n in 0..10_u64 {
        let new = tokenrig_cloud::UploadedKey {
            id: Some(format!("{n:040x}")),
            public: pool::rsa(15).public(),
            certificate: String::new(),
            valid_before: None,
        };
        rig.cloud.accounts().upload_key(&rig.cloud.owner(), new).unwrap();
    }
    let answer = rig.post(KEYS, json!({})).await;
    let message = "Maximum number of keys on account reached.".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (429, ("iam-sa-key-limit".to_owned(), message)));
    assert_eq!(answer.1["error"]["errors"][0]["reason"], "rateLimitExceeded");
}

#[tokio::test]
async fn a_key_file_that_the_rig_cannot_make_is_unimplemented() {
    let rig = Rig::new();
    let answer = rig.post(KEYS, json!({ "privateKeyType": "TYPE_PKCS12_FILE" })).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (501, "iam-use-unplayed"));
}
