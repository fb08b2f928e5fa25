//! Tasks.

use std::sync::Arc;

use bytes::Bytes;
use tokenrig_clock::Timestamp;
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::cloud::tasks::v2::{
        self, AppEngineHttpRequest, CreateTaskRequest, DeleteTaskRequest, GetTaskRequest, HttpMethod, HttpRequest,
        ListTasksRequest, ListTasksResponse, RunTaskRequest, task::MessageType, task::View,
    },
    prost::Message as _,
};
use tokenrig_wire::{Api, Call, page, with};

use super::{Tasks, demand, queues::page_of, rule, rules, target};
use crate::{
    model::{self, FARTHEST, LARGEST_TASK, is_task_id, split_task},
    refusals,
    store::{AppEngine, Auth, Http, Payload, Queue, Task},
};

/// Tasks on a page, at most and by default.
const MOST_TASKS: usize = 1_000;
/// What an HTTP task says of itself.
const AGENT: &str = "Google-Cloud-Tasks";
/// What an App Engine task says of itself.
const APP_ENGINE_AGENT: &str = "AppEngine-Google; (+http://code.google.com/appengine)";

type Headers = Vec<(Box<str>, Arc<str>)>;

pub(super) fn on(api: Api, tasks: &Tasks) -> Api {
    api.on("cloudtasks.projects.locations.queues.tasks.create", with(tasks, Tasks::create_task))
        .on("cloudtasks.projects.locations.queues.tasks.get", with(tasks, Tasks::get_task))
        .on("cloudtasks.projects.locations.queues.tasks.list", with(tasks, Tasks::list_tasks))
        .on("cloudtasks.projects.locations.queues.tasks.delete", with(tasks, Tasks::delete_task))
        .on("cloudtasks.projects.locations.queues.tasks.run", with(tasks, Tasks::run_task))
}

/// A task that may be made, before it has its place.
pub(super) struct New {
    /// The id that was asked for.
    pub(super) id: Option<String>,
    pub(super) at: Option<Timestamp>,
    pub(super) deadline: Option<tokenrig_clock::SignedDuration>,
    pub(super) payload: Payload,
    pub(super) auth: Option<Auth>,
    pub(super) retry: Option<Box<v2::RetryConfig>>,
}

impl Tasks {
    pub(super) fn create_task(&self, call: &Call, request: CreateTaskRequest) -> Result<v2::Task, Refused> {
        let queue = self.permitted(call, "cloudtasks.tasks.create", &request.parent)?;
        let view = self.view(call, &queue, request.response_view)?;
        call.check(super::queue_there(&queue, self.store().queue(&queue).is_some()))?;
        let what = "CreateTaskRequest.task is required.";
        demand(call, request.task.is_some(), "tasks-task-missing", "a task", "", what)?;
        let told = request.task.unwrap_or_default();
        let id = self.wanted_id(call, &request.parent, &queue, &told.name)?;
        let at = schedule(call, told.schedule_time.as_ref())?;
        if let Some(config) = &told.retry_config {
            rules::retry_config(call, config)?;
        }
        let retry = told.retry_config.map(|config| Box::new(model::retry_config(Some(&config), false)));
        let new = match told.message_type {
            Some(MessageType::HttpRequest(request)) => {
                let deadline = rules::deadline(call, told.dispatch_deadline.as_ref(), false)?;
                let (payload, auth) = self.http(call, request)?;
                New { id, at, deadline, payload, auth, retry }
            }
            Some(MessageType::AppEngineHttpRequest(request)) => {
                let deadline = rules::deadline(call, told.dispatch_deadline.as_ref(), true)?;
                let payload = self.app_engine(call, request)?;
                New { id, at, deadline, payload, auth: None, retry }
            }
            None => {
                let what = "Task must have an httpRequest or an appEngineHttpRequest.";
                let expected = "`httpRequest` or `appEngineHttpRequest`";
                demand(call, false, "tasks-target-missing", expected, "", what)?;
                return Ok(v2::Task::default());
            }
        };
        self.put_task(call, &queue, new, view)
    }

    /// Gives a task its place in a queue.
    pub(super) fn put_task(&self, call: &Call, queue: &str, new: New, view: View) -> Result<v2::Task, Refused> {
        let now = call.now();
        let mut store = self.store();
        let number = store.number();
        let id = new.id.unwrap_or_else(|| self.generated_id(queue, number));
        let (exists, was_here) =
            store.queue(queue).map_or((false, false), |queue| (queue.task(&id).is_some(), queue.was_here(&id, now)));
        let name = format!("{queue}/tasks/{id}");
        call.check(
            Check::named("resource")
                .expected("no task of this name")
                .found(name.as_str())
                .holds(!exists)
                .or_refuse(&refusals::TASK_EXISTS, "tasks-task-exists")
                .mend(|| "take another name, or let the server give one".to_owned()),
        )?;
        call.check(
            Check::named("resource")
                .expected("no task of this name that was here lately")
                .found(name.as_str())
                .holds(!was_here)
                .or_refuse(&refusals::TASK_TOMBSTONE, "tasks-task-tombstone")
                .mend(|| "take another name, let the server give one, or wait until this one is free again".to_owned()),
        )?;
        let mut task = Task {
            id: id.into(),
            created: now,
            at: new.at.map_or(now, |at| at.max(now)),
            deadline: new.deadline,
            payload: new.payload,
            retry: new.retry,
            dispatched: 0,
            responded: 0,
            executed: 0,
            previous: None,
            first: None,
            last: None,
        };
        if let (Payload::Http(http), Some(auth)) = (&mut task.payload, new.auth) {
            http.auth = store.change(queue, |queue| queue.share(auth));
        }
        let size = kept_size(&task, queue);
        let id = (&refusals::TASK_TOO_LARGE, "tasks-too-large");
        rule(call, size <= LARGEST_TASK, id, format!("a task of at most {LARGEST_TASK} bytes"), size, &[])?;
        let told = task.told(queue, view);
        let put = store.change(queue, |queue| queue.put(number, task)).is_some();
        drop(store);
        // The queue may have gone since it was looked for.
        call.check(super::queue_there(queue, put))?;
        self.ring();
        Ok(told)
    }

    /// Digits, as Google's own; the same for the same rig and the same calls.
    fn generated_id(&self, queue: &str, number: u64) -> String {
        let hex = self.cloud().derived_hex("task", &format!("{queue} {number}"));
        let drawn = hex.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(number);
        format!("{drawn:020}")
    }

    /// The id of the name that a new task is to have.
    fn wanted_id(&self, call: &Call, parent: &str, queue: &str, name: &str) -> Result<Option<String>, Refused> {
        if name.is_empty() {
            return Ok(None);
        }
        let (of, id) = split_task(name).unwrap_or(("", name));
        self.task_id(call, id)?;
        let project = &self.cloud().project().id;
        let same = model::QueueName::parse(of)
            .is_some_and(|of| self.cloud().project().is(of.project) && of.canonical(project) == queue);
        let named = [("parent", parent), ("queue", of)];
        let refusal = (&refusals::TASK_OF_OTHER_QUEUE, "tasks-task-queue-mismatch");
        rule(call, same, refusal, format!("{queue}/tasks/TASK"), name, &named)?;
        Ok(Some(id.to_owned()))
    }

    pub(super) fn task_id(&self, call: &Call, id: &str) -> Result<(), Refused> {
        let refusal = (&refusals::TASK_ID, "tasks-task-id-invalid");
        rule(call, is_task_id(id), refusal, "at most 500 letters, digits, `-` and `_`", id, &[("id", id)])
    }

    /// What an HTTP task sends, and the token it orders.
    fn http(&self, call: &Call, told: HttpRequest) -> Result<(Payload, Option<Auth>), Refused> {
        rules::url(call, &told.url)?;
        rules::method(call, told.http_method)?;
        rules::body(call, told.http_method, &told.body, &[HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch])?;
        rules::headers_fit(call, told.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let auth = self.judge_auth(call, told.authorization_header, &told.url)?;
        let http = Http {
            url: told.url.into(),
            method: or_post(told.http_method),
            headers: http_headers(told.headers),
            body: Bytes::from(told.body),
            auth: None,
        };
        Ok((Payload::Http(Box::new(http)), auth))
    }

    fn app_engine(&self, call: &Call, told: AppEngineHttpRequest) -> Result<Payload, Refused> {
        rules::method(call, told.http_method)?;
        let takes = [HttpMethod::Post, HttpMethod::Put, HttpMethod::Get, HttpMethod::Head, HttpMethod::Delete];
        let method = HttpMethod::try_from(told.http_method).unwrap_or_default();
        let good = method == HttpMethod::Unspecified || takes.contains(&method);
        let what = "AppEngineHttpRequest.httpMethod must not be PATCH or OPTIONS.";
        demand(call, good, "tasks-method-not-allowed", "another verb", method.as_str_name(), what)?;
        rules::body(call, told.http_method, &told.body, &[HttpMethod::Post, HttpMethod::Put])?;
        rules::headers_fit(call, told.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        let uri = if told.relative_uri.is_empty() { "/".to_owned() } else { told.relative_uri };
        let good = uri.starts_with('/') && !uri.contains(char::is_whitespace) && uri.len() <= model::LONGEST_URL;
        let what =
            "AppEngineHttpRequest.relativeUri must begin with \"/\" and be a valid URI of at most 2083 characters.";
        demand(call, good, "tasks-uri-invalid", "a path that begins with `/`", uri.as_str(), what)?;
        let mut routing = told.app_engine_routing.unwrap_or_default();
        routing.host = target::app_engine_host(&routing, &self.cloud().project().id, ".");
        let (headers, body) = (app_engine_headers(told.headers, told.body.len()), Bytes::from(told.body));
        let method = or_post(told.http_method);
        Ok(Payload::AppEngine(Box::new(AppEngine { routing, relative_uri: uri, method, headers, body })))
    }

    pub(super) fn get_task(&self, call: &Call, request: GetTaskRequest) -> Result<v2::Task, Refused> {
        let (queue, id) = self.task_of(call, "cloudtasks.tasks.get", &request.name)?;
        let view = self.view(call, &queue, request.response_view)?;
        let store = self.store();
        let kept = store.queue(&queue);
        let told = kept.and_then(|kept| kept.task(&id)).map(|task| task.told(&queue, view));
        let was_here = kept.is_some_and(|kept| kept.was_here(&id, call.now()));
        drop(store);
        let check = Check::named("resource").expected("a task that exists").found(request.name).holds(told.is_some());
        call.check(if was_here {
            check.or_refuse(&refusals::TASK_GONE, "tasks-task-gone")
        } else {
            check.or_refuse(&refusals::NOT_FOUND, "tasks-task-not-found")
        })?;
        Ok(told.unwrap_or_default())
    }

    pub(super) fn list_tasks(&self, call: &Call, request: ListTasksRequest) -> Result<ListTasksResponse, Refused> {
        let queue = self.existing(call, "cloudtasks.tasks.list", &request.parent)?;
        let view = self.view(call, &queue, request.response_view)?;
        let store = self.store();
        let tasks = store.queue(&queue).into_iter().flat_map(Queue::tasks);
        let page = page(tasks, |task| &*task.id, request.page_size, &request.page_token, MOST_TASKS, MOST_TASKS);
        let page = page.map(|page| {
            let told = page.items.into_iter().map(|task| task.told(&queue, view));
            (told.collect::<Vec<_>>(), page.next)
        });
        drop(store);
        page_of(call, &request.page_token, page.is_ok())?;
        let (tasks, next_page_token) = page.unwrap_or_default();
        Ok(ListTasksResponse { tasks, next_page_token })
    }

    pub(super) fn delete_task(&self, call: &Call, request: DeleteTaskRequest) -> Result<(), Refused> {
        let (queue, id) = self.task_of(call, "cloudtasks.tasks.delete", &request.name)?;
        let window = self.settings().name_window;
        let removed = self.store().change(&queue, |queue| queue.remove(&id, call.now(), window)).flatten();
        call.check(task_there(&request.name, removed.is_some()))?;
        self.ring();
        Ok(())
    }

    pub(super) fn run_task(&self, call: &Call, request: RunTaskRequest) -> Result<v2::Task, Refused> {
        let (queue, id) = self.task_of(call, "cloudtasks.tasks.run", &request.name)?;
        let view = self.view(call, &queue, request.response_view)?;
        let now = call.now();
        let forced = |kept: &mut Queue| kept.force(&id, now).map(|task| task.told(&queue, view));
        let told = self.store().change(&queue, forced).flatten();
        call.check(task_there(&request.name, told.is_some()))?;
        self.ring();
        Ok(told.unwrap_or_default())
    }

    /// The queue and the id of a task's name, if the caller may do this to it and the queue is there.
    fn task_of(&self, call: &Call, permission: &str, name: &str) -> Result<(String, String), Refused> {
        let (queue, id) = split_task(name).unwrap_or((name, ""));
        let queue = self.permitted(call, permission, queue)?;
        self.task_id(call, id)?;
        call.check(super::queue_there(&queue, self.store().queue(&queue).is_some()))?;
        Ok((queue, id.to_owned()))
    }

    /// How much of a task is told, if the caller may see that much.
    pub(super) fn view(&self, call: &Call, queue: &str, asked: i32) -> Result<View, Refused> {
        if View::try_from(asked) != Ok(View::Full) {
            return Ok(View::Basic);
        }
        self.permit(call, "cloudtasks.tasks.fullView", queue)?;
        Ok(View::Full)
    }
}

/// When a task is to be attempted. What is past is now.
fn schedule(call: &Call, told: Option<&tokenrig_protos::prost_types::Timestamp>) -> Result<Option<Timestamp>, Refused> {
    let Some(told) = told else { return Ok(None) };
    let at = model::instant(told);
    let latest = call.now().checked_add(FARTHEST).unwrap_or(Timestamp::MAX);
    let found = at.map_or_else(|| "no instant".to_owned(), |at| at.to_string());
    let good = at.is_some_and(|at| at <= latest);
    let what = "Task.scheduleTime must be at most 30 days in the future.";
    demand(call, good, "tasks-schedule-too-far", format!("an instant until {latest}"), found, what)?;
    Ok(at)
}

/// The check that a task is there, for methods that tell nothing of tasks that were.
fn task_there(name: &str, found: bool) -> Check {
    Check::named("resource")
        .expected("a task that exists")
        .found(name)
        .holds(found)
        .or_refuse(&refusals::NOT_FOUND, "tasks-task-not-found")
}

fn or_post(method: i32) -> i32 {
    if method == 0 { HttpMethod::Post.into() } else { method }
}

/// The user's headers as they are kept: with what the service says of itself.
pub(super) fn http_headers(told: impl IntoIterator<Item = (String, String)>) -> Box<[(Box<str>, Arc<str>)]> {
    let own = told.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("user-agent"));
    let mut kept: Headers = own.map(|(name, value)| (name.into(), value.into())).collect();
    kept.push(("User-Agent".into(), AGENT.into()));
    kept.into_boxed_slice()
}

/// The same of an App Engine task: the user's agent stands before Google's, a body has its type and length.
fn app_engine_headers(told: impl IntoIterator<Item = (String, String)>, length: usize) -> Box<[(Box<str>, Arc<str>)]> {
    let mut kept: Headers = Vec::new();
    let mut agent = APP_ENGINE_AGENT.to_owned();
    let mut typed = false;
    for (name, value) in told {
        if name.eq_ignore_ascii_case("user-agent") {
            agent = format!("{value} {APP_ENGINE_AGENT}");
        } else if !name.eq_ignore_ascii_case("content-length") {
            typed |= name.eq_ignore_ascii_case("content-type");
            kept.push((name.into(), value.into()));
        }
    }
    if length > 0 {
        if !typed {
            kept.push(("Content-Type".into(), "application/octet-stream".into()));
        }
        kept.push(("Content-Length".into(), length.to_string().into()));
    }
    kept.push(("User-Agent".into(), agent.into()));
    kept.into_boxed_slice()
}

/// How many bytes a task has as Google keeps it: all of it, and no view.
fn kept_size(task: &Task, queue: &str) -> usize {
    let body = match &task.payload {
        Payload::Http(http) => http.body.len(),
        Payload::AppEngine(app) => app.body.len(),
    };
    // Small ones need no exact measure: headers and URL have bounds of their own.
    if body + LARGEST_TASK / 2 < LARGEST_TASK {
        return body;
    }
    v2::Task { view: 0, ..task.told(queue, View::Full) }.encoded_len()
}
