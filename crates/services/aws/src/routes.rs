//! The edge: signed requests and metadata paths in, XML and text out.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
    routing::any,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokenrig_cloud::AwsRequest;
use tokenrig_decision::Decision;

use crate::{
    model::{identity_json, identity_xml},
    service::{Asked, Aws, Found},
};

/// What is read of a request's body.
const LARGEST_BODY: usize = 64 << 10;

/// The Security Token Service.
pub(crate) fn sts(aws: Aws) -> Router {
    Router::new().fallback(caller_identity).with_state(aws)
}

/// The metadata server of EC2. It has its address in common with Google's, whose paths are others.
pub(crate) fn metadata(aws: Aws) -> Router {
    Router::new().route("/latest/{*path}", any(machine)).with_state(aws)
}

async fn caller_identity(State(aws): State<Aws>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let host = text(&parts.headers, "host").map(str::to_owned).or(authority).unwrap_or_default();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut asked = AwsRequest {
        method: parts.method.as_str().to_owned(),
        url: format!("https://{host}{path}"),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    // HTTP/2 has no such header; what was signed has.
    asked.put("host", &host);
    let request_id = aws.request_id();
    let (decision, identity) = aws.caller_identity(&asked, &request_id);
    let Some(identity) = identity else { return refuse(&aws, decision) };
    aws.cloud().decisions().record(decision, 200);
    let json = text(&parts.headers, "accept").is_some_and(|accept| accept.starts_with("application/json"));
    let (kind, body) = match json {
        true => ("application/json", identity_json(&identity, &request_id).to_string()),
        false => ("text/xml", identity_xml(&identity, &request_id)),
    };
    let mut response = Response::new(Body::from(body));
    put(&mut response, header::CONTENT_TYPE, kind);
    put(&mut response, HeaderName::from_static("x-amzn-requestid"), &request_id);
    response
}

async fn machine(State(aws): State<Aws>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    drop(to_bytes(body, LARGEST_BODY).await);
    let asked = Asked {
        verb: parts.method.as_str(),
        path: parts.uri.path(),
        session: text(&parts.headers, "x-aws-ec2-metadata-token"),
        lifetime: text(&parts.headers, "x-aws-ec2-metadata-token-ttl-seconds"),
        forwarded: parts.headers.contains_key("x-forwarded-for"),
    };
    let (decision, found) = aws.metadata(&asked);
    let Some(found) = found else { return refuse(&aws, decision) };
    aws.cloud().decisions().record(decision, 200);
    let (body, lifetime) = match found {
        Found::Text(text) => (text, None),
        Found::Session(token, lifetime) => (token, Some(lifetime)),
    };
    let mut response = Response::new(Body::from(body));
    put(&mut response, header::CONTENT_TYPE, "text/plain");
    put(&mut response, header::SERVER, "EC2ws");
    if let Some(lifetime) = lifetime {
        put(&mut response, HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"), &lifetime.to_string());
    }
    response
}

/// Records the decision before its answer goes out.
fn refuse(aws: &Aws, decision: Decision) -> Response {
    let Err(refused) = decision.verdict() else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let response = tokenrig_wire::refuse(&refused);
    aws.cloud().decisions().record(decision, response.status().as_u16());
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
