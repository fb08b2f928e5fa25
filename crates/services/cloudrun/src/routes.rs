//! The edge of the front door: a request for a service's host in, the workload's answer or a page out.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{self, AUTHORIZATION},
    request::Parts,
};
use tokenrig_decision::{Check, Decision, Refused};

use crate::{
    model::Deployed,
    refusals,
    service::{
        CloudRun, Received, Workload,
        door::{self, Admission, Credential, Presented, SURFACE},
    },
};

/// Counts before `Authorization`, which then passes untouched.
const SERVERLESS: HeaderName = HeaderName::from_static("x-serverless-authorization");
/// What stands where the signature was.
const REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

pub(crate) fn router(run: CloudRun) -> Router {
    Router::new().fallback(front).with_state(run)
}

async fn front(State(run): State<CloudRun>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let presented = presented(&parts);
    let Some((service, workload)) = run.at_host(&presented.host) else {
        return not_found(&run, &presented, "a deployed service");
    };
    // Known: the front end keeps this path to itself.
    if presented.path == "/healthz" {
        return not_found(&run, &presented, "a path other than /healthz, which the front end keeps");
    }
    let admission = door::admit(&service, &presented, run.cloud(), run.settings());
    match admission.decision.verdict() {
        Ok(()) => let_in(&run, &service, &workload, admission, presented, parts, body).await,
        Err(refused) => {
            let form = refused.form();
            let body = to_bytes(body, run.settings().largest_body).await.unwrap_or_default();
            record(&run, &service, admission, &parts, &body, form.status);
            page(&refused)
        }
    }
}

async fn let_in(
    run: &CloudRun,
    service: &Deployed,
    workload: &Workload,
    admission: Admission,
    presented: Presented,
    mut parts: Parts,
    body: Body,
) -> Response {
    let Ok(body) = to_bytes(body, run.settings().largest_body).await else {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        record(run, service, admission, &parts, &[], status.as_u16());
        return status.into_response();
    };
    prepare(&mut parts, presented.credential.as_ref());
    let kept = parts.clone();
    let mut response = workload.answer(parts, body.clone()).await;
    record(run, service, admission, &kept, &body, response.status().as_u16());
    response.headers_mut().entry(header::SERVER).or_insert(HeaderValue::from_static("Google Frontend"));
    response
}

/// What the request shows. The host is that of the URL (HTTP/2) or of the `Host` header.
fn presented(parts: &Parts) -> Presented {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = authority.or_else(|| text(header::HOST)).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let header = |name: &'static str, header: HeaderName| {
        parts
            .headers
            .get(header)
            .map(|value| Credential { header: name, value: String::from_utf8_lossy(value.as_bytes()).into_owned() })
    };
    let credential =
        header("x-serverless-authorization", SERVERLESS).or_else(|| header("authorization", AUTHORIZATION));
    Presented { host, path: parts.uri.path().to_owned(), credential }
}

/// The request as the workload sees it: the checked token without its signature, and what the front end adds.
fn prepare(parts: &mut Parts, credential: Option<&Credential>) {
    let checked = if parts.headers.contains_key(SERVERLESS) { SERVERLESS } else { AUTHORIZATION };
    if let Some(stripped) = credential.and_then(stripped).and_then(|value| HeaderValue::from_str(&value).ok()) {
        parts.headers.insert(checked, stripped);
    }
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
    let peer = peer.unwrap_or_else(|| "127.0.0.1".to_owned());
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-forwarded-for", peer.clone());
    put("x-forwarded-proto", "https".to_owned());
    put("forwarded", format!("for=\"{peer}\";proto=https"));
}

/// The credential's value with the signature of its token replaced; `None` if it holds no JWT.
fn stripped(credential: &Credential) -> Option<String> {
    let token = credential.bearer()?;
    let (signed, _) = token.rsplit_once('.')?;
    signed.contains('.').then(|| {
        let scheme = credential.value.split(' ').next().unwrap_or("Bearer");
        format!("{scheme} {signed}.{REMOVED}")
    })
}

fn record(run: &CloudRun, service: &Deployed, admission: Admission, parts: &Parts, body: &[u8], status: u16) {
    let decision = run.cloud().decisions().record(admission.decision, status);
    let body = body.get(..run.settings().kept_body).unwrap_or(body);
    run.keep(Received {
        seq: 0,
        at: run.cloud().now(),
        service: service.name.canonical(&run.cloud().project().id),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string),
        headers: headers(&parts.headers),
        body: body.to_vec(),
        status,
        token: admission.token.map(|opened| (opened.header, opened.claims)),
        signature: admission.signature,
        decision,
    });
}

/// Headers as they are kept: no token whole.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = |name: &HeaderName, value: &HeaderValue| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if *name != AUTHORIZATION && *name != SERVERLESS {
            return value;
        }
        let credential = Credential { header: "authorization", value };
        stripped(&credential).unwrap_or_else(|| {
            let scheme = credential.value.split(' ').next().unwrap_or_default().chars().take(16).collect::<String>();
            format!("{scheme} …")
        })
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), kept(name, value))).collect()
}

fn not_found(run: &CloudRun, presented: &Presented, expected: &'static str) -> Response {
    let check = Check::named("service")
        .expected(expected)
        .found(format!("https://{}{}", presented.host, presented.path))
        .holds(false)
        .or_refuse(&refusals::NOT_FOUND, "run-front-not-found")
        .mend(|| "call the URL of a deployed service (`uri`)".to_owned());
    let decision = Decision::of(SURFACE, "run.routes.invoke").check(|| check);
    match decision.verdict() {
        Ok(()) => StatusCode::NOT_FOUND.into_response(),
        Err(refused) => {
            run.cloud().decisions().record(decision, refused.form().status);
            page(&refused)
        }
    }
}

fn page(refused: &Refused) -> Response {
    let form = refused.form();
    let mut response = Response::new(Body::from(Bytes::from(form.body)));
    *response.status_mut() = StatusCode::from_u16(form.status).unwrap_or(StatusCode::FORBIDDEN);
    for (name, value) in form.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("Google Frontend"));
    response
}
