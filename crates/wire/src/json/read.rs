//! JSON to messages.

use serde_json::{Map, Value as Json};
use tokenrig_protos::prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use super::{
    Fault, Faults, quoted,
    scalar::{Wrong, scalar, type_name},
};

/// Reads a JSON object into a message. Keys may be camel case or in proto spelling; null is as good as nothing.
///
/// `at` is where the object stands in the request, in proto spelling; empty for the request itself. Nesting is bounded by the
/// JSON parser.
pub(crate) fn read_message(
    described: &MessageDescriptor,
    object: &Map<String, Json>,
    at: &str,
    faults: &mut Faults,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(described.clone());
    for (key, json) in object {
        let field = described.get_field_by_json_name(key).or_else(|| described.get_field_by_name(key));
        let Some(field) = field else {
            faults.add(Fault::UnknownField { name: quoted(key), at: at.to_owned() });
            continue;
        };
        if json.is_null() && !takes_null(&field.kind()) {
            continue;
        }
        if let Some(taken) = taken_oneof(&message, &field) {
            faults.add(Fault::Value {
                field: at.to_owned(),
                kind: "oneof".to_owned(),
                value: format!("oneof field '{taken}' is already set. Cannot set '{}'", field.json_name()),
                is_enum: false,
            });
            continue;
        }
        let path = join(at, field.name());
        if let Some(value) = read_field(&field, json, key, at, &path, faults) {
            message.set_field(&field, value);
        }
    }
    message
}

/// The oneof that `field` belongs to, if another field of it is set.
fn taken_oneof(message: &DynamicMessage, field: &FieldDescriptor) -> Option<String> {
    let oneof = field.containing_oneof()?;
    let taken = oneof.fields().any(|other| other.number() != field.number() && message.has_field(&other));
    taken.then(|| oneof.name().to_owned())
}

/// Reads the value of a field, whole: a list, a map, or one value.
pub(crate) fn read_field(
    field: &FieldDescriptor,
    json: &Json,
    key: &str,
    at: &str,
    path: &str,
    faults: &mut Faults,
) -> Option<Value> {
    let kind = field.kind();
    if field.is_map() {
        return read_map(&kind, json, path, faults);
    }
    if field.is_list() {
        // One value stands for a list of one.
        let items = match json {
            Json::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let values: Vec<Value> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| read_value(&kind, item, &format!("{path}[{index}]"), faults))
            .collect();
        return Some(Value::List(values));
    }
    if json.is_array() && !takes_list(&kind) {
        faults.add(Fault::NotRepeated { name: quoted(key), at: at.to_owned() });
        return None;
    }
    read_value(&kind, json, path, faults)
}

fn read_value(kind: &Kind, json: &Json, path: &str, faults: &mut Faults) -> Option<Value> {
    let read = match kind {
        Kind::Message(described) if described.full_name().starts_with("google.protobuf.") => {
            well_known(described, json, path).map(Value::Message)
        }
        Kind::Message(described) => match json {
            Json::Object(object) => return Some(Value::Message(read_message(described, object, path, faults))),
            _ => Err(None),
        },
        scalar_kind => scalar(scalar_kind, json),
    };
    match read {
        Ok(value) => Some(value),
        Err(wrong) => {
            faults.add(Fault::Value {
                field: path.to_owned(),
                kind: type_name(kind),
                value: wrong.unwrap_or_else(|| quoted(&json.to_string())),
                is_enum: matches!(kind, Kind::Enum(_)),
            });
            None
        }
    }
}

fn read_map(kind: &Kind, json: &Json, path: &str, faults: &mut Faults) -> Option<Value> {
    let entry = kind.as_message()?;
    let (key_kind, value_field) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field());
    let Json::Object(object) = json else {
        faults.add(Fault::Value {
            field: path.to_owned(),
            kind: "Map".to_owned(),
            value: quoted(&json.to_string()),
            is_enum: false,
        });
        return None;
    };
    let mut map = std::collections::HashMap::with_capacity(object.len());
    for (key, json) in object {
        let at = format!("{path}[{}]", map.len());
        if json.is_null() && !takes_null(&value_field.kind()) {
            continue;
        }
        let read_key = match key_kind {
            Kind::String => Some(MapKey::String(key.clone())),
            _ => scalar(&key_kind, &Json::from(key.as_str())).ok().and_then(map_key),
        };
        let Some(read_key) = read_key else {
            faults.add(Fault::Value { field: at, kind: type_name(&key_kind), value: quoted(key), is_enum: false });
            continue;
        };
        if let Some(value) = read_value(&value_field.kind(), json, &format!("{at}.value"), faults) {
            map.insert(read_key, value);
        }
    }
    Some(Value::Map(map))
}

fn map_key(value: Value) -> Option<MapKey> {
    Some(match value {
        Value::Bool(key) => MapKey::Bool(key),
        Value::I32(key) => MapKey::I32(key),
        Value::I64(key) => MapKey::I64(key),
        Value::U32(key) => MapKey::U32(key),
        Value::U64(key) => MapKey::U64(key),
        _ => return None,
    })
}

/// Messages whose JSON has a form of its own.
fn well_known(described: &MessageDescriptor, json: &Json, path: &str) -> Result<DynamicMessage, Wrong> {
    let name = described.full_name();
    if name == "google.protobuf.FieldMask" {
        return field_mask(described, json.as_str().ok_or(None)?);
    }
    DynamicMessage::deserialize(described.clone(), json).map_err(|_| {
        let last = path.rsplit('.').next().unwrap_or(path);
        let text = json.as_str()?;
        match name {
            "google.protobuf.Timestamp" => {
                Some(format!("Field '{}', Invalid time format: Failed to parse input", camel(last)))
            }
            "google.protobuf.Duration" if !text.ends_with('s') => {
                Some(format!("Field '{}', Illegal duration format; duration must end with 's'", camel(last)))
            }
            _ => None,
        }
    })
}

/// `displayName,oidc.issuerUri`, camel case or proto spelling.
fn field_mask(described: &MessageDescriptor, text: &str) -> Result<DynamicMessage, Wrong> {
    if text.len() > 16 * 1024 {
        return Err(None);
    }
    let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty());
    let paths = paths.map(|path| Value::String(snake(path))).collect();
    let mut mask = DynamicMessage::new(described.clone());
    mask.set_field_by_name("paths", Value::List(paths));
    Ok(mask)
}

fn snake(text: &str) -> String {
    let mut snake = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn camel(text: &str) -> String {
    let mut camel = String::with_capacity(text.len());
    let mut up = false;
    for c in text.chars() {
        match c {
            '_' => up = true,
            c if up => {
                camel.push(c.to_ascii_uppercase());
                up = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

fn takes_null(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|message| message.full_name() == "google.protobuf.Value")
}

fn takes_list(kind: &Kind) -> bool {
    kind.as_message()
        .is_some_and(|message| matches!(message.full_name(), "google.protobuf.Value" | "google.protobuf.ListValue"))
}

pub(super) fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// Sets a string field by its path (`name`, `service.name`), making the messages on the way. Paths of the table always fit.
pub(crate) fn set_path(message: &mut DynamicMessage, path: &str, value: Value) -> Option<()> {
    match path.split_once('.') {
        None => {
            let field = message.descriptor().get_field_by_name(path)?;
            message.try_set_field(&field, value).ok()
        }
        Some((first, rest)) => {
            let field = message.descriptor().get_field_by_name(first)?;
            match message.get_field_mut(&field) {
                Value::Message(inner) => set_path(inner, rest, value),
                _ => None,
            }
        }
    }
}
