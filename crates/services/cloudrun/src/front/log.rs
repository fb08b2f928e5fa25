//! The log of requests, as Cloud Logging has it: one entry for every request that was let in or refused.
//!
//! Source: <https://cloud.google.com/run/docs/logging>, public captures of refused requests.

use serde_json::json;
use tokenrig_cloud::{RequestEntry, Severity};

use super::redact::redact;
use crate::service::Seen;

const NO_CREDENTIAL: &str = "The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#unauthorized-client";
const NOT_AUTHORIZED: &str = "The request was not authorized to invoke this service. Read more at https://cloud.google.com/run/docs/securing/authenticating Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#401";

/// The entry of one request. Its labels name the refusal, or who was let in, and the decision.
pub(crate) fn entry(seen: &Seen) -> RequestEntry {
    let service = &seen.service;
    let refusal = seen.refusal.map(|id| ("refusal", id.to_owned()));
    let principal = seen.principal.as_deref().map(|member| ("principal", member.to_owned()));
    let decision = ("decision", seen.decision.to_string());
    let host = service.hosts.last().map(String::as_str).unwrap_or_default();
    let headers = seen.headers.told(None);
    let agent = headers.into_iter().find(|(name, _)| name == "user-agent").map(|(_, agent)| agent);
    let project = service.canonical.split('/').nth(1).unwrap_or_default().to_owned();
    let project = ("project_id", project);
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
        labels: refusal.into_iter().chain(principal).chain([decision]).collect(),
        severity: match seen.status {
            500.. => Severity::Error,
            400..=499 => Severity::Warning,
            _ => Severity::Info,
        },
        request: json!({
            "requestMethod": seen.method.as_str(),
            "requestUrl": redact(&format!("https://{host}{}", seen.path)),
            "status": seen.status,
            "userAgent": agent,
            "protocol": format!("{:?}", seen.version),
        }),
        text: seen.refusal.and_then(said).map(str::to_owned),
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
