//! Tasks that are made of a whole HTTP request.

use bytes::Bytes;
use tokenrig_decision::Refused;
use tokenrig_protos::{
    Verb,
    google::cloud::tasks::v2::{HttpMethod, task::View},
    tokenrig::cloudtasks::v2beta3::{BufferTaskRequest, BufferTaskResponse},
};
use tokenrig_wire::{Api, Call, with};

use super::{Tasks, beta, demand, rules, target, tasks::New, tasks::http_headers};
use crate::{
    model,
    store::{Http, Payload},
};

/// Headers that tell of the connection, of who calls, or of the call itself, and not of the task.
const NOT_OF_THE_TASK: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn on(api: Api, tasks: &Tasks) -> Api {
    api.on("cloudtasks.projects.locations.queues.tasks.buffer", with(tasks, Tasks::buffer_task))
}

impl Tasks {
    fn buffer_task(&self, call: &Call, request: BufferTaskRequest) -> Result<BufferTaskResponse, Refused> {
        let queue = self.existing(call, "cloudtasks.tasks.create", &request.queue)?;
        let id = (!request.task_id.is_empty()).then_some(request.task_id);
        if let Some(id) = &id {
            self.task_id(call, id)?;
        }
        let target = self.store().queue(&queue).and_then(|queue| queue.told().http_target.clone()).unwrap_or_default();
        let uri = target.uri_override.unwrap_or_default();
        let host = uri.host.as_deref().unwrap_or_default();
        let what = "BufferTask requires the queue to have an httpTarget with a uriOverride that names a host.";
        let id_of = "tasks-buffer-target-missing";
        demand(call, !host.is_empty(), id_of, "`httpTarget.uriOverride.host` of the queue", host, what)?;
        let url = target::overridden("", &uri);
        let body = Bytes::from(request.body.unwrap_or_default().data);
        let method = match call.verb() {
            Verb::Get => HttpMethod::Get,
            Verb::Put => HttpMethod::Put,
            Verb::Post => HttpMethod::Post,
            Verb::Delete => HttpMethod::Delete,
            Verb::Patch => HttpMethod::Patch,
        };
        rules::body(call, method.into(), &body, &[HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch])?;
        let kept = call
            .headers()
            .iter()
            .filter(|(name, _)| !NOT_OF_THE_TASK.contains(&name.as_str()) && !name.as_str().starts_with("x-goog-"));
        let mut headers = Vec::new();
        for (name, value) in kept {
            let text = value.to_str().ok();
            let what = "The headers must be valid HTTP headers.";
            demand(call, text.is_some(), "tasks-header-invalid", "a header in ASCII", name.as_str(), what)?;
            headers.push((name.as_str().to_owned(), text.unwrap_or_default().to_owned()));
        }
        rules::headers_fit(call, headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let headers = http_headers(headers);
        let http = Http { url: url.into(), method: method.into(), headers, body, auth: None };
        let payload = Payload::Http(Box::new(http));
        let new = New { id, at: None, deadline: Some(model::DEADLINE), payload, auth: None, retry: None };
        let task = self.put_task(call, &queue, new, View::Basic)?;
        Ok(BufferTaskResponse { task: Some(beta::other(&task)) })
    }
}
