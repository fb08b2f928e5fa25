//! The given map as JSON Schema.

use serde_json::{Map, Value, json};
use tokenrig_jose::forge::Flaw;
use tokenrig_protos::{Collection, prost_reflect::Kind, table};

use super::{Messages, described, hole, list, map_of, names, object_of, open};
use crate::{
    given::{a_resource_of, has_location},
    words::{self, COLLECTIONS, SECTIONS, Word},
};

/// The map: sections of ours and collections of Google's.
pub(super) fn map(messages: &mut Messages) -> Value {
    let mut whole = object_of(SECTIONS, section);
    let collections: Map<String, Value> = COLLECTIONS
        .iter()
        .filter(|word| word.played)
        .filter_map(|word| Some((word, table().collection(word.name)?)))
        .map(|(word, collection)| {
            let about = format!("By id, each {} in the fields of Google's REST resource.", without_article(collection));
            let about = if word.about.is_empty() { about } else { word.about.to_owned() };
            let resource = open(resource(messages, collection));
            let mut schema = map_of(resource);
            schema["description"] = json!(about);
            (word.name.to_owned(), schema)
        })
        .collect();
    if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(collections);
    }
    whole
}

fn without_article(collection: &Collection) -> String {
    let what = a_resource_of(collection);
    what.strip_prefix("a ").unwrap_or(&what).to_owned()
}

fn section(name: &str) -> Value {
    match name {
        "include" => list(json!({ "type": "string" })),
        "project" => object_of(words::PROJECT, |name| match name {
            "agents" => map_of(list(json!({ "type": "string" }))),
            "iamPolicy" => open(json!({ "type": "object" })),
            "projectNumber" => json!({ "type": "string", "pattern": "^[0-9]+$|\\$\\{" }),
            _ => json!({ "type": "string" }),
        }),
        "organization" => object_of(words::ORGANIZATION, |name| match name {
            "iamPolicy" => open(json!({ "type": "object" })),
            _ => json!({ "type": "string", "pattern": "^[0-9]+$|\\$\\{" }),
        }),
        "issuers" => map_of(open(object_of(words::ISSUER, |name| match name {
            "misbehaves" => json!({ "anyOf": [{ "enum": words::MISBEHAVIOURS }, hole()] }),
            "alg" => json!({ "anyOf": [{ "enum": words::ALGORITHMS }, hole()] }),
            "flaw" => {
                let flaws: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
                json!({ "anyOf": [{ "enum": flaws }, hole()] })
            }
            _ => json!({ "type": "string" }),
        }))),
        "users" => map_of(open(object_of(words::USER, |_| {
            map_of(open(object_of(words::REFRESH_TOKEN, |name| match name {
                "state" => json!({ "anyOf": [{ "enum": words::REFRESH_STATES }, hole()] }),
                _ => json!({ "type": "string" }),
            })))
        }))),
        "oauth2.clients" => map_of(open(object_of(words::CLIENT, |_| json!({ "type": "string" })))),
        "aws.accounts" => map_of(open(object_of(words::AWS_ACCOUNT, |name| match name {
            "region" => json!({ "type": "string" }),
            _ => map_of(open(object_of(words::AWS_PRINCIPAL, |_| json!({ "type": "string" })))),
        }))),
        "settings" => {
            let mut settings = object_of(words::SETTINGS, |name| match name {
                "seed" => json!({ "type": ["string", "integer"] }),
                "quotas" => open(json!({ "type": "object" })),
                "disabledServices" => list(json!({ "type": "string" })),
                _ => json!({ "type": "string" }),
            });
            // Settings of single services are known to the rig alone.
            settings["patternProperties"] = json!({ "\\.": {} });
            settings
        }
        // A section that is newer than this function: its reader knows it.
        _ => json!({}),
    }
}

fn resource(messages: &mut Messages, collection: &Collection) -> Value {
    let mut properties = messages.properties(&collection.message);
    let mut put = |word: &Word, schema: Value| {
        properties.insert(word.name.to_owned(), described(schema, word));
    };
    for word in words::ours(collection.name) {
        put(word, own(messages, collection, word.name));
    }
    if let Some(set) = collection.set_iam_policy {
        let policy = set.input.get_field_by_name("policy").map(|field| field.kind());
        let policy = match policy {
            Some(Kind::Message(policy)) => messages.message(&policy),
            _ => json!({ "type": "object" }),
        };
        put(&words::IAM_POLICY, open(policy));
    }
    if has_location(collection) {
        put(&words::LOCATION, json!({ "type": "string" }));
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// What is ours and not Google's in a resource.
fn own(messages: &mut Messages, of: &Collection, name: &str) -> Value {
    match name {
        "disabled" => open(json!({ "type": "boolean" })),
        "keys" => map_of(open(object_of(words::ACCOUNT_KEY, |name| match name {
            "disabled" => open(json!({ "type": "boolean" })),
            _ => json!({ "type": "string" }),
        }))),
        "workload" => workload(),
        // What is in a resource; else a key that is newer than this function, which its reader knows.
        _ => {
            let inner = words::inner(of.name, name).and_then(|inner| table().collection(inner));
            inner.map_or(json!({}), |collection| map_of(open(resource(messages, collection))))
        }
    }
}

/// One of a workload's answers.
fn answer() -> Value {
    let text = json!({ "type": "string", "pattern": format!("^({})$|\\$\\{{", words::ANSWER_WORDS.join("|")) });
    json!({ "anyOf": [text, object_of(words::ANSWER, |_| json!({}))] })
}

pub(super) fn workload() -> Value {
    let keys: Vec<&Word> = words::WORKLOADS.iter().filter(|word| !matches!(word.name, "echo" | "URL")).collect();
    let properties: Map<String, Value> = keys
        .iter()
        .filter(|word| word.played)
        .map(|word| {
            let schema = match word.name {
                "answers" => list(answer()),
                "command" => list(json!({})),
                _ => json!({ "type": "string" }),
            };
            (word.name.to_owned(), described(schema, word))
        })
        .collect();
    let map = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    let text = json!({ "type": "string", "pattern": "^echo$|^https?://|\\$\\{" });
    json!({ "anyOf": [text, map, { "type": "null" }], "description": format!("What answers behind it: {}.", names(words::WORKLOADS).join(", ")) })
}
