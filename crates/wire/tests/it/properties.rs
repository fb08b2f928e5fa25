use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokenrig_protos::{
    Method,
    prost_reflect::{FieldDescriptor, Kind, MessageDescriptor},
    table,
};

use crate::rig::{CLOUD_PLATFORM, Rig};

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["300s", "2026-01-15T09:00:00Z", "AQID", "true", "-1e400", "ALL", "a.b,c"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::hash_map(key(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names of fields of all messages, so that random objects go deep.
fn key() -> impl Strategy<Value = String> {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let messages = tokenrig_protos::pool().all_messages();
        messages
            .flat_map(|message| message.fields().map(|field| field.json_name().to_owned()).collect::<Vec<_>>())
            .collect()
    });
    prop_oneof![9 => prop::sample::select(&**NAMES), 1 => "[ -~]{0,8}"]
}

/// JSON that fits a message, from the bits of `seed`.
fn fitting(described: &MessageDescriptor, seed: &mut u64, depth: u32) -> Value {
    let mut object = Map::new();
    let mut oneofs = Vec::new();
    for field in described.fields() {
        if next(seed).is_multiple_of(3) || depth == 0 {
            continue;
        }
        if let Some(oneof) = field.containing_oneof() {
            if oneofs.contains(&oneof.name().to_owned()) {
                continue;
            }
            oneofs.push(oneof.name().to_owned());
        }
        if let Some(value) = field_value(&field, seed, depth) {
            object.insert(field.json_name().to_owned(), value);
        }
    }
    Value::Object(object)
}

fn field_value(field: &FieldDescriptor, seed: &mut u64, depth: u32) -> Option<Value> {
    if field.is_map() {
        let entry = field.kind().as_message().unwrap().map_entry_value_field().kind();
        return Some(json!({ "k": one(&entry, seed, depth)? }));
    }
    let value = one(&field.kind(), seed, depth)?;
    Some(if field.is_list() { Value::Array(vec![value]) } else { value })
}

fn one(kind: &Kind, seed: &mut u64, depth: u32) -> Option<Value> {
    Some(match kind {
        Kind::String => json!(format!("s{}", next(seed))),
        Kind::Bool => json!(true),
        Kind::Bytes => json!("AQID"),
        Kind::Int64 => json!((next(seed) as i64 | 1).to_string()),
        Kind::Int32 => json!((next(seed) % 1000 + 1)),
        Kind::Enum(described) => {
            let values: Vec<_> = described.values().filter(|value| value.number() != 0).collect();
            json!(values[next(seed) as usize % values.len()].name())
        }
        Kind::Message(described) => match described.full_name() {
            "google.protobuf.Timestamp" => json!("2026-01-15T09:00:00Z"),
            "google.protobuf.Duration" => json!("300s"),
            "google.protobuf.Struct" => json!({ "a": [1.5, null, { "b": "c" }] }),
            name if name.starts_with("google.protobuf.") => return None,
            _ => {
                let value = fitting(described, seed, depth - 1);
                if value == json!({}) { return None } else { value }
            }
        },
        _ => return None,
    })
}

fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn send(target: &str, body: &str) -> (u16, String) {
    RUNTIME.block_on(async {
        let rig = Rig::new();
        let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
        rig.rest_as(Some(&bearer), target, body).await
    })
}

const PATCH: &str = "PATCH run.googleapis.com/v2/projects/p/locations/l/services/s";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_json_is_taken_or_refused(body in any_json()) {
        let (status, text) = send(PATCH, &body.to_string());
        prop_assert!(matches!(status, 200 | 400), "{status} {text}");
        let _: Value = serde_json::from_str(&text).unwrap();
    }

    #[test]
    fn any_body_and_query_is_taken_or_refused(body in "[ -~]{0,60}|(\\[|\\{\"labels\":){0,300}", query in "[ -~&&[^#]]{0,40}|([a-z.A-Z]{1,12}=[a-z0-9%.]{0,6}&?){0,6}") {
        let query: String = query.chars().filter(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(*c)).collect();
        let (status, text) = send(&format!("{PATCH}?{query}"), &body);
        prop_assert!(matches!(status, 200 | 400 | 401), "{status} {text}");
    }

    #[test]
    fn what_fits_the_message_comes_back_as_it_was_sent(mut seed in any::<u64>()) {
        let method: &Method = table().by_short("run.services.patch").unwrap();
        let service = method.input.get_field_by_name("service").unwrap().kind();
        let mut sent = fitting(service.as_message().unwrap(), &mut seed, 5);
        let (status, text) = send(PATCH, &sent.to_string());
        prop_assert_eq!(status, 200, "{}", text);
        let mut got: Value = serde_json::from_str(&text).unwrap();
        // The tiny service and the path change these.
        for changed in ["name", "description", "generation"] {
            sent.as_object_mut().unwrap().remove(changed);
            got["response"].as_object_mut().unwrap().remove(changed);
        }
        got["response"].as_object_mut().unwrap().remove("@type");
        prop_assert_eq!(&got["response"], &sent);
    }
}
