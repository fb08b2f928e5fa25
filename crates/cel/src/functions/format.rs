//! `format` of the strings extension: `%s %d %f %e %b %x %X %o`, with `%.N` before `f` and `e`.

use super::Result;
use crate::{
    failure::{Failure, Meter},
    value::Value,
};

/// Digits behind the point when a clause does not say.
const DIGITS: usize = 6;
/// The most digits that a clause may ask for.
const MOST_DIGITS: usize = 100;

/// The template with its clauses replaced by the items, in order.
pub(super) fn format(template: &str, items: &[Value], meter: &Meter) -> Result<String> {
    let mut text = String::with_capacity(template.len());
    let mut items = items.iter();
    let mut rest = template;
    while let Some((before, clause)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = clause.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (digits, clause) = digits(clause)?;
        let mut letters = clause.chars();
        let letter = letters.next().ok_or_else(|| Failure::other("the format ends within a clause"))?;
        let item = items.next().ok_or_else(|| Failure::other("the format has more clauses than there are values"))?;
        let filled = fill(letter, digits, item, meter)?;
        meter.spend_bytes(filled.len())?;
        text.push_str(&filled);
        rest = letters.as_str();
    }
    text.push_str(rest);
    Ok(text)
}

fn digits(clause: &str) -> Result<(usize, &str)> {
    let Some(clause) = clause.strip_prefix('.') else { return Ok((DIGITS, clause)) };
    let end = clause.find(|c: char| !c.is_ascii_digit()).unwrap_or(clause.len());
    let (number, rest) = clause.split_at_checked(end).unwrap_or((clause, ""));
    match number.parse() {
        Ok(digits) if digits <= MOST_DIGITS => Ok((digits, rest)),
        _ => Err(Failure::other(format!(
            "a clause of the format asks for `.{number}` digits, {MOST_DIGITS} are the most"
        ))),
    }
}

fn fill(letter: char, digits: usize, item: &Value, meter: &Meter) -> Result<String> {
    let number = match item {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    };
    let sign = |number: &i64| if *number < 0 { "-" } else { "" };
    let filled = match (letter, item) {
        ('s', _) => plain(item, meter)?,
        ('d', Value::Int(number)) => Some(number.to_string()),
        ('d', Value::Uint(number)) => Some(number.to_string()),
        ('d', Value::Double(number)) => Some(double(*number)),
        ('f', _) => number.map(|number| infinite(number).unwrap_or_else(|| format!("{number:.digits$}"))),
        ('e', _) => number.map(|number| infinite(number).unwrap_or_else(|| scientific(number, digits))),
        ('b', Value::Bool(flag)) => Some(u8::from(*flag).to_string()),
        ('b', Value::Int(number)) => Some(format!("{}{:b}", sign(number), number.unsigned_abs())),
        ('b', Value::Uint(number)) => Some(format!("{number:b}")),
        ('o', Value::Int(number)) => Some(format!("{}{:o}", sign(number), number.unsigned_abs())),
        ('o', Value::Uint(number)) => Some(format!("{number:o}")),
        ('x', Value::Int(number)) => Some(format!("{}{:x}", sign(number), number.unsigned_abs())),
        ('x', Value::Uint(number)) => Some(format!("{number:x}")),
        ('X', Value::Int(number)) => Some(format!("{}{:X}", sign(number), number.unsigned_abs())),
        ('X', Value::Uint(number)) => Some(format!("{number:X}")),
        ('x' | 'X', Value::String(text)) => Some(hex(text.as_bytes(), letter == 'X', meter)?),
        ('x' | 'X', Value::Bytes(bytes)) => Some(hex(bytes, letter == 'X', meter)?),
        ('d' | 'b' | 'o' | 'x' | 'X', _) => None,
        _ => return Err(Failure::other(format!("the format has no clause `%{}`", letter.escape_debug()))),
    };
    filled.ok_or_else(|| Failure::of_type(format!("`%{letter}` does not take {}", item.type_name())))
}

/// What `%s` makes of a value: lists and maps too, maps in the order of their keys.
fn plain(item: &Value, meter: &Meter) -> Result<Option<String>> {
    meter.spend(1)?;
    Ok(Some(match item {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => double(*number),
        Value::String(text) => {
            meter.spend_bytes(text.len())?;
            text.to_string()
        }
        Value::Bytes(bytes) => {
            meter.spend_bytes(bytes.len())?;
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Timestamp(at) => at.to_string(),
        Value::Duration(length) => format!("{}s", double(length.as_secs_f64())),
        Value::Type(name) => (*name).to_owned(),
        Value::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items.iter() {
                let Some(text) = plain(item, meter)? else { return Ok(None) };
                texts.push(text);
            }
            format!("[{}]", texts.join(", "))
        }
        Value::Map(map) => {
            let mut texts = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let (Some(key), Some(value)) = (plain(&key.to_value(), meter)?, plain(value, meter)?) else {
                    return Ok(None);
                };
                texts.push((key, value));
            }
            texts.sort();
            let texts: Vec<_> = texts.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", texts.join(", "))
        }
        Value::Optional(_) | Value::Absent => return Ok(None),
    }))
}

fn infinite(number: f64) -> Option<String> {
    let text = if number.is_nan() {
        "NaN"
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }
    } else {
        return None;
    };
    Some(text.to_owned())
}

fn double(number: f64) -> String {
    infinite(number).unwrap_or_else(|| number.to_string())
}

/// At least two digits in the exponent and always its sign, where Rust writes neither.
fn scientific(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{mantissa}e{sign}{exponent:0>2}")
}

fn hex(bytes: &[u8], upper: bool, meter: &Meter) -> Result<String> {
    meter.spend_bytes(bytes.len() * 2)?;
    Ok(bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect())
}
