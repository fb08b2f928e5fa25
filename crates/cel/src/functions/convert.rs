//! Conversions between types.

use std::sync::Arc;

use super::{Function, Result, time};
use crate::{
    failure::{Failure, Meter},
    operators,
    value::{Value, seconds},
};

/// Beyond these a double does not fit; both are exact as doubles.
const INT_BOUND: f64 = 9_223_372_036_854_775_808.0;
const UINT_BOUND: f64 = 18_446_744_073_709_551_616.0;

/// The value as another type. `None` if there is no such conversion.
pub(super) fn convert(function: Function, value: &Value, meter: &Meter) -> Result<Option<Value>> {
    let converted = match (function, value) {
        (Function::Bool, Value::Bool(_))
        | (Function::Int, Value::Int(_))
        | (Function::Uint, Value::Uint(_))
        | (Function::Double, Value::Double(_))
        | (Function::String, Value::String(_))
        | (Function::Bytes, Value::Bytes(_))
        | (Function::Duration, Value::Duration(_)) => Some(value.clone()),
        (Function::Bool, Value::String(text)) => Some(match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Value::Bool(true),
            "0" | "f" | "false" | "FALSE" | "False" => Value::Bool(false),
            _ => return Err(unreadable(text, "a bool")),
        }),
        (Function::Int, Value::Uint(number)) => {
            Some(Value::Int(i64::try_from(*number).map_err(|_| too_large(value, "int"))?))
        }
        (Function::Int, Value::Double(number)) => {
            // The lower bound is excluded, as in the specification.
            if !(*number > -INT_BOUND && *number < INT_BOUND) {
                return Err(too_large(value, "int"));
            }
            Some(Value::Int(*number as i64))
        }
        (Function::Int, Value::String(text)) => Some(Value::Int(text.parse().map_err(|_| unreadable(text, "an int"))?)),
        (Function::Int, Value::Timestamp(at)) => {
            // Whole seconds, rounded down: jiff's own count rounds towards 1970.
            Some(Value::Int(at.as_second() - i64::from(at.subsec_nanosecond() < 0)))
        }
        (Function::Uint, Value::Int(number)) => {
            Some(Value::Uint(u64::try_from(*number).map_err(|_| too_large(value, "uint"))?))
        }
        (Function::Uint, Value::Double(number)) => {
            if !(*number >= 0.0 && *number < UINT_BOUND) {
                return Err(too_large(value, "uint"));
            }
            Some(Value::Uint(*number as u64))
        }
        (Function::Uint, Value::String(text)) => {
            Some(Value::Uint(text.parse().map_err(|_| unreadable(text, "a uint"))?))
        }
        (Function::Double, Value::Int(number)) => Some(Value::Double(*number as f64)),
        (Function::Double, Value::Uint(number)) => Some(Value::Double(*number as f64)),
        (Function::Double, Value::String(text)) => {
            Some(Value::Double(text.parse().map_err(|_| unreadable(text, "a double"))?))
        }
        (Function::String, Value::Bool(flag)) => Some(Value::from(flag.to_string())),
        (Function::String, Value::Int(number)) => Some(Value::from(number.to_string())),
        (Function::String, Value::Uint(number)) => Some(Value::from(number.to_string())),
        (Function::String, Value::Double(number)) => Some(Value::from(number.to_string())),
        (Function::String, Value::Bytes(bytes)) => {
            meter.spend_bytes(bytes.len())?;
            let text = str::from_utf8(bytes).map_err(|_| Failure::other("the bytes are not UTF-8"))?;
            Some(Value::from(text))
        }
        (Function::String, Value::Timestamp(at)) => Some(Value::from(at.to_string())),
        (Function::String, Value::Duration(length)) => Some(Value::from(seconds(*length))),
        (Function::Bytes, Value::String(text)) => {
            meter.spend_bytes(text.len())?;
            Some(Value::Bytes(Arc::from(text.as_bytes())))
        }
        (Function::Timestamp, Value::Int(seconds)) => {
            let at = jiff::Timestamp::from_second(*seconds).ok().and_then(operators::timestamp);
            Some(at.ok_or_else(|| too_large(value, "timestamp"))?)
        }
        (Function::Timestamp, Value::String(text)) => {
            Some(time::timestamp(text).ok_or_else(|| unreadable(text, "a timestamp of RFC 3339"))?)
        }
        (Function::Duration, Value::String(text)) => {
            let length = time::duration(text).ok_or_else(|| unreadable(text, "a duration, as in `1h30m` or `0.5s`"))?;
            Some(Value::Duration(length))
        }
        _ => None,
    };
    Ok(converted)
}

fn unreadable(text: &str, what: &str) -> Failure {
    let shown: String = text.chars().take(60).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    Failure::other(format!("`{shown}{more}` is not {what}"))
}

fn too_large(value: &Value, what: &str) -> Failure {
    Failure::other(format!("{value} is out of the range of {what}"))
}
