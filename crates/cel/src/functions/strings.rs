//! CEL's strings extension. Positions count characters.

use super::{Function, Result, format};
use crate::{
    failure::{Failure, Meter},
    value::Value,
};

/// A function on texts. `None` if it does not take values of these types.
pub(super) fn call(function: Function, arguments: &[Value], meter: &Meter) -> Result<Option<Value>> {
    use Value::{Int, List, String};
    // Every function here looks at its texts once, and makes about as much.
    for argument in arguments {
        if let String(text) = argument {
            meter.spend_bytes(text.len())?;
        }
    }
    let value = match (function, arguments) {
        (Function::LowerAscii, [String(text)]) => Value::from(text.to_ascii_lowercase()),
        (Function::UpperAscii, [String(text)]) => Value::from(text.to_ascii_uppercase()),
        (Function::Trim, [String(text)]) => Value::from(text.trim()),
        (Function::Reverse, [String(text)]) => Value::from(text.chars().rev().collect::<std::string::String>()),
        (Function::Quote, [String(text)]) => Value::from(quote(text)),
        (Function::Split, [String(text), String(by)]) => split(text, by, None, meter)?,
        (Function::Split, [String(text), String(by), Int(most)]) => {
            split(text, by, usize::try_from(*most).ok(), meter)?
        }
        (Function::Join, [List(items)]) => return join(items, "", meter),
        (Function::Join, [List(items), String(by)]) => return join(items, by, meter),
        (Function::Replace, [String(text), String(from), String(to)]) => replace(text, from, to, None, meter)?,
        (Function::Replace, [String(text), String(from), String(to), Int(most)]) => {
            replace(text, from, to, usize::try_from(*most).ok(), meter)?
        }
        (Function::Substring, [String(text), Int(start)]) => {
            let start = byte_at(text, *start)?;
            Value::from(text.get(start..).unwrap_or_default())
        }
        (Function::Substring, [String(text), Int(start), Int(end)]) => {
            if start > end {
                return Err(Failure::other(format!("the start {start} lies behind the end {end}")));
            }
            let (start, end) = (byte_at(text, *start)?, byte_at(text, *end)?);
            Value::from(text.get(start..end).unwrap_or_default())
        }
        (Function::CharAt, [String(text), Int(position)]) => {
            let at = byte_at(text, *position)?;
            let rest = text.get(at..).unwrap_or_default();
            Value::from(rest.chars().next().map(std::string::String::from).unwrap_or_default())
        }
        (Function::IndexOf, [String(text), String(part)]) => position(text, text.find(&**part)),
        (Function::IndexOf, [String(text), String(part), Int(from)]) => match bounded(text, part, *from)? {
            Bounded::Answer(answer) => answer,
            Bounded::At(from) => {
                let rest = text.get(from..).unwrap_or_default();
                position(text, rest.find(&**part).map(|found| found + from))
            }
        },
        (Function::LastIndexOf, [String(text), String(part)]) => position(text, text.rfind(&**part)),
        (Function::LastIndexOf, [String(text), String(part), Int(to)]) => match bounded(text, part, *to)? {
            Bounded::Answer(answer) => answer,
            Bounded::At(to) => {
                // An occurrence may start at the bound itself, and ends where a character does.
                let end = text.len().min(to + part.len());
                let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
                position(text, text.get(..end).unwrap_or_default().rfind(&**part))
            }
        },
        (Function::Format, [String(template), List(items)]) => Value::from(format::format(template, items, meter)?),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn out_of_range(position: i64) -> Failure {
    Failure::other(format!("the position {position} is out of range"))
}

/// The byte at which a character starts; the position behind the last one is allowed.
fn byte_at(text: &str, position: i64) -> Result<usize> {
    let wanted = usize::try_from(position).map_err(|_| out_of_range(position))?;
    let ends = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
    ends.into_iter().nth(wanted).ok_or_else(|| out_of_range(position))
}

/// The position of a character, by its byte; -1 for none.
fn position(text: &str, byte: Option<usize>) -> Value {
    let count = byte.and_then(|byte| text.get(..byte)).map(|before| before.chars().count());
    Value::Int(count.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1))
}

enum Bounded {
    Answer(Value),
    At(usize),
}

/// The bound of a search, as a byte. An empty part is found at the bound itself.
fn bounded(text: &str, part: &str, bound: i64) -> Result<Bounded> {
    let size = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if bound < 0 {
        return Err(out_of_range(bound));
    }
    if part.is_empty() {
        return Ok(Bounded::Answer(Value::Int(bound.min(size))));
    }
    if bound >= size {
        return Err(out_of_range(bound));
    }
    byte_at(text, bound).map(Bounded::At)
}

/// At most so many parts, the last one holding what is left; an empty separator falls between all characters.
fn split(text: &str, by: &str, most: Option<usize>, meter: &Meter) -> Result<Value> {
    let most = most.unwrap_or(usize::MAX);
    let pieces: Vec<&str> = if most == 0 {
        Vec::new()
    } else if by.is_empty() {
        let cuts = text.char_indices().map(|(byte, _)| byte).take(most);
        let starts: Vec<usize> = cuts.collect();
        let ends = starts.iter().skip(1).copied().chain([text.len()]);
        starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).collect()
    } else {
        text.splitn(most, by).collect()
    };
    meter.spend(pieces.len())?;
    Ok(Value::list(pieces.into_iter().map(Value::from)))
}

fn join(items: &[Value], by: &str, meter: &Meter) -> Result<Option<Value>> {
    let mut joined = String::new();
    for (count, item) in items.iter().enumerate() {
        let Value::String(text) = item else { return Ok(None) };
        meter.spend(1)?;
        meter.spend_bytes(text.len() + by.len())?;
        if count > 0 {
            joined.push_str(by);
        }
        joined.push_str(text);
    }
    Ok(Some(Value::from(joined)))
}

fn replace(text: &str, from: &str, to: &str, most: Option<usize>, meter: &Meter) -> Result<Value> {
    // What grows is paid for before it is made.
    let found = if from.is_empty() { text.chars().count() + 1 } else { text.matches(from).count() };
    let found = found.min(most.unwrap_or(usize::MAX));
    meter.spend_bytes(found.saturating_mul(to.len()).saturating_add(text.len()))?;
    Ok(Value::from(text.replacen(from, to, most.unwrap_or(usize::MAX))))
}

/// The text as a literal of CEL.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\x0b' => quoted.push_str("\\v"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' | '"' => quoted.extend(['\\', character]),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
