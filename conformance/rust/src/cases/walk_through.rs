//! The walk-through "Authenticating using Workload Identity Federation to Cloud Run, Cloud Functions", by `call-by-rust`.
//!
//! Its resources are `fixtures/seeds/000.given.yaml`. The client is a process of its own, as it would be for its user.

use std::{env, process::Output, sync::Arc};

use serde_json::{Value, json};
use tokio::process::Command;

use super::case;
use crate::{
    AUTH, IAM,
    rig::{send, text},
    stage::Stage,
    verdict::{Case, Outcome, Well as _, equal, need},
    workload::Provider,
};

/// One run of the client: what differs from the good one, and what must come of it.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    subject: &'static str,
    isadmin: &'static str,
    audience: Option<&'static str>,
    /// The surface and check that say no, and words of stderr; none if the service answers.
    refused: Option<(&'static str, &'static [&'static str])>,
}

const GOOD: Row = Row {
    name: "the private service answers",
    subject: "alice@domain.com",
    isadmin: "true",
    audience: None,
    refused: None,
};
const ROWS: [Row; 4] = [
    GOOD,
    Row {
        name: "ID token for another audience",
        audience: Some("https://billing.example.com"),
        refused: Some(("cloud-run-front audience", &["401", "Bearer error=\"invalid_token\""])),
        ..GOOD
    },
    Row {
        name: "attribute condition not met",
        isadmin: "false",
        refused: Some((
            "sts condition",
            &["unauthorized_client", "The given credential is rejected by the attribute condition."],
        )),
        ..GOOD
    },
    Row {
        name: "subject without the role",
        subject: "bob@domain.com",
        refused: Some((
            "iamcredentials permission",
            &["Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource"],
        )),
        ..GOOD
    },
];

async fn run(stage: &Stage, row: Row) -> Outcome<Output> {
    let provider = Provider::read(&stage.owner, "oidc-pool-run", "oidc-provider-1").await?;
    let service = stage.owner.service("federated-auth-cloud-run").await?;
    let token = provider
        .token(json!({
            "name": row.subject.split('@').next(), "isadmin": row.isadmin, "mygroups": ["group1", "group2"],
            "sub": row.subject, "email": row.subject, "email_verified": true,
        }))
        .await?;
    let config = provider.file(stage.text_file(&token)?, None, json!({}));
    // It is built beside the suite.
    let program = env::current_exe().well()?.with_file_name("call-by-rust");
    Command::new(program)
        .args([
            format!("{service}/dump"),
            stage.owner.email("oidc-federated"),
            row.audience.unwrap_or(&service).to_owned(),
        ])
        .env("GOOGLE_APPLICATION_CREDENTIALS", stage.write(&config.to_string())?)
        .output()
        .await
        .well()
}

async fn judge(stage: Arc<Stage>, row: Row) -> Outcome {
    let Some((refusal, words)) = row.refused else {
        let ended = stage.control.allows("sts iamcredentials cloud-run-front", run(&stage, row)).await?;
        let stderr = String::from_utf8_lossy(&ended.stderr);
        equal(ended.status.code(), Some(0), &format!("the exit code ({stderr})"))?;
        let received: Value = serde_json::from_slice(&ended.stdout).well()?;
        equal(text(&received, "/path")?.as_str(), "/dump", "the path that the service saw")?;
        let hidden = text(&received, "/headers/authorization")?.ends_with("SIGNATURE_REMOVED_BY_GOOGLE");
        return need(hidden, || "the service was shown the signature of the ID token".to_owned());
    };
    let ended = stage.control.refuses(refusal, run(&stage, row)).await??;
    equal(ended.status.code(), Some(1), "the exit code")?;
    let stderr = String::from_utf8_lossy(&ended.stderr);
    words.iter().try_for_each(|part| need(stderr.contains(part), || format!("`{part}` is not in: {stderr}")))
}

async fn nobody(stage: Arc<Stage>) -> Outcome {
    let service = stage.owner.service("federated-auth-cloud-run").await?;
    let answer = stage.control.refuses("cloud-run-front credential", send("GET", &service, None, None)).await??;
    equal(answer.0, 403, "the status")
}

pub fn cases(stage: &Arc<Stage>) -> Vec<Case> {
    let mut all = vec![case(stage, AUTH, "no credentials", "nobody gets in without a token", nobody)];
    all.extend(ROWS.map(|row| case(stage, IAM, "walk-through, REST", row.name, |stage| judge(stage, row))));
    all
}
