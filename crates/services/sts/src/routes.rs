//! The edge: forms and JSON in, JSON out.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokenrig_decision::{Check, Decision};

use crate::{
    model::{ACCESS_TOKEN, LARGEST_BODY, TokenRequest, Unreadable},
    refusals,
    service::{INTROSPECT, Introspection, SURFACE, Sts, TOKEN, unreadable},
};

/// Characters of a path that a decision shows.
const LONGEST_PATH: usize = 200;
/// Tokens are kept by nobody on the way. RFC 6749, section 5.1.
const NOT_STORED: HeaderValue = HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate");

pub(crate) fn router(sts: Sts) -> Router {
    Router::new()
        .route("/v1/token", post(token).fallback(not_played))
        .route("/v1/introspect", post(introspect).fallback(not_played))
        .fallback(any(not_played))
        .with_state(sts)
}

/// The good answer of `/v1/token`.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    issued_token_type: &'a str,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
}

async fn token(State(sts): State<Sts>, request: Request) -> Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(fault) => return refuse(&sts, Decision::of(SURFACE, TOKEN).check(|| unreadable(&fault))),
    };
    let exchanged = sts.token(&request).await;
    let Some(token) = exchanged.token else { return refuse(&sts, exchanged.decision) };
    sts.cloud().decisions().record(exchanged.decision, 200);
    answer(&Answer {
        access_token: &token.access_token,
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: token.expires_in,
    })
}

async fn introspect(State(sts): State<Sts>, request: Request) -> Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(fault) => {
            let fault = Unreadable { field: "token", ..fault };
            return refuse(&sts, Decision::of(SURFACE, INTROSPECT).check(|| unreadable(&fault)));
        }
    };
    let Introspection { decision, answer: told } = sts.introspect(&request);
    let Some(told) = told else { return refuse(&sts, decision) };
    sts.cloud().decisions().record(decision, 200);
    answer(&told)
}

async fn read(request: Request) -> Result<TokenRequest, Unreadable> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.as_bytes().trim_ascii_start().get(..JSON.len()))
        .is_some_and(|kind| kind.eq_ignore_ascii_case(JSON));
    let body = to_bytes(request.into_body(), LARGEST_BODY)
        .await
        .map_err(|_| Unreadable::whole(format!("the body is longer than {LARGEST_BODY} bytes or broke off")))?;
    if is_json { TokenRequest::from_json(&body) } else { Ok(TokenRequest::from_form(&body)) }
}

const JSON: &[u8] = b"application/json";

async fn not_played(State(sts): State<Sts>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(LONGEST_PATH).collect();
    let what = format!("{} {path}", request.method());
    sts.cloud().unplayed().count_path(request.method().as_str(), "sts.googleapis.com", &path);
    refuse(
        &sts,
        Decision::of(SURFACE, what.clone()).check(|| {
            Check::named("request")
                .expected(serde_json::json!(["POST /v1/token", "POST /v1/introspect"]))
                .found(what.as_str())
                .holds(false)
                .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
                .with("what", format!("This version of the rig does not play {what} of sts.googleapis.com."))
                .mend(|| "this version of the rig plays `POST /v1/token` and `POST /v1/introspect`".to_owned())
        }),
    )
}

/// Records the decision before its answer goes out.
fn refuse(sts: &Sts, decision: Decision) -> Response {
    let Err(refused) = decision.verdict() else {
        // No failed check, and no token either: a defect, which must not look like an answer of Google's.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = tokenrig_wire::refuse(&refused);
    response.headers_mut().insert(header::CACHE_CONTROL, NOT_STORED);
    sts.cloud().decisions().record(decision, response.status().as_u16());
    response
}

fn answer(body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("texts and numbers can always be written as JSON");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (header::CACHE_CONTROL, NOT_STORED),
    ];
    (headers, Body::from(body)).into_response()
}
