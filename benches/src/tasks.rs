//! Tasks by the million: whether each costs as much as one of a few, and what it takes to keep it.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use tokenrig_clock::{Clock as _, ManualClock, SharedClock, SignedDuration, minutes, real::Stopwatch};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation};
use tokenrig_delivery::{Deliveries, NoOp};
use tokenrig_protos::{
    google::cloud::tasks::v2::{CreateQueueRequest, CreateTaskRequest, HttpRequest, Queue, Task, task::MessageType},
    prost::Message,
    prost_types,
};
use tokenrig_tasks::{Settings, Tasks};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt as _;

use crate::{
    child::Programs,
    grpc::framed,
    memory::resident,
    scale::Scale,
    table::{Goal, Row, Unit},
};

/// The time over which tasks are spread: as far ahead as Google takes them.
const SPREAD: SignedDuration = SignedDuration::from_hours(30 * 24);
const PARENT: &str = "projects/shop-test/locations/us-central1";
/// A million takes most of a minute.
const ROUNDS: usize = 3;

/// What so many tasks took.
struct Took {
    /// Nanoseconds to create and dispatch one.
    each: f64,
    /// Mebibytes to keep all.
    kept: f64,
}

/// Tasks spread over 30 virtual days, created by gRPC without a network, dispatched to a receiver that does nothing.
pub(crate) fn measure(_: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let (few, many) = (scale.of(10_000, 100), scale.of(1_000_000, 10_000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let (mut costs, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let baseline = runtime.block_on(tasks(few))?;
        let subject = runtime.block_on(tasks(many))?;
        costs.push((subject.each, baseline.each));
        kept.push(subject.kept);
    }
    #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
    let most = many as f64 / 1024.0;
    Ok(vec![
        Row::paired(
            format!("each of {many} tasks over 30 days, to each of {few}"),
            Unit::Nanoseconds,
            &costs,
            Goal::AtMost(2.0),
        ),
        Row::alone(format!("memory of {many} tasks with empty bodies"), Unit::Mebibytes, &kept, Goal::Figure(most)),
    ])
}

async fn tasks(count: usize) -> Result<Took, String> {
    let clock = Arc::new(ManualClock::starting_at(tokenrig_clock::Timestamp::UNIX_EPOCH));
    let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as SharedClock));
    let receiver = NoOp::default();
    let deliveries = Deliveries::new(&cloud, Arc::new(receiver.clone()), tokenrig_delivery::Settings::default());
    let service = Tasks::new(&cloud, deliveries.bell(), Settings::default());
    deliveries.add(service.source());
    let hosts = assemble(&cloud, vec![tokenrig_tasks::service(&service)]);
    let scopes = vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()];
    let order = AccessTokenOrder { identity: cloud.owner().identity(), scopes, lifetime: minutes(60) };
    let token = format!("Bearer {}", cloud.mint().access_token(order).reveal());
    let name = format!("{PARENT}/queues/work");
    let queue = Some(Queue { name: name.clone(), ..Queue::default() });
    call(&hosts, &token, "CreateQueue", &CreateQueueRequest { parent: PARENT.to_owned(), queue }).await?;
    let start = clock.now();
    let seconds = SPREAD.as_secs();
    let before = resident()?;
    let watch = Stopwatch::start();
    for number in 0..count {
        let at = i64::try_from(number).unwrap_or_default() * seconds / i64::try_from(count).unwrap_or(1);
        let task = Task {
            schedule_time: Some(prost_types::Timestamp { seconds: start.as_second() + at, nanos: 0 }),
            message_type: Some(MessageType::HttpRequest(HttpRequest {
                url: "https://orders.example.com/tasks".to_owned(),
                ..HttpRequest::default()
            })),
            ..Task::default()
        };
        let request = CreateTaskRequest { parent: name.clone(), task: Some(task), response_view: 0 };
        call(&hosts, &token, "CreateTask", &request).await?;
    }
    let kept = resident()? - before;
    deliveries.advance(start + SPREAD).await.map_err(|fault| fault.to_string())?;
    let took = watch.elapsed();
    let received = receiver.received();
    if received != u64::try_from(count).unwrap_or_default() {
        return Err(format!("{received} of {count} tasks arrived"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
    let each = took.as_secs_f64() * 1e9 / count as f64;
    Ok(Took { each, kept })
}

/// A gRPC call that crosses no network.
async fn call(hosts: &HostTable, token: &str, method: &str, message: &impl Message) -> Result<(), String> {
    const HOST: &str = "cloudtasks.googleapis.com";
    let request = Request::post(format!("https://{HOST}/google.cloud.tasks.v2.CloudTasks/{method}"))
        .header("content-type", "application/grpc")
        .header("authorization", token)
        .body(Body::from(framed(message)))
        .map_err(|fault| fault.to_string())?;
    let router = hosts.find(HOST).ok_or("nobody plays Cloud Tasks")?;
    let response = router.oneshot(request).await.map_err(|fault| fault.to_string())?;
    let headers = response.headers().clone();
    let answer = response.into_body().collect().await.map_err(|fault| fault.to_string())?;
    let status = answer.trailers().unwrap_or(&headers).get("grpc-status").cloned();
    if status.as_ref().is_some_and(|status| status == "0") {
        Ok(())
    } else {
        Err(format!("{method} ended with {status:?}"))
    }
}
