//! Fields of Google's messages, checked against their descriptors.

use tokenrig_protos::{
    Body, Method,
    prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind as FieldKind, MessageDescriptor},
};

use crate::{
    diagnostic::Diagnostic,
    moment,
    reader::{Reader, did_you_mean},
    template::{Key, Kind, Template},
    words::nearest,
    yaml::shorten,
};

/// Checks a value against a message. `code` is that of an unknown field, `what` names the message with its article.
pub(crate) fn check(
    reader: &mut Reader<'_>,
    value: &Template,
    message: &MessageDescriptor,
    code: &'static str,
    what: &str,
) {
    check_either(reader, value, (message, None), code, what);
}

/// Checks the `with` of a call. Where the REST reference prints the fields of the resource itself as the body, they may
/// stand beside the path parameters.
pub(crate) fn check_call(reader: &mut Reader<'_>, with: &Template, method: &Method) {
    let body = method.rules.first().and_then(|rule| match rule.body {
        Body::Field(name) => method.input.get_field_by_name(name),
        Body::None | Body::Star => None,
    });
    let body = body.as_ref().map(FieldDescriptor::kind);
    let body = body.as_ref().and_then(FieldKind::as_message);
    check_either(reader, with, (&method.input, body), "step::unknown-field", &format!("`{}`", method.short));
}

fn check_either(
    reader: &mut Reader<'_>,
    value: &Template,
    (message, body): (&MessageDescriptor, Option<&MessageDescriptor>),
    code: &'static str,
    what: &str,
) {
    let entries = match &value.kind {
        Kind::Map(entries) => entries,
        Kind::Hole(_) | Kind::Null => return,
        _ => {
            let fault = format!("{what} is a map of fields, and this is {}", value.what());
            return reader.push(Diagnostic::error("file::wrong-type", value.span, fault));
        }
    };
    let mut chosen: Vec<(String, &Key)> = Vec::new();
    for (key, value) in entries {
        let of_body = || body.and_then(|body| body.get_field_by_json_name(&key.text));
        let Some(field) = message.get_field_by_json_name(&key.text).or_else(of_body) else {
            unknown(reader, key, message, code, what);
            continue;
        };
        if let Some(choice) = field.containing_oneof().filter(|choice| choice.fields().len() > 1) {
            match chosen.iter().find(|(name, _)| name == choice.name()) {
                Some((_, first)) => {
                    let fault = format!("only one of `{}` and `{}` can be there", first.text, key.text);
                    reader
                        .push(Diagnostic::error("field::either-or", key.span, fault).also(first.span, "the other one"));
                }
                None => chosen.push((choice.name().to_owned(), key)),
            }
        }
        check_field(reader, value, &field, code);
    }
}

fn unknown(reader: &mut Reader<'_>, key: &Key, message: &MessageDescriptor, code: &'static str, what: &str) {
    let names: Vec<String> = message.fields().map(|field| field.json_name().to_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fault = Diagnostic::error(code, key.span, format!("`{}` is not a field of {what}", shorten(&key.text)));
    // Google's protos spell `issuer_uri`, its REST API `issuerUri`.
    let fault = match message.get_field_by_name(&key.text) {
        Some(field) => {
            let name = field.json_name().to_owned();
            fault.label(format!("written `{name}` here")).patch(key.span, name)
        }
        None => did_you_mean(fault, key, &names),
    };
    reader.push(fault);
}

fn check_field(reader: &mut Reader<'_>, value: &Template, field: &FieldDescriptor, code: &'static str) {
    if matches!(value.kind, Kind::Hole(_) | Kind::Null) {
        return;
    }
    let name = format!("`{}`", field.json_name());
    if field.is_map() {
        let Some(entries) = reader.entries(value, &name) else { return };
        if let Some(entry) = field.kind().as_message() {
            let of = entry.map_entry_value_field();
            for (_, value) in entries {
                check_one(reader, value, &of, code, &format!("a value of {name}"));
            }
        }
    } else if field.is_list() || field.cardinality() == Cardinality::Repeated {
        let Some(items) = reader.items(value, &name) else { return };
        for item in items {
            if matches!(item.kind, Kind::Null) {
                let fault = format!("an item of {name} is missing");
                reader.push(Diagnostic::error("file::wrong-type", item.span, fault));
            }
            check_one(reader, item, field, code, &format!("an item of {name}"));
        }
    } else {
        check_one(reader, value, field, code, &name);
    }
}

fn check_one(reader: &mut Reader<'_>, value: &Template, field: &FieldDescriptor, code: &'static str, what: &str) {
    if matches!(value.kind, Kind::Hole(_) | Kind::Null) {
        return;
    }
    match field.kind() {
        FieldKind::String => {
            reader.text(value, what);
        }
        FieldKind::Bytes => {
            if reader.text(value, what)
                && let Some(text) = value.text()
                && !is_base64(text)
            {
                reader.push(
                    Diagnostic::error(
                        "field::not-base64",
                        value.span,
                        format!("{what} holds bytes, written in base64"),
                    )
                    .help("in a hole, `base64('…')` encodes text"),
                );
            }
        }
        FieldKind::Bool => boolean(reader, value, what),
        FieldKind::Int32 | FieldKind::Sint32 | FieldKind::Sfixed32 | FieldKind::Uint32 | FieldKind::Fixed32 => {
            integer(reader, value, what, false);
        }
        FieldKind::Int64 | FieldKind::Sint64 | FieldKind::Sfixed64 | FieldKind::Uint64 | FieldKind::Fixed64 => {
            integer(reader, value, what, true);
        }
        FieldKind::Float | FieldKind::Double => {
            if !matches!(value.kind, Kind::Int(_) | Kind::Float(_))
                && !matches!(value.text(), Some("NaN" | "Infinity" | "-Infinity"))
            {
                wrong(reader, value, what, "a number");
            }
        }
        FieldKind::Enum(of) => enumeration(reader, value, &of, what),
        FieldKind::Message(message) => well_known(reader, value, &message, code, what),
    }
}

fn well_known(reader: &mut Reader<'_>, value: &Template, message: &MessageDescriptor, code: &'static str, what: &str) {
    let holds = |good: fn(&str) -> bool| value.text().is_none_or(good);
    match message.full_name() {
        "google.protobuf.Duration" => {
            if reader.text(value, what) && !holds(is_google_duration) {
                wrong(reader, value, what, "a number of seconds such as `3600s`");
                let seconds =
                    value.text().and_then(moment::duration).map(|duration| format!("{}s", duration.as_secs()));
                if let (Some(seconds), Some(fault)) = (seconds, reader.out.last_mut()) {
                    *fault = fault
                        .clone()
                        .help(format!("write `{seconds}`: Google knows seconds alone"))
                        .patch(value.span, seconds);
                }
            }
        }
        "google.protobuf.Timestamp" => {
            if reader.text(value, what) && !holds(|text| moment::instant(text).is_some()) {
                wrong(reader, value, what, "an instant such as `2026-01-15T09:00:00Z`");
            }
        }
        "google.protobuf.FieldMask" => {
            reader.text(value, what);
        }
        "google.protobuf.Struct" => {
            reader.entries(value, what);
        }
        "google.protobuf.Any" | "google.protobuf.Value" => {}
        "google.protobuf.ListValue" => {
            reader.items(value, what);
        }
        "google.protobuf.BoolValue" => boolean(reader, value, what),
        "google.protobuf.StringValue" | "google.protobuf.BytesValue" => {
            reader.text(value, what);
        }
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => integer(reader, value, what, false),
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => integer(reader, value, what, true),
        "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => {
            if !matches!(value.kind, Kind::Int(_) | Kind::Float(_)) {
                wrong(reader, value, what, "a number");
            }
        }
        _ => check(reader, value, message, code, what),
    }
}

pub(crate) fn boolean(reader: &mut Reader<'_>, value: &Template, what: &str) {
    let word = match (&value.kind, value.text()) {
        (Kind::Bool(_), _) => return,
        (_, Some("true" | "True" | "TRUE" | "yes" | "Yes" | "on" | "On" | "y")) => "true",
        (_, Some("false" | "False" | "FALSE" | "no" | "No" | "off" | "Off" | "n")) => "false",
        _ if matches!(value.kind, Kind::Hole(_) | Kind::Null) => return,
        _ => return wrong(reader, value, what, "`true` or `false`"),
    };
    let fault = format!("{what} is `true` or `false`, and this is text");
    reader.push(
        Diagnostic::error("file::wrong-type", value.span, fault)
            .help(format!("write `{word}`, without quotes: `yes`, `no`, `on` and `off` are text here"))
            .patch(value.span, word),
    );
}

fn integer(reader: &mut Reader<'_>, value: &Template, what: &str, large: bool) {
    match &value.kind {
        Kind::Int(_) => {}
        // Google writes integers of 64 bits as text.
        Kind::Text(text) if large && text.parse::<i128>().is_ok() => {}
        _ => wrong(reader, value, what, "an integer"),
    }
}

fn enumeration(reader: &mut Reader<'_>, value: &Template, of: &EnumDescriptor, what: &str) {
    match &value.kind {
        Kind::Text(text) => {
            if of.get_value_by_name(text).is_some() {
                return;
            }
            let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
            let fault = format!("`{}` is not a value of {what}", shorten(text));
            let key = Key { text: text.clone(), span: value.span };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let fault = did_you_mean(Diagnostic::error("field::unknown-value", value.span, fault), &key, &names);
            reader.push(fault);
        }
        Kind::Int(_) | Kind::Mixed(_) => {}
        _ => wrong(reader, value, what, "one of Google's words"),
    }
}

fn wrong(reader: &mut Reader<'_>, value: &Template, what: &str, expected: &str) {
    if matches!(value.kind, Kind::Hole(_)) {
        return;
    }
    let fault = format!("{what} is {expected}, and this is {}", value.what());
    let fault = match value.text() {
        Some(text) => format!("{what} is {expected}, and this is the text `{}`", shorten(text)),
        None => fault,
    };
    reader.push(Diagnostic::error("file::wrong-type", value.span, fault));
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body.len() % 4 != 1
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}

fn is_google_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else { return false };
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        && whole.len() <= 12
        && fraction.len() <= 9
}

/// Follows fields that an expression reads; the first unknown one with the message that lacks it and the nearest field.
pub(crate) fn follow(message: &MessageDescriptor, path: &[String]) -> Result<(), (usize, Option<String>)> {
    let mut message = message.clone();
    for (index, name) in path.iter().enumerate() {
        let Some(field) = message.get_field_by_json_name(name) else {
            let names: Vec<String> = message.fields().map(|field| field.json_name().to_owned()).collect();
            return Err((index, nearest(name, names.iter().map(String::as_str)).map(str::to_owned)));
        };
        match field.kind() {
            FieldKind::Message(next)
                if !field.is_list() && !field.is_map() && !next.full_name().starts_with("google.protobuf.") =>
            {
                message = next;
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("3600s", true)]
    #[case("1.5s", true)]
    #[case("-1s", true)]
    #[case("1h", false)]
    #[case("s", false)]
    #[case("3600", false)]
    #[case("1.s", false)]
    fn durations_of_google_are_seconds(#[case] text: &str, #[case] good: bool) {
        assert_eq!(is_google_duration(text), good);
    }

    #[rstest]
    #[case("", true)]
    #[case("aGVsbG8=", true)]
    #[case("aGVsbG8", true)]
    #[case("_-8", true)]
    #[case("a", false)]
    #[case("hello world", false)]
    #[case("aGVsbG8====", false)]
    fn bytes_are_base64(#[case] text: &str, #[case] good: bool) {
        assert_eq!(is_base64(text), good);
    }
}
