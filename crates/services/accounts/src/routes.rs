//! The edge: forms, JSON and paths in, JSON out. One router per host.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use tokenrig_decision::{Decision, Refused};

use crate::{
    model::{Client, Fields},
    refusals,
    service::{Accounts, Decided, Form, Published},
};

/// Bytes of a request's body.
const LARGEST_BODY: usize = 1 << 20;

/// `www.googleapis.com`.
pub(crate) fn www(accounts: &Accounts) -> Router {
    let router = Router::new()
        .route("/oauth2/v1/certs", get(async |State(accounts): Of| publish(accounts.google_keys(Form::X509))))
        .route("/oauth2/v3/certs", get(async |State(accounts): Of| publish(accounts.google_keys(Form::Jwk))))
        .route("/service_accounts/v1/metadata/{form}/{email}", get(account_keys))
        .route("/service_accounts/v1/{form}/{email}", get(account_keys))
        .route("/robot/v1/metadata/{form}/{email}", get(account_keys))
        .route("/oauth2/v4/token", post(token));
    closed(router, accounts)
}

/// `accounts.google.com`.
pub(crate) fn accounts(accounts: &Accounts) -> Router {
    let discovery = get(async |State(accounts): Of| publish(accounts.discovery()));
    closed(Router::new().route("/.well-known/openid-configuration", discovery), accounts)
}

/// `oauth2.googleapis.com`.
pub(crate) fn oauth2(accounts: &Accounts) -> Router {
    let router = Router::new().route("/token", post(token)).route("/tokeninfo", get(tokeninfo).post(tokeninfo));
    closed(router, accounts)
}

type Of = State<Accounts>;

/// Everything else of a host says that it is not played.
fn closed(router: Router<Accounts>, accounts: &Accounts) -> Router {
    router.fallback(unplayed).method_not_allowed_fallback(unplayed).with_state(accounts.clone())
}

async fn account_keys(State(accounts): Of, Path((form, email)): Path<(String, String)>, request: Request) -> Response {
    let Some(form) = Form::named(&form) else { return unplayed(State(accounts), request).await };
    match accounts.account_keys(&email, form) {
        Some(published) => publish(published),
        None => refuse(&refusals::KEYS_NOT_FOUND.refuse("accounts-keys-not-found")),
    }
}

async fn token(State(accounts): Of, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let fields = read(&parts.headers, body).await;
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let decided = accounts.token(&fields, &Client::of(authorization, &fields), &address(&parts));
    uncached(answer(&accounts, decided))
}

async fn tokeninfo(State(accounts): Of, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = Fields::form(parts.uri.query().unwrap_or_default().as_bytes());
    let fields = query.or(read(&parts.headers, body).await);
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
    });
    let decided = accounts.tokeninfo(&fields, bearer);
    uncached(answer(&accounts, decided))
}

async fn unplayed(State(accounts): Of, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    drop(to_bytes(body, LARGEST_BODY).await);
    accounts.cloud().unplayed().count_path(parts.method.as_str(), host(&parts), parts.uri.path());
    let decision = Accounts::unplayed(parts.method.as_str(), host(&parts), parts.uri.path());
    answer(&accounts, (decision, None))
}

/// The fields of a body: a form, or JSON, which one official client sends. One that cannot be read has none.
async fn read(headers: &HeaderMap, body: Body) -> Fields {
    let Ok(bytes) = to_bytes(body, LARGEST_BODY).await else { return Fields::default() };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        Fields::json(&bytes).unwrap_or_default()
    } else {
        Fields::form(&bytes)
    }
}

/// The address that a request was sent to, as an assertion for it may name it.
fn address(parts: &Parts) -> String {
    let scheme = parts.uri.scheme_str().unwrap_or("https");
    let host = host(parts);
    let host = host.strip_suffix(":443").unwrap_or(host);
    format!("{scheme}://{host}{}", parts.uri.path())
}

fn host(parts: &Parts) -> &str {
    let header = || parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    parts.uri.authority().map_or_else(header, http::uri::Authority::as_str)
}

/// Records the decision and gives its answer.
fn answer(accounts: &Accounts, (decision, good): Decided) -> Response {
    let response = match (decision.verdict(), good) {
        (Ok(()), Some(body)) => {
            ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
        }
        (Err(refused), _) => refuse(&refused),
        (Ok(()), None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    record(accounts, decision, &response);
    response
}

fn record(accounts: &Accounts, decision: Decision, response: &Response) {
    accounts.cloud().decisions().record(decision, response.status().as_u16());
}

fn publish(published: Published) -> Response {
    let kept = format!("public, max-age={}, must-revalidate, no-transform", published.max_age);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
        (header::CACHE_CONTROL, HeaderValue::from_str(&kept).unwrap_or(HeaderValue::from_static("public"))),
    ];
    (headers, format!("{:#}\n", published.document)).into_response()
}

fn uncached(mut response: Response) -> Response {
    let value = HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

fn refuse(refused: &Refused) -> Response {
    let form = refused.form();
    let mut response = Response::new(Body::from(form.body));
    *response.status_mut() = StatusCode::from_u16(form.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in form.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}
