//! A cloud with Cloud Run alone, and clients of its front and of both wires of its admin API.

use std::sync::Arc;

use axum::body::Body;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokenrig_clock::{ManualClock, SharedClock, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation, IdTokenOrder, NewAccount, ServiceAccount};
use tokenrig_cloudrun::{CloudRun, Settings, service};
use tokenrig_policy::{Binding, Policy};
use tokenrig_protos::{
    Body as BodyRule, Method,
    prost::Message as _,
    prost_reflect::{DynamicMessage, SerializeOptions},
    table,
};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt as _;

pub(crate) const PARENT: &str = "projects/shop-test/locations/us-central1";
pub(crate) const ORDERS: &str = "projects/shop-test/locations/us-central1/services/orders";
pub(crate) const HOST: &str = "orders-1071284184436.us-central1.run.app";

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) run: CloudRun,
    pub(crate) caller: Arc<ServiceAccount>,
    hosts: HostTable,
}

/// An answer that has come whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned();
        Self { status: parts.status.as_u16(), headers: parts.headers, trailers, body: collected.to_bytes() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Rest,
    Grpc,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock: SharedClock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(clock));
        let caller = NewAccount { account: "caller".into(), ..NewAccount::default() };
        let caller = cloud.accounts().create(caller).unwrap();
        let run = CloudRun::new(cloud.clone(), settings, Arc::new(|_, _| None));
        let hosts = assemble(&cloud, vec![service(&run)]);
        Self { cloud, run, caller, hosts }
    }

    /// With a private service `orders` that the caller may invoke.
    pub(crate) async fn deployed(settings: Settings, service: Value) -> Self {
        let rig = Self::with(settings);
        let create = json!({ "parent": PARENT, "serviceId": "orders", "service": service });
        rig.owner(Over::Rest, "run.services.create", create).await.unwrap();
        rig.bind(&format!("serviceAccount:{}", rig.caller.email));
        rig
    }

    pub(crate) fn bind(&self, member: &str) {
        let policy = Policy::of([Binding::of("roles/run.invoker", [member])]);
        self.cloud.policies().set(&format!("//run.googleapis.com/{ORDERS}"), policy).unwrap();
    }

    pub(crate) fn id_token(&self) -> String {
        self.cloud.mint().id_token(&IdTokenOrder::generated(&self.caller, format!("https://{HOST}"), true))
    }

    /// Sends a request to a service's host; the body of the answer may still be on its way.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        let host = request.uri().host().unwrap().to_owned();
        self.hosts.find(&host).unwrap().oneshot(request).await.unwrap()
    }

    /// A request to `orders` with a good ID token.
    pub(crate) async fn invoke(&self, verb: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(verb).uri(format!("https://{HOST}{path}"));
        let request = request.header("authorization", format!("Bearer {}", self.id_token())).body(body.into()).unwrap();
        Answer::of(self.send(request).await).await
    }

    pub(crate) async fn owner(&self, over: Over, short: &str, request: Value) -> Result<Value, (u16, String)> {
        self.call(over, &self.cloud.owner(), short, request).await
    }

    /// Calls an admin method by either wire: the answer, or HTTP status and message.
    pub(crate) async fn call(
        &self,
        over: Over,
        account: &ServiceAccount,
        short: &str,
        request: Value,
    ) -> Result<Value, (u16, String)> {
        let scopes = vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()];
        let order = AccessTokenOrder { identity: account.identity(), scopes, lifetime: minutes(60) };
        let bearer = format!("Bearer {}", self.cloud.mint().access_token(order).reveal());
        let method = table().by_short(short).unwrap();
        match over {
            Over::Rest => self.rest(method, &bearer, request).await,
            Over::Grpc => self.grpc(method, &bearer, request).await,
        }
    }

    async fn rest(&self, method: &Method, bearer: &str, mut request: Value) -> Result<Value, (u16, String)> {
        let rule = &method.rules[0];
        let pointer = |field: &str| format!("/{}", field.replace('.', "/"));
        let values: Vec<(String, String)> = rule
            .template
            .variables()
            .iter()
            .map(|variable| (variable.field.clone(), request.pointer(&pointer(&variable.field)).unwrap()))
            .map(|(field, value)| (field, value.as_str().unwrap().to_owned()))
            .collect();
        let value_of = |field: &str| values.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str());
        let path = rule.template.expand(value_of).unwrap();
        for (field, _) in values.iter().filter(|(field, _)| !field.contains('.')) {
            request.as_object_mut().unwrap().shift_remove(field);
        }
        let body = match &rule.body {
            BodyRule::None => None,
            BodyRule::Star => Some(std::mem::replace(&mut request, json!({}))),
            BodyRule::Field(name) => request.as_object_mut().unwrap().shift_remove(*name),
        };
        let query: String = form_urlencoded(request.as_object().unwrap());
        let http = Request::builder()
            .method(format!("{:?}", rule.verb).to_uppercase().as_str())
            .uri(format!("https://{}{path}?{query}", method.host))
            .header("authorization", bearer)
            .body(body.map_or(Body::empty(), |body| Body::from(body.to_string())))
            .unwrap();
        let answer = Answer::of(self.send(http).await).await;
        let told = answer.json();
        if answer.status == 200 {
            return Ok(told);
        }
        Err((answer.status, told["error"]["message"].as_str().unwrap().to_owned()))
    }

    async fn grpc(&self, method: &Method, bearer: &str, request: Value) -> Result<Value, (u16, String)> {
        let message = DynamicMessage::deserialize(method.input.clone(), request).unwrap().encode_to_vec();
        let mut body = BytesMut::new();
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).unwrap());
        body.put_slice(&message);
        let request = Request::post(format!("https://{}{}", method.host, method.grpc_path))
            .header("content-type", "application/grpc")
            .header("authorization", bearer)
            .body(Body::from(body.freeze()))
            .unwrap();
        let answer = Answer::of(self.send(request).await).await;
        let end = answer.trailers.as_ref().unwrap_or(&answer.headers);
        let code: i32 = end["grpc-status"].to_str().unwrap().parse().unwrap();
        if let Some(code) = tokenrig_decision::Code::from_grpc(code) {
            let message = end["grpc-message"].to_str().unwrap().replace("%20", " ").replace("%27", "'");
            return Err((code.http(), message));
        }
        let message = DynamicMessage::decode(method.output.clone(), answer.body.slice(5..)).unwrap();
        let options = SerializeOptions::new().stringify_64_bit_integers(true);
        Ok(message.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
    }
}

fn form_urlencoded(fields: &serde_json::Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", text(value).replace('"', "%22")));
    fields.collect::<Vec<_>>().join("&")
}
