//! Values of expressions.

use std::{cmp::Ordering, fmt, sync::Arc};

use crate::map::{Key, Map};

/// A value. Cheap to clone: what is large is shared.
///
/// `==` is CEL's: numbers are equal if they are the same number, whatever their type; a NaN equals nothing.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// An unsigned integer of 64 bits, written `1u`.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A text.
    String(Arc<str>),
    /// Bytes, written `b'...'`.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<[Value]>),
    /// A map.
    Map(Arc<Map>),
    /// An instant, to the nanosecond, of the years 1 to 9999.
    Timestamp(jiff::Timestamp),
    /// A length of time.
    Duration(jiff::SignedDuration),
    /// What `.?name` and `[?key]` give.
    Optional(Option<Box<Value>>),
    /// A type, by its name in CEL: what `type(x)` gives.
    Type(&'static str),
    /// Nothing is there: the value of `absent` in scenarios.
    Absent,
}

impl Value {
    /// A list of these values.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A map with text keys.
    pub fn map<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()))
    }

    /// The name of the value's type, as CEL spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Absent => "absent",
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The integer, if it is a signed one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of a field, if it is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get_text(name)
    }

    /// The text for a hole inside other text: only `string`, `int`, `uint`, `double` and `bool` have one, printed as
    /// JSON prints them (a string without its quotes).
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::String(text) => Some(text.to_string()),
            Self::Bool(_) | Self::Int(_) | Self::Uint(_) => Some(self.to_string()),
            Self::Double(number) => serde_json::Number::from_f64(*number).map(|number| number.to_string()),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Null, Self::Null) | (Self::Absent, Self::Absent) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| value == other))
            }
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Optional(a), Self::Optional(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            _ => compare_numbers(self, other) == Some(Ordering::Equal),
        }
    }
}

/// The order of two numbers of any type, exact (no rounding on the way); `None` if one is no number or a NaN.
pub(crate) fn compare_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(double), number) => compare_double(*double, whole(number)?),
        (number, Value::Double(double)) => compare_double(*double, whole(number)?).map(Ordering::reverse),
        _ => Some(whole(a)?.cmp(&whole(b)?)),
    }
}

fn compare_double(double: f64, whole: i128) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Beyond the integers of 64 bits the cast would still be right: i128 saturates far away from them.
    let floor = double.floor();
    Some((floor as i128).cmp(&whole).then(if double > floor { Ordering::Greater } else { Ordering::Equal }))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Uint(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<jiff::Timestamp> for Value {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::Timestamp(instant)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(Arc::from(items))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

/// Prints the value as CEL writes it; for JSON's types that is JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Uint(number) => write!(f, "{number}u"),
            Self::Double(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => write!(f, "{number}"),
                None => write!(f, "double('{number}')"),
            },
            Self::String(text) => quoted(f, text),
            Self::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
            Self::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (position, (key, value)) in map.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if position == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Self::Timestamp(instant) => write!(f, "timestamp('{instant}')"),
            Self::Duration(length) => write!(f, "duration('{}')", seconds(*length)),
            Self::Optional(Some(value)) => write!(f, "optional.of({value})"),
            Self::Optional(None) => f.write_str("optional.none()"),
            Self::Type(name) => f.write_str(name),
            Self::Absent => f.write_str("absent"),
        }
    }
}

/// A text with JSON's quotes and escapes, which CEL reads too.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// A length of time as CEL prints it: whole seconds, then the fraction without trailing zeros, then `s`.
pub(crate) fn seconds(length: jiff::SignedDuration) -> String {
    let sign = if length.is_negative() { "-" } else { "" };
    let whole = length.as_secs().unsigned_abs();
    match length.subsec_nanos().unsigned_abs() {
        0 => format!("{sign}{whole}s"),
        nanos => format!("{sign}{whole}.{}s", format!("{nanos:09}").trim_end_matches('0')),
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        key.to_value()
    }
}
