//! Messages to JSON.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json};
use tokenrig_protos::{
    pool,
    prost::Name,
    prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage, SerializeOptions, Value},
};

/// How enum values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enums {
    /// `"ACTIVE"`.
    Names,
    /// `1`, as `$alt=json;enum-encoding=int` asks.
    Numbers,
}

/// A message as Google writes it in JSON, by its description in the protos.
///
/// ```
/// use serde_json::json;
/// use tokenrig_protos::google::iam::credentials::v1::SignBlobRequest;
///
/// let request = SignBlobRequest { name: "x".into(), payload: vec![1, 2], ..SignBlobRequest::default() };
/// assert_eq!(tokenrig_wire::to_json(&request), json!({ "name": "x", "payload": "AQI=" }));
/// ```
#[must_use]
pub fn to_json<M: Name>(message: &M) -> Json {
    let described = pool().get_message_by_name(&M::full_name());
    let bytes = message.encode_to_vec();
    let dynamic = described.and_then(|described| DynamicMessage::decode(described, bytes.as_slice()).ok());
    dynamic.map_or(Json::Null, |dynamic| write(&dynamic, Enums::Names))
}

/// Writes a message as Google does: camel case, no default values, 64-bit integers as text, keys of maps in order.
pub(crate) fn write(message: &DynamicMessage, enums: Enums) -> Json {
    let described = message.descriptor();
    match described.full_name() {
        "google.protobuf.Any" => any(message, enums),
        "google.protobuf.Struct" => {
            let fields = message.get_field_by_name("fields");
            fields.map_or_else(|| Json::Object(Map::new()), |fields| value(&fields, None, enums))
        }
        "google.protobuf.ListValue" => {
            let values = message.get_field_by_name("values");
            values.map_or_else(|| Json::Array(Vec::new()), |values| value(&values, None, enums))
        }
        "google.protobuf.Value" => message.fields().next().map_or(Json::Null, |(field, set)| {
            if field.name() == "null_value" { Json::Null } else { value(set, None, enums) }
        }),
        name if name.starts_with("google.protobuf.") => message
            .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
            .unwrap_or(Json::Null),
        _ => Json::Object(object(message, enums)),
    }
}

fn object(message: &DynamicMessage, enums: Enums) -> Map<String, Json> {
    let fields = message.fields().filter(|(field, set)| !(field.is_list() || field.is_map()) || !is_empty(set));
    fields.map(|(field, set)| (field.json_name().to_owned(), value(set, Some(&field.kind()), enums))).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn any(message: &DynamicMessage, enums: Enums) -> Json {
    let mut packed = Map::new();
    let url = message.get_field_by_name("type_url").and_then(|url| url.as_str().map(str::to_owned)).unwrap_or_default();
    let bytes = message.get_field_by_name("value").and_then(|bytes| bytes.as_bytes().cloned()).unwrap_or_default();
    let name = url.rsplit('/').next().unwrap_or_default();
    let inner = message.descriptor().parent_pool().get_message_by_name(name);
    let inner = inner.and_then(|described| DynamicMessage::decode(described, bytes).ok());
    // What Google describes in discovery documents only has messages of ours; outside they have Google's name.
    packed.insert("@type".to_owned(), Json::from(url.replacen("/tokenrig.", "/google.", 1)));
    match inner.map(|inner| write(&inner, enums)) {
        Some(Json::Object(fields)) => packed.extend(fields),
        Some(other) => {
            packed.insert("value".to_owned(), other);
        }
        None => {}
    }
    Json::Object(packed)
}

fn value(value: &Value, kind: Option<&Kind>, enums: Enums) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::I32(value) => Json::from(*value),
        Value::U32(value) => Json::from(*value),
        Value::I64(value) => Json::from(value.to_string()),
        Value::U64(value) => Json::from(value.to_string()),
        Value::F32(value) => float(f64::from(*value)),
        Value::F64(value) => float(*value),
        Value::String(value) => Json::from(value.as_str()),
        Value::Bytes(value) => Json::from(STANDARD.encode(value)),
        Value::EnumNumber(number) => {
            let named = kind.and_then(Kind::as_enum).filter(|_| enums == Enums::Names);
            let name = named.and_then(|described| described.get_value(*number));
            name.map_or_else(|| Json::from(*number), |name| Json::from(name.name()))
        }
        Value::Message(message) => write(message, enums),
        Value::List(list) => Json::Array(list.iter().map(|item| self::value(item, kind, enums)).collect()),
        Value::Map(map) => {
            let entry = kind.and_then(Kind::as_message).map(|entry| entry.map_entry_value_field().kind());
            // In order, because the map has none and answers are the same each time.
            let ordered: BTreeMap<String, &Value> = map.iter().map(|(key, item)| (text(key), item)).collect();
            let items = ordered.into_iter().map(|(key, item)| (key, self::value(item, entry.as_ref(), enums)));
            Json::Object(items.collect())
        }
    }
}

fn float(number: f64) -> Json {
    match serde_json::Number::from_f64(number) {
        Some(number) => Json::Number(number),
        None if number.is_nan() => Json::from("NaN"),
        None if number > 0.0 => Json::from("Infinity"),
        None => Json::from("-Infinity"),
    }
}

fn text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}
