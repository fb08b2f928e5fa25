//! A cloud with this service alone, and a client of both wires.

use std::sync::Arc;

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tokenrig_clock::{ManualClock, SharedClock, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation, NewAccount, ServiceAccount};
use tokenrig_decision::Record;
use tokenrig_protos::prost::Message;
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt;

pub(crate) const IAM: &str = "iam.googleapis.com";
pub(crate) const CRM: &str = "cloudresourcemanager.googleapis.com";
pub(crate) const USAGE: &str = "serviceusage.googleapis.com";

/// Which wire a test body runs on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Rest,
    Grpc,
}

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) clock: SharedClock,
    hosts: HostTable,
}

/// An answer by JSON: the status and the body.
pub(crate) type Answer = (u16, Value);

impl Rig {
    pub(crate) fn new() -> Self {
        let clock: SharedClock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(clock.clone()));
        let hosts = assemble(&cloud, vec![tokenrig_iamadmin::service(&cloud)]);
        Self { cloud, clock, hosts }
    }

    /// A request with the owner's token.
    pub(crate) async fn call(&self, verb: &str, host: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.cloud.owner(), verb, host, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", IAM, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", IAM, path, body).await
    }

    /// A request with somebody's token; a body of null is none.
    pub(crate) async fn call_as(
        &self,
        who: &ServiceAccount,
        verb: &str,
        host: &str,
        path: &str,
        body: Value,
    ) -> Answer {
        let request = Request::builder().method(verb).uri(path).header("authorization", self.bearer(who));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.header("content-type", "application/json").body(body).unwrap();
        self.send(host, request).await
    }

    pub(crate) async fn send(&self, host: &str, request: Request<Body>) -> Answer {
        let response = self.hosts.find(host).unwrap().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// A gRPC call with the owner's token: the answer, or the code.
    pub(crate) async fn grpc<Response: Message + Default>(
        &self,
        host: &str,
        path: &str,
        request: &impl Message,
    ) -> Result<Response, i32> {
        let message = request.encode_to_vec();
        let mut body = BytesMut::new();
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).unwrap());
        body.put_slice(&message);
        let request = Request::builder().method("POST").uri(path).header("content-type", "application/grpc");
        let request = request.header("authorization", self.bearer(&self.cloud.owner()));
        let request = request.body(Body::from(body.freeze())).unwrap();
        let response = self.hosts.find(host).unwrap().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or(headers);
        let code: i32 = trailers["grpc-status"].to_str().unwrap().parse().unwrap();
        if code != 0 {
            return Err(code);
        }
        let bytes: Bytes = collected.to_bytes();
        Ok(Response::decode(bytes.slice(5..)).unwrap())
    }

    /// An account that nobody has granted anything.
    pub(crate) fn stranger(&self) -> Arc<ServiceAccount> {
        let new = NewAccount { account: "stranger".into(), ..NewAccount::default() };
        self.cloud
            .accounts()
            .get("stranger@shop-test.iam.gserviceaccount.com")
            .unwrap_or_else(|| self.cloud.accounts().create(new).unwrap())
    }

    pub(crate) fn last(&self) -> Record {
        self.cloud.decisions().last().unwrap()
    }

    /// The refusal of the last call and the message that the client got.
    pub(crate) fn refused(&self, answer: &Answer) -> (String, String) {
        let message = answer.1["error"]["message"].as_str().unwrap_or_default().to_owned();
        (self.last().refusal.unwrap_or_default(), message)
    }

    pub(crate) fn bearer(&self, who: &ServiceAccount) -> String {
        let order = AccessTokenOrder {
            identity: who.identity(),
            scopes: vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()],
            lifetime: minutes(60),
        };
        format!("Bearer {}", self.cloud.mint().access_token(order).reveal())
    }
}
