//! The edge: an issuer's paths.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts};
use serde_json::Value;
use tokenrig_clock::real;
use tokenrig_cloud::Cloud;
use tokenrig_decision::Decision;
use tokenrig_wire::refuse;

use crate::{
    refusals,
    service::{
        Asked, Authorized, Document, Form, Issuers, MAX_CLAIMS_BYTES, Published, Told, Way, after_logout, algorithm,
        request,
    },
};

#[derive(Clone)]
struct Edge {
    issuers: Issuers,
    cloud: Cloud,
    /// The one issuer that answers, whatever host is asked; else the host says which.
    only: Option<String>,
}

/// All issuers, each by its host and path.
pub(crate) fn all(issuers: &Issuers, cloud: &Cloud) -> Router {
    edge(issuers, cloud, None)
}

/// One issuer, whatever the host.
pub(crate) fn one(issuers: &Issuers, cloud: &Cloud, id: &str) -> Router {
    edge(issuers, cloud, Some(id.to_owned()))
}

fn edge(issuers: &Issuers, cloud: &Cloud, only: Option<String>) -> Router {
    // Not axum's own routing: an issuer's path may be anything, and it may change while the rig runs.
    let edge = Edge { issuers: issuers.clone(), cloud: cloud.clone(), only };
    Router::new().fallback(answer).with_state(edge)
}

async fn answer(State(edge): State<Edge>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let found = match &edge.only {
        Some(id) => edge.issuers.way(id, path).map(|way| (id.clone(), way)),
        None => host(&parts).and_then(|host| edge.issuers.find(host, path)),
    };
    let (id, rest) = match found {
        Some((id, Way::Own(rest))) => (id, rest),
        Some((_, Way::Real(upstream, authority, path))) => {
            let limit = edge.issuers.settings().upstream_deadline;
            let passed = upstream.pass(&authority, &path, Request::from_parts(parts, body), limit).await;
            return passed.unwrap_or_else(|refused| refuse(&refused));
        }
        None => return refuse(&refusals::NOT_FOUND.refuse("idp-not-found")),
    };
    let document = match rest {
        "/.well-known/openid-configuration" => Document::Discovery,
        "/certs" | "/.well-known/jwks.json" => Document::Keys,
        "/token" if parts.method == Method::POST => return token(&edge, &id, &parts, body).await,
        "/token" => return only("POST"),
        "/subject-token" if parts.method == Method::GET => return subject_token(&edge, &id, &parts),
        "/subject-token" => return only("GET"),
        "/authorize" | "/logout" | "/userinfo" if !matches!(parts.method, Method::GET | Method::POST) => {
            return only("GET, POST");
        }
        "/authorize" => return authorize(&edge, &id, &asked(&parts, body).await),
        "/logout" => return logout(&asked(&parts, body).await),
        "/userinfo" => return userinfo(&edge, &id, bearer(&parts)),
        _ => return refuse(&refusals::NOT_FOUND.refuse("idp-not-found")),
    };
    match parts.method {
        Method::GET | Method::HEAD => publish(&edge, &id, document, &parts.uri).await,
        _ => only("GET, HEAD"),
    }
}

/// The host that was asked for: HTTP/2 says it in the target, HTTP/1.1 in a header.
fn host(parts: &Parts) -> Option<&str> {
    let header = || parts.headers.get(header::HOST)?.to_str().ok();
    parts.uri.authority().map(http::uri::Authority::as_str).or_else(header)
}

/// What signs posted claims, and what redeems codes. A form asks for the second; but an object is claims whatever it is
/// called, for `curl --data` calls everything a form.
async fn token(edge: &Edge, id: &str, parts: &Parts, body: Body) -> Response {
    let query = parts.uri.query();
    let body = axum::body::to_bytes(body, MAX_CLAIMS_BYTES).await.ok();
    let is_object = body.as_deref().is_some_and(|body| body.trim_ascii_start().starts_with(b"{"));
    if is_form(parts) && !is_object {
        let form = Form::read(body.as_deref().unwrap_or_default());
        let (decision, tokens) = edge.issuers.redeem(id, &form, client(parts, &form).as_deref());
        return decided(edge, decision, tokens.map(|tokens| object(&tokens)));
    }
    let decision = Decision::of("idp", "token").check(|| request(query, body.as_deref()));
    let signed = match decision.verdict() {
        Err(refused) => Err(refused),
        Ok(()) => edge
            .issuers
            .sign_posted(id, body.as_deref().unwrap_or_default(), algorithm(query).unwrap_or_default())
            .ok_or_else(|| refusals::NOT_FOUND.refuse("idp-not-found")),
    };
    let answer = match signed {
        Ok(token) => text(StatusCode::OK, "text/plain; charset=utf-8", token),
        Err(refused) => refuse(&refused),
    };
    edge.cloud.decisions().record(decision, answer.status().as_u16());
    uncached(answer)
}

fn subject_token(edge: &Edge, id: &str, parts: &Parts) -> Response {
    let query = Asked::parse(parts.uri.query().unwrap_or_default());
    let (decision, told) = edge.issuers.subject_token(id, query, &parts.headers);
    let answer = told.map(|told| match told {
        Told::Text(token) => text(StatusCode::OK, "text/plain; charset=utf-8", token),
        Told::Json(object) => text(StatusCode::OK, "application/json", object),
    });
    decided(edge, decision, answer)
}

fn authorize(edge: &Edge, id: &str, form: &Form) -> Response {
    let (decision, authorized) = edge.issuers.authorize(id, form);
    let answer = authorized.map(|authorized| match authorized {
        Authorized::Back(url) => see_other(&url),
        Authorized::Ask(fields) => text(StatusCode::OK, "text/html; charset=utf-8", sign_in(&fields)),
    });
    decided(edge, decision, answer)
}

fn logout(form: &Form) -> Response {
    match after_logout(form) {
        Some(url) => uncached(see_other(&url)),
        None => uncached(text(StatusCode::OK, "text/plain; charset=utf-8", "signed out\n".to_owned())),
    }
}

fn userinfo(edge: &Edge, id: &str, bearer: Option<&str>) -> Response {
    let (decision, claims) = edge.issuers.userinfo(id, bearer);
    decided(edge, decision, claims.map(|claims| object(&claims)))
}

/// The answer to what a decision was made about: nobody keeps it.
fn decided(edge: &Edge, decision: Decision, answer: Option<Response>) -> Response {
    let answer = match (decision.verdict(), answer) {
        (Err(refused), _) => refuse(&refused),
        (Ok(()), Some(answer)) => answer,
        (Ok(()), None) => refuse(&refusals::NOT_FOUND.refuse("idp-not-found")),
    };
    edge.cloud.decisions().record(decision, answer.status().as_u16());
    uncached(answer)
}

/// The parameters: of the posted form, if there is one; the page that asks who it is posts to an address that has them too.
async fn asked(parts: &Parts, body: Body) -> Form {
    let body = axum::body::to_bytes(body, MAX_CLAIMS_BYTES).await.unwrap_or_default();
    if is_form(parts) { Form::read(&body) } else { Form::read(parts.uri.query().unwrap_or_default().as_bytes()) }
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Who asks, by Basic authentication or in the form. Its secret is not looked at: any client is welcome.
fn client(parts: &Parts, form: &Form) -> Option<String> {
    let basic = || {
        let (user, _) = credentials(parts, "basic").and_then(|text| STANDARD.decode(text).ok()).and_then(|text| {
            let text = String::from_utf8(text).ok()?;
            text.split_once(':').map(|(user, secret)| (user.to_owned(), secret.to_owned()))
        })?;
        // RFC 6749, section 2.3.1: encoded as in a form.
        percent_encoding::percent_decode_str(&user.replace('+', " ")).decode_utf8().ok().map(|user| user.into_owned())
    };
    form.one("client_id").map(str::to_owned).or_else(basic)
}

fn bearer(parts: &Parts) -> Option<&str> {
    credentials(parts, "bearer")
}

fn credentials<'p>(parts: &'p Parts, scheme: &str) -> Option<&'p str> {
    let (found, rest) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

fn see_other(url: &str) -> Response {
    let mut answer = text(StatusCode::FOUND, "text/plain; charset=utf-8", String::new());
    match HeaderValue::from_str(url) {
        Ok(url) => drop(answer.headers_mut().insert(header::LOCATION, url)),
        Err(_) => *answer.status_mut() = StatusCode::BAD_REQUEST,
    }
    answer
}

fn object(value: &Value) -> Response {
    text(StatusCode::OK, "application/json", value.to_string())
}

/// The page that asks who it is, and sends all that was asked on with the answer.
fn sign_in(fields: &[(String, String)]) -> String {
    let hidden: String = fields
        .iter()
        .filter(|(name, _)| name != "login_hint")
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(name), escaped(value))
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><title>Sign in</title>\n<h1>Sign in</h1>\n<form method=\"post\">\n{hidden}\
         <label>Name, or claims as JSON: <input name=\"login_hint\" required autofocus></label>\n\
         <button>Sign in</button>\n</form>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

async fn publish(edge: &Edge, id: &str, document: Document, uri: &Uri) -> Response {
    let Some(published) = edge.issuers.publish(id, document) else {
        return refuse(&refusals::NOT_FOUND.refuse("idp-not-found"));
    };
    match published {
        Published::Document(value) => json(edge, document, value.to_string().into()),
        Published::Late(pause, value) => {
            real::pause(pause).await;
            json(edge, document, value.to_string().into())
        }
        Published::Elsewhere => {
            let round: u64 = uri.query().and_then(|query| query.strip_prefix("round=")?.parse().ok()).unwrap_or(0);
            // A reference relative to the request keeps scheme and host.
            let target = format!("{}?round={}", uri.path(), round.wrapping_add(1));
            let mut answer = uncached(text(StatusCode::FOUND, "text/plain; charset=utf-8", String::new()));
            if let Ok(target) = HeaderValue::from_str(&target) {
                answer.headers_mut().insert(header::LOCATION, target);
            }
            answer
        }
        Published::ServerError => uncached(text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            "internal error\n".to_owned(),
        )),
        Published::Page => {
            let page = "<!doctype html><title>Welcome</title><h1>Welcome</h1>\n".to_owned();
            uncached(text(StatusCode::OK, "text/html; charset=utf-8", page))
        }
        Published::Nothing => {
            let broken =
                stream::once(async { Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
            json(edge, document, Body::from_stream(broken))
        }
        Published::Oversized(bytes, value) => json(edge, document, padded(&value, bytes)),
    }
}

/// A JSON document with white space behind it, made as it is read.
fn padded(value: &Value, bytes: usize) -> Body {
    const CHUNK: Bytes = Bytes::from_static(&[b' '; 8192]);
    let document = stream::once(std::future::ready(Bytes::from(value.to_string())));
    let padding = stream::repeat(CHUNK).take(bytes.div_ceil(CHUNK.len()));
    Body::from_stream(document.chain(padding).map(Ok::<_, Infallible>))
}

fn json(edge: &Edge, document: Document, body: Body) -> Response {
    let mut answer = Response::new(body);
    let kind = match document {
        Document::Discovery => "application/json",
        Document::Keys => "application/jwk-set+json",
    };
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let cache = format!("public, max-age={}", edge.issuers.settings().cache.as_secs());
    if let Ok(cache) = HeaderValue::from_str(&cache) {
        answer.headers_mut().insert(header::CACHE_CONTROL, cache);
    }
    answer
}

fn text(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn uncached(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn only(allow: &str) -> Response {
    refuse(&refusals::METHOD_NOT_ALLOWED.refuse("idp-method-not-allowed").with("allow", allow))
}
