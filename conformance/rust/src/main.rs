//! Runs Google's own crates through federation, impersonation and Cloud Run, and through ways to be refused.
//!
//! Started inside `tokenrig exec`: from there on it knows only Google's host names, and the rig's control address to see
//! why a request was refused. Each case is one line of JSON on stdout; the exit code is 1 when a case failed.

mod cases;
mod rig;
mod service;
mod stage;
mod verdict;
mod workload;

use std::{process::ExitCode, sync::Arc};

use serde_json::json;

use crate::{stage::Stage, verdict::Case};

/// The crates that are tried, and their versions: the manifest pins them to these.
const AUTH: (&str, &str) = ("google-cloud-auth", "1.18.0");
const IAM: (&str, &str) = ("google-cloud-iam-credentials-v1", "1.13.0");

#[tokio::main]
async fn main() -> ExitCode {
    let stage = match Stage::set().await {
        Ok(stage) => Arc::new(stage),
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(3);
        }
    };
    let mut failed = false;
    for Case { client: (client, version), path, name, trial } in cases::all(&stage) {
        let why = trial.await.err();
        failed |= why.is_some();
        let line = json!({
            "client": client, "version": version, "path": path, "case": name, "ok": why.is_none(), "why": why,
        });
        println!("{line}");
    }
    ExitCode::from(u8::from(failed))
}
