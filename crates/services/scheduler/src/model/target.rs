//! Where jobs go, as they say it and as it is sent.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use tokenrig_delivery::{Header, Headers, Outgoing, Publication};
use tokenrig_protos::google::cloud::scheduler::v1::{
    AppEngineHttpTarget, AppEngineRouting, HttpMethod, HttpTarget, PubsubTarget,
};

use super::Fault;

/// The longest URI.
const LONGEST_URI: usize = 2083;
/// Names and values of all headers together.
const LARGEST_HEADERS: usize = 80 << 10;
/// What requests to a URL call themselves.
const AGENT: &str = "Google-Cloud-Scheduler";
/// What requests to App Engine call themselves.
const APP_ENGINE_AGENT: &str = "AppEngine-Google; (+http://code.google.com/appengine)";

/// Where a job goes, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) enum Aim {
    /// A request; `app_engine` if it is one to a handler in App Engine.
    Http { request: Outgoing, app_engine: bool },
    /// A message.
    Topic(Publication),
}

impl Aim {
    pub(super) fn http(target: &HttpTarget, name: &str) -> Result<Self, Fault> {
        let invalid = |what: &str| Fault::field("scheduler-uri-invalid", what);
        if target.uri.len() > LONGEST_URI {
            return Err(invalid("HttpTarget.uri must not be longer than 2083 characters."));
        }
        let uri: Option<Uri> = target.uri.parse().ok();
        let known = uri.as_ref().and_then(Uri::scheme_str).is_some_and(|scheme| matches!(scheme, "http" | "https"));
        let host = uri.as_ref().and_then(Uri::authority);
        if !known || host.is_none_or(|host| host.host().is_empty() || host.as_str().contains('@')) {
            return Err(invalid("HttpTarget.uri must be a valid HTTP or HTTPS URL."));
        }
        let method = verb(target.http_method, "HttpTarget", "scheduler-body-not-allowed")?;
        if !target.body.is_empty() && ![Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            let what = "HttpTarget.body is only allowed with POST, PUT and PATCH.";
            return Err(Fault::field("scheduler-body-not-allowed", what));
        }
        let request = Outgoing {
            method,
            url: target.uri.as_str().into(),
            headers: headers(&target.headers, name)?,
            body: Bytes::from(target.body.clone()),
        };
        Ok(Self::Http { request, app_engine: false })
    }

    pub(super) fn app_engine(target: &AppEngineHttpTarget, name: &str, project: &str) -> Result<Self, Fault> {
        let invalid = |what: &str| Fault::field("scheduler-app-engine-invalid", what);
        let method = verb(target.http_method, "AppEngineHttpTarget", "scheduler-app-engine-invalid")?;
        if [Method::PATCH, Method::OPTIONS].contains(&method) {
            return Err(invalid("AppEngineHttpTarget.httpMethod must not be PATCH or OPTIONS."));
        }
        if !target.body.is_empty() && ![Method::POST, Method::PUT].contains(&method) {
            let what = "AppEngineHttpTarget.body is only allowed with POST and PUT.";
            return Err(Fault::field("scheduler-body-not-allowed", what));
        }
        let routing = target.app_engine_routing.clone().unwrap_or_default();
        let url = format!("https://{}{}", host(&routing, project), target.relative_uri);
        if !target.relative_uri.starts_with('/') || url.len() > LONGEST_URI || url.parse::<Uri>().is_err() {
            return Err(invalid("AppEngineHttpTarget.relativeUri must be a relative URI that begins with \"/\"."));
        }
        let request = Outgoing {
            method,
            url: url.into(),
            headers: headers(&target.headers, name)?,
            body: Bytes::from(target.body.clone()),
        };
        Ok(Self::Http { request, app_engine: true })
    }

    pub(super) fn topic(target: &PubsubTarget, project: &str) -> Result<Self, Fault> {
        let own = target.topic_name.strip_prefix("projects/").and_then(|rest| rest.split_once("/topics/"));
        if own.is_none_or(|(of, topic)| of != project || topic.is_empty() || topic.contains('/')) {
            let what = format!("PubsubTarget.topicName must be formatted: \"projects/{project}/topics/<TOPIC_ID>\".");
            return Err(Fault::field("scheduler-topic-invalid", what));
        }
        if target.data.is_empty() && target.attributes.is_empty() {
            let what = "PubsubTarget must have data or at least one attribute.";
            return Err(Fault::field("scheduler-message-empty", what));
        }
        let attributes = target.attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let data = Bytes::from(target.data.clone());
        Ok(Self::Topic(Publication { topic: target.topic_name.as_str().into(), data, attributes }))
    }

    /// The word for it in the log of executions.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Http { app_engine: false, .. } => "HTTP",
            Self::Http { app_engine: true, .. } => "APP_ENGINE_HTTP",
            Self::Topic(_) => "PUB_SUB",
        }
    }

    /// The URL or topic.
    pub(crate) fn url(&self) -> &Arc<str> {
        match self {
            Self::Http { request, .. } => &request.url,
            Self::Topic(message) => &message.topic,
        }
    }
}

/// Fills in what a target does not say, and replaces what is not its own to say.
pub(super) fn complete_http(target: &mut HttpTarget) {
    if target.http_method() == HttpMethod::Unspecified {
        target.set_http_method(HttpMethod::Post);
    }
    target.headers.retain(|name, _| !is_ours(name) && !name.eq_ignore_ascii_case("user-agent"));
    target.headers.insert("User-Agent".to_owned(), AGENT.to_owned());
    default_type(&mut target.headers, &target.body);
}

pub(super) fn complete_app_engine(target: &mut AppEngineHttpTarget, project: &str) {
    if target.http_method() == HttpMethod::Unspecified {
        target.set_http_method(HttpMethod::Post);
    }
    if target.relative_uri.is_empty() {
        target.relative_uri = "/".to_owned();
    }
    let routing = target.app_engine_routing.get_or_insert_default();
    routing.host = host(routing, project);
    target.headers.retain(|name, _| !is_ours(name));
    let own = target.headers.keys().find(|name| name.eq_ignore_ascii_case("user-agent")).cloned();
    let own = own.and_then(|name| target.headers.remove(&name));
    // It is appended to what the user says, once.
    let agent = match own {
        Some(own) if own.ends_with(APP_ENGINE_AGENT) => own,
        Some(own) if !own.is_empty() => format!("{own} {APP_ENGINE_AGENT}"),
        _ => APP_ENGINE_AGENT.to_owned(),
    };
    target.headers.insert("User-Agent".to_owned(), agent);
    default_type(&mut target.headers, &target.body);
}

fn default_type(headers: &mut BTreeMap<String, String>, body: &[u8]) {
    if !body.is_empty() && !headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
        headers.insert("Content-Type".to_owned(), "application/octet-stream".to_owned());
    }
}

/// Headers that a user cannot set.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["host", "content-length"].contains(&name.as_str())
        || ["x-google-", "x-appengine-", "x-cloudscheduler"].iter().any(|prefix| name.starts_with(prefix))
}

/// The headers of every attempt: those of the job and the service's own, without the time of the schedule.
fn headers(told: &BTreeMap<String, String>, name: &str) -> Result<Headers, Fault> {
    let invalid = |what: String| Fault::field("scheduler-headers-invalid", what);
    let size: usize = told.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size >= LARGEST_HEADERS {
        return Err(invalid("The headers must be less than 80KB in total.".to_owned()));
    }
    let mut headers: Vec<Header> = Vec::with_capacity(told.len() + 2);
    for (name, value) in told {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(invalid(format!("\"{name}\" is not a valid HTTP header name.")));
        }
        if HeaderValue::from_bytes(value.as_bytes()).is_err() {
            return Err(invalid(format!("The value of header \"{name}\" is not a valid HTTP header value.")));
        }
        headers.push((Cow::Owned(name.clone()), value.as_str().into()));
    }
    let id = name.rsplit('/').next().unwrap_or_default();
    headers.push(("X-CloudScheduler".into(), "true".into()));
    headers.push(("X-CloudScheduler-JobName".into(), id.into()));
    Ok(headers.into())
}

fn verb(method: i32, target: &str, id: &'static str) -> Result<Method, Fault> {
    Ok(match HttpMethod::try_from(method) {
        Ok(HttpMethod::Unspecified | HttpMethod::Post) => Method::POST,
        Ok(HttpMethod::Get) => Method::GET,
        Ok(HttpMethod::Head) => Method::HEAD,
        Ok(HttpMethod::Put) => Method::PUT,
        Ok(HttpMethod::Delete) => Method::DELETE,
        Ok(HttpMethod::Patch) => Method::PATCH,
        Ok(HttpMethod::Options) => Method::OPTIONS,
        Err(_) => return Err(Fault::field(id, format!("{target}.httpMethod is not a known method."))),
    })
}

/// The host of a part of an App Engine application.
fn host(routing: &AppEngineRouting, project: &str) -> String {
    let parts = [&routing.instance, &routing.version, &routing.service];
    let parts: String = parts.iter().filter(|part| !part.is_empty()).map(|part| format!("{part}-dot-")).collect();
    format!("{parts}{project}.appspot.com")
}

/// Whether a URL leads to this machine.
pub(super) fn is_local(uri: &str) -> bool {
    let uri: Option<Uri> = uri.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const JOB: &str = "projects/p/locations/us-central1/jobs/tick";

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_user_cannot_set_what_is_the_services_own() {
        let mut target = HttpTarget {
            uri: "https://orders.example.com".into(),
            headers: map(&[
                ("host", "evil"),
                ("CONTENT-LENGTH", "7"),
                ("user-agent", "mine"),
                ("X-Google-Cloud", "x"),
                ("X-AppEngine-Cron", "true"),
                ("X-CloudScheduler-JobName", "other"),
                ("X-Mine", "kept"),
            ]),
            body: b"abc".to_vec(),
            ..HttpTarget::default()
        };
        complete_http(&mut target);
        let expected = [("Content-Type", "application/octet-stream"), ("User-Agent", AGENT), ("X-Mine", "kept")];
        assert_eq!(target.headers, map(&expected));
        let Aim::Http { request, .. } = Aim::http(&target, JOB).unwrap() else { panic!() };
        let sent: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_ref(), &**value)).collect();
        let own = [("X-CloudScheduler", "true"), ("X-CloudScheduler-JobName", "tick")];
        assert_eq!(sent, [&expected[..], &own[..]].concat());
    }

    #[rstest]
    #[case("https://orders.example.com/tick?x=1", true)]
    #[case("HTTP://orders.example.com", true)]
    #[case("ftp://orders.example.com", false)]
    #[case("orders.example.com/tick", false)]
    #[case("https://", false)]
    #[case("https://user@orders.example.com/", false)]
    #[case("https://orders.example.com/a b", false)]
    #[case("", false)]
    fn a_target_is_an_absolute_url(#[case] uri: &str, #[case] taken: bool) {
        let target = HttpTarget { uri: uri.to_owned(), ..HttpTarget::default() };
        assert_eq!(Aim::http(&target, JOB).is_ok(), taken);
    }

    #[rstest]
    #[case(HttpMethod::Post, true)]
    #[case(HttpMethod::Patch, true)]
    #[case(HttpMethod::Get, false)]
    #[case(HttpMethod::Delete, false)]
    fn a_body_goes_with_some_verbs_only(#[case] method: HttpMethod, #[case] taken: bool) {
        let uri = "https://orders.example.com".to_owned();
        let target = HttpTarget { uri, http_method: method.into(), body: vec![1], ..HttpTarget::default() };
        assert_eq!(Aim::http(&target, JOB).is_ok(), taken);
    }

    #[test]
    fn a_handler_in_app_engine_is_reached_by_its_parts() {
        let mut target = AppEngineHttpTarget {
            app_engine_routing: Some(AppEngineRouting {
                service: "api".into(),
                version: "v2".into(),
                ..Default::default()
            }),
            headers: map(&[("User-Agent", "mine")]),
            ..AppEngineHttpTarget::default()
        };
        complete_app_engine(&mut target, "p");
        let before = target.clone();
        complete_app_engine(&mut target, "p");
        assert_eq!(target, before);
        assert_eq!(target.headers["User-Agent"], format!("mine {APP_ENGINE_AGENT}"));
        let Aim::Http { request, app_engine } = Aim::app_engine(&target, JOB, "p").unwrap() else { panic!() };
        assert_eq!((&*request.url, app_engine), ("https://v2-dot-api-dot-p.appspot.com/", true));
    }

    #[rstest]
    #[case("projects/p/topics/t", "x", None)]
    #[case("projects/q/topics/t", "x", Some("scheduler-topic-invalid"))]
    #[case("t", "x", Some("scheduler-topic-invalid"))]
    #[case("projects/p/topics/t", "", Some("scheduler-message-empty"))]
    fn a_topic_is_of_the_jobs_project_and_gets_something(
        #[case] topic: &str,
        #[case] data: &str,
        #[case] refused: Option<&str>,
    ) {
        let target = PubsubTarget { topic_name: topic.into(), data: data.into(), ..PubsubTarget::default() };
        let id = match Aim::topic(&target, "p") {
            Ok(_) => None,
            Err(Fault::Field(id, _)) => Some(id),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(id, refused);
    }
}
