//! JSON Schema of the files that people write, for editors: made of the table of words and of Google's messages.
//!
//! It tells less than the reader does: not whether a name means something, nor whether CEL is any. What it refuses the
//! reader refuses too, and what it knows has the descriptions and examples of `words`.

mod given;
mod messages;
mod step;

use serde_json::{Map, Value, json};

use self::messages::Messages;
use crate::{
    source::{Source, SourceId},
    words::{self, Word},
    yaml::{self, Node, NodeKind},
};

/// Which of the two files a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// `scenarios/THEME/NAME.yaml`.
    Scenario,
    /// `NAME.given.yaml`.
    Given,
}

/// The dialect that all of it is written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema (draft 2020-12) of a kind of file.
#[must_use]
pub fn schema(of: SchemaOf) -> Value {
    let mut messages = Messages::default();
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!(DIALECT));
    let (title, body) = match of {
        SchemaOf::Scenario => ("A scenario of tokenrig", scenario(&mut messages)),
        SchemaOf::Given => ("A given file of tokenrig", given_file(&mut messages)),
    };
    root.insert("title".to_owned(), json!(title));
    if let Value::Object(body) = body {
        root.extend(body);
    }
    root.insert("$defs".to_owned(), Value::Object(messages.into_defs()));
    Value::Object(root)
}

/// A file as JSON, by the scalar rules of this format: what a schema is held against. `None` if it is no YAML that this
/// format takes. Of a stream of several documents it is the list of them.
#[must_use]
pub fn as_json(text: &str) -> Option<Value> {
    let mut out = Vec::new();
    let nodes = yaml::parse_all(&Source::new("", text), SourceId(0), &mut out);
    let mut values = nodes.iter().map(value).collect::<Vec<_>>();
    match values.len() {
        _ if !out.is_empty() => None,
        0 => None,
        1 => values.pop(),
        _ => Some(Value::Array(values)),
    }
}

fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => json!(value),
        NodeKind::Int(value) => json!(value),
        NodeKind::Float(value) => json!(value),
        NodeKind::Text(text) => json!(&**text),
        NodeKind::List(items) => items.iter().map(value).collect(),
        NodeKind::Map(entries) => entries.iter().map(|(key, node)| (key.text.to_string(), value(node))).collect(),
    }
}

fn scenario(messages: &mut Messages) -> Value {
    let given = given::map(messages);
    messages.define("given", given);
    let step = step::step(messages);
    messages.define("step", step);
    let entry = |name: &str| match name {
        "scenario" => json!({ "type": "string" }),
        "about" => json!({ "type": ["string", "null"] }),
        "tags" => list(json!({ "type": "string" })),
        "worlds" => list(json!({ "enum": names(words::WORLDS) })),
        "needs" => list(json!({ "enum": names(words::NEEDS) })),
        "now" => json!({ "type": "string" }),
        "vars" => json!({ "type": ["object", "null"] }),
        "given" => json!({ "anyOf": [{ "$ref": "#/$defs/given" }, { "type": "null" }] }),
        "cases" => filled(json!({
            "type": "object",
            "required": ["case"],
            "properties": { "case": { "type": "string", "description": "The row's name: what is different in it." } },
        })),
        _ => filled(json!({ "anyOf": [{ "$ref": "#/$defs/step" }, hole()] })),
    };
    let mut object = object_of(words::FILE, entry);
    object["required"] = json!(["scenario", "steps"]);
    object
}

/// A given map, or what Google prints, which the reader looks at more closely.
fn given_file(messages: &mut Messages) -> Value {
    let given = given::map(messages);
    messages.define("given", given);
    let of_google = json!({
        "anyOf": [
            { "type": "array" },
            { "required": ["name"] },
            { "required": ["kind"] },
            { "required": ["projectId", "lifecycleState"] },
        ],
    });
    json!({ "type": ["object", "array", "null"], "if": of_google, "then": {}, "else": { "$ref": "#/$defs/given" } })
}

/// A map with these words for keys, and no others. Words of services that are not played yet are left out.
fn object_of(words: &[Word], mut entry: impl FnMut(&str) -> Value) -> Value {
    let properties: Map<String, Value> = words
        .iter()
        .filter(|word| word.played)
        .map(|word| (word.name.to_owned(), described(entry(word.name), word)))
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A schema with what the table of words says about the word.
fn described(schema: Value, word: &Word) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    if !word.about.is_empty() {
        schema.insert("description".to_owned(), json!(word.about));
    }
    if !word.example.is_empty()
        && let Some(example) = as_json(word.example)
    {
        schema.insert("examples".to_owned(), json!([example]));
    }
    Value::Object(schema)
}

fn names(words: &[Word]) -> Vec<&'static str> {
    words.iter().filter(|word| word.played).map(|word| word.name).collect()
}

/// A whole value that is one hole: of any type, once it is evaluated.
fn hole() -> Value {
    json!({ "$ref": "#/$defs/hole" })
}

/// A value of this form, a hole, or nothing.
fn open(schema: Value) -> Value {
    json!({ "anyOf": [schema, hole(), { "type": "null" }] })
}

/// A list that says something.
fn filled(items: Value) -> Value {
    json!({ "anyOf": [{ "type": "array", "items": items, "minItems": 1 }, hole()] })
}

/// A list of these, or a hole of a row.
fn list(items: Value) -> Value {
    json!({ "anyOf": [{ "type": "array", "items": items }, hole()] })
}

/// A map of any names to these.
fn map_of(values: Value) -> Value {
    json!({ "type": ["object", "null"], "additionalProperties": values })
}
