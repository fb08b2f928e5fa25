//! Credential files.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_explain::{Explanation, credentials};
use tokenrig_jose::pool;

fn told(file: &Value) -> Explanation {
    credentials(file.to_string().as_bytes())
}

fn key_file() -> Value {
    json!({
        "type": "service_account", "project_id": "shop-test", "private_key_id": "k1",
        "private_key": pool::rsa(0).pkcs8_pem(), "client_email": "caller@shop-test.iam.gserviceaccount.com",
        "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
    })
}

fn external() -> Value {
    json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/providers/gh",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": { "file": "/var/run/token" },
        "service_account_impersonation_url":
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/caller@shop-test.iam.gserviceaccount.com:generateAccessToken",
    })
}

#[test]
fn good_files_tell_what_they_do_and_no_secret() {
    let key = told(&key_file());
    assert!(key.good(), "{key}");
    assert!(!key.to_string().contains("MII"), "{key}");
    let external = told(&external());
    assert!(external.good(), "{external}");
    let text = external.to_string();
    for step in [
        "read from the file `/var/run/token`",
        "POST it to https://sts.googleapis.com/v1/token",
        ":generateAccessToken",
    ] {
        assert!(text.contains(step), "{text}");
    }
    let user =
        json!({ "type": "authorized_user", "client_id": "c", "client_secret": "s3cret", "refresh_token": "1//abc" });
    let user = told(&user);
    assert!(user.good() && !user.to_string().contains("s3cret") && !user.to_string().contains("1//abc"), "{user}");
}

#[rstest]
// google-github-actions/auth#202: the id in place of the number
#[case("audience", json!("//iam.googleapis.com/projects/my-project-id/locations/global/workloadIdentityPools/p/providers/gh"), "must be its number")]
// google-github-actions/setup-gcloud#546: an attribute in place of the provider
#[case("audience", json!("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/attribute.repository/o/r"), "a provider is named, not a principal")]
#[case("audience", json!("https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/gh"), "starts with https")]
#[case("audience", json!("projects/1/locations/global/workloadIdentityPools/p/providers/gh"), "lacks its start")]
#[case("audience", json!("//iam.googleapis.com/${{ secrets.PROVIDER }}"), "placeholder")]
#[case("token_url", json!("http://sts.googleapis.com/v1/token"), "https only")]
#[case("subject_token_type", json!("urn:ietf:params:oauth:token-type:jwtt"), "does not know")]
#[case("credential_source", json!({ "executable": { "command": "/bin/token", "timeout_millis": 100 } }), "between 5000 and 120000")]
#[case("credential_source", json!({ "fil": "/x" }), "`credential_source.fil` is no field")]
#[case("credential_source", json!({ "environment_id": "aws1", "regional_cred_verification_url": "x" }), "do not fit")]
#[case("credential_source", json!({ "url": "http://x", "format": { "type": "json" } }), "subject_token_field_name")]
#[case("service_account_impersonation_url", json!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b:generateIdToken"), ":generateIdToken")]
#[case("service_account_impersonation_url", json!("https://iamcredentials.googleapis.com/v1/projects/shop/serviceAccounts/a@b:generateAccessToken"), "names a project")]
#[case("workforce_pool_user_project", json!("p"), "workforce pools only")]
#[case("credential_sources", json!({}), "`credential_sources` is no field")]
fn what_is_wrong_with_a_federation_file_is_told(#[case] field: &str, #[case] value: Value, #[case] fault: &str) {
    let mut file = external();
    file[field] = value;
    let told = told(&file);
    assert!(told.faults.iter().any(|found| found.what.contains(fault)), "{told}");
}

#[rstest]
#[case("private_key", json!("-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----"), "escaped once too often")]
#[case("private_key", json!("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"), "cannot be read")]
#[case("private_key", json!("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"), "PKCS#1")]
#[case("client_email", json!("caller@billing.iam.gserviceaccount.com"), "account of the project `billing`")]
#[case("client_email", json!(""), "missing or empty")]
#[case("client_emial", json!("x"), "no field")]
#[case("type", json!("service_acount"), "unknown")]
fn what_is_wrong_with_a_key_file_is_told(#[case] field: &str, #[case] value: Value, #[case] fault: &str) {
    let mut file = key_file();
    file[field] = value;
    let told = told(&file);
    assert!(told.to_string().contains(fault), "{told}");
    assert!(!told.good());
}

#[rstest]
#[case("", "empty")]
#[case("/home/me/key.json", "path of a file")]
#[case("ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIKfQ==", "base64")]
#[case("{\\\"type\\\":\\\"service_account\\\"}", "escaped")]
#[case(
    "{\"installed\":{\"client_id\":\"1-a.apps.googleusercontent.com\",\"client_secret\":\"s3cret\"}}",
    "names an application"
)]
#[case("{\"access_token\":\"x\"}", "has a `type`")]
fn what_is_no_credential_file_is_told(#[case] text: &str, #[case] expected: &str) {
    let told = credentials(text.as_bytes());
    assert!(!told.good() && told.to_string().contains(expected), "{told}");
    assert!(!told.to_string().contains("s3cret"));
}

#[test]
fn impersonation_tells_its_source_too() {
    let file = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": external()["service_account_impersonation_url"],
        "source_credentials": { "type": "authorized_user", "client_id": "c", "client_secret": "x", "refresh_token": "ya29.x" },
    });
    let told = told(&file);
    assert!(told.to_string().contains("holds an access token"), "{told}");
    assert_eq!(told.sections.len(), 2, "{told}");
}
