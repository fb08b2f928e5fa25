//! One task, as small as it can be kept: a queue may hold a million.

use std::sync::Arc;

use bytes::Bytes;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_delivery::TokenOrder;
use tokenrig_protos::google::{
    cloud::tasks::v2::{
        self, AppEngineHttpRequest, AppEngineRouting, Attempt, HttpRequest, RetryConfig, http_request,
        task::MessageType, task::View,
    },
    rpc::Status,
};

use crate::model::{told_duration, told_instant};

/// A task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: Arc<str>,
    pub(crate) created: Timestamp,
    /// When it is attempted next; in flight: when it was to be.
    pub(crate) at: Timestamp,
    /// How long an answer may take, if that was said or has a default.
    pub(crate) deadline: Option<SignedDuration>,
    pub(crate) payload: Payload,
    /// Its own configuration, in whole.
    pub(crate) retry: Option<Box<RetryConfig>>,
    /// Attempts made.
    pub(crate) dispatched: u32,
    /// Attempts answered.
    pub(crate) responded: u32,
    /// Attempts answered that the header of executions counts.
    pub(crate) executed: u32,
    /// What came back from the last attempt.
    pub(crate) previous: Option<u16>,
    /// When the first attempt was made.
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Box<Attempted>>,
}

/// The last attempt.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub(crate) scheduled: Timestamp,
    pub(crate) dispatched: Timestamp,
    /// When and how it ended.
    pub(crate) ended: Option<(Timestamp, i32, String)>,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Payload {
    Http(Box<Http>),
    AppEngine(Box<AppEngine>),
}

/// A request to any URL.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) url: Arc<str>,
    /// The number of the verb.
    pub(crate) method: i32,
    /// Headers as they are kept.
    pub(crate) headers: Box<[(Box<str>, Arc<str>)]>,
    pub(crate) body: Bytes,
    pub(crate) auth: Option<Arc<Auth>>,
}

/// A request to the App Engine application.
#[derive(Debug)]
pub(crate) struct AppEngine {
    pub(crate) routing: AppEngineRouting,
    pub(crate) relative_uri: String,
    pub(crate) method: i32,
    pub(crate) headers: Box<[(Box<str>, Arc<str>)]>,
    pub(crate) body: Bytes,
}

/// The token that goes along.
#[derive(Debug, PartialEq)]
pub(crate) struct Auth {
    /// As it was told.
    pub(crate) told: http_request::AuthorizationHeader,
    /// What it means.
    pub(crate) order: Arc<TokenOrder>,
}

impl Task {
    /// The resource as a client sees it, of the queue with this name.
    pub(crate) fn told(&self, queue: &str, view: View) -> v2::Task {
        let full = view == View::Full;
        let body = |bytes: &Bytes| if full { bytes.to_vec() } else { Vec::new() };
        let headers = |kept: &[(Box<str>, Arc<str>)]| {
            kept.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        };
        let message = match &self.payload {
            Payload::Http(http) => MessageType::HttpRequest(HttpRequest {
                url: http.url.to_string(),
                http_method: http.method,
                headers: headers(&http.headers),
                body: body(&http.body),
                authorization_header: http.auth.as_ref().map(|auth| auth.told.clone()),
            }),
            Payload::AppEngine(app) => MessageType::AppEngineHttpRequest(AppEngineHttpRequest {
                http_method: app.method,
                app_engine_routing: Some(app.routing.clone()),
                relative_uri: app.relative_uri.clone(),
                headers: headers(&app.headers),
                body: body(&app.body),
            }),
        };
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let mut created = told_instant(self.created);
        created.nanos = 0;
        v2::Task {
            name: format!("{queue}/tasks/{}", self.id),
            schedule_time: Some(told_instant(self.at)),
            create_time: Some(created),
            dispatch_deadline: self.deadline.map(told_duration),
            dispatch_count: number(self.dispatched),
            response_count: number(self.responded),
            first_attempt: self
                .first
                .map(|first| Attempt { dispatch_time: Some(told_instant(first)), ..Attempt::default() }),
            last_attempt: self.last.as_ref().map(|last| last.told()),
            view: if full { View::Full } else { View::Basic }.into(),
            retry_config: self.retry.as_deref().copied(),
            message_type: Some(message),
        }
    }
}

impl Attempted {
    fn told(&self) -> Attempt {
        let ended = self.ended.as_ref();
        Attempt {
            schedule_time: Some(told_instant(self.scheduled)),
            dispatch_time: Some(told_instant(self.dispatched)),
            response_time: ended.map(|(at, ..)| told_instant(*at)),
            response_status: ended.map(|(_, code, message)| Status {
                code: *code,
                message: message.clone(),
                details: Vec::new(),
            }),
        }
    }
}
