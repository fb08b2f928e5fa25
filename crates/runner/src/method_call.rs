//! Requests of Google's methods, made from the one table: REST as the reference shows it, or gRPC framed by hand.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions, prost::Message,
};
use serde_json::{Map, Value, json};
use tokenrig_decision::Code;
use tokenrig_protos::{Body, HttpRule, Method};

use crate::world::{Answer, Protocol, Request};

/// Why no request could be made of what a step says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallFault {
    #[error("`{field}` is missing; it is part of the path {template}")]
    PathMissing { field: String, template: String },
    #[error("`{value}` is no `{field}` of this method, whose path is {template}")]
    PathForm { field: String, value: String, template: String },
    #[error("this method has no REST form")]
    NoRest,
    #[error("this method cannot be called by gRPC")]
    NoGrpc,
    #[error("the fields do not make a {message}: {why}")]
    Message { message: String, why: String },
}

/// The request by REST. A field of the resource may stand beside the path parameters, as the reference prints it, or
/// under the name that the request message gives the resource.
pub(crate) fn rest(method: &Method, fields: &Map<String, Value>, deadline: Duration) -> Result<Request, CallFault> {
    let mut first_fault = None;
    for rule in &method.rules {
        match by_rule(method, rule, fields.clone(), deadline) {
            Ok(request) => return Ok(request),
            Err(fault) => _ = first_fault.get_or_insert(fault),
        }
    }
    Err(first_fault.unwrap_or(CallFault::NoRest))
}

fn by_rule(
    method: &Method,
    rule: &HttpRule,
    fields: Map<String, Value>,
    deadline: Duration,
) -> Result<Request, CallFault> {
    let mut message = whole_message(method, rule, fields);
    let mut values = Vec::new();
    for variable in rule.template.variables() {
        let value = take_path(&method.input, &mut message, &variable.field).ok_or_else(|| CallFault::PathMissing {
            field: variable.field.clone(),
            template: rule.template.text().to_owned(),
        })?;
        values.push((variable.field.as_str(), value));
    }
    let value_of = |field: &str| values.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str());
    let path = rule.template.expand(value_of).ok_or_else(|| {
        let (field, value) = values.first().map_or(("", ""), |(field, value)| (*field, value.as_str()));
        CallFault::PathForm {
            field: field.to_owned(),
            value: value.to_owned(),
            template: rule.template.text().to_owned(),
        }
    })?;
    let body = match rule.body {
        Body::None => None,
        Body::Star => Some(Value::Object(std::mem::take(&mut message))),
        Body::Field(name) => {
            let key = method.input.get_field_by_name(name).and_then(|field| key_in(&message, &field));
            Some(key.and_then(|key| message.shift_remove(&key)).unwrap_or_else(|| json!({})))
        }
    };
    let mut url = format!("https://{}{path}", method.host);
    let query = query_of(&message);
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query);
    }
    let mut headers = Vec::new();
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Ok(Request {
        method: rule.verb.name().to_owned(),
        url,
        headers,
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        protocol: Protocol::Any,
        deadline,
    })
}

/// The fields as the request message has them: what the reference prints as body fields goes under the body's name.
fn whole_message(method: &Method, rule: &HttpRule, fields: Map<String, Value>) -> Map<String, Value> {
    let Body::Field(name) = rule.body else { return fields };
    let Some(body) = method.input.get_field_by_name(name) else { return fields };
    let mut message = Map::new();
    let mut inner = Map::new();
    for (key, value) in fields {
        if let Some((_, nested)) = key.split_once('.').filter(|(first, _)| is_name_of(&body, first)) {
            inner.insert(nested.to_owned(), value);
        } else if field_of(&method.input, &key).is_some() {
            message.insert(key, value);
        } else {
            inner.insert(key, value);
        }
    }
    // `name` of `{service.name=…}` is often written as the plain path parameter.
    let key = key_in(&message, &body).unwrap_or_else(|| body.json_name().to_owned());
    match message.get_mut(&key) {
        Some(Value::Object(given)) => given.extend(inner),
        Some(_) => {}
        None => {
            message.insert(key, Value::Object(inner));
        }
    }
    message
}

fn is_name_of(field: &FieldDescriptor, name: &str) -> bool {
    field.name() == name || field.json_name() == name
}

fn field_of(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

fn key_in(map: &Map<String, Value>, field: &FieldDescriptor) -> Option<String> {
    [field.json_name(), field.name()].into_iter().find(|key| map.contains_key(*key)).map(str::to_owned)
}

/// Takes the text at a path of proto names (`service.name`) out of a message in JSON.
fn take_path(message: &MessageDescriptor, map: &mut Map<String, Value>, path: &str) -> Option<String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let field = message.get_field_by_name(first)?;
    let key = key_in(map, &field)?;
    match rest {
        None => match map.shift_remove(&key)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        Some(rest) => {
            let Kind::Message(inner) = field.kind() else { return None };
            take_path(&inner, map.get_mut(&key)?.as_object_mut()?, rest)
        }
    }
}

/// Fields as query parameters: nested ones with dots, repeated ones once per item.
fn query_of(fields: &Map<String, Value>) -> String {
    fn add(query: &mut form_urlencoded::Serializer<'_, String>, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter().for_each(|item| add(query, name, item)),
            Value::Object(inner) => inner.iter().for_each(|(key, value)| add(query, &format!("{name}.{key}"), value)),
            Value::String(text) => _ = query.append_pair(name, text),
            Value::Bool(_) | Value::Number(_) => _ = query.append_pair(name, &value.to_string()),
        }
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        add(&mut query, name, value);
    }
    query.finish()
}

/// The request by gRPC.
pub(crate) fn grpc(method: &Method, fields: &Map<String, Value>, deadline: Duration) -> Result<Request, CallFault> {
    if !method.grpc {
        return Err(CallFault::NoGrpc);
    }
    let message = match method.rules.first() {
        Some(rule) => whole_message(method, rule, fields.clone()),
        None => fields.clone(),
    };
    let options = DeserializeOptions::new();
    let message = DynamicMessage::deserialize_with_options(method.input.clone(), Value::Object(message), &options)
        .map_err(|why| CallFault::Message { message: method.input.name().to_owned(), why: why.to_string() })?;
    Ok(Request {
        method: "POST".to_owned(),
        url: format!("https://{}{}", method.host, method.grpc_path),
        headers: vec![
            ("content-type".to_owned(), "application/grpc".to_owned()),
            ("te".to_owned(), "trailers".to_owned()),
        ],
        body: frame(&message.encode_to_vec()),
        protocol: Protocol::Http2,
        deadline,
    })
}

/// One uncompressed message with its five bytes before it.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 5);
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// What a gRPC answer says, as REST would say it: the status that its code stands for and a JSON body.
pub(crate) fn read_grpc(method: &Method, answer: &Answer) -> (u16, Value) {
    // An error without messages may come in the headers alone.
    let field = |name: &str| {
        let all = answer.trailers.iter().chain(&answer.headers);
        all.filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).next()
    };
    match field("grpc-status").and_then(|code| code.parse::<i32>().ok()) {
        Some(0) => (200, message_of(method, &answer.body)),
        Some(number) => {
            let code = Code::from_grpc(number).unwrap_or(Code::Unknown);
            let message = percent_decode_str(field("grpc-message").unwrap_or_default()).decode_utf8_lossy();
            let mut error = json!({ "code": code.http(), "message": message, "status": code.name() });
            if let Some(details) = field("grpc-status-details-bin").and_then(details)
                && let Some(error) = error.as_object_mut()
            {
                error.insert("details".to_owned(), details);
            }
            (code.http(), json!({ "error": error }))
        }
        // Not gRPC at all: something on the way answered.
        None => (answer.status, Value::Null),
    }
}

fn message_of(method: &Method, body: &[u8]) -> Value {
    let unframed = body.get(5..).unwrap_or_default();
    DynamicMessage::decode(method.output.clone(), unframed).map_or(Value::Null, |message| json_of(&message))
}

fn json_of(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new();
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap_or(Value::Null)
}

/// `google.rpc.Status` in base64, padded or not: its details as JSON, if it has any.
fn details(encoded: &str) -> Option<Value> {
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .or_else(|_| base64::prelude::BASE64_STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')))
        .ok()?;
    let status = tokenrig_protos::pool().get_message_by_name("google.rpc.Status")?;
    let status = json_of(&DynamicMessage::decode(status, bytes.as_slice()).ok()?);
    status.get("details").filter(|details| details.as_array().is_some_and(|list| !list.is_empty())).cloned()
}
