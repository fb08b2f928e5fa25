//! Refusals by STS, IAM Credentials, oauth2 and Cloud Run, as the crates tell them.

use std::sync::Arc;

use google_cloud_auth::credentials::{idtoken, service_account};
use serde_json::{Value, json};
use tonic::Code;

use super::{case, client, deployer};
use crate::{
    AUTH, IAM,
    rig::{CLOUD, text},
    service,
    stage::{Stage, external},
    verdict::{Case, Outcome, Well as _, equal, raised},
    workload::now,
};

const CONDITION: &str = "The given credential is rejected by the attribute condition.";
const NO_ACCESS_TOKEN: &str =
    "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";

/// The exchange of a token with these claims is refused.
async fn exchange(stage: Arc<Stage>, claims: Value, check: &'static str, words: String) -> Outcome {
    let credentials = stage.build(claims, None).await?;
    let refusal = format!("sts {check}");
    let result = stage.control.refuses(&refusal, credentials.headers(Default::default())).await?;
    raised(result, &[&words])
}

async fn disabled(stage: Arc<Stage>) -> Outcome {
    let source = stage.text_file(&stage.closed.token(json!({})).await?)?;
    let credentials = external(stage.closed.file(source, None, json!({})))?;
    let result = stage.control.refuses("sts provider", credentials.headers(Default::default())).await?;
    raised(result, &["invalid_target"])
}

async fn no_permission(stage: Arc<Stage>) -> Outcome {
    let client = client(stage.build(json!({ "sub": "nightly" }), None).await?).await?;
    let request = client.generate_access_token().set_name(deployer(&stage)).set_scope([CLOUD]);
    let result = stage.control.refuses("iamcredentials permission", request.send()).await?;
    raised(result, &["PERMISSION_DENIED", NO_ACCESS_TOKEN])
}

async fn bogus_scope(stage: Arc<Stage>) -> Outcome {
    let client = client(stage.key_credentials()?).await?;
    let request = client.generate_access_token().set_name(deployer(&stage)).set_scope([&stage.ledger]);
    let result = stage.control.refuses("iamcredentials request", request.send()).await?;
    raised(result, &["INVALID_ARGUMENT", "Request contains an invalid argument."])
}

/// The workload may not act as the account of its file.
async fn by_file(stage: Arc<Stage>) -> Outcome {
    let credentials = stage.build(json!({ "sub": "nightly" }), Some(&stage.deployer)).await?;
    let result = stage.control.refuses("iamcredentials permission", credentials.headers(Default::default())).await?;
    raised(result, &[NO_ACCESS_TOKEN])
}

async fn deleted_key(stage: Arc<Stage>) -> Outcome {
    let key = stage.new_key(&stage.deployer).await?;
    let name = format!("{}/keys/{}", deployer(&stage), text(&key, "/private_key_id")?);
    stage.owner.ask("DELETE", &format!("https://iam.googleapis.com/v1/{name}"), None).await?;
    let credentials = idtoken::service_account::Builder::new("x", key).build().well()?;
    let result = stage.control.refuses("oauth2-token signature", credentials.id_token()).await?;
    raised(result, &["invalid_grant", "Invalid JWT Signature."])
}

/// The same token by HTTP and, where names lead to the rig, by gRPC. tonic takes the page for a broken message, and tells the
/// status beside it.
async fn door(stage: Arc<Stage>, token: Option<String>, check: &'static str, status: u16) -> Outcome {
    let refusal = format!("cloud-run-front {check}");
    let token = token.as_deref();
    let answer = stage.control.refuses(&refusal, service::status(&stage.ledger, token)).await??;
    equal(answer.0, status, "the status")?;
    if service::by_name() {
        let answer = stage.control.refuses(&refusal, service::call(&stage.ledger, token)).await??;
        let Err(refused) = answer else { return Err("the service answered by gRPC".to_owned()) };
        equal(refused.code(), Code::Internal, "the code by gRPC")?;
        raised(Err::<(), _>(refused), &[&status.to_string()])?;
    }
    Ok(())
}

async fn id_token(key: Value, audience: &str) -> Outcome<Option<String>> {
    let credentials = idtoken::service_account::Builder::new(audience, key).build().well()?;
    credentials.id_token().await.well().map(Some)
}

async fn other_audience(stage: Arc<Stage>) -> Outcome {
    let token = id_token(stage.key.clone(), "https://elsewhere.example").await?;
    door(stage, token, "audience", 401).await
}

async fn no_invoker(stage: Arc<Stage>) -> Outcome {
    let token = id_token(stage.new_key(&stage.stranger).await?, &stage.ledger).await?;
    door(stage, token, "permission", 403).await
}

async fn nobody(stage: Arc<Stage>) -> Outcome {
    door(stage, None, "credential", 403).await
}

/// Without an audience the crate signs a token for itself, which opens no service.
async fn self_signed(stage: Arc<Stage>) -> Outcome {
    let credentials = service_account::Builder::new(stage.key.clone()).build_access_token_credentials().well()?;
    let token = credentials.access_token().await.well()?.token;
    door(stage, Some(token), "issuer", 401).await
}

pub fn cases(stage: &Arc<Stage>) -> Vec<Case> {
    let issued = now() - 7200;
    let refused = [
        ("attribute condition not met", json!({ "branch": "topic" }), "condition", CONDITION.to_owned()),
        (
            "no subject",
            json!({ "sub": null }),
            "mapping",
            "Could not obtain a value for google.subject from the given credential.".to_owned(),
        ),
        (
            "other audience",
            json!({ "aud": "https://elsewhere.example" }),
            "token-audience",
            "The audience in ID Token [https://elsewhere.example] does not match the expected audience.".to_owned(),
        ),
        (
            "expired subject token",
            json!({ "iat": issued, "exp": issued + 3600 }),
            "times",
            format!("ID Token issued at {issued} is stale to sign-in."),
        ),
    ];
    let mut all: Vec<Case> = refused
        .into_iter()
        .map(|(name, claims, check, words)| {
            case(stage, AUTH, "refused by STS", name, |stage| exchange(stage, claims, check, words))
        })
        .collect();
    all.extend([
        case(stage, AUTH, "refused by STS", "disabled provider", disabled),
        case(stage, IAM, "refused by IAM Credentials, REST", "no permission", no_permission),
        case(stage, IAM, "refused by IAM Credentials, REST", "a scope that is none", bogus_scope),
        case(stage, AUTH, "refused by IAM Credentials", "workload may not act as the account", by_file),
        case(stage, AUTH, "refused by oauth2", "deleted key", deleted_key),
        case(stage, AUTH, "refused by Cloud Run", "ID token for another audience", other_audience),
        case(stage, AUTH, "refused by Cloud Run", "account without invoker", no_invoker),
        case(stage, AUTH, "refused by Cloud Run", "no token", nobody),
        case(stage, AUTH, "refused by Cloud Run", "self-signed token", self_signed),
    ]);
    all
}
