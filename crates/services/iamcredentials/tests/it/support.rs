//! A cloud with the service, and a client of both wires that speaks JSON on either.

use std::sync::Arc;

use axum::body::Body;
use bytes::{BufMut, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokenrig_clock::{ManualClock, SharedClock, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation, IdentityPool, NewAccount, ServiceAccount};
use tokenrig_decision::{Code, Record};
use tokenrig_iamcredentials::Settings;
use tokenrig_policy::{Binding, Identity, Policy, PoolRef};
use tokenrig_protos::{
    prost::Message,
    prost_reflect::{DynamicMessage, SerializeOptions},
    table,
};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt;

pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(crate) const HOST: &str = "iamcredentials.googleapis.com";

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
}

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    hosts: HostTable,
}

impl Rig {
    /// A cloud at 2026-01-15T09:00:00Z with the accounts `caller` and `target`.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), |_| {})
    }

    pub(crate) fn with(settings: Settings, change: impl FnOnce(&mut Foundation)) -> Self {
        let clock: SharedClock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let mut foundation = Foundation::on(clock);
        change(&mut foundation);
        let cloud = Cloud::new(foundation);
        let hosts = assemble(&cloud, vec![tokenrig_iamcredentials::with_settings(&cloud, settings)]);
        let rig = Self { cloud, hosts };
        rig.create("caller");
        rig.create("target");
        rig
    }

    pub(crate) fn create(&self, id: &str) -> Arc<ServiceAccount> {
        self.cloud.accounts().create(NewAccount { account: id.into(), ..NewAccount::default() }).unwrap()
    }

    pub(crate) fn account(&self, id: &str) -> Arc<ServiceAccount> {
        self.cloud.accounts().get(&self.cloud.project().account_email(id)).unwrap()
    }

    pub(crate) fn grant(&self, resource: &str, role: &str, member: &str) {
        let mut policy: Policy = self.cloud.policies().get(resource);
        policy.bindings.push(Binding::of(role, [member.to_owned()]));
        self.cloud.policies().set(resource, policy).unwrap();
    }

    /// Grants a role on an account to another account.
    pub(crate) fn grant_on(&self, account: &str, role: &str, to: &str) {
        let member = format!("serviceAccount:{}", self.account(to).email);
        self.grant(&self.account(account).resource(), role, &member);
    }

    pub(crate) fn token_of(&self, identity: Identity) -> String {
        let order = AccessTokenOrder { identity, scopes: vec![CLOUD_PLATFORM.to_owned()], lifetime: minutes(60) };
        self.cloud.mint().access_token(order).reveal().to_owned()
    }

    pub(crate) fn token(&self, account: &str) -> String {
        self.token_of(self.account(account).identity())
    }

    /// Alice of the pool `partners`, who may do nothing yet.
    pub(crate) fn alice(&self) -> Identity {
        self.somebody_of(PoolRef::workload(&self.cloud.project().number, "partners"))
    }

    /// Alice of a pool that is made for her.
    pub(crate) fn somebody_of(&self, pool: PoolRef) -> Identity {
        self.cloud.pools().create(IdentityPool::named(pool.clone())).unwrap();
        Identity::Federated {
            pool,
            subject: "alice".into(),
            groups: vec![],
            attributes: Default::default(),
            provider: "corp".into(),
        }
    }

    pub(crate) fn last(&self) -> Record {
        self.cloud.decisions().last().unwrap()
    }

    /// The names of the last decision's checks, the failed ones with `!`.
    pub(crate) fn checks(&self) -> Vec<String> {
        let sign = |ok: bool| if ok { "" } else { "!" };
        self.last().checks.iter().map(|check| format!("{}{}", sign(check.ok), check.name)).collect()
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.hosts.find(HOST).unwrap().oneshot(request).await.unwrap()
    }

    /// Calls a method of service accounts on `projects/-/serviceAccounts/ACCOUNT`.
    pub(crate) async fn call(&self, over: Over, token: &str, method: &str, account: &str, body: Value) -> Answer {
        self.call_named(over, token, method, &format!("projects/-/serviceAccounts/{account}"), body).await
    }

    pub(crate) async fn call_named(&self, over: Over, token: &str, method: &str, name: &str, body: Value) -> Answer {
        match over {
            Over::Rest => self.rest("POST", &format!("/v1/{name}:{method}"), token, &body.to_string()).await,
            Over::Grpc => self.grpc(token, method, name, body).await,
        }
    }

    pub(crate) async fn rest(&self, verb: &str, path: &str, token: &str, body: &str) -> Answer {
        let request = Request::builder().method(verb).uri(format!("https://{HOST}{path}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        let response = self.send(request.body(Body::from(body.to_owned())).unwrap()).await;
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

    async fn grpc(&self, token: &str, method: &str, name: &str, mut body: Value) -> Answer {
        let method = table().by_short(&format!("iamcredentials.serviceAccounts.{method}")).unwrap();
        body["name"] = json!(name);
        let message = DynamicMessage::deserialize(method.input.clone(), body).unwrap().encode_to_vec();
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).unwrap());
        framed.put_slice(&message);
        let request = Request::builder()
            .method("POST")
            .uri(format!("https://{HOST}{}", method.grpc_path))
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {token}"));
        let response = self.send(request.body(Body::from(framed.freeze())).unwrap()).await;
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
