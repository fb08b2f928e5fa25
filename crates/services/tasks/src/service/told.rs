//! What a rig holds, as it can be given again.

use serde_json::{Map, Value};
use tokenrig_protos::{
    google::cloud::tasks::v2::{self, queue::State, task::View},
    pool,
    prost::{Message, Name},
    prost_reflect::{DynamicMessage, SerializeOptions},
};

use super::{Tasks, resource};
use crate::store::Queue;

/// A queue as a given document has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldQueue {
    /// The last part of its name.
    pub id: String,
    /// The full resource name, for its policy.
    pub resource: String,
    /// Google's fields, as far as they are not the server's own; `location`, and `state` if it is paused.
    pub fields: Map<String, Value>,
    /// The tasks by id, their bodies included. What was attempted already is not told: whoever is given them begins anew.
    pub tasks: Map<String, Value>,
}

impl Tasks {
    /// All queues and their tasks, by name.
    #[must_use]
    pub fn told(&self) -> Vec<ToldQueue> {
        self.store().queues().map(told).collect()
    }
}

fn told(queue: &Queue) -> ToldQueue {
    let resource_name = queue.told();
    let mut fields = Map::new();
    let location = queue.name.split('/').nth(3).unwrap_or_default();
    fields.insert("location".to_owned(), location.into());
    let kept = v2::Queue { name: String::new(), state: 0, purge_time: None, ..resource_name.clone() };
    fields.extend(json(&kept));
    if let Some(limits) = fields.get_mut("rateLimits").and_then(Value::as_object_mut) {
        limits.shift_remove("maxBurstSize");
    }
    if resource_name.state == i32::from(State::Paused) {
        fields.insert("state".to_owned(), State::Paused.as_str_name().into());
    }
    let tasks = queue.tasks().map(|task| {
        let told = task.told(&queue.name, View::Full);
        let kept = v2::Task {
            name: String::new(),
            create_time: None,
            dispatch_count: 0,
            response_count: 0,
            first_attempt: None,
            last_attempt: None,
            view: 0,
            ..told
        };
        (task.id.to_string(), Value::Object(json(&kept)))
    });
    ToldQueue { id: queue.id.to_string(), resource: resource(&queue.name), tasks: tasks.collect(), fields }
}

fn json<M: Message + Name>(message: &M) -> Map<String, Value> {
    let Some(described) = pool().get_message_by_name(&M::full_name()) else { return Map::new() };
    let mut dynamic = DynamicMessage::new(described);
    // A generated message has the form of its descriptor.
    let _ = dynamic.transcode_from(message);
    match dynamic.serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new()) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
