//! Federation by credential file: every source of subject tokens, with and without impersonation. Each ends with an ID token
//! of the deployer, and with the service that it opens, called by HTTP and, where names lead to the rig, by gRPC.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{case, client, deployer};
use crate::{
    AUTH, IAM, service,
    stage::{Stage, external},
    verdict::{Case, Outcome, Well as _, raised},
    workload::{JWT, now},
};

const SOURCES: [&str; 5] = ["file, text", "file, JSON", "url, text", "url, JSON", "executable"];

async fn source(stage: &Stage, name: &str) -> Outcome<Value> {
    let token = stage.provider.token(json!({})).await?;
    match name {
        "file, text" => stage.text_file(&token),
        "file, JSON" => stage.json_file(&token),
        "url, text" => Ok(stage.url("text", &token, true).await),
        "url, JSON" => Ok(stage.url("json", &token, true).await),
        _ => stage.executable(&token, &format!("//iam.googleapis.com/{}", stage.provider.name), None),
    }
}

async fn id_token(stage: Arc<Stage>, name: &'static str, impersonate: bool) -> Outcome {
    let account = impersonate.then_some(stage.deployer.as_str());
    let credentials = external(stage.provider.file(source(&stage, name).await?, account, json!({})))?;
    let surfaces = if impersonate { "sts iamcredentials iamcredentials" } else { "sts iamcredentials" };
    let token = stage
        .control
        .allows(surfaces, async {
            let request = client(credentials).await?.generate_id_token().set_name(deployer(&stage));
            Ok(request.set_audience(&stage.ledger).set_include_email(true).send().await.well()?.token)
        })
        .await?;
    stage.of_deployer(&token, &stage.ledger)?;
    stage.control.allows("cloud-run-front", service::by_http(&stage.ledger, &token)).await?;
    if service::by_name() {
        stage.control.allows("cloud-run-front", service::by_grpc(&stage.ledger, &token)).await?;
    }
    Ok(())
}

/// What an earlier run of the command has left in its output file is used, and the command is not run.
async fn left_behind(stage: Arc<Stage>) -> Outcome {
    let answer = json!({
        "version": 1, "success": true, "token_type": JWT,
        "id_token": stage.provider.token(json!({})).await?, "expiration_time": now() + 600,
    });
    let output = stage.write(&answer.to_string())?;
    let config = stage.provider.file(stage.executable("none", "nobody's", Some(output))?, None, json!({}));
    stage.control.allows("sts", refresh(config)).await
}

async fn refresh(config: Value) -> Outcome {
    external(config)?.headers(Default::default()).await.well().map(drop)
}

/// The crate reads no refusal of a command: it misses in it what only a token has.
async fn says_no(stage: Arc<Stage>) -> Outcome {
    let token = stage.provider.token(json!({})).await?;
    let config = stage.provider.file(stage.executable(&token, "another", None)?, None, json!({}));
    raised(external(config)?.headers(Default::default()).await, &["missing field `token_type`"])
}

async fn without_header(stage: Arc<Stage>) -> Outcome {
    let token = stage.provider.token(json!({})).await?;
    let config = stage.provider.file(stage.url("text", &token, false).await, None, json!({}));
    raised(external(config)?.headers(Default::default()).await, &["403"])
}

pub fn cases(stage: &Arc<Stage>) -> Vec<Case> {
    let mut all = Vec::new();
    for impersonate in [false, true] {
        let path = if impersonate { "impersonated workload, REST" } else { "federated workload, REST" };
        for name in SOURCES {
            let title = format!("ID token and service, {name}");
            all.push(case(stage, IAM, path, &title, |stage| id_token(stage, name, impersonate)));
        }
    }
    all.push(case(stage, AUTH, "executable source", "what it has left behind", left_behind));
    all.push(case(stage, AUTH, "executable source", "the command says no", says_no));
    all.push(case(stage, AUTH, "url source", "without the header", without_header));
    all
}
