//! The edge: forms and JSON in, JSON out.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use http::{StatusCode, header};
use serde_json::json;
use tokenrig_decision::{Check, Decision, Refused};

use crate::{
    model::{ACCESS_TOKEN, TokenRequest},
    refusals,
    service::Sts,
};

/// Bytes of a request's body.
const LARGEST_BODY: usize = 1 << 20;

pub(crate) fn router(sts: Sts) -> Router {
    Router::new().route("/v1/token", post(token)).fallback(any(not_played)).with_state(sts)
}

async fn token(State(sts): State<Sts>, request: Request) -> Response {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"));
    let read = match to_bytes(request.into_body(), LARGEST_BODY).await {
        Ok(body) if is_json => TokenRequest::from_json(&body),
        Ok(body) => Ok(TokenRequest::from_form(&body)),
        Err(_) => Err(format!("the body is longer than {LARGEST_BODY} bytes or broke off")),
    };
    let request = match read {
        Ok(request) => request,
        Err(why) => return unreadable(&sts, &why),
    };
    let exchanged = sts.token(&request).await;
    match (exchanged.decision.verdict(), exchanged.token) {
        (Ok(()), Some(token)) => {
            sts.cloud().decisions().record(exchanged.decision, 200);
            let mut body = json!({
                "access_token": token.access_token,
                "issued_token_type": ACCESS_TOKEN,
                "token_type": "Bearer",
            });
            if let Some(seconds) = token.expires_in {
                body["expires_in"] = json!(seconds);
            }
            answer(StatusCode::OK, body.to_string())
        }
        (Err(refused), _) => refuse(&sts, exchanged.decision, &refused),
        (Ok(()), None) => answer(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    }
}

fn unreadable(sts: &Sts, why: &str) -> Response {
    let decision = Decision::of("sts", "v1.token").check(|| {
        Check::named("request")
            .expected("a form or a JSON object")
            .found(why)
            .holds(false)
            .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-request-field-invalid")
            .with("field", "grant_type")
            .mend(|| "send the fields of RFC 8693 as a form, or those of the REST reference as JSON".to_owned())
    });
    match decision.verdict() {
        Err(refused) => refuse(sts, decision, &refused),
        Ok(()) => answer(StatusCode::BAD_REQUEST, String::new()),
    }
}

async fn not_played(State(sts): State<Sts>, request: Request) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let decision = Decision::of("sts", what.clone()).check(|| {
        Check::named("request")
            .expected("POST /v1/token")
            .found(what.as_str())
            .holds(false)
            .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
            .with("what", format!("This version of the rig does not play {what} of sts.googleapis.com."))
            .mend(|| "this version of the rig plays `POST /v1/token` only".to_owned())
    });
    match decision.verdict() {
        Err(refused) => refuse(&sts, decision, &refused),
        Ok(()) => answer(StatusCode::NOT_IMPLEMENTED, String::new()),
    }
}

/// Records the decision before its answer goes out.
fn refuse(sts: &Sts, decision: Decision, refused: &Refused) -> Response {
    let form = refused.form();
    sts.cloud().decisions().record(decision, form.status);
    answer(StatusCode::from_u16(form.status).unwrap_or(StatusCode::BAD_REQUEST), form.body)
}

fn answer(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate"),
    ];
    (status, headers, Body::from(body)).into_response()
}
