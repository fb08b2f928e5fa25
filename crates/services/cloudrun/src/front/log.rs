//! The log of requests, as Cloud Logging has it: one entry for every request that was let in or refused.
//!
//! Source: <https://cloud.google.com/run/docs/logging>, public captures of refused requests.

use http::request::Parts;
use serde_json::json;
use tokenrig_cloud::{Cloud, RequestEntry, Severity};
use tokenrig_decision::Decision;

use super::redact::redact;
use crate::model::Deployed;

const NO_CREDENTIAL: &str = "The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#unauthorized-client";
const NOT_AUTHORIZED: &str = "The request was not authorized to invoke this service. Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#401";

/// The entry of one request. Its labels name the refusal, or who was let in.
pub(crate) fn entry(
    cloud: &Cloud,
    service: &Deployed,
    parts: &Parts,
    decision: &Decision,
    status: u16,
) -> RequestEntry {
    let refusal = decision.failed().and_then(|check| check.refused()).map(|refused| refused.id().to_owned());
    let member = decision.checks().iter().find(|check| check.name() == "permission" && check.ok());
    let member = member.and_then(|check| check.expectation().get("member")?.as_str());
    let principal = member.map(|member| ("principal", member.to_owned()));
    let labels = refusal.clone().map(|id| ("refusal", id)).into_iter().chain(principal).collect();
    let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let host = service.hosts.last().map(String::as_str).unwrap_or_default();
    let agent = parts.headers.get(http::header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let project = ("project_id", cloud.project().id.clone());
    let (log, resource_type, resource_labels) = if service.is_function() {
        let labels =
            vec![project, ("region", service.name.location.clone()), ("function_name", service.name.service.clone())];
        ("cloudfunctions.googleapis.com/cloud-functions", "cloud_function", labels)
    } else {
        let labels = vec![
            project,
            ("location", service.name.location.clone()),
            ("service_name", service.name.service.clone()),
            ("revision_name", service.contract.revision.clone()),
            ("configuration_name", service.name.service.clone()),
        ];
        ("run.googleapis.com/requests", "cloud_run_revision", labels)
    };
    RequestEntry {
        log,
        resource_type,
        resource_labels,
        labels,
        severity: match status {
            500.. => Severity::Error,
            400..=499 => Severity::Warning,
            _ => Severity::Info,
        },
        request: json!({
            "requestMethod": parts.method.as_str(),
            "requestUrl": redact(&format!("https://{host}{target}")),
            "status": status,
            "userAgent": agent.map(|agent| redact(&agent)),
            "protocol": format!("{:?}", parts.version),
        }),
        text: refusal.and_then(|id| said(&id)).map(str::to_owned),
    }
}

/// What Google writes beside a refusal, where that is known.
fn said(refusal: &str) -> Option<&'static str> {
    match refusal {
        "run-front-no-credential" => Some(NO_CREDENTIAL),
        "run-front-token-unverifiable" | "run-front-expired-token" | "run-front-user-without-invoker" => {
            Some(NOT_AUTHORIZED)
        }
        _ => None,
    }
}
