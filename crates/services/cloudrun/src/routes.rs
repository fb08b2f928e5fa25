//! The edge of the front door: a request for a service's host in, the workload's answer or a page out.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::{
    Method, Uri, Version, header,
    request::Parts,
    uri::{Authority, PathAndQuery},
};
use http_body_util::BodyExt as _;
use tokenrig_clock::real::within;
use tokenrig_decision::{Check, Decision, Refused};
use tokenrig_wire::refuse;

use crate::{
    front::{
        headers,
        kept::Kept,
        log,
        tap::{Copy, Tap},
    },
    model::Deployed,
    refusals,
    service::{
        CloudRun, Found, Seen,
        door::{self, Admission, Entrance, Presented, Shown, entrance::or},
    },
    workload::{Behind, Failure, is_grpc},
};

pub(crate) fn router(run: CloudRun) -> Router {
    Router::new().fallback(front).with_state(run)
}

async fn front(State(run): State<CloudRun>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let presented = presented(&parts, &run);
    let trace = headers::trace(&parts.headers).unwrap_or_else(|| run.new_trace());
    let mut response = answer(&run, parts, body, presented, &trace).await;
    headers::finish(response.headers_mut(), &trace);
    response
}

async fn answer(run: &CloudRun, parts: Parts, body: Body, presented: Presented, trace: &str) -> Response {
    let (entrance, found) = run.at(&presented.host, &presented.path);
    let Some(Found { service, behind, taken }) = found else {
        return not_found(run, entrance, &presented, "a deployed service or function");
    };
    // Known: the front end keeps this path to itself.
    if entrance.keeps_healthz && presented.path == "/healthz" {
        return not_found(run, entrance, &presented, "a path other than /healthz, which the front end keeps");
    }
    let settings = run.settings();
    let stream = is_grpc(&parts.headers);
    // Who answers in the rig itself reads a body whole; what is passed on may be endless.
    let most = (!(stream && behind.passes_on())).then_some(settings.largest_body);
    let (body, copy) = Tap::on(body, settings.kept_body, most);
    let admission = door::admit(&service, entrance, &presented, run.cloud(), settings);
    match admission.decision.verdict() {
        Ok(()) => let_in(run, service, (behind, taken), admission, presented, parts, (body, copy), trace).await,
        Err(refused) => {
            if !stream {
                // So that it can be told what was received. What is too long, or breaks off, changes nothing.
                let _ = body.collect().await;
            }
            let response = refuse(&refused);
            let shape = Shape::of(&parts, admission.token.as_ref());
            record(run, service, admission, shape, copy, response.status().as_u16());
            response
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one request, taken apart once")]
async fn let_in(
    run: &CloudRun,
    service: Arc<Deployed>,
    (behind, taken): (Behind, usize),
    mut admission: Admission,
    presented: Presented,
    mut parts: Parts,
    (body, copy): (Body, Copy),
    trace: &str,
) -> Response {
    let checked = presented.credential.as_ref().filter(|_| admission.signature.is_some());
    headers::prepare(&mut parts, checked, trace, run.new_span());
    let shape = Shape::of(&parts, admission.token.as_ref());
    if taken > 0 {
        parts.uri = below(&parts.uri, taken);
    }
    if service.is_function() {
        headers::of_function(&mut parts.headers, trace);
    }
    let contract = run.contract(&service, &behind);
    let work = behind.answer(Request::from_parts(parts, body), &contract);
    let answer = within(contract.timeout, work).await;
    let response = if copy.too_long() {
        let check = Check::named("request").expected(run.settings().largest_body).holds(false);
        fail(&mut admission.decision, check.or_refuse(&refusals::BODY_TOO_LARGE, "run-front-body-too-large"))
    } else {
        match answer {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => fail(&mut admission.decision, no_answer(&failure)),
            Err(late) => {
                let check = Check::named("workload").expected("an answer").found(late.to_string()).holds(false);
                let check = check.or_refuse(&refusals::WORKLOAD_LATE, "run-front-workload-late");
                fail(
                    &mut admission.decision,
                    check.mend(|| "let the workload answer sooner, or set `template.timeout`".to_owned()),
                )
            }
        }
    };
    record(run, service, admission, shape, copy, response.status().as_u16());
    response
}

fn no_answer(failure: &Failure) -> Check {
    let check = Check::named("workload").expected("an answer").found(failure.to_string()).holds(false);
    match failure {
        Failure::Unavailable(_) => check
            .or_refuse(&refusals::WORKLOAD_UNAVAILABLE, "run-front-workload-unavailable")
            .mend(|| "start what answers behind the service, and let it listen at the port that it is told".to_owned()),
        Failure::Broken(_) => check
            .or_refuse(&refusals::WORKLOAD_BROKE_OFF, "run-front-workload-broke-off")
            .mend(|| "look into what the workload wrote before it broke off".to_owned()),
    }
}

/// Adds a failed check to a decision; the answer that it gives.
fn fail(decision: &mut Decision, check: Check) -> Response {
    let response = check.refused().map(refuse).unwrap_or_default();
    decision.add(check);
    response
}

/// The address without the first `taken` bytes of its path, which led to a function.
fn below(uri: &Uri, taken: usize) -> Uri {
    let path = uri.path_and_query().map_or("", PathAndQuery::as_str).get(taken..).unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = path.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

/// What the request shows. The host is that of the URL (HTTP/2) or of the `Host` header.
fn presented(parts: &Parts, run: &CloudRun) -> Presented {
    let authority = parts.uri.authority().map(Authority::as_str);
    let header = || parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = authority.or_else(header).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    Presented {
        host: host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
        path: parts.uri.path().to_owned(),
        credential: headers::credential(&parts.headers),
        inside: run.settings().inside.holds(parts),
    }
}

/// Keeps what was decided and what was received, before the answer goes out.
fn record(run: &CloudRun, service: Arc<Deployed>, admission: Admission, request: Shape, copy: Copy, status: u16) {
    let Admission { decision, token, signature, principal } = admission;
    let cloud = run.cloud();
    let refusal = decision.failed().and_then(Check::refused).map(Refused::id);
    let number = cloud.decisions().record(decision, status);
    let Shape { method, version, path, headers } = request;
    let seen = Arc::new(Seen {
        at: cloud.now(),
        service,
        method,
        version,
        path,
        headers,
        body: copy,
        status,
        token,
        signature,
        decision: number,
        refusal,
        principal,
    });
    let logged = Arc::clone(&seen);
    cloud.audit().record_request(move || log::entry(&logged));
    run.keep(seen);
}

/// The head of a request as it is kept.
struct Shape {
    method: Method,
    version: Version,
    path: Box<str>,
    headers: Kept,
}

impl Shape {
    fn of(parts: &Parts, token: Option<&Shown>) -> Self {
        Self {
            method: parts.method.clone(),
            version: parts.version,
            path: parts.uri.path_and_query().map_or_else(|| parts.uri.path(), PathAndQuery::as_str).into(),
            headers: Kept::of(&parts.headers, token),
        }
    }
}

fn not_found(run: &CloudRun, entrance: &'static Entrance, presented: &Presented, expected: &'static str) -> Response {
    let check = Check::named("service")
        .expected(expected)
        .found(format!("https://{}{}", presented.host, presented.path))
        .holds(false);
    let check = or(check, entrance.not_found, &presented.path)
        .mend(|| "call the URL of a deployed service (`uri`) or function (`url`)".to_owned());
    let mut decision = Decision::of(entrance.surface, entrance.permission);
    let response = fail(&mut decision, check);
    run.cloud().decisions().record(decision, response.status().as_u16());
    response
}
