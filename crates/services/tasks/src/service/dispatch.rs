//! Tasks on their way: what is sent, and what follows.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_delivery::{Due, Follows, Header, Order, Outcome, Outgoing, Source, Target, TokenOrder};
use tokenrig_protos::google::cloud::tasks::v2::{self, HttpMethod, HttpTarget, http_target};

use super::{Tasks, target};
use crate::{
    model::{self, verb},
    store::{AppEngine, Attempted, Flight, Http, Payload, Queue, Step, Task},
};

/// How long App Engine may take, by default.
const APP_ENGINE_DEADLINE: SignedDuration = SignedDuration::from_secs(600);

impl Source for Tasks {
    fn service(&self) -> &'static str {
        "cloudtasks"
    }

    fn next(&self) -> Option<Due> {
        self.store().first()
    }

    fn take(&self, now: Timestamp) -> Option<Order> {
        let mut store = self.store();
        let name = store.due(now)?;
        let ticket = store.number();
        let window = self.settings().name_window;
        let project = &self.cloud().project().id;
        let (order, flight) = store.change(&name, |queue| {
            let (number, step) = queue.step(now)?;
            if step == Step::Expire {
                queue.remove_number(number, now, window);
                return None;
            }
            begin(queue, number, step == Step::Forced, now, ticket, project)
        })??;
        store.take_off(ticket, flight);
        Some(order)
    }

    fn ended(&self, order: &Order, outcome: &Outcome, now: Timestamp) -> Follows {
        let mut store = self.store();
        let Some(flight) = store.land(order.ticket) else { return gone(outcome) };
        let (window, throttling) = (self.settings().name_window, self.settings().throttling);
        let (name, number) = &flight.queue;
        if store.queue(name).is_none_or(|queue| queue.number != *number) {
            return gone(outcome);
        }
        let follows = store.change(name, |queue| {
            if !flight.forced {
                queue.landed();
            }
            follow(queue, &flight, outcome, now, window, throttling)
        });
        follows.unwrap_or_else(|| gone(outcome))
    }
}

/// What follows if the task is no longer there.
fn gone(outcome: &Outcome) -> Follows {
    if outcome.succeeded() { Follows::Done } else { Follows::GivenUp }
}

/// The attempt of a task, which counts from now on.
fn begin(
    queue: &mut Queue,
    number: u64,
    forced: bool,
    now: Timestamp,
    ticket: u64,
    project: &str,
) -> Option<(Order, Flight)> {
    let (name, id) = (Arc::clone(&queue.name), Arc::clone(&queue.id));
    let of = queue.number;
    let told = queue.told();
    let (over, routing) = (told.http_target.clone(), told.app_engine_routing_override.clone());
    let task = queue.task_mut(number)?;
    let (target, token) = match &task.payload {
        Payload::Http(http) => to_http(task, http, &id, over.as_ref()),
        Payload::AppEngine(app) => (to_app_engine(task, app, &id, routing.as_ref(), project), None),
    };
    let order = Order {
        resource: format!("{name}/tasks/{}", task.id).into(),
        ticket,
        target: Target::Http(target),
        token,
        deadline: task.deadline.unwrap_or(APP_ENGINE_DEADLINE),
        redirects: 0,
    };
    let scheduled = task.at;
    task.dispatched += 1;
    task.first.get_or_insert(now);
    task.last = Some(Box::new(Attempted { scheduled, dispatched: now, ended: None }));
    Some((order, Flight { queue: (name, of), task: number, scheduled, dispatched: now, forced }))
}

/// What follows an attempt of a queue that is still there.
fn follow(
    queue: &mut Queue,
    flight: &Flight,
    outcome: &Outcome,
    now: Timestamp,
    window: SignedDuration,
    throttling: bool,
) -> Follows {
    let config = queue.told().retry_config;
    let Some(task) = queue.task_mut(flight.task) else { return gone(outcome) };
    if *outcome == Outcome::Stopped {
        // The rig ends: whoever starts it again finds the task as it was.
        queue.schedule(flight.task, flight.scheduled);
        return Follows::Retry(flight.scheduled);
    }
    if outcome.succeeded() {
        queue.remove_number(flight.task, now, window);
        if throttling {
            queue.felt(false, now);
        }
        return Follows::Done;
    }
    let app_engine = matches!(task.payload, Payload::AppEngine(_));
    if let Some(status) = outcome.status() {
        task.responded += 1;
        // Recorded: of HTTP targets what the 5xx stand for counts as no execution.
        task.executed += u32::from(app_engine || status < 500);
    }
    task.previous = Some(previous(outcome, app_engine));
    task.last = Some(Box::new(Attempted {
        scheduled: flight.scheduled,
        dispatched: flight.dispatched,
        ended: Some(status_of(outcome, now)),
    }));
    let config = task.retry.as_deref().copied().or(config).unwrap_or_default();
    let first = task.first.unwrap_or(flight.dispatched);
    // Documented of a task that somebody ran: the delay counts from then.
    let from = if flight.forced { flight.dispatched } else { now };
    let next = model::retry(&config).after(task.dispatched, first, from);
    let busy = matches!(outcome.status(), Some(429 | 503));
    if throttling && busy && !(app_engine && outcome.status() == Some(429)) {
        queue.felt(true, now);
    }
    match next {
        None => {
            queue.remove_number(flight.task, now, window);
            Follows::GivenUp
        }
        Some(next) => {
            let next = next.max(asked(outcome, now).unwrap_or(next));
            queue.schedule(flight.task, next);
            Follows::Retry(next)
        }
    }
}

/// Until when a busy target asked to be left alone.
fn asked(outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
    match outcome {
        Outcome::Answered { status: 429 | 503, retry_after: Some(wait) } => now.checked_add(*wait).ok(),
        _ => None,
    }
}

/// The header of the next attempt that tells how this one ended.
fn previous(outcome: &Outcome, app_engine: bool) -> u16 {
    match outcome {
        Outcome::Answered { status, .. } => *status,
        Outcome::DeadlineExceeded { .. } if !app_engine => 504,
        Outcome::Refused(refused) => refused.code().http(),
        _ => 0,
    }
}

/// The status of an attempt that failed: when, its code, and in words.
fn status_of(outcome: &Outcome, now: Timestamp) -> (Timestamp, i32, String) {
    let code = outcome.code().unwrap_or(tokenrig_decision::Code::Unknown);
    let why = match outcome.status() {
        Some(status) => format!("HTTP status code {status}"),
        None => outcome.why().unwrap_or_default(),
    };
    (now, code.grpc(), format!("{}({}): {why}", code.name(), code.grpc()))
}

/// The request of an HTTP task and the token that goes along, with what the queue changes.
fn to_http(task: &Task, http: &Http, queue: &str, over: Option<&HttpTarget>) -> (Outgoing, Option<Arc<TokenOrder>>) {
    let own = http.headers.iter().filter(|(name, _)| !is_ours(name));
    let mut headers: Vec<Header> = own.map(|(name, value)| (Cow::Owned(name.to_string()), Arc::clone(value))).collect();
    let mut url = Arc::clone(&http.url);
    let (mut method, mut body) = (http.method, http.body.clone());
    let mut token = http.auth.as_ref().map(|auth| Arc::clone(&auth.order));
    if let Some(over) = over {
        if let Some(uri) = &over.uri_override {
            url = target::overridden(&url, uri).into();
            token = http.auth.as_ref().map(|auth| ordered(&auth.told, &url));
        }
        if over.http_method != 0 {
            method = over.http_method;
            if method == i32::from(HttpMethod::Get) {
                body = Bytes::new();
            }
        }
        for header in over.header_overrides.iter().filter_map(|over| over.header.as_ref()) {
            if !is_ours(&header.key) {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case(&header.key));
                headers.push((Cow::Owned(header.key.clone()), header.value.as_str().into()));
            }
        }
        if let Some(auth) = &over.authorization_header {
            token = Some(Arc::new(match auth {
                http_target::AuthorizationHeader::OidcToken(token) => {
                    TokenOrder::oidc(token.service_account_email.as_str(), &token.audience, &url)
                }
                http_target::AuthorizationHeader::OauthToken(token) => {
                    TokenOrder::oauth(token.service_account_email.as_str(), &token.scope)
                }
            }));
        }
    }
    headers.push(("User-Agent".into(), "Google-Cloud-Tasks".into()));
    family(
        &mut headers,
        [
            "X-CloudTasks-QueueName",
            "X-CloudTasks-TaskName",
            "X-CloudTasks-TaskRetryCount",
            "X-CloudTasks-TaskExecutionCount",
            "X-CloudTasks-TaskETA",
            "X-CloudTasks-TaskPreviousResponse",
            "X-CloudTasks-TaskRetryReason",
        ],
        task,
        queue,
        "",
    );
    (Outgoing { method: verb(method), url, headers: headers.into(), body }, token)
}

/// What a task orders for a URL that its queue has changed.
fn ordered(told: &v2::http_request::AuthorizationHeader, url: &str) -> Arc<TokenOrder> {
    Arc::new(match told {
        v2::http_request::AuthorizationHeader::OidcToken(token) => {
            TokenOrder::oidc(token.service_account_email.as_str(), &token.audience, url)
        }
        v2::http_request::AuthorizationHeader::OauthToken(token) => {
            TokenOrder::oauth(token.service_account_email.as_str(), &token.scope)
        }
    })
}

/// The request of an App Engine task.
fn to_app_engine(
    task: &Task,
    app: &AppEngine,
    queue: &str,
    over: Option<&v2::AppEngineRouting>,
    project: &str,
) -> Outgoing {
    let own = app.headers.iter().filter(|(name, _)| !is_ours(name) || name.eq_ignore_ascii_case("user-agent"));
    let mut headers: Vec<Header> = own.map(|(name, value)| (Cow::Owned(name.to_string()), Arc::clone(value))).collect();
    let reason = if task.previous == Some(0) { "Instance Unavailable" } else { "App Error" };
    family(
        &mut headers,
        [
            "X-AppEngine-QueueName",
            "X-AppEngine-TaskName",
            "X-AppEngine-TaskRetryCount",
            "X-AppEngine-TaskExecutionCount",
            "X-AppEngine-TaskETA",
            "X-AppEngine-TaskPreviousResponse",
            "X-AppEngine-TaskRetryReason",
        ],
        task,
        queue,
        reason,
    );
    let host = target::app_engine_host(over.unwrap_or(&app.routing), project, "-dot-");
    let url = format!("https://{host}{}", app.relative_uri).into();
    Outgoing { method: verb(app.method), url, headers: headers.into(), body: app.body.clone() }
}

/// The headers that tell of the task; the last two only of a retry.
fn family(headers: &mut Vec<Header>, names: [&'static str; 7], task: &Task, queue: &str, reason: &str) {
    let [queue_name, task_name, retries, executions, eta, previous, why] = names;
    let at = task.at;
    headers.push((queue_name.into(), queue.into()));
    headers.push((task_name.into(), Arc::clone(&task.id)));
    headers.push((retries.into(), task.dispatched.to_string().into()));
    headers.push((executions.into(), task.executed.to_string().into()));
    headers.push((eta.into(), format!("{}.{:06}", at.as_second(), at.subsec_nanosecond() / 1_000).into()));
    if let Some(status) = task.previous {
        headers.push((previous.into(), status.to_string().into()));
        headers.push((why.into(), reason.into()));
    }
}

/// Headers that a task cannot say: the service's own, and what tells of the connection.
fn is_ours(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(
        &*lower,
        "host" | "content-length" | "user-agent" | "connection" | "transfer-encoding" | "te" | "upgrade" | "keep-alive"
    ) || ["x-google-", "x-appengine-", "x-cloudtasks-"].iter().any(|prefix| lower.starts_with(prefix))
}
