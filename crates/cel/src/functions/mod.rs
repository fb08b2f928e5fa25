//! CEL's own functions: which there are, in which dialect, and what they do.

mod convert;
mod extract;
mod format;
mod strings;
mod time;

use regex::{Regex, RegexBuilder};

use crate::{
    dialect::Dialect,
    failure::{Failure, Meter},
    map::Key,
    operators,
    value::Value,
};
use time::Part;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A function, whatever name it is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    Type,
    Dyn,
    TimePart(Part),
    Extract,
    Split,
    Join,
    LowerAscii,
    UpperAscii,
    Trim,
    Replace,
    Substring,
    CharAt,
    IndexOf,
    LastIndexOf,
    Reverse,
    Quote,
    Format,
    OptionalOf,
    OptionalOfNonZero,
    OptionalNone,
    HasValue,
    OptionalValue,
    OrValue,
    Or,
    HasOnly,
    GetAttribute,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `f(x)`.
    Global,
    /// `x.f()`.
    Member,
    /// `f(x)` and `x.f()`.
    Both,
    /// `space.f(x)`.
    In(&'static str),
}

struct Row {
    name: &'static str,
    style: Style,
    /// The least and the most arguments, the one before the dot among them.
    arguments: (usize, usize),
    function: Function,
    places: &'static [Dialect],
}

const EVERYWHERE: &[Dialect] =
    &[Dialect::AttributeMapping, Dialect::AttributeCondition, Dialect::IamCondition, Dialect::Scenario];
const ATTRIBUTES: &[Dialect] = &[Dialect::AttributeMapping, Dialect::AttributeCondition, Dialect::Scenario];
const IAM: &[Dialect] = &[Dialect::IamCondition];
const SCENARIO: &[Dialect] = &[Dialect::Scenario];

const fn row(
    name: &'static str,
    style: Style,
    arguments: (usize, usize),
    function: Function,
    places: &'static [Dialect],
) -> Row {
    Row { name, style, arguments, function, places }
}

/// All functions. What Google's places have: the guides of identity federation and of IAM conditions.
const TABLE: &[Row] = &[
    row("size", Style::Both, (1, 1), Function::Size, EVERYWHERE),
    row("contains", Style::Member, (2, 2), Function::Contains, EVERYWHERE),
    row("startsWith", Style::Member, (2, 2), Function::StartsWith, EVERYWHERE),
    row("endsWith", Style::Member, (2, 2), Function::EndsWith, EVERYWHERE),
    row("matches", Style::Both, (2, 2), Function::Matches, EVERYWHERE),
    row("bool", Style::Global, (1, 1), Function::Bool, EVERYWHERE),
    row("int", Style::Global, (1, 1), Function::Int, EVERYWHERE),
    row("uint", Style::Global, (1, 1), Function::Uint, EVERYWHERE),
    row("double", Style::Global, (1, 1), Function::Double, EVERYWHERE),
    row("string", Style::Global, (1, 1), Function::String, EVERYWHERE),
    row("bytes", Style::Global, (1, 1), Function::Bytes, EVERYWHERE),
    row("timestamp", Style::Global, (1, 1), Function::Timestamp, EVERYWHERE),
    row("duration", Style::Global, (1, 1), Function::Duration, EVERYWHERE),
    row("type", Style::Global, (1, 1), Function::Type, EVERYWHERE),
    row("dyn", Style::Global, (1, 1), Function::Dyn, EVERYWHERE),
    row("getFullYear", Style::Member, (1, 2), Function::TimePart(Part::FullYear), EVERYWHERE),
    row("getMonth", Style::Member, (1, 2), Function::TimePart(Part::Month), EVERYWHERE),
    row("getDate", Style::Member, (1, 2), Function::TimePart(Part::Date), EVERYWHERE),
    row("getDayOfMonth", Style::Member, (1, 2), Function::TimePart(Part::DayOfMonth), EVERYWHERE),
    row("getDayOfWeek", Style::Member, (1, 2), Function::TimePart(Part::DayOfWeek), EVERYWHERE),
    row("getDayOfYear", Style::Member, (1, 2), Function::TimePart(Part::DayOfYear), EVERYWHERE),
    row("getHours", Style::Member, (1, 2), Function::TimePart(Part::Hours), EVERYWHERE),
    row("getMinutes", Style::Member, (1, 2), Function::TimePart(Part::Minutes), EVERYWHERE),
    row("getSeconds", Style::Member, (1, 2), Function::TimePart(Part::Seconds), EVERYWHERE),
    row("getMilliseconds", Style::Member, (1, 2), Function::TimePart(Part::Milliseconds), EVERYWHERE),
    row("extract", Style::Member, (2, 2), Function::Extract, EVERYWHERE),
    row("split", Style::Member, (2, 3), Function::Split, ATTRIBUTES),
    row("join", Style::Member, (1, 2), Function::Join, ATTRIBUTES),
    row("lowerAscii", Style::Member, (1, 1), Function::LowerAscii, ATTRIBUTES),
    row("upperAscii", Style::Member, (1, 1), Function::UpperAscii, SCENARIO),
    row("trim", Style::Member, (1, 1), Function::Trim, SCENARIO),
    row("replace", Style::Member, (3, 4), Function::Replace, SCENARIO),
    row("substring", Style::Member, (2, 3), Function::Substring, SCENARIO),
    row("charAt", Style::Member, (2, 2), Function::CharAt, SCENARIO),
    row("indexOf", Style::Member, (2, 3), Function::IndexOf, SCENARIO),
    row("lastIndexOf", Style::Member, (2, 3), Function::LastIndexOf, SCENARIO),
    row("reverse", Style::Member, (1, 1), Function::Reverse, SCENARIO),
    row("format", Style::Member, (2, 2), Function::Format, SCENARIO),
    row("quote", Style::In("strings"), (1, 1), Function::Quote, SCENARIO),
    row("of", Style::In("optional"), (1, 1), Function::OptionalOf, SCENARIO),
    row("ofNonZeroValue", Style::In("optional"), (1, 1), Function::OptionalOfNonZero, SCENARIO),
    row("none", Style::In("optional"), (0, 0), Function::OptionalNone, SCENARIO),
    row("hasValue", Style::Member, (1, 1), Function::HasValue, SCENARIO),
    row("value", Style::Member, (1, 1), Function::OptionalValue, SCENARIO),
    row("orValue", Style::Member, (2, 2), Function::OrValue, SCENARIO),
    row("or", Style::Member, (2, 2), Function::Or, SCENARIO),
    row("hasOnly", Style::Member, (2, 2), Function::HasOnly, IAM),
    row("getAttribute", Style::Member, (3, 3), Function::GetAttribute, IAM),
];

/// Functions that Google has and we do not play.
const NOT_PLAYED: &[&str] = &["matchTag", "matchTagId", "hasTagKey", "hasTagKeyId", "inIpRange"];

/// A function that was looked up by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) function: Function,
    pub(crate) name: &'static str,
}

type Looked = std::result::Result<Found, String>;

/// The function of `name(…)`.
pub(crate) fn global(name: &str, arguments: usize, dialect: Dialect) -> Looked {
    look(name, |style| matches!(style, Style::Global | Style::Both), arguments, 0, dialect)
}

/// The function of `x.name(…)`; `arguments` are those in the brackets.
pub(crate) fn member(name: &str, arguments: usize, dialect: Dialect) -> Looked {
    look(name, |style| matches!(style, Style::Member | Style::Both), arguments, 1, dialect)
}

/// The function of `space.name(…)`, if that is one.
pub(crate) fn in_namespace(space: &str, name: &str, arguments: usize, dialect: Dialect) -> Option<Looked> {
    let known = |row: &&Row| row.name == name && in_space(row.style, space) && row.places.contains(&dialect);
    TABLE.iter().find(known)?;
    Some(look(name, |style| in_space(style, space), arguments, 0, dialect))
}

fn in_space(style: Style, space: &str) -> bool {
    matches!(style, Style::In(known) if known == space)
}

/// Whether CEL has a function of this name somewhere.
pub(crate) fn is_known(name: &str) -> bool {
    TABLE.iter().any(|row| row.name == name && !matches!(row.style, Style::In(_)))
}

fn look(name: &str, fits: impl Fn(Style) -> bool, arguments: usize, before_dot: usize, dialect: Dialect) -> Looked {
    let here = |row: &&Row| row.places.contains(&dialect);
    let Some(row) = TABLE.iter().filter(here).find(|row| row.name == name && fits(row.style)) else {
        return Err(unknown(name, dialect));
    };
    let given = arguments + before_dot;
    if given < row.arguments.0 || given > row.arguments.1 {
        let (least, most) = (row.arguments.0.saturating_sub(before_dot), row.arguments.1.saturating_sub(before_dot));
        let expected = match (least, most) {
            (0, 0) => "no argument".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        return Err(format!("`{name}` takes {expected}, not {arguments}"));
    }
    Ok(Found { function: row.function, name: row.name })
}

fn unknown(name: &str, dialect: Dialect) -> String {
    if NOT_PLAYED.contains(&name) {
        return format!("the function `{name}` is not played");
    }
    let here = || TABLE.iter().filter(|row| row.places.contains(&dialect));
    if let Some(row) = here().find(|row| row.name == name) {
        return match row.style {
            Style::Member => format!("`{name}` is called on a value, as in `x.{name}(…)`"),
            Style::In(space) => format!("`{name}` is called as `{space}.{name}(…)`"),
            _ => format!("`{name}` is called as `{name}(…)`"),
        };
    }
    let near = here().map(|row| (strsim::jaro_winkler(row.name, name), row.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, near)) if likeness > 0.85 => {
            format!("there is no function `{name}` here, did you mean `{near}`?")
        }
        _ => format!("there is no function `{name}` here"),
    }
}

/// The type that a name stands for.
pub(crate) fn type_named(name: &str) -> Option<&'static str> {
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type"]
        .into_iter()
        .find(|known| *known == name)
}

/// A pattern for `matches`: RE2's language as far as Rust's `regex` has it, which is linear in time, too.
pub(crate) fn pattern(pattern: &str) -> std::result::Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(100).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("the pattern is no regular expression: {}", last.trim_start_matches("error: "))
        }
    })
}

/// Calls a function. `None` if it does not take values of these types.
pub(crate) fn call(function: Function, arguments: &[Value], meter: &Meter) -> Result<Option<Value>> {
    use Value::{Bytes, List, Map, Optional, String, Timestamp};
    let value = match (function, arguments) {
        (Function::Size, [value]) => match value {
            String(text) => {
                meter.spend_bytes(text.len())?;
                Some(text.chars().count())
            }
            Bytes(bytes) => Some(bytes.len()),
            List(items) => Some(items.len()),
            Map(map) => Some(map.len()),
            _ => None,
        }
        .map(|size| Value::Int(i64::try_from(size).unwrap_or(i64::MAX))),
        (Function::Contains, [String(text), String(part)]) => {
            meter.spend_bytes(text.len())?;
            Some(Value::Bool(text.contains(&**part)))
        }
        (Function::StartsWith, [String(text), String(part)]) => Some(Value::Bool(text.starts_with(&**part))),
        (Function::EndsWith, [String(text), String(part)]) => Some(Value::Bool(text.ends_with(&**part))),
        (Function::Matches, [String(text), String(source)]) => {
            // Building a pattern costs far more than using it.
            meter.spend(1000 + source.len())?;
            meter.spend_bytes(text.len())?;
            Some(Value::Bool(pattern(source).map_err(Failure::other)?.is_match(text)))
        }
        (Function::Type, [value]) => Some(Value::Type(value.type_name())),
        (Function::Dyn, [value]) => Some(value.clone()),
        (Function::TimePart(part), _) => time::part(part, arguments)?,
        (Function::Extract, [String(text), String(template)]) => {
            meter.spend_bytes(text.len())?;
            Some(Value::from(extract::extract(text, template).map_err(Failure::other)?))
        }
        (Function::OptionalOf, [value]) => Some(Optional(Some(Box::new(value.clone())))),
        (Function::OptionalOfNonZero, [value]) => {
            Some(Optional(if is_zero(value) { None } else { Some(Box::new(value.clone())) }))
        }
        (Function::OptionalNone, []) => Some(Optional(None)),
        (Function::HasValue, [Optional(value)]) => Some(Value::Bool(value.is_some())),
        (Function::OptionalValue, [Optional(value)]) => {
            let value = value.as_ref().ok_or_else(|| Failure::missing("the optional is empty"))?;
            Some((**value).clone())
        }
        (Function::OrValue, [Optional(value), other]) => Some(value.as_ref().map_or(other, |value| value).clone()),
        (Function::Or, [optional @ Optional(value), other @ Optional(_)]) => {
            Some(if value.is_some() { optional } else { other }.clone())
        }
        (Function::HasOnly, [List(items), List(allowed)]) => {
            for item in items.iter() {
                let mut found = false;
                for other in allowed.iter() {
                    meter.spend(1)?;
                    found = found || operators::equal(item, other, meter)?;
                }
                if !found {
                    return Ok(Some(Value::Bool(false)));
                }
            }
            Some(Value::Bool(true))
        }
        (Function::GetAttribute, [Map(map), name @ String(_), otherwise]) => {
            Some(Key::of(name).and_then(|key| map.get(&key)).unwrap_or(otherwise).clone())
        }
        (Function::Timestamp, [Timestamp(at)]) => Some(Timestamp(*at)),
        (
            Function::Bool
            | Function::Int
            | Function::Uint
            | Function::Double
            | Function::String
            | Function::Bytes
            | Function::Timestamp
            | Function::Duration,
            [value],
        ) => convert::convert(function, value, meter)?,
        _ => strings::call(function, arguments, meter)?,
    };
    Ok(value)
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Absent | Value::Optional(None) => true,
        Value::Bool(flag) => !flag,
        Value::Int(number) => *number == 0,
        Value::Uint(number) => *number == 0,
        Value::Double(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Duration(length) => length.is_zero(),
        Value::Timestamp(at) => *at == jiff::Timestamp::UNIX_EPOCH,
        Value::Optional(Some(_)) | Value::Type(_) => false,
    }
}
