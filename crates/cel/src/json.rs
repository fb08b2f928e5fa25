//! Values from JSON and to JSON.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Number, Value as Json};

use crate::{
    map::{Key, Map},
    value::{Value, seconds},
};

/// Integers that fit become `int`, all other numbers `double`, as claims of a token are typed.
impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::String(Arc::from(text.as_str())),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(members) => Self::from(members),
        }
    }
}

/// An object becomes a map with text keys, in the same order.
impl From<&serde_json::Map<String, Json>> for Value {
    fn from(members: &serde_json::Map<String, Json>) -> Self {
        Self::Map(Arc::new(members.iter().map(|(name, value)| (name, Self::from(value))).collect()))
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from(&json)
    }
}

impl Value {
    /// The value as JSON: bytes in base64, instants in RFC 3339, lengths of time in seconds with an `s`, keys as text.
    /// `absent`, an empty optional and numbers that JSON cannot hold become null.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null | Self::Absent | Self::Optional(None) => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(number) => Json::from(*number),
            Self::Uint(number) => Json::from(*number),
            Self::Double(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::String(text) => Json::from(&**text),
            Self::Bytes(bytes) => Json::from(BASE64_STANDARD.encode(bytes)),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(map) => Json::Object(members(map)),
            Self::Timestamp(instant) => Json::from(instant.to_string()),
            Self::Duration(length) => Json::from(seconds(*length)),
            Self::Optional(Some(value)) => value.to_json(),
            Self::Type(name) => Json::from(*name),
        }
    }
}

fn members(map: &Map) -> serde_json::Map<String, Json> {
    let name = |key: &Key| match key {
        Key::Bool(flag) => flag.to_string(),
        Key::Int(number) => number.to_string(),
        Key::Uint(number) => number.to_string(),
        Key::String(text) => text.to_string(),
    };
    map.iter().map(|(key, value)| (name(key), value.to_json())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        let json = json!({ "b": [1, -2, 2.5, "x", null, true], "a": { "": {} }, "big": 9_223_372_036_854_775_807_i64 });
        assert_eq!(Value::from(&json).to_json(), json);
        assert_eq!(Value::from(&json).to_json().to_string(), json.to_string());
    }

    #[test]
    fn an_integer_that_does_not_fit_is_a_double() {
        assert!(matches!(Value::from(&json!(18_446_744_073_709_551_615_u64)), Value::Double(_)));
        assert!(matches!(Value::from(&json!(1.0)), Value::Double(_)));
        assert!(matches!(Value::from(&json!(1)), Value::Int(1)));
    }
}
