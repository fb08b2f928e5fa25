//! Google's messages as JSON Schema: proto3's JSON form, as the fields of a given resource and of `with` are written.

use serde_json::{Map, Value, json};
use tokenrig_protos::{
    Body, Method,
    prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor},
};

use super::{hole, open};

/// The definitions that were needed so far, each made once.
#[derive(Debug, Default)]
pub(super) struct Messages {
    defs: Map<String, Value>,
}

impl Messages {
    /// Keeps a definition of our own.
    pub(super) fn define(&mut self, name: &str, schema: Value) {
        self.defs.insert(name.to_owned(), schema);
    }

    pub(super) fn into_defs(mut self) -> Map<String, Value> {
        let whole = json!({
            "description": "One hole and nothing else: CEL, whose value keeps its type.",
            "type": "string",
            "pattern": "^\\$\\{(.|\\n)*\\}\\s*$",
        });
        self.defs.insert("hole".to_owned(), whole);
        self.defs.sort_keys();
        self.defs
    }

    /// A reference to a message's definition.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        let name = message.full_name().to_owned();
        if !self.defs.contains_key(&name) {
            // Messages may hold themselves.
            self.defs.insert(name.clone(), Value::Null);
            let properties = self.properties(message);
            let whole = json!({ "type": "object", "properties": properties, "additionalProperties": false });
            self.defs.insert(name.clone(), whole);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// The fields of a message by their names in JSON.
    pub(super) fn properties(&mut self, message: &MessageDescriptor) -> Map<String, Value> {
        message.fields().map(|field| (field.json_name().to_owned(), self.field(&field))).collect()
    }

    /// The `with` of a call: the fields of the request, and those of its body where the REST reference prints that alone.
    pub(super) fn request(&mut self, method: &Method) -> Value {
        let mut properties = self.properties(&method.input);
        let body = method.rules.first().and_then(|rule| match rule.body {
            Body::Field(name) => method.input.get_field_by_name(name),
            Body::None | Body::Star => None,
        });
        if let Some(Kind::Message(body)) = body.map(|field| field.kind()) {
            for (name, schema) in self.properties(&body) {
                properties.entry(name).or_insert(schema);
            }
        }
        json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { return json!({}) };
            let values = self.one(&entry.map_entry_value_field());
            return open(json!({ "type": "object", "additionalProperties": values }));
        }
        if field.is_list() || field.cardinality() == Cardinality::Repeated {
            let items = self.one(field);
            return open(json!({ "type": "array", "items": items }));
        }
        self.one(field)
    }

    fn one(&mut self, field: &FieldDescriptor) -> Value {
        match field.kind() {
            Kind::String | Kind::Bytes => text(),
            Kind::Bool => open(json!({ "type": "boolean" })),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
                open(json!({ "type": "integer" }))
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => large(),
            Kind::Float | Kind::Double => number(),
            Kind::Enum(of) => {
                let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
                // A text with a hole in it may become any of them.
                json!({ "anyOf": [{ "enum": names }, { "type": ["integer", "null"] }, { "type": "string", "pattern": "\\$\\{" }] })
            }
            Kind::Message(message) => self.of_message(&message),
        }
    }

    fn of_message(&mut self, message: &MessageDescriptor) -> Value {
        match message.full_name() {
            "google.protobuf.Duration" => json!({
                "anyOf": [{ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$|\\$\\{" }, { "type": "null" }],
                "examples": ["3600s"],
            }),
            "google.protobuf.Timestamp" => json!({ "type": ["string", "null"], "examples": ["2026-01-15T09:00:00Z"] }),
            "google.protobuf.FieldMask" | "google.protobuf.StringValue" | "google.protobuf.BytesValue" => text(),
            "google.protobuf.Struct" => open(json!({ "type": "object" })),
            "google.protobuf.ListValue" => open(json!({ "type": "array" })),
            "google.protobuf.BoolValue" => open(json!({ "type": "boolean" })),
            "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => open(json!({ "type": "integer" })),
            "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => large(),
            "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => number(),
            "google.protobuf.Any" | "google.protobuf.Value" => json!({}),
            _ => open(self.message(message)),
        }
    }
}

fn text() -> Value {
    json!({ "type": ["string", "null"] })
}

/// Google writes integers of 64 bits as text.
fn large() -> Value {
    json!({ "anyOf": [{ "type": ["integer", "null"] }, { "type": "string", "pattern": "^-?[0-9]+$" }, hole()] })
}

fn number() -> Value {
    json!({ "anyOf": [{ "type": ["number", "null"] }, { "enum": ["NaN", "Infinity", "-Infinity"] }, hole()] })
}
