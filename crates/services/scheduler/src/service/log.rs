//! The log of executions: two entries per attempt, as Cloud Logging has them.

use std::sync::Arc;

use serde_json::json;
use tokenrig_clock::Timestamp;
use tokenrig_cloud::{Severity, TaskEntry};
use tokenrig_decision::Code;

/// What the log says of a job.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) project: String,
    pub(super) location: String,
    pub(super) id: String,
    pub(super) name: Arc<str>,
    pub(super) url: Arc<str>,
    pub(super) target: &'static str,
}

/// An entry as it is kept; it becomes JSON only when somebody reads it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Arc<Named>,
    pub(super) scheduled: Timestamp,
    /// How it ended, of the second entry: the status of the answer, and the code of a failure.
    pub(super) ended: Option<(Option<u16>, Option<Code>)>,
}

impl Entry {
    pub(super) fn told(&self) -> TaskEntry {
        let job = &self.job;
        let kind = if self.ended.is_some() { "AttemptFinished" } else { "AttemptStarted" };
        let mut payload = json!({
            "@type": format!("type.googleapis.com/google.cloud.scheduler.logging.{kind}"),
            "jobName": &*job.name,
            "targetType": job.target,
            "url": &*job.url,
            "scheduledTime": self.scheduled.to_string(),
        });
        let (mut request, mut severity) = (None, Severity::Info);
        if let Some((status, code)) = self.ended {
            request = status.map(|status| json!({ "status": status }));
            if let Some(code) = code {
                payload["status"] = json!(code.name());
                severity = Severity::Error;
            }
        }
        TaskEntry {
            log: "cloudscheduler.googleapis.com/executions",
            resource_type: "cloud_scheduler_job",
            resource_labels: vec![
                ("job_id", job.id.clone()),
                ("location", job.location.clone()),
                ("project_id", job.project.clone()),
            ],
            severity,
            request,
            payload,
        }
    }
}
