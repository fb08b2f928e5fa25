//! Tasks from their creation by gRPC to their arrival at a server on this machine.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokenrig_clock::real::{Stopwatch, within};
use tokenrig_protos::google::cloud::tasks::v2::{
    CreateQueueRequest, CreateTaskRequest, HttpRequest, OidcToken, Queue, Task, http_request::AuthorizationHeader,
    task::MessageType,
};
use tokio::task::JoinSet;

use crate::{
    child::Programs,
    grpc::{Client, EmptyGrpc, framed, opened},
    load::Target,
    receiver::Receiver,
    round::{Round, Side, What},
    scale::{CONNECTIONS, LONGEST_ROUND, ROUNDS, Scale},
    serve::given,
    table::{Goal, Row, Unit},
    throughput::{gateway, rig},
};

const HOST: &str = "cloudtasks.googleapis.com";
const PARENT: &str = "projects/shop-test/locations/us-central1";
const CREATE_TASK: &str = "google.cloud.tasks.v2.CloudTasks/CreateTask";
const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";
/// As many as a queue lets go at once.
const PER_QUEUE: usize = 100;
/// As long as an ID token of Google's.
const TOKEN_BYTES: usize = 800;

/// Tasks with an ID token of one account for one audience, spread over queues. The baseline makes the same calls to a server
/// that gives every call the same answer, and after that sends the same requests to the same receiver.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let count = scale.of(10_000, PER_QUEUE);
    let rate = |side, answer_bytes| {
        let told = programs.round(&Round { what: What::Dispatch, side, count, answer_bytes })?;
        let took = told["took"].as_f64().ok_or_else(|| format!("the round told no time: {told}"))?;
        let answer_bytes = told["answer_bytes"].as_u64().and_then(|bytes| usize::try_from(bytes).ok());
        #[expect(clippy::cast_precision_loss, reason = "ten thousand is exact")]
        Ok::<_, String>((count as f64 / took, answer_bytes.unwrap_or_default()))
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (subject, answer_bytes) = rate(Side::Subject, 0)?;
        rounds.push((subject, rate(Side::Baseline, answer_bytes)?.0));
    }
    let name = format!("{count} tasks over gRPC to a receiver, to bare calls and posts");
    Ok(vec![Row::paired(name, Unit::PerSecond, &rounds, Goal::AtLeast(0.5))])
}

/// One side, in a process of its own.
pub(crate) fn round(round: &Round) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let (took, answer_bytes) = runtime.block_on(async {
        let measured = async {
            match round.side {
                Side::Subject => subject(round.count).await,
                Side::Baseline => baseline(round.count, round.answer_bytes).await,
            }
        };
        within(LONGEST_ROUND, measured).await.map_err(|_| "the round did not end".to_owned())?
    })?;
    runtime.shutdown_background();
    Ok(json!({ "took": took.as_secs_f64(), "count": round.count, "answer_bytes": answer_bytes }))
}

async fn subject(count: usize) -> Result<(Duration, usize), String> {
    let (site, receiver) = (rig(&given()).await?, Receiver::start().await?);
    let token = site.rig().core().owner_token().to_owned();
    let target = gateway(&site, HOST.to_owned())?;
    let mut clients = connect(&target, &token).await?;
    for number in 0..count.div_ceil(PER_QUEUE) {
        let queue = Some(Queue { name: queue(number), ..Queue::default() });
        let request = CreateQueueRequest { parent: PARENT.to_owned(), queue };
        let first = clients.first_mut().ok_or("there is no client")?;
        first.call("google.cloud.tasks.v2.CloudTasks/CreateQueue", framed(&request)).await?;
    }
    let calls = calls(count, &receiver.url());
    let watch = Stopwatch::start();
    let answer = create(clients, calls).await?;
    receiver.until(count).await;
    let took = watch.elapsed();
    let made: Task = opened(answer.clone())?;
    if made.name.is_empty() { Err("a task without a name".to_owned()) } else { Ok((took, answer.len())) }
}

async fn baseline(count: usize, answer_bytes: usize) -> Result<(Duration, usize), String> {
    let (server, receiver) = (EmptyGrpc::listen(vec![HOST.to_owned()]).await?, Receiver::start().await?);
    let target = Target { addr: server.addr()?, host: HOST.to_owned(), trusted: server.certificate().clone() };
    // A task whose name makes it as long as the rig's answer.
    let name =
        "x".repeat(answer_bytes.saturating_sub(framed(&Task { name: "x".repeat(200), ..Task::default() }).len() - 200));
    tokio::spawn(server.serve(framed(&Task { name, ..Task::default() })));
    let clients = connect(&target, &"x".repeat(60)).await?;
    let (calls, request) = (calls(count, &receiver.url()), posted(&receiver.url())?);
    let watch = Stopwatch::start();
    let answer = create(clients, calls).await?;
    receiver.post(&request, Bytes::new(), count).await?;
    receiver.until(count).await;
    Ok((watch.elapsed(), answer.len()))
}

fn queue(number: usize) -> String {
    format!("{PARENT}/queues/work-{number}")
}

/// All calls, queue by queue.
fn calls(count: usize, url: &str) -> Vec<Bytes> {
    let call = |number: usize| {
        let token =
            OidcToken { service_account_email: CALLER.to_owned(), audience: "https://orders.example.com".to_owned() };
        let request = HttpRequest {
            url: url.to_owned(),
            authorization_header: Some(AuthorizationHeader::OidcToken(token)),
            ..HttpRequest::default()
        };
        let task = Task { message_type: Some(MessageType::HttpRequest(request)), ..Task::default() };
        framed(&CreateTaskRequest { parent: queue(number / PER_QUEUE), task: Some(task), response_view: 0 })
    };
    (0..count).map(call).collect()
}

async fn connect(target: &Target, token: &str) -> Result<Vec<Client>, String> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(target, token).await?);
    }
    Ok(clients)
}

/// Makes all calls, each connection one after the other; gives the last answer.
async fn create(clients: Vec<Client>, calls: Vec<Bytes>) -> Result<Bytes, String> {
    let mut shares: Vec<Vec<Bytes>> = vec![Vec::new(); clients.len()];
    let places = shares.len();
    for (number, call) in calls.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(number % places) {
            share.push(call);
        }
    }
    let mut tasks = JoinSet::new();
    for (mut client, share) in clients.into_iter().zip(shares) {
        tasks.spawn(async move {
            let mut last = Bytes::new();
            for call in share {
                last = client.call(CREATE_TASK, call).await?;
            }
            Ok::<_, String>(last)
        });
    }
    let mut last = Bytes::new();
    while let Some(ended) = tasks.join_next().await {
        last = ended.map_err(|fault| fault.to_string())??;
    }
    Ok(last)
}

/// What the rig sends for a task.
fn posted(url: &str) -> Result<http::request::Parts, String> {
    let request = Request::post(url)
        .header("host", "127.0.0.1")
        .header("user-agent", "Google-Cloud-Tasks")
        .header("x-cloudtasks-queuename", "work-17")
        .header("x-cloudtasks-taskname", "01234567890123456789")
        .header("x-cloudtasks-taskretrycount", "0")
        .header("x-cloudtasks-taskexecutioncount", "0")
        .header("x-cloudtasks-tasketa", "1767225600.000000")
        .header("authorization", format!("Bearer {}", "x".repeat(TOKEN_BYTES)))
        .body(());
    Ok(request.map_err(|fault| fault.to_string())?.into_parts().0)
}
