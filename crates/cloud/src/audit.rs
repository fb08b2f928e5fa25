//! The audit trail, in the shape of Cloud Logging's entries.

use std::{collections::VecDeque, fmt, sync::Mutex};

use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;

use crate::{cloud::Cloud, derive::hex, sync::lock};

/// One entry: the fields of `google.logging.v2.LogEntry` that differ.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// The log's id, for example `cloudaudit.googleapis.com/data_access`.
    pub log: &'static str,
    /// The monitored resource's type, for example `service_account`.
    pub resource_type: &'static str,
    /// The monitored resource's labels.
    pub labels: Vec<(&'static str, String)>,
    /// How grave it is.
    pub severity: Severity,
    /// `protoPayload`: an audit log's, with its `@type`.
    pub payload: Value,
}

/// One entry of a log of requests: what a front end tells of a request that it let in or refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestEntry {
    /// The log's id, for example `run.googleapis.com/requests`.
    pub log: &'static str,
    /// The monitored resource's type, for example `cloud_run_revision`.
    pub resource_type: &'static str,
    /// The monitored resource's labels.
    pub resource_labels: Vec<(&'static str, String)>,
    /// The entry's own labels.
    pub labels: Vec<(&'static str, String)>,
    /// How grave it is.
    pub severity: Severity,
    /// `httpRequest`: `google.logging.type.HttpRequest` as JSON.
    pub request: Value,
    /// `textPayload`, if there is something to say.
    pub text: Option<String>,
}

/// One entry of the log of a service that does something by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskEntry {
    /// The log's id, for example `cloudscheduler.googleapis.com/executions`.
    pub log: &'static str,
    /// The monitored resource's type, for example `cloud_scheduler_job`.
    pub resource_type: &'static str,
    /// The monitored resource's labels.
    pub resource_labels: Vec<(&'static str, String)>,
    /// How grave it is.
    pub severity: Severity,
    /// `httpRequest`, if it is about one.
    pub request: Option<Value>,
    /// `jsonPayload`, with its `@type`.
    pub payload: Value,
}

/// The severity of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of google.logging.type.LogSeverity")]
pub enum Severity {
    Info,
    Notice,
    Warning,
    Error,
}

#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<(u64, VecDeque<(Timestamp, Entry)>)>);

enum Entry {
    Audit(LogEntry),
    Request(Box<dyn Fn() -> RequestEntry + Send + Sync>),
    Task(Box<dyn Fn() -> TaskEntry + Send + Sync>),
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Audit(entry) => entry.fmt(f),
            Self::Request(make) => make().fmt(f),
            Self::Task(make) => make().fmt(f),
        }
    }
}

/// The audit trail of a cloud.
#[derive(Clone, Copy)]
pub struct Audit<'a>(pub(crate) &'a Cloud);

impl Audit<'_> {
    /// Keeps an entry; the oldest goes when the ring is full.
    pub fn record(&self, entry: LogEntry) {
        self.keep(Entry::Audit(entry));
    }

    /// Keeps an entry of a log of requests, in the same ring. It is made when somebody looks, of something small that
    /// nothing changes, and that does not hold the cloud.
    pub fn record_request(&self, make: impl Fn() -> RequestEntry + Send + Sync + 'static) {
        self.keep(Entry::Request(Box::new(make)));
    }

    /// Keeps an entry of a service that does something by itself, in the same ring. It is made when somebody looks, as that
    /// of a request.
    pub fn record_task(&self, make: impl Fn() -> TaskEntry + Send + Sync + 'static) {
        self.keep(Entry::Task(Box::new(make)));
    }

    fn keep(&self, entry: Entry) {
        let now = self.0.now();
        let mut guard = lock(&self.0.inner().audit.0);
        if guard.1.len() >= self.0.settings().ring.max(1) {
            guard.1.pop_front();
        }
        guard.1.push_back((now, entry));
        guard.0 += 1;
    }

    /// The kept entries after number `seq` as `LogEntry` JSON, oldest first, each with its number.
    #[must_use]
    pub fn since(&self, seq: u64) -> Vec<(u64, Value)> {
        let guard = lock(&self.0.inner().audit.0);
        let first = guard.0 - guard.1.len() as u64 + 1;
        let entries = (first..).zip(&guard.1).filter(|(number, _)| *number > seq);
        entries.map(|(number, (at, entry))| (number, self.json(number, *at, entry))).collect()
    }

    fn json(&self, number: u64, at: Timestamp, entry: &Entry) -> Value {
        match entry {
            Entry::Audit(entry) => {
                let mut told = self.head(number, at, entry.log, entry.severity);
                told["resource"] = json!({ "type": entry.resource_type, "labels": labels(&entry.labels) });
                told["protoPayload"] = entry.payload.clone();
                told
            }
            Entry::Task(make) => {
                let entry = make();
                let mut told = self.head(number, at, entry.log, entry.severity);
                told["resource"] = json!({ "type": entry.resource_type, "labels": labels(&entry.resource_labels) });
                told["jsonPayload"] = entry.payload;
                if let Some(request) = entry.request {
                    told["httpRequest"] = request;
                }
                told
            }
            Entry::Request(make) => {
                let entry = make();
                let mut told = self.head(number, at, entry.log, entry.severity);
                told["resource"] = json!({ "type": entry.resource_type, "labels": labels(&entry.resource_labels) });
                told["labels"] = labels(&entry.labels);
                told["httpRequest"] = entry.request;
                if let Some(text) = entry.text {
                    told["textPayload"] = json!(text);
                }
                told
            }
        }
    }

    fn head(&self, number: u64, at: Timestamp, log: &str, severity: Severity) -> Value {
        let project = &self.0.project().id;
        let id = self.0.derive().bytes("insert id", &[&number.to_be_bytes()]);
        json!({
            "logName": format!("projects/{project}/logs/{}", log.replace('/', "%2F")),
            "insertId": hex(&id).get(..14),
            "timestamp": at.to_string(),
            "receiveTimestamp": at.to_string(),
            "severity": format!("{severity:?}").to_ascii_uppercase(),
        })
    }
}

fn labels(labels: &[(&'static str, String)]) -> Value {
    let labels: Map<String, Value> = labels.iter().map(|(key, is)| ((*key).to_owned(), json!(is))).collect();
    Value::Object(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::cloud;

    #[test]
    fn an_entry_has_the_shape_of_a_log_entry() {
        let cloud = cloud();
        cloud.audit().record(LogEntry {
            log: "cloudaudit.googleapis.com/data_access",
            resource_type: "service_account",
            labels: vec![("project_id", "shop-test".into())],
            severity: Severity::Info,
            payload: json!({ "methodName": "GenerateIdToken" }),
        });
        let (number, entry) = cloud.audit().since(0).remove(0);
        assert_eq!(number, 1);
        assert_eq!(entry["logName"], "projects/shop-test/logs/cloudaudit.googleapis.com%2Fdata_access");
        assert_eq!((&entry["severity"], &entry["timestamp"]), (&json!("INFO"), &json!("2026-01-15T09:00:00Z")));
        assert_eq!(entry["insertId"].as_str().map(str::len), Some(14));
        assert!(cloud.audit().since(1).is_empty());
    }

    #[test]
    fn what_a_service_does_by_itself_stands_in_the_same_ring() {
        let cloud = cloud();
        cloud.audit().record_task(|| TaskEntry {
            log: "cloudscheduler.googleapis.com/executions",
            resource_type: "cloud_scheduler_job",
            resource_labels: vec![("job_id", "tick".into())],
            severity: Severity::Error,
            request: Some(json!({ "status": 503 })),
            payload: json!({ "status": "UNAVAILABLE" }),
        });
        let (_, entry) = cloud.audit().since(0).remove(0);
        assert_eq!(entry["logName"], "projects/shop-test/logs/cloudscheduler.googleapis.com%2Fexecutions");
        assert_eq!(entry["resource"], json!({ "type": "cloud_scheduler_job", "labels": { "job_id": "tick" } }));
        assert_eq!((&entry["severity"], &entry["httpRequest"]["status"]), (&json!("ERROR"), &json!(503)));
        assert_eq!(entry["jsonPayload"], json!({ "status": "UNAVAILABLE" }));
    }

    #[test]
    fn a_request_stands_in_the_same_ring_with_what_was_said_of_it() {
        let cloud = cloud();
        cloud.audit().record_request(|| RequestEntry {
            log: "run.googleapis.com/requests",
            resource_type: "cloud_run_revision",
            resource_labels: vec![("service_name", "orders".into())],
            labels: vec![("decision", "7".into())],
            severity: Severity::Warning,
            request: json!({ "requestMethod": "GET", "status": 403 }),
            text: Some("The request was not authenticated.".to_owned()),
        });
        let (_, entry) = cloud.audit().since(0).remove(0);
        assert_eq!(entry["resource"], json!({ "type": "cloud_run_revision", "labels": { "service_name": "orders" } }));
        assert_eq!((&entry["labels"]["decision"], &entry["httpRequest"]["status"]), (&json!("7"), &json!(403)));
        assert_eq!(
            (&entry["textPayload"], entry.get("protoPayload")),
            (&json!("The request was not authenticated."), None)
        );
    }
}
