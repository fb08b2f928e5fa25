//! Version 2beta3: the same queues and tasks by other messages.
//!
//! Its fields have the names of version 2 and other numbers, so that one message becomes the other field by field. One field
//! stands elsewhere: the routing of a queue's App Engine tasks.

use std::future::{Ready, ready};

use tokenrig_decision::Refused;
use tokenrig_protos::{
    google::cloud::tasks::{v2, v2beta3},
    pool,
    prost::{Message, Name},
    prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage, Value},
};
use tokenrig_wire::{Api, Call, with};

use super::Tasks;

pub(super) fn on(api: Api, tasks: &Tasks) -> Api {
    type B<T> = fn(&Tasks, &Call, T) -> Result<(), Refused>;
    let delete_queue: B<v2::DeleteQueueRequest> = Tasks::delete_queue;
    let delete_task: B<v2::DeleteTaskRequest> = Tasks::delete_task;
    api.on(
        "cloudtasks.v2beta3.projects.locations.queues.create",
        as_beta::<v2beta3::CreateQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::create_queue),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.get",
        as_beta::<v2beta3::GetQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::get_queue),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.list",
        as_beta::<v2beta3::ListQueuesRequest, _, _, v2beta3::ListQueuesResponse>(tasks, Tasks::list_queues),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.patch",
        as_beta::<v2beta3::UpdateQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::update_queue_of_beta),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.delete",
        as_beta::<v2beta3::DeleteQueueRequest, _, _, ()>(tasks, delete_queue),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.purge",
        as_beta::<v2beta3::PurgeQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::purge_queue),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.pause",
        as_beta::<v2beta3::PauseQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::pause_queue),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.resume",
        as_beta::<v2beta3::ResumeQueueRequest, _, _, v2beta3::Queue>(tasks, Tasks::resume_queue),
    )
    .on("cloudtasks.v2beta3.projects.locations.queues.getIamPolicy", with(tasks, Tasks::get_iam_policy))
    .on("cloudtasks.v2beta3.projects.locations.queues.setIamPolicy", with(tasks, Tasks::set_iam_policy))
    .on("cloudtasks.v2beta3.projects.locations.queues.testIamPermissions", with(tasks, Tasks::test_iam_permissions))
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.tasks.create",
        as_beta::<v2beta3::CreateTaskRequest, _, _, v2beta3::Task>(tasks, Tasks::create_task),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.tasks.get",
        as_beta::<v2beta3::GetTaskRequest, _, _, v2beta3::Task>(tasks, Tasks::get_task),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.tasks.list",
        as_beta::<v2beta3::ListTasksRequest, _, _, v2beta3::ListTasksResponse>(tasks, Tasks::list_tasks),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.tasks.delete",
        as_beta::<v2beta3::DeleteTaskRequest, _, _, ()>(tasks, delete_task),
    )
    .on(
        "cloudtasks.v2beta3.projects.locations.queues.tasks.run",
        as_beta::<v2beta3::RunTaskRequest, _, _, v2beta3::Task>(tasks, Tasks::run_task),
    )
}

impl Tasks {
    /// Paths of a mask know the routing by where version 2beta3 has it.
    fn update_queue_of_beta(&self, call: &Call, mut request: v2::UpdateQueueRequest) -> Result<v2::Queue, Refused> {
        for path in request.update_mask.iter_mut().flat_map(|mask| &mut mask.paths) {
            if path == HTTP_QUEUE || path.strip_prefix(HTTP_QUEUE).is_some_and(|rest| rest == format!(".{ROUTING}")) {
                ROUTING.clone_into(path);
            }
        }
        self.update_queue(call, request)
    }
}

/// A method of version 2 as one of version 2beta3.
fn as_beta<TheirRequest, Request, Response, TheirResponse>(
    tasks: &Tasks,
    method: fn(&Tasks, &Call, Request) -> Result<Response, Refused>,
) -> impl Fn(Call, TheirRequest) -> Ready<Result<TheirResponse, Refused>> + Send + Sync + 'static
where
    TheirRequest: Message + Name + 'static,
    Request: Message + Name + Default + 'static,
    Response: Message + Name + 'static,
    TheirResponse: Message + Name + Default + 'static,
{
    let tasks = tasks.clone();
    move |call, request| ready(method(&tasks, &call, other(&request)).map(|response| other(&response)))
}

const HTTP_QUEUE: &str = "app_engine_http_queue";
const ROUTING: &str = "app_engine_routing_override";

/// The message of the other version with the same fields.
pub(super) fn other<From, To>(from: &From) -> To
where
    From: Message + Name,
    To: Message + Name + Default,
{
    let described = |name: String| pool().get_message_by_name(&name);
    let (Some(of), Some(to)) = (described(From::full_name()), described(To::full_name())) else {
        // Every generated message is described, which the tests of `protos` hold.
        return To::default();
    };
    let mut dynamic = DynamicMessage::new(of);
    if dynamic.transcode_from(from).is_err() {
        return To::default();
    }
    copied(&dynamic, &to).transcode_to().unwrap_or_default()
}

fn copied(from: &DynamicMessage, to: &MessageDescriptor) -> DynamicMessage {
    let mut made = DynamicMessage::new(to.clone());
    for (field, value) in from.fields() {
        match to.get_field_by_name(field.name()) {
            Some(other) => {
                let inner = match other.kind() {
                    Kind::Message(inner) if !field.is_map() => Some(inner),
                    _ => None,
                };
                let value = match (value, inner) {
                    (Value::Message(message), Some(inner)) => Value::Message(copied(message, &inner)),
                    (Value::List(list), Some(inner)) => {
                        Value::List(list.iter().map(|value| copied_value(value, &inner)).collect())
                    }
                    (value, _) => value.clone(),
                };
                made.set_field(&other, value);
            }
            None => elsewhere(field.name(), value, &mut made),
        }
    }
    made
}

fn copied_value(value: &Value, to: &MessageDescriptor) -> Value {
    match value {
        Value::Message(message) => Value::Message(copied(message, to)),
        other => other.clone(),
    }
}

/// The one field that stands elsewhere.
fn elsewhere(name: &str, value: &Value, made: &mut DynamicMessage) {
    let Some(message) = value.as_message() else { return };
    if name == HTTP_QUEUE {
        let routing = message.get_field_by_name(ROUTING);
        if let Some(field) = made.descriptor().get_field_by_name(ROUTING)
            && let Some(described) = field.kind().as_message()
            && let Some(routing) = routing.as_deref().and_then(Value::as_message)
        {
            let routing = copied(routing, described);
            made.set_field(&field, Value::Message(routing));
        }
    } else if name == ROUTING
        && let Some(field) = made.descriptor().get_field_by_name(HTTP_QUEUE)
        && let Some(described) = field.kind().as_message()
        && let Some(inner) = described.get_field_by_name(ROUTING)
        && let Some(routing) = inner.kind().as_message()
    {
        let mut queue = DynamicMessage::new(described.clone());
        queue.set_field(&inner, Value::Message(copied(message, routing)));
        made.set_field(&field, Value::Message(queue));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_the_same_in_both_versions() {
        let task = v2::Task {
            name: "projects/p/locations/l/queues/q/tasks/t".into(),
            dispatch_count: 3,
            message_type: Some(v2::task::MessageType::HttpRequest(v2::HttpRequest {
                url: "https://a.example".into(),
                headers: [("A".to_owned(), "b".to_owned())].into(),
                body: b"abc".to_vec(),
                authorization_header: Some(v2::http_request::AuthorizationHeader::OidcToken(v2::OidcToken {
                    service_account_email: "a@b.c".into(),
                    audience: "x".into(),
                })),
                ..Default::default()
            })),
            ..Default::default()
        };
        let beta: v2beta3::Task = other(&task);
        let Some(v2beta3::task::PayloadType::HttpRequest(request)) = &beta.payload_type else { panic!("{beta:?}") };
        assert_eq!(
            (beta.dispatch_count, request.url.as_str(), &request.body[..]),
            (3, "https://a.example", &b"abc"[..])
        );
        assert_eq!(other::<_, v2::Task>(&beta), task);
    }

    #[test]
    fn the_routing_of_a_queue_finds_its_place() {
        let routing = v2::AppEngineRouting { service: "orders".into(), ..Default::default() };
        let queue = v2::Queue { app_engine_routing_override: Some(routing), ..Default::default() };
        let beta: v2beta3::Queue = other(&queue);
        assert!(matches!(beta.queue_type, Some(v2beta3::queue::QueueType::AppEngineHttpQueue(_))), "{beta:?}");
        assert_eq!(other::<_, v2::Queue>(&beta), queue);
    }
}
