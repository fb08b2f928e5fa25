//! Query parameters as fields of a request.

use serde_json::Value as Json;
use tokenrig_protos::prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};

use super::{
    Fault, Faults, quoted,
    read::{join, read_field},
};

/// More parameters than this are not looked at.
const MAX_PARAMETERS: usize = 1000;

/// Parameters that every Google API takes; a leading `$` is as good as none. `fields` is taken and the answer is whole all the
/// same.
const SYSTEM: &[&str] = &[
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "trace",
    "unique",
    "uploadType",
    "upload_protocol",
    "userIp",
    "userProject",
    ".xgafv",
];

/// Whether a parameter speaks to the front of all APIs and not to the method.
pub(crate) fn is_system(name: &str) -> bool {
    SYSTEM.contains(&name.strip_prefix('$').unwrap_or(name))
}

/// Sets the fields that the query names: `pageSize=10`, `options.requestedPolicyVersion=3`, repeated ones by repetition.
pub(crate) fn bind_query(message: &mut DynamicMessage, query: &str, faults: &mut Faults) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MAX_PARAMETERS) {
        if !is_system(&name) && !name.is_empty() {
            bind(message, &name, &name, &value, "", faults);
        }
    }
}

fn bind(message: &mut DynamicMessage, whole: &str, name: &str, value: &str, at: &str, faults: &mut Faults) {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let described = message.descriptor();
    let field = described.get_field_by_json_name(first).or_else(|| described.get_field_by_name(first));
    let Some(field) = field.filter(|field| !field.is_map()) else {
        faults.add(Fault::UnknownParameter { name: quoted(whole), part: quoted(first) });
        return;
    };
    let path = join(at, field.name());
    if let Some(rest) = rest {
        // Each step goes one message deeper, and messages nest only as deep as the name has dots.
        match message.get_field_mut(&field) {
            Value::Message(inner) if path.len() < 512 => bind(inner, whole, rest, value, &path, faults),
            _ => faults.add(Fault::UnknownParameter { name: quoted(whole), part: quoted(rest) }),
        }
        return;
    }
    // gcloud writes `showDeleted=False`.
    let json = if field.kind() == Kind::Bool { Json::from(value.to_ascii_lowercase()) } else { Json::from(value) };
    let Some(read) = read_field(&field, &json, whole, at, &path, faults) else { return };
    match (read, message.get_field_mut(&field)) {
        (Value::List(more), Value::List(list)) => list.extend(more),
        (read, place) => *place = read,
    }
}
