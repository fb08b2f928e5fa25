//! What a condition can read.

use jiff::Timestamp;
use tokenrig_cel::{Scope, Value};

/// What is known of a request beside who makes it. Conditions see it as `request.time`, `request.path`,
/// `request.host` and `resource.service`, `.type`, `.name`; what is not known is absent, and a condition that reads it
/// is an error, which does not grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// When it is made.
    pub time: Timestamp,
    /// The path of the URL, at services that are called by URL.
    pub path: Option<String>,
    /// The host of the URL, at services that are called by URL.
    pub host: Option<String>,
}

impl Attributes {
    /// Of a request that is made now and has no URL of its own.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self { time, ..Self::default() }
    }

    /// The scope of a condition on a request for `resource`, a full resource name.
    pub(crate) fn scope(&self, resource: &str) -> Scope {
        let mut request = vec![("time", Value::Timestamp(self.time))];
        let text = |text: &str| Value::from(text);
        if let Some(path) = &self.path {
            request.push(("path", text(path)));
        }
        if let Some(host) = &self.host {
            request.push(("host", text(host)));
        }
        let (service, name) = split(resource);
        let mut about = vec![("service", text(service)), ("name", text(name))];
        if let Some(kind) = kind(service, name) {
            about.push(("type", Value::from(format!("{service}/{kind}"))));
        }
        Scope::new().with("request", Value::map(request)).with("resource", Value::map(about))
    }
}

/// A full resource name in two: service and relative name.
pub(crate) fn split(resource: &str) -> (&str, &str) {
    resource.strip_prefix("//").unwrap_or(resource).split_once('/').unwrap_or(("", resource))
}

/// The type that Google gives resources of the last collection of `name`.
fn kind(service: &str, name: &str) -> Option<&'static str> {
    let collection = name.rsplit('/').nth(1)?;
    Some(match (service, collection) {
        ("cloudresourcemanager.googleapis.com", "projects") => "Project",
        ("cloudresourcemanager.googleapis.com", "folders") => "Folder",
        ("cloudresourcemanager.googleapis.com", "organizations") => "Organization",
        ("iam.googleapis.com", "serviceAccounts") => "ServiceAccount",
        ("iam.googleapis.com", "workloadIdentityPools") => "WorkloadIdentityPool",
        ("run.googleapis.com", "services") => "Service",
        ("run.googleapis.com", "jobs") => "Job",
        ("cloudfunctions.googleapis.com", "functions") => "CloudFunction",
        ("pubsub.googleapis.com", "topics") => "Topic",
        ("pubsub.googleapis.com", "subscriptions") => "Subscription",
        ("cloudtasks.googleapis.com", "queues") => "Queue",
        ("storage.googleapis.com", "buckets") => "Bucket",
        ("storage.googleapis.com", _) if name.contains("/objects/") => "Object",
        _ => return None,
    })
}
