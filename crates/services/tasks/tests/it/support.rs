//! A cloud with the service and a receiver in this process that answers as it is told.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokenrig_clock::{Clock as _, ManualClock, SharedClock, SignedDuration, Timestamp, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation, NewAccount};
use tokenrig_delivery::{Answer, Carrier, CarryFault, Deliveries, Outgoing, Progress, Sending};
use tokenrig_tasks::{Settings, Tasks};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt as _;

pub(crate) const QUEUE: &str = "projects/shop-test/locations/us-central1/queues/work";

/// What arrived: when, and the request.
pub(crate) type Arrived = (Timestamp, Outgoing);

/// A receiver that answers with a list of statuses, the last of them for ever.
#[derive(Clone)]
pub(crate) struct Receiver {
    clock: SharedClock,
    statuses: Arc<Mutex<Vec<u16>>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Carrier for Receiver {
    fn carry(&self, sending: Sending<'_>, _: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>> {
        let headers = sending.headers().map(|(name, value)| (name.to_owned().into(), value.into())).collect();
        let request = Outgoing { headers, ..sending.request.clone() };
        self.arrived.lock().unwrap().push((self.clock.now(), request));
        let mut statuses = self.statuses.lock().unwrap();
        let status = if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] };
        let answer = match status {
            0 => Err(CarryFault::Unreachable("connection refused".into())),
            status => Ok(Answer { status, headers: HeaderMap::new() }),
        };
        std::future::ready(answer).boxed()
    }
}

pub(crate) struct Rig {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tasks: Tasks,
    pub(crate) deliveries: Deliveries,
    pub(crate) receiver: Receiver,
    hosts: HostTable,
    token: String,
}

impl Rig {
    /// A cloud at 2026-01-15T09:00:00Z with the account `caller` and the queue `work`.
    pub(crate) async fn new(statuses: &[u16]) -> Self {
        let rig = Self::empty(statuses, Settings::default());
        let answer = rig.queue("work", json!({})).await;
        assert_eq!(answer.0, 200, "{answer:?}");
        rig
    }

    pub(crate) fn empty(statuses: &[u16], settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as SharedClock));
        let receiver = Receiver {
            clock: Arc::clone(&clock) as SharedClock,
            statuses: Arc::new(Mutex::new(statuses.to_vec())),
            arrived: Arc::default(),
        };
        let deliveries = Deliveries::new(&cloud, Arc::new(receiver.clone()), Default::default());
        let tasks = Tasks::new(&cloud, deliveries.bell(), settings);
        deliveries.add(tasks.source());
        let hosts = assemble(&cloud, vec![tokenrig_tasks::service(&tasks)]);
        cloud.accounts().create(NewAccount { account: "caller".into(), ..NewAccount::default() }).unwrap();
        let scopes = vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()];
        let order = AccessTokenOrder { identity: cloud.owner().identity(), scopes, lifetime: minutes(60) };
        let token = cloud.mint().access_token(order).reveal().to_owned();
        Self { clock, tasks, deliveries, receiver, hosts, token }
    }

    pub(crate) async fn queue(&self, id: &str, mut queue: Value) -> (u16, Value) {
        queue["name"] = json!(format!("projects/shop-test/locations/us-central1/queues/{id}"));
        self.rest("POST", "/v2/projects/shop-test/locations/us-central1/queues", queue).await
    }

    pub(crate) async fn task(&self, task: Value) -> (u16, Value) {
        self.rest("POST", &format!("/v2/{QUEUE}/tasks"), json!({ "task": task })).await
    }

    pub(crate) async fn rest(&self, verb: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(verb, path, &[("content-type", "application/json")], body.into_bytes()).await
    }

    pub(crate) async fn send(&self, verb: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
        let host = "cloudtasks.googleapis.com";
        let mut request = Request::builder().method(verb).uri(format!("https://{host}{path}"));
        request = request.header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let router = self.hosts.find(host).unwrap();
        let response = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Lets time pass; all is answered at once, so that nothing is left in flight.
    pub(crate) async fn pass(&self, time: SignedDuration) {
        let in_flight = self.deliveries.advance(self.clock.now() + time).await.unwrap();
        assert_eq!(in_flight, Vec::<String>::new());
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.receiver.arrived.lock().unwrap().clone()
    }

    /// When each request arrived, in milliseconds from the start.
    pub(crate) fn times(&self) -> Vec<i128> {
        let start: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        self.arrived().iter().map(|(at, _)| at.duration_since(start).as_millis()).collect()
    }
}

/// The value of a header as it is sent.
pub(crate) fn header<'r>(request: &'r Outgoing, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}
