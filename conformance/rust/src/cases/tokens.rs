//! Tokens by key, by the machine and by impersonation, and what Google's own verifier makes of them.

use std::sync::Arc;

use google_cloud_auth::credentials::{
    idtoken::{self, IDTokenCredentials, verifier},
    impersonated,
};
use serde_json::json;

use super::{case, client, deployer};
use crate::{
    AUTH, IAM,
    rig::CLOUD,
    service,
    stage::{Stage, open},
    verdict::{Case, Outcome, Well as _, equal, need, raised},
};

/// The service answers a token of these credentials, which ask at the surfaces `before` it, as soon as they are made.
async fn calls(stage: &Stage, make: impl FnOnce() -> Outcome<IDTokenCredentials>, before: &str) -> Outcome {
    let surfaces = format!("{before} cloud-run-front");
    stage
        .control
        .allows(&surfaces, async { service::by_http(&stage.ledger, &make()?.id_token().await.well()?).await })
        .await
}

fn of_key(stage: &Stage, audience: &str) -> Outcome<IDTokenCredentials> {
    idtoken::service_account::Builder::new(audience, stage.key.clone()).build().well()
}

async fn by_key(stage: Arc<Stage>) -> Outcome {
    calls(&stage, || of_key(&stage, &stage.ledger), "oauth2-token").await
}

async fn by_machine(stage: Arc<Stage>) -> Outcome {
    calls(&stage, || idtoken::Builder::new(&stage.ledger).build().well(), "metadata").await
}

async fn by_workload(stage: Arc<Stage>) -> Outcome {
    let source = stage.build(json!({}), None).await?;
    let target = idtoken::impersonated::Builder::from_source_credentials(&stage.ledger, &stage.deployer, source)
        .with_include_email();
    calls(&stage, || target.build().well(), "sts iamcredentials").await
}

/// A file of type `impersonated_service_account`, as gcloud writes it for application-default login.
async fn by_impersonated_file(stage: Arc<Stage>) -> Outcome {
    let url = format!("https://iamcredentials.googleapis.com/v1/{}:generateIdToken", deployer(&stage));
    let file = json!({
        "type": "impersonated_service_account", "service_account_impersonation_url": url,
        "source_credentials": stage.key, "delegates": [],
    });
    calls(&stage, || idtoken::impersonated::Builder::new(&stage.ledger, file).build().well(), "iamcredentials").await
}

async fn verified(stage: Arc<Stage>) -> Outcome {
    let token = of_key(&stage, "client-7")?.id_token().await.well()?;
    let claims = verifier::Builder::new(["client-7"]).build().verify(&token).await.well()?;
    equal(claims.get("email"), Some(&json!(stage.deployer)), "the e-mail that was verified")
}

async fn other_audience(stage: Arc<Stage>) -> Outcome {
    let token = of_key(&stage, "client-7")?.id_token().await.well()?;
    raised(verifier::Builder::new(["client-8"]).build().verify(&token).await, &["InvalidAudience"])
}

async fn changed(stage: Arc<Stage>) -> Outcome {
    let token = of_key(&stage, "client-7")?.id_token().await.well()?;
    let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
    // Its end may not be any letter.
    let (first, rest) = signature.split_at(4);
    let (second, rest) = rest.split_at(4);
    let token = format!("{signed}.{second}{first}{rest}");
    raised(verifier::Builder::new(["client-7"]).build().verify(&token).await, &["InvalidSignature"])
}

/// A workload's own token is not Google's, whatever it claims.
async fn of_other_issuer(stage: Arc<Stage>) -> Outcome {
    let token = stage.provider.token(json!({ "iss": "https://accounts.google.com", "aud": "client-7" })).await?;
    raised(verifier::Builder::new(["client-7"]).build().verify(&token).await, &["JWKS"])
}

/// A generated client with a key asks no token endpoint: it signs for itself.
async fn self_signed(stage: Arc<Stage>) -> Outcome {
    let client = client(stage.key_credentials()?).await?;
    let work = async {
        Ok(client
            .generate_access_token()
            .set_name(deployer(&stage))
            .set_scope([CLOUD])
            .send()
            .await
            .well()?
            .access_token)
    };
    let token = stage.control.allows("iamcredentials", work).await?;
    need(token.starts_with("ya29."), || "the access token has another form".to_owned())
}

async fn impersonated(stage: Arc<Stage>) -> Outcome {
    let target = impersonated::Builder::from_source_credentials(stage.key_credentials()?)
        .with_target_principal(&stage.deployer)
        .with_scopes([CLOUD])
        .build_access_token_credentials()
        .well()?;
    let token = stage.control.allows("iamcredentials", async { target.access_token().await.well() }).await?.token;
    let url = format!("https://cloudresourcemanager.googleapis.com/v1/projects/{}", stage.owner.project);
    equal(crate::rig::send("GET", &url, Some(&token), None).await?.0, 200, "the status")
}

async fn sign_jwt(stage: Arc<Stage>) -> Outcome {
    let client = client(stage.key_credentials()?).await?;
    let payload = json!({ "sub": "x", "aud": "y", "exp": crate::workload::now() + 600 });
    let answer = client.sign_jwt().set_name(deployer(&stage)).set_payload(payload.to_string()).send().await.well()?;
    equal(&open(&answer.signed_jwt)?["aud"], &json!("y"), "the audience that was signed")
}

pub fn cases(stage: &Arc<Stage>) -> Vec<Case> {
    vec![
        case(stage, AUTH, "idtoken", "service-account key", by_key),
        case(stage, AUTH, "idtoken", "metadata server", by_machine),
        case(stage, AUTH, "idtoken", "impersonated from a workload", by_workload),
        case(stage, AUTH, "idtoken", "impersonated_service_account file", by_impersonated_file),
        case(stage, AUTH, "idtoken::verifier", "ID token of a key", verified),
        case(stage, AUTH, "idtoken::verifier", "other audience", other_audience),
        case(stage, AUTH, "idtoken::verifier", "changed signature", changed),
        case(stage, AUTH, "idtoken::verifier", "not Google's", of_other_issuer),
        case(stage, AUTH, "impersonated", "access token, from a key", impersonated),
        case(stage, IAM, "service-account key, REST", "access token, self-signed call", self_signed),
        case(stage, IAM, "service-account key, REST", "sign_jwt", sign_jwt),
    ]
}
