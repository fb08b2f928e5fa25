//! REST: HTTP to a request message, the answer to JSON.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value as Json;
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    Body as BodyRule, RestMatch, Verb,
    google::api::HttpBody,
    prost::{Message, Name as _},
    prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value},
};

use crate::{
    edge::{Edge, MAX_BODY},
    json::{self, Enums, Faults, quoted},
    refusals,
};

/// How much of a body that is no JSON is shown.
const NEAR: usize = 40;

/// Answers a REST request.
pub(crate) async fn answer(edge: Edge, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let found = Verb::named(parts.method.as_str()).and_then(|verb| edge.host().match_rest(verb, path));
    // The body is read first whatever the answer will be: an unread one upsets HTTP/2 clients.
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let Some(found) = found else {
        return refuse(&edge.unplayed(parts.method.as_str(), path));
    };
    let query = parts.uri.query().unwrap_or_default();
    let asked = Asked::read(query);
    let headers = with_query_token(parts.headers, asked.token);
    let method = found.method;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let encode = || encode(&found, query, &content_type, body.map_err(|_| ()));
    match edge.call((method, found.rule.verb), headers, encode).await.and_then(|bytes| decode(method, bytes)) {
        Ok(message) => {
            let json = json::write(&message, asked.enums);
            let text = if asked.pretty { format!("{json:#}\n") } else { json.to_string() };
            let mut response = Response::new(Body::from(text));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
            response
        }
        Err(refused) => refuse(&refused),
    }
}

/// A refusal as an HTTP answer: its status, headers and body, for fronts that speak something else than the table.
pub fn refuse(refused: &Refused) -> Response<Body> {
    let form = refused.form();
    let mut response = Response::new(Body::from(form.body));
    *response.status_mut() = StatusCode::from_u16(form.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in form.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// What the query asks of the front of all APIs.
struct Asked {
    enums: Enums,
    pretty: bool,
    token: Option<String>,
}

impl Asked {
    fn read(query: &str) -> Self {
        let mut asked = Self { enums: Enums::Names, pretty: true, token: None };
        if query.is_empty() {
            return asked;
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.strip_prefix('$').unwrap_or(&name) {
                "alt" if value.contains("enum-encoding=int") => asked.enums = Enums::Numbers,
                "prettyPrint" => asked.pretty = value != "false" && value != "0",
                "access_token" | "oauth_token" => asked.token = Some(value.into_owned()),
                _ => {}
            }
        }
        asked
    }
}

/// A token in the query is as good as one in the header, which wins.
fn with_query_token(mut headers: HeaderMap, token: Option<String>) -> HeaderMap {
    if let Some(token) = token.filter(|_| !headers.contains_key(http::header::AUTHORIZATION))
        && let Ok(value) = HeaderValue::try_from(format!("Bearer {token}"))
    {
        headers.insert(http::header::AUTHORIZATION, value);
    }
    headers
}

/// Makes the request message: from the body, then the query, then the path, which wins.
///
/// # Errors
///
/// The check `request`, failed.
pub(crate) fn encode(
    found: &RestMatch,
    query: &str,
    content_type: &str,
    body: Result<Bytes, ()>,
) -> Result<Bytes, Box<Check>> {
    let failed = || Check::named("request").expected(found.method.input.full_name()).holds(false);
    let Ok(body) = body else {
        return Err(Box::new(
            failed()
                .or_refuse(&refusals::PAYLOAD_TOO_LARGE, "api-payload-too-large")
                .with("limit", MAX_BODY.to_string())
                .mend(|| format!("send at most {MAX_BODY} bytes")),
        ));
    };
    let mut faults = Faults::default();
    let mut message = DynamicMessage::new(found.method.input.clone());
    if let Some(field) = raw_body(found) {
        let raw = HttpBody { content_type: content_type.to_owned(), data: body.to_vec(), extensions: Vec::new() };
        let mut dynamic = DynamicMessage::new(field.1);
        // The message is the one of the table's own descriptors.
        let _ = dynamic.transcode_from(&raw);
        message.set_field(&field.0, Value::Message(dynamic));
    } else if found.rule.body != BodyRule::None && !body.iter().all(u8::is_ascii_whitespace) {
        let object = match serde_json::from_slice(&body) {
            Ok(Json::Object(object)) => object,
            Ok(_) => {
                return Err(Box::new(
                    failed()
                        .or_refuse(&refusals::JSON_ROOT_NOT_OBJECT, "api-json-root-not-object")
                        .mend(|| "send a JSON object".to_owned()),
                ));
            }
            Err(error) => {
                let near = near(&body, error.line(), error.column());
                return Err(Box::new(
                    failed()
                        .found(format!("no JSON at line {} column {}", error.line(), error.column()))
                        .or_refuse(&refusals::JSON_MALFORMED, "api-json-malformed")
                        .with("near", near)
                        .mend(|| format!("send JSON: {error}")),
                ));
            }
        };
        match found.rule.body {
            BodyRule::Field(name) => {
                let field = found.method.input.get_field_by_name(name);
                let described = field.as_ref().and_then(|field| field.kind().as_message().cloned());
                if let (Some(field), Some(described)) = (field, described) {
                    let inner = json::read_message(&described, &object, "", &mut faults);
                    message.set_field(&field, Value::Message(inner));
                }
            }
            _ => message = json::read_message(&found.method.input, &object, "", &mut faults),
        }
    }
    if !query.is_empty() {
        json::bind_query(&mut message, query, &mut faults);
    }
    if let Some(refused) = faults.refused() {
        let places = faults.places();
        return Err(Box::new(
            failed()
                .found(places.clone())
                .or_answer(|| refused)
                .mend(|| format!("correct {} as the REST reference of {} has it", places.join(", "), found.method.id)),
        ));
    }
    for (path, value) in &found.values {
        // The table's paths name string fields of its messages, which a test proves of every method.
        let _set = json::set_path(&mut message, path, Value::String(value.clone()));
    }
    Ok(Bytes::from(message.encode_to_vec()))
}

/// The field that takes the body as it is, whatever it is: `google.api.HttpBody`.
fn raw_body(found: &RestMatch) -> Option<(FieldDescriptor, MessageDescriptor)> {
    let BodyRule::Field(name) = found.rule.body else { return None };
    let field = found.method.input.get_field_by_name(name)?;
    let described = field.kind().as_message().cloned()?;
    (described.full_name() == HttpBody::full_name()).then_some((field, described))
}

fn decode(method: &tokenrig_protos::Method, bytes: Bytes) -> Result<DynamicMessage, Refused> {
    DynamicMessage::decode(method.output.clone(), bytes).map_err(|_| refusals::INTERNAL.refuse("api-internal"))
}

/// The text from which on a body is no JSON.
fn near(body: &[u8], line: usize, column: usize) -> String {
    let at = body.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let from = at.get(column.saturating_sub(1)..).unwrap_or_default();
    quoted(&String::from_utf8_lossy(from.get(..NEAR).unwrap_or(from)))
}
