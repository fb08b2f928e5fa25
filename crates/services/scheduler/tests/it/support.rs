//! A cloud with Cloud Scheduler, a client of both wires that speaks JSON on either, and a receiver that answers as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::body::Body;
use bytes::{BufMut, BytesMut};
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokenrig_clock::{ManualClock, SharedClock, SignedDuration, Timestamp, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation, NewAccount, ServiceAccount};
use tokenrig_decision::Code;
use tokenrig_delivery::{Answer as Came, Carrier, CarryFault, Deliveries, Progress, Sending};
use tokenrig_policy::{Binding, Identity};
use tokenrig_protos::{
    prost::Message,
    prost_reflect::{DynamicMessage, SerializeOptions},
    table,
};
use tokenrig_scheduler::{Scheduler, Settings};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt;

pub(crate) const HOST: &str = "cloudscheduler.googleapis.com";
pub(crate) const PARENT: &str = "projects/shop-test/locations/us-central1";
pub(crate) const TICK: &str = "projects/shop-test/locations/us-central1/jobs/tick";

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Rest,
    Grpc,
}

/// An answer, the same of either wire.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 for OK, else the code on the gRPC wire.
    pub(crate) code: i32,
    /// The message, or what went wrong.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn refused(&self) -> (i32, &str) {
        (self.code, self.body["message"].as_str().unwrap_or_default())
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.code, 0, "{}", self.body);
        self.body
    }
}

/// What the receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Answers with the statuses that it was told, then 200; 0 is no answer at all.
pub(crate) struct Receiver {
    clock: SharedClock,
    statuses: Mutex<VecDeque<u16>>,
    got: Mutex<Vec<Got>>,
}

impl Carrier for Receiver {
    fn carry(&self, sending: Sending<'_>, _: Progress) -> BoxFuture<'static, Result<Came, CarryFault>> {
        let request = sending.request;
        let headers = sending.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.got.lock().unwrap().push(Got {
            at: self.clock.now(),
            method: request.method.to_string(),
            url: request.url.to_string(),
            headers: headers.collect(),
            body: request.body.to_vec(),
        });
        match self.statuses.lock().unwrap().pop_front().unwrap_or(200) {
            0 => std::future::pending().boxed(),
            status => std::future::ready(Ok(Came { status, headers: HeaderMap::new() })).boxed(),
        }
    }
}

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) deliveries: Deliveries,
    pub(crate) scheduler: Scheduler,
    pub(crate) runner: Arc<ServiceAccount>,
    receiver: Arc<Receiver>,
    hosts: HostTable,
}

impl Rig {
    /// A cloud at 2026-01-15T09:00:00Z with the account `runner`.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), "2026-01-15T09:00:00Z", |_| {})
    }

    pub(crate) fn with(settings: Settings, start: &str, change: impl FnOnce(&mut Foundation)) -> Self {
        let clock: SharedClock = Arc::new(ManualClock::starting_at(start.parse().unwrap()));
        let mut foundation = Foundation::on(Arc::clone(&clock));
        change(&mut foundation);
        let cloud = Cloud::new(foundation);
        let receiver = Arc::new(Receiver { clock, statuses: Mutex::default(), got: Mutex::default() });
        let deliver =
            tokenrig_delivery::Settings { patience: std::time::Duration::from_millis(20), ..Default::default() };
        let deliveries = Deliveries::new(&cloud, Arc::clone(&receiver) as Arc<dyn Carrier>, deliver);
        let scheduler = Scheduler::new(&cloud, &deliveries, settings);
        let hosts = assemble(&cloud, vec![tokenrig_scheduler::service(&scheduler)]);
        let runner = cloud.accounts().create(NewAccount { account: "runner".into(), ..NewAccount::default() }).unwrap();
        Self { cloud, deliveries, scheduler, runner, receiver, hosts }
    }

    /// What the receiver does with the next requests.
    pub(crate) fn answers(&self, statuses: &[u16]) {
        self.receiver.statuses.lock().unwrap().extend(statuses);
    }

    /// What has come since the last look.
    pub(crate) fn got(&self) -> Vec<Got> {
        std::mem::take(&mut self.receiver.got.lock().unwrap())
    }

    /// When requests came since the last look, in seconds after `start`.
    pub(crate) fn times(&self, start: Timestamp) -> Vec<i64> {
        self.got().iter().map(|got| got.at.duration_since(start).as_secs()).collect()
    }

    pub(crate) async fn advance(&self, by: SignedDuration) {
        self.deliveries.advance(self.cloud.now() + by).await.unwrap();
    }

    pub(crate) fn grant(&self, resource: &str, role: &str, identity: &Identity) {
        self.cloud.policies().add(resource, [Binding::of(role, [identity.member().to_string()])]);
    }

    pub(crate) fn account(&self, id: &str) -> Arc<ServiceAccount> {
        self.cloud.accounts().create(NewAccount { account: id.into(), ..NewAccount::default() }).unwrap()
    }

    pub(crate) fn token_of(&self, identity: Identity) -> String {
        let scopes = vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()];
        let order = AccessTokenOrder { identity, scopes, lifetime: minutes(60) };
        self.cloud.mint().access_token(order).reveal().to_owned()
    }

    /// Calls a method as the owner.
    pub(crate) async fn call(&self, over: Over, method: &str, fields: Value) -> Answer {
        self.call_as(&self.token_of(self.cloud.owner().identity()), over, method, fields).await
    }

    /// Calls a method of jobs; `fields` is its request message in JSON.
    pub(crate) async fn call_as(&self, token: &str, over: Over, method: &str, fields: Value) -> Answer {
        match over {
            Over::Rest => self.rest(token, method, fields).await,
            Over::Grpc => self.grpc(token, method, fields).await,
        }
    }

    async fn rest(&self, token: &str, method: &str, fields: Value) -> Answer {
        let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
        let (verb, path, body) = match method {
            "create" => ("POST", format!("/v1/{}/jobs", text("parent")), fields["job"].to_string()),
            "list" => {
                let (size, token) = (fields["pageSize"].as_i64().unwrap_or_default(), text("pageToken"));
                ("GET", format!("/v1/{}/jobs?pageSize={size}&pageToken={token}", text("parent")), String::new())
            }
            "patch" => {
                let name = fields["job"]["name"].as_str().unwrap_or_default();
                let mask = text("updateMask");
                let mask = if mask.is_empty() { mask } else { format!("?updateMask={mask}") };
                ("PATCH", format!("/v1/{name}{mask}"), fields["job"].to_string())
            }
            "get" => ("GET", format!("/v1/{}", text("name")), String::new()),
            "delete" => ("DELETE", format!("/v1/{}", text("name")), String::new()),
            "locations" => ("GET", format!("/v1/{}/locations", text("name")), String::new()),
            other => ("POST", format!("/v1/{}:{other}", text("name")), "{}".to_owned()),
        };
        let request = Request::builder().method(verb).uri(format!("https://{HOST}{path}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        let response = self.hosts.find(HOST).unwrap().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let ok = response.status() == 200;
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let mut body: Value = serde_json::from_slice(&bytes).unwrap();
        if ok {
            return Answer { code: 0, body };
        }
        let error = body["error"].take();
        let code = (1..17).filter_map(Code::from_grpc).find(|code| error["status"] == code.name()).unwrap();
        assert_eq!(error["code"], code.http());
        Answer { code: code.grpc(), body: error }
    }

    async fn grpc(&self, token: &str, method: &str, fields: Value) -> Answer {
        let short = match method {
            "locations" => "cloudscheduler.locations.list".to_owned(),
            method => format!("cloudscheduler.jobs.{method}"),
        };
        let method = table().by_short(&short).unwrap();
        let message = DynamicMessage::deserialize(method.input.clone(), fields).unwrap().encode_to_vec();
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).unwrap());
        framed.put_slice(&message);
        let request = Request::builder()
            .method("POST")
            .uri(format!("https://{HOST}{}", method.grpc_path))
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::from(framed.freeze())).unwrap();
        let response = self.hosts.find(HOST).unwrap().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let collected = response.into_body().collect().await.unwrap();
        let end = collected.trailers().cloned().unwrap_or(headers);
        let text = |name: &str| end.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let code: i32 = text("grpc-status").parse().unwrap();
        if code != 0 {
            let message = percent_decoded(&text("grpc-message"));
            return Answer { code, body: json!({ "message": message }) };
        }
        let bytes = collected.to_bytes();
        let message = DynamicMessage::decode(method.output.clone(), &bytes[5..]).unwrap();
        let json = message.serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new()).unwrap();
        Answer { code, body: json }
    }

    /// Makes the job `tick`: a POST to `https://orders.example.com/tick` with an ID token of `runner`, changed before.
    pub(crate) async fn tick(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let mut job = self.job();
        change(&mut job);
        self.call(Over::Rest, "create", json!({ "parent": PARENT, "job": job })).await
    }

    pub(crate) fn job(&self) -> Value {
        json!({
            "name": TICK,
            "schedule": "*/5 * * * *",
            "httpTarget": {
                "uri": "https://orders.example.com/tick",
                "oidcToken": { "serviceAccountEmail": self.runner.email },
            },
        })
    }

    pub(crate) async fn get(&self) -> Value {
        self.call(Over::Rest, "get", json!({ "name": TICK })).await.ok()
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match hex {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
