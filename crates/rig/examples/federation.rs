//! A workload outside Google trades a token of its own provider for an access token of Google's, and what happens when the
//! provider's keys cannot be fetched. Run it: `cargo run -p tokenrig --example federation`.

#![expect(clippy::disallowed_macros, reason = "an example prints what it shows")]

use serde_json::{Value, json};
use tokenrig::{IssuerPatch, Misbehaviour, Rig};

const GIVEN: &str = r#"
issuers: { corp: {} }
iam.workloadIdentityPools:
  partners:
    providers:
      corp-oidc:
        oidc: { issuerUri: "${corp.issuer}" }
        attributeMapping: { google.subject: assertion.sub }
"#;

#[tokio::main]
pub(crate) async fn main() {
    let rig = Rig::builder().given(GIVEN).start().await;
    let (status, answer) = exchange(&rig).await;
    println!("{status}: {} for {} s", answer["token_type"], answer["expires_in"]);
    assert_eq!(status, 200);

    // A rig whose provider misbehaves from the start, as the provider's keys are kept for a while once they were fetched.
    let rig = Rig::builder().given(GIVEN).start().await;
    let unreachable = IssuerPatch { misbehaves: Some(Misbehaviour::KeysUnreachable), ..IssuerPatch::default() };
    rig.core().issuers().patch("corp", unreachable).expect("the issuer is there");
    let (status, answer) = exchange(&rig).await;
    println!("{status}: {}\n{}", answer["error_description"], rig.last_decision().await);
    assert_eq!(status, 400);
}

async fn exchange(rig: &Rig) -> (u16, Value) {
    let token = rig.subject_token("corp-oidc", json!({ "sub": "alice" }));
    let credentials = rig.credential_file("corp-oidc", &token);
    let file: Value = serde_json::from_slice(&std::fs::read(credentials.path()).expect("the file is there"))
        .expect("the file is JSON");
    let request = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", file["audience"].as_str().unwrap_or_default()),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token", &token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let sent = rig.http_client().post("https://sts.googleapis.com/v1/token").form(&request).send().await;
    let answer = sent.expect("the rig answers");
    (answer.status().as_u16(), answer.json().await.expect("STS answers with JSON"))
}
