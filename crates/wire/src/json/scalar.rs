//! One JSON value as one value of a field's type.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value as Json;
use tokenrig_protos::prost_reflect::{EnumDescriptor, Kind, Value};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What is wrong with a value, if it is more than its being there.
pub(crate) type Wrong = Option<String>;

/// Reads a value of a scalar or enum kind; the text of a number or bool is as good as the number or bool.
pub(crate) fn scalar(kind: &Kind, json: &Json) -> Result<Value, Wrong> {
    Ok(match kind {
        Kind::Bool => match json {
            Json::Bool(value) => Value::Bool(*value),
            Json::String(text) if text == "true" => Value::Bool(true),
            Json::String(text) if text == "false" => Value::Bool(false),
            _ => return Err(None),
        },
        Kind::String => Value::String(json.as_str().ok_or(None)?.to_owned()),
        Kind::Bytes => Value::Bytes(bytes(json.as_str().ok_or(None)?)?.into()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(whole(json)?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(whole(json)?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(whole(json)?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(whole(json)?),
        Kind::Double => Value::F64(float(json)?),
        #[expect(clippy::cast_possible_truncation, reason = "a float field keeps what a float can")]
        Kind::Float => Value::F32(float(json)? as f32),
        Kind::Enum(described) => Value::EnumNumber(enumeration(described, json)?),
        Kind::Message(_) => return Err(None),
    })
}

/// The type as Google's messages call it.
pub(crate) fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!("type.googleapis.com/{}", message.full_name()),
        Kind::Enum(described) => format!("type.googleapis.com/{}", described.full_name()),
        other => format!("TYPE_{}", format!("{other:?}").to_uppercase()),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Wrong> {
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).map_err(|_| Some(format!("Base64 decoding failed for {}", Json::from(super::quoted(text)))))
}

fn whole<T: TryFrom<i128>>(json: &Json) -> Result<T, Wrong> {
    let number = match json {
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => i128::from(number),
            (_, Some(number), _) => i128::from(number),
            (.., Some(number)) => from_float(number)?,
            _ => return Err(None),
        },
        Json::String(text) if text.len() <= 40 => match text.parse::<i128>() {
            Ok(number) => number,
            Err(_) => from_float(text.parse().map_err(|_| None)?)?,
        },
        _ => return Err(None),
    };
    T::try_from(number).map_err(|_| None)
}

#[expect(clippy::cast_possible_truncation, reason = "only whole numbers of a bounded size get here")]
fn from_float(number: f64) -> Result<i128, Wrong> {
    if number.fract() == 0.0 && number.abs() < 1e19 { Ok(number as i128) } else { Err(None) }
}

fn float(json: &Json) -> Result<f64, Wrong> {
    match json {
        Json::Number(number) => number.as_f64().ok_or(None),
        Json::String(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text if text.len() <= 40 => text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(None),
            _ => Err(None),
        },
        _ => Err(None),
    }
}

fn enumeration(described: &EnumDescriptor, json: &Json) -> Result<i32, Wrong> {
    match json {
        Json::String(name) => match described.get_value_by_name(name) {
            Some(value) => Ok(value.number()),
            None => name.parse().map_err(|_| None),
        },
        number => whole(number),
    }
}
