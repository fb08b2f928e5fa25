//! What answers behind the door.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request, header, request::Parts};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

/// What answers the requests that the door lets in.
#[derive(Debug, Clone, Default)]
pub enum Workload {
    /// Answers with the request as JSON: `method`, `path`, `query`, `headers`, `body`.
    #[default]
    Echo,
    /// A router of the rig's own, for example an issuer.
    Router(Router),
}

/// Why a workload cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadFault {
    /// The issuer is not given.
    #[error("no issuer `{0}` is given")]
    UnknownIssuer(String),
    /// Known to the format and not played by this version.
    #[error("workloads of kind `{0}` are not played yet: `echo` and `{{issuer: ID}}` are")]
    NotPlayed(String),
    /// No form of the format.
    #[error("a workload is `echo`, a URL, or a map with one of `issuer`, `answers`, `command`, `image`")]
    Form,
}

impl Workload {
    pub(crate) async fn answer(&self, parts: Parts, body: Bytes) -> Response {
        match self {
            Self::Echo => echo(&parts, &body),
            Self::Router(router) => {
                let request = Request::from_parts(parts, Body::from(body));
                match router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    }
}

fn echo(parts: &Parts, body: &[u8]) -> Response {
    let mut told = Map::new();
    told.insert("method".to_owned(), json!(parts.method.as_str()));
    told.insert("path".to_owned(), json!(parts.uri.path()));
    told.insert("query".to_owned(), json!(parts.uri.query().unwrap_or_default()));
    told.insert("headers".to_owned(), headers(&parts.headers));
    match std::str::from_utf8(body) {
        Ok(text) => told.insert("body".to_owned(), json!(text)),
        // Bytes that are no text are told as such: JSON has no other way.
        Err(_) => told.insert("bodyBase64".to_owned(), json!(STANDARD.encode(body))),
    };
    ([(header::CONTENT_TYPE, "application/json")], Value::Object(told).to_string()).into_response()
}

/// Lower-case names to values; repeated ones joined by `, `.
fn headers(headers: &HeaderMap) -> Value {
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        told.entry(name.as_str())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    json!(told)
}
