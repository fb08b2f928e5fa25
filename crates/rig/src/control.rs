//! The control address: what a rig tells of itself, outside Google's names.
//!
//! It answers only to the names `127.0.0.1` and `localhost`, and never to a page in a browser: a request that carries
//! `Origin` is refused.

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokenrig_clock::Timestamp;

use crate::rig::Core;

/// The names by which it may be called.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

pub(crate) fn router(core: Core) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/decisions", get(decisions))
        .route("/clock/advance", post(advance))
        .route("/attempts", get(attempts))
        .route("/received/{*service}", get(received))
        .route("/state", get(state))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is nothing here"))
        .with_state(core)
        .layer(from_fn(guard))
}

fn refuse(status: StatusCode, why: impl Into<String>) -> Response {
    (status, Json(json!({ "error": why.into() }))).into_response()
}

async fn guard(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return refuse(StatusCode::FORBIDDEN, "the control address does not answer to pages in browsers");
    }
    if !named(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "the control address answers to 127.0.0.1 and localhost only");
    }
    next.run(request).await
}

fn named(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    NAMES.contains(&name)
}

/// The query of the lists.
#[derive(Debug)]
struct Since {
    seq: u64,
    surface: Option<String>,
}

impl Since {
    fn of(Query(query): Query<Vec<(String, String)>>) -> Result<Self, String> {
        let mut since = Self { seq: 0, surface: None };
        for (name, value) in query {
            match name.as_str() {
                "since" => {
                    since.seq =
                        value.parse().map_err(|_| format!("`since` is the number of an entry, not `{value}`"))?;
                }
                "surface" => since.surface = Some(value),
                _ => return Err(format!("`{name}` is not known here: `since` and `surface` are")),
            }
        }
        Ok(since)
    }
}

async fn decisions(State(core): State<Core>, query: Query<Vec<(String, String)>>) -> Response {
    match Since::of(query) {
        Ok(since) => {
            core.settle().await;
            let decisions = core.cloud().decisions().since(since.seq, since.surface.as_deref());
            Json(json!({ "decisions": decisions })).into_response()
        }
        Err(why) => refuse(StatusCode::BAD_REQUEST, why),
    }
}

async fn attempts(State(core): State<Core>, query: Query<Vec<(String, String)>>) -> Response {
    match Since::of(query) {
        Ok(Since { seq, surface: None }) => {
            core.settle().await;
            Json(json!({ "attempts": core.deliveries().attempts(seq) })).into_response()
        }
        Ok(_) => refuse(StatusCode::BAD_REQUEST, "attempts are told of all services: `surface` is not known here"),
        Err(why) => refuse(StatusCode::BAD_REQUEST, why),
    }
}

async fn received(
    State(core): State<Core>,
    Path(service): Path<String>,
    query: Query<Vec<(String, String)>>,
) -> Response {
    let since = match Since::of(query) {
        Ok(since) => since,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
    };
    core.settle().await;
    match core.received(&service, since.seq) {
        Some(requests) => Json(json!({ "requests": requests })).into_response(),
        None => refuse(StatusCode::NOT_FOUND, format!("there is no service `{service}`")),
    }
}

async fn state(State(core): State<Core>) -> Response {
    Json(core.state()).into_response()
}

async fn advance(State(core): State<Core>, body: axum::body::Bytes) -> Response {
    let to = match destination(&body, core.cloud().now()) {
        Ok(to) => to,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, why),
    };
    match core.advance(to).await {
        Ok((now, in_flight)) if in_flight.is_empty() => Json(json!({ "now": now.to_string() })).into_response(),
        Ok((now, in_flight)) => Json(json!({ "now": now.to_string(), "inFlight": in_flight })).into_response(),
        Err(why) => refuse(StatusCode::BAD_REQUEST, why.to_string()),
    }
}

/// `{"duration":"90s"}` or `{"to":"2026-03-02T09:00:00Z"}`.
fn destination(body: &[u8], now: Timestamp) -> Result<Timestamp, String> {
    const FORM: &str = "send {\"duration\":\"90s\"} or {\"to\":\"2026-03-02T09:00:00Z\"}";
    let body: Value = serde_json::from_slice(body).map_err(|_| FORM.to_owned())?;
    match (body.get("duration").and_then(Value::as_str), body.get("to").and_then(Value::as_str)) {
        (Some(duration), None) => {
            let duration =
                tokenrig_scenario::duration(duration).ok_or_else(|| format!("`{duration}` is no duration: {FORM}"))?;
            now.checked_add(duration).map_err(|_| "that is beyond the calendar".to_owned())
        }
        (None, Some(to)) => to.parse().map_err(|_| format!("`{to}` is no RFC 3339 instant: {FORM}")),
        _ => Err(FORM.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"duration":"90s"}"#, Some("2026-01-15T09:01:30Z"))]
    #[case(r#"{"to":"2026-03-02T09:00:00Z"}"#, Some("2026-03-02T09:00:00Z"))]
    #[case(r#"{"duration":"90"}"#, None)]
    #[case(r#"{"duration":"1s","to":"2026-03-02T09:00:00Z"}"#, None)]
    #[case("{", None)]
    fn a_destination_is_a_duration_or_an_instant(#[case] body: &str, #[case] to: Option<&str>) {
        let now = "2026-01-15T09:00:00Z".parse().unwrap();
        assert_eq!(destination(body.as_bytes(), now).ok(), to.map(|to| to.parse().unwrap()));
    }
}
