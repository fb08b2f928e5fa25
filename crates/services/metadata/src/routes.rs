//! The edge: paths in, text and JSON out.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::service::{Asked, Found, Machine};

/// What is read of a body that nothing is done with.
const LARGEST_BODY: usize = 64 << 10;

pub(crate) fn router(machine: Machine) -> Router {
    // Not axum's own routing: a directory's path ends in a slash or does not.
    Router::new().fallback(answer).with_state(machine)
}

async fn answer(State(machine): State<Machine>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The body of a GET means nothing; read, it upsets nobody. One that is too long changes nothing either.
    drop(to_bytes(body, LARGEST_BODY).await);
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let asked = Asked {
        verb: parts.method.as_str(),
        path: parts.uri.path(),
        query: query.into_owned().collect::<BTreeMap<_, _>>(),
        flavor: parts.headers.get("metadata-flavor").and_then(|value| value.to_str().ok()),
        forwarded: parts.headers.contains_key("x-forwarded-for"),
    };
    let (decision, found) = machine.answer(&asked);
    let response = match (decision.verdict(), found) {
        (Ok(()), Some(found)) => write(found),
        (Err(refused), _) => {
            let form = refused.form();
            let mut response = Response::new(Body::from(form.body));
            *response.status_mut() = StatusCode::from_u16(form.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            for (name, value) in form.headers {
                put(&mut response, HeaderName::from_static(name), &value);
            }
            response
        }
        (Ok(()), None) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    };
    machine.cloud().decisions().record(decision, response.status().as_u16());
    known_by(response)
}

fn write(found: Found) -> Response {
    let (kind, body) = match found {
        Found::Text(text) => ("application/text", text),
        Found::Json(json) => ("application/json", json.to_string()),
        Found::Token(token) => ("text/html", token),
        Found::Redirect(to) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            put(&mut response, header::LOCATION, &to);
            return response;
        }
    };
    let mut response = Response::new(Body::from(body));
    put(&mut response, header::CONTENT_TYPE, kind);
    response
}

/// Every answer says that it comes from the metadata server: without this, clients take it for somebody else's.
fn known_by(mut response: Response) -> Response {
    put(&mut response, HeaderName::from_static("metadata-flavor"), "Google");
    put(&mut response, header::SERVER, "Metadata Server for VM");
    response
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
