//! What a condition can read.

use std::sync::LazyLock;

use jiff::Timestamp;
use tokenrig_cel::{Key, Map, Value};

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

    /// What conditions know as `request`.
    pub(crate) fn request(&self) -> Value {
        let [time, path, host] = &*REQUEST;
        let text = |(key, text): (&Key, &Option<String>)| Some((key.clone(), Value::from(text.as_deref()?)));
        let texts = [(path, &self.path), (host, &self.host)].into_iter().filter_map(text);
        let entries = std::iter::once((time.clone(), Value::Timestamp(self.time))).chain(texts);
        Value::from(Map::new(entries))
    }
}

/// The keys of `request`: made once, because a decision makes the map anew.
static REQUEST: LazyLock<[Key; 3]> = LazyLock::new(|| ["time", "path", "host"].map(|name| Key::String(name.into())));

/// What conditions know as `resource`, of a full resource name.
pub(crate) fn about(resource: &str) -> Value {
    let (service, name) = split(resource);
    let mut about = vec![("service", Value::from(service)), ("name", Value::from(name))];
    if let Some(kind) = kind(service, name) {
        about.push(("type", Value::from(format!("{service}/{kind}"))));
    }
    Value::map(about)
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
