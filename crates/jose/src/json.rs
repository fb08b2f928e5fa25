//! JSON from outside: an object, no member twice at any depth, bounded.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

use crate::Map;

/// How large and how deep a JSON text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Nesting of lists and objects, the outermost counted; at most 127.
    pub depth: usize,
}

impl Default for JsonLimits {
    /// 64 KiB, 32 deep.
    fn default() -> Self {
        Self { bytes: 64 * 1024, depth: 32 }
    }
}

/// Why a text is no JSON object that can be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// More bytes than allowed.
    #[error("the JSON text is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Nested deeper than allowed.
    #[error("the JSON text is nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A member stands twice in one object.
    #[error("member {} stands twice in one object", crate::show::quoted(.0))]
    Duplicate(String),
    /// JSON, and no object.
    #[error("the JSON text is not an object")]
    NotAnObject,
    /// No JSON in UTF-8.
    #[error("the text is not JSON: {0}")]
    Syntax(String),
}

/// Reads a JSON object in which no member stands twice, at any depth. Which of two equal members counts differs between
/// readers, and that is how a token shows different claims to different people.
///
/// Integers beyond 64 bits become the nearest double.
///
/// # Errors
///
/// [`JsonFault`], with the first thing that is wrong.
pub fn parse_object(text: &[u8], limits: JsonLimits) -> Result<Map, JsonFault> {
    if text.len() > limits.bytes {
        return Err(JsonFault::TooLarge { limit: limits.bytes });
    }
    let fault = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Strict { left: limits.depth, limits, fault: &fault }.deserialize(&mut reader);
    match read.and_then(|value| reader.end().map(|()| value)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(JsonFault::NotAnObject),
        Err(error) => Err(fault.take().unwrap_or_else(|| JsonFault::Syntax(error.to_string()))),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    limits: JsonLimits,
    fault: &'a Cell<Option<JsonFault>>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.fail(JsonFault::TooDeep { limit: self.limits.depth })),
        }
    }

    /// The fault is kept beside serde's error, which can only carry text.
    fn fail<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.fail(JsonFault::Duplicate(name)));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Map, JsonFault> {
        parse_object(text.as_bytes(), JsonLimits::default())
    }

    #[test]
    fn an_object_is_read_with_its_types_and_order() {
        let object = parse(r#" {"z":1,"a":[true,null,-2,1.5,{"b":"\u0000é"}]} "#).unwrap();
        assert_eq!(Value::Object(object.clone()), json!({ "z": 1, "a": [true, null, -2, 1.5, { "b": "\u{0}é" }] }));
        assert_eq!(object.keys().collect::<Vec<_>>(), ["z", "a"]);
    }

    #[rstest]
    #[case::at_the_top(r#"{"aud":"a","aud":"b"}"#, "aud")]
    #[case::within(r#"{"a":[{"b":{"c":1,"c":1}}]}"#, "c")]
    #[case::written_in_two_ways(r#"{"sub":1,"\u0073ub":2}"#, "sub")]
    fn a_member_that_stands_twice_is_refused(#[case] text: &str, #[case] name: &str) {
        assert_eq!(parse(text), Err(JsonFault::Duplicate(name.to_owned())));
    }

    #[rstest]
    #[case::a_list("[]")]
    #[case::text("\"sub\"")]
    #[case::null("null")]
    fn only_an_object_is_taken(#[case] text: &str) {
        assert_eq!(parse(text), Err(JsonFault::NotAnObject));
    }

    #[rstest]
    #[case::nothing(b"")]
    #[case::two_texts(b"{}{}")]
    #[case::a_byte_order_mark(b"\xef\xbb\xbf{}")]
    #[case::a_trailing_comma(b"{\"a\":1,}")]
    #[case::not_utf8(b"{\"a\":\"\xff\"}")]
    #[case::half_a_surrogate_pair(b"{\"a\":\"\\ud800\"}")]
    #[case::a_number_beyond_all_doubles(b"{\"exp\":1e999}")]
    #[case::not_a_number(b"{\"exp\":NaN}")]
    fn what_is_not_json_is_refused(#[case] text: &[u8]) {
        assert!(matches!(parse_object(text, JsonLimits::default()), Err(JsonFault::Syntax(_))));
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let limits = JsonLimits { bytes: 20, depth: 3 };
        assert!(parse_object(br#"{"a":[{}]}"#, limits).is_ok());
        assert_eq!(parse_object(br#"{"a":[{"b":[]}]}"#, limits), Err(JsonFault::TooDeep { limit: 3 }));
        assert_eq!(parse_object(br#"{"a":"aaaaaaaaaaaaaa"}"#, limits), Err(JsonFault::TooLarge { limit: 20 }));
        let deep = "[".repeat(30_000);
        assert_eq!(parse(&deep), Err(JsonFault::TooDeep { limit: 32 }));
    }
}
