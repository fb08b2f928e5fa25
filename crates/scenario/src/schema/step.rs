//! A step as JSON Schema.

use serde_json::{Map, Value, json};
use tokenrig_jose::forge::Flaw;
use tokenrig_protos::table;

use super::{Messages, described, given, hole, list, object_of, open};
use crate::words::{self, RigCall, VERBS, Word};

/// A step: the verb's key, those of any step, and those that the verb allows beside it.
pub(super) fn step(messages: &mut Messages) -> Value {
    let played: Vec<&Word> = VERBS.iter().filter(|word| word.played).collect();
    let one_verb: Vec<Value> = played.iter().map(|verb| json!({ "required": [verb.name] })).collect();
    let mut properties: Map<String, Value> =
        played.iter().map(|verb| (verb.name.to_owned(), described(object(verb.name), verb))).collect();
    properties.extend(words::ANY_STEP.iter().map(|word| (word.name.to_owned(), described(of_any(word.name), word))));
    let branches: Vec<Value> = played.iter().map(|verb| branch(messages, verb.name)).collect();
    json!({ "type": "object", "properties": properties, "oneOf": one_verb, "allOf": branches })
}

/// What stands behind a verb.
fn object(verb: &str) -> Value {
    match verb {
        "run" => json!({ "anyOf": [{ "type": "string" }, list(scalar())] }),
        "call" => {
            let methods = table().methods().iter().map(|method| method.short);
            let all: Vec<&str> = methods.chain(RigCall::ALL.iter().map(|call| call.word())).collect();
            json!({ "anyOf": [{ "enum": all }, hole()] })
        }
        _ => json!({ "type": "string" }),
    }
}

fn of_any(name: &str) -> Value {
    match name {
        "save" => json!({
            "type": ["object", "null"],
            "additionalProperties": cel(),
            "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
        }),
        // Said more closely for each verb.
        "expect" => json!({ "type": ["object", "string", "null"] }),
        _ => json!({ "type": "string" }),
    }
}

/// CEL, bare or as a hole.
fn cel() -> Value {
    json!({ "type": ["string", "boolean", "number"] })
}

fn scalar() -> Value {
    json!({ "type": ["string", "boolean", "number", "null"] })
}

/// What a step of this verb may have.
fn branch(messages: &mut Messages, verb: &str) -> Value {
    let mut properties: Map<String, Value> = words::step_keys(verb)
        .iter()
        .map(|word| (word.name.to_owned(), described(own(verb, word.name), word)))
        .collect();
    properties.insert("expect".to_owned(), open(expect(verb)));
    let keys = words::ANY_STEP.iter().chain(words::step_keys(verb)).map(|word| word.name).chain([verb]);
    let keys: Vec<&str> = keys.collect();
    let mut then = json!({ "properties": properties, "propertyNames": { "enum": keys } });
    if verb == "call" {
        then["allOf"] = calls(messages);
    }
    json!({ "if": { "required": [verb] }, "then": then })
}

/// The fields of each method's request.
fn calls(messages: &mut Messages) -> Value {
    let of = |name: &str, with: Value| json!({ "if": { "properties": { "call": { "const": name } } }, "then": { "properties": { "with": with } } });
    let mut all: Vec<Value> = Vec::new();
    for method in table().methods() {
        let request = messages.request(method);
        messages.define(method.short, request);
        all.push(of(method.short, open(json!({ "$ref": format!("#/$defs/{}", method.short) }))));
    }
    for call in RigCall::ALL {
        let fields: Map<String, Value> = call
            .fields()
            .iter()
            .map(|name| {
                let schema = if *name == "workload" { given::workload() } else { json!({ "type": "string" }) };
                ((*name).to_owned(), schema)
            })
            .collect();
        let first = call.fields().first();
        let with = json!({ "type": "object", "properties": fields, "additionalProperties": false, "required": first.as_slice() });
        all.push(of(call.word(), json!({ "anyOf": [with, hole()] })));
    }
    Value::Array(all)
}

fn own(verb: &str, key: &str) -> Value {
    match (verb, key) {
        ("mint", "flaw") => {
            let flaws: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
            json!({ "anyOf": [{ "enum": flaws }, hole()] })
        }
        ("call", "over") => json!({ "anyOf": [{ "enum": ["rest", "grpc"] }, hole()] }),
        ("exchange", "with") => {
            let fields: Map<String, Value> =
                words::EXCHANGE.iter().map(|name| ((*name).to_owned(), scalar())).collect();
            open(json!({ "type": "object", "properties": fields, "additionalProperties": false }))
        }
        (_, "claims" | "header" | "with" | "env") => open(json!({ "type": "object" })),
        (_, "headers" | "query" | "form") => {
            let value = json!({ "anyOf": [scalar(), { "type": "array", "items": scalar() }] });
            open(json!({ "type": "object", "additionalProperties": value }))
        }
        (_, "json") => json!({}),
        (_, "text") => scalar(),
        _ => json!({ "type": "string" }),
    }
}

fn expect(verb: &str) -> Value {
    let allowed: Vec<Word> =
        words::EXPECT.iter().filter(|word| words::expect_keys(verb).contains(&word.name)).copied().collect();
    object_of(&allowed, |name| match name {
        "status" => number(100, 599),
        "exit" => number(0, 255),
        "count" => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, hole()] }),
        "headers" => open(json!({ "type": "object" })),
        "body" => json!({}),
        "refusal" => json!({ "type": ["string", "null"] }),
        "that" => list(cel()),
        "token" => open(object_of(words::EXPECT_TOKEN, |name| match name {
            "header" | "claims" => open(json!({ "type": "object" })),
            "lifetime" => json!({ "type": ["string", "integer"] }),
            "at" => hole(),
            _ => json!({ "type": "string" }),
        })),
        "decision" => open(object_of(words::EXPECT_DECISION, |name| match name {
            "failed" | "refusal" => json!({ "type": ["string", "null"] }),
            _ => json!({}),
        })),
        _ => json!({ "type": "string" }),
    })
}

fn number(least: u16, most: u16) -> Value {
    json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, hole()] })
}
