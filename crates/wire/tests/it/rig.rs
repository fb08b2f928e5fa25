//! A cloud with a tiny service, and clients of both wires.

use std::sync::Arc;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tokenrig_clock::{ManualClock, SharedClock, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation};
use tokenrig_decision::{Check, Code, Evidence, Record, Refusal, Wire};
use tokenrig_protos::{
    google::{
        cloud::run::v2::{self as run, UpdateServiceRequest},
        iam::{
            admin::v1::{ListServiceAccountKeysRequest, ListServiceAccountKeysResponse},
            credentials::v1::{GenerateIdTokenRequest, GenerateIdTokenResponse, SignBlobRequest, SignBlobResponse},
            v1::{GetIamPolicyRequest, Policy},
        },
        longrunning::Operation,
        rpc,
    },
    prost::Message,
    table,
    tokenrig::iam::v1::{GetWorkloadIdentityPoolProviderRequest, WorkloadIdentityPoolProvider},
};
use tokenrig_wire::{Api, Call, HostTable, Service, assemble, operation};
use tower::ServiceExt;

pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(crate) const NO_AUDIENCE: Refusal = Refusal {
    ids: &["test-no-audience"],
    when: "the audience is missing",
    wire: Wire::Status {
        code: Code::InvalidArgument,
        message: "audience must be set: ä",
        details: &[tokenrig_decision::Detail::ErrorInfo {
            reason: "NO_AUDIENCE",
            domain: "iam.googleapis.com",
            metadata: &[("permission", "{permission}")],
        }],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("a test"),
};

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) clock: SharedClock,
    pub(crate) hosts: HostTable,
}

fn api() -> Api {
    Api::new()
        .on(
            "iamcredentials.projects.serviceAccounts.generateIdToken",
            |call: Call, request: GenerateIdTokenRequest| async move {
                call.check(
                    Check::named("request")
                        .holds(!request.audience.is_empty())
                        .or_refuse(&NO_AUDIENCE, "test-no-audience")
                        .with("permission", "p"),
                )?;
                assert!(request.audience != "panic", "asked to");
                let token = format!(
                    "{} {} {} {} {}",
                    request.name,
                    request.audience,
                    request.include_email,
                    request.use_email_azp,
                    request.delegates.join(",")
                );
                Ok(GenerateIdTokenResponse { token })
            },
        )
        .on("iamcredentials.projects.serviceAccounts.signBlob", |_: Call, request: SignBlobRequest| async move {
            Ok(SignBlobResponse { key_id: "k".into(), signed_blob: request.payload })
        })
        .on("iam.projects.serviceAccounts.getIamPolicy", |_: Call, request: GetIamPolicyRequest| async move {
            let version = request.options.unwrap_or_default().requested_policy_version;
            Ok(Policy { version, etag: request.resource.into_bytes(), ..Default::default() })
        })
        .on("iam.projects.serviceAccounts.keys.list", |_: Call, request: ListServiceAccountKeysRequest| async move {
            let keys =
                request.key_types.iter().map(|kind| tokenrig_protos::google::iam::admin::v1::ServiceAccountKey {
                    name: request.name.clone(),
                    key_type: *kind,
                    ..Default::default()
                });
            Ok(ListServiceAccountKeysResponse { keys: keys.collect() })
        })
        .on("run.projects.locations.services.patch", |_: Call, request: UpdateServiceRequest| async move {
            let mut service = request.service.unwrap_or_default();
            service.description = request.update_mask.unwrap_or_default().paths.join(" ");
            service.generation = 7;
            Ok::<Operation, _>(operation::done("projects/p/locations/l/operations/o", None, &service))
        })
        .on("run.projects.locations.services.create", |_: Call, request: run::CreateServiceRequest| async move {
            let name = format!("{}/services/{}", request.parent, request.service_id);
            let service = run::Service { name, ..request.service.unwrap_or_default() };
            Ok(operation::done("projects/p/locations/l/operations/o", None, &service))
        })
        .on(
            "iam.projects.locations.workloadIdentityPools.providers.get",
            |_: Call, request: GetWorkloadIdentityPoolProviderRequest| async move {
                let names =
                    ["google.subject", "attribute.b", "attribute.a", "attribute.c", "attribute.e", "attribute.d"];
                let mapping = names.iter().map(|name| ((*name).to_owned(), "assertion.sub".to_owned()));
                Ok(WorkloadIdentityPoolProvider {
                    name: request.name,
                    attribute_mapping: mapping.collect(),
                    state: 1,
                    ..Default::default()
                })
            },
        )
}

impl Rig {
    pub(crate) fn new() -> Self {
        let clock: SharedClock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(clock.clone()));
        let service = Service {
            name: "tiny",
            about: "a test",
            api: api(),
            fronts: Vec::new(),
            refusals: &[&NO_AUDIENCE],
            assumptions: &[],
        };
        let hosts = assemble(&cloud, vec![service]);
        Self { cloud, clock, hosts }
    }

    pub(crate) fn token(&self, scope: &str) -> String {
        let order = AccessTokenOrder {
            identity: self.cloud.owner().identity(),
            scopes: vec![scope.to_owned()],
            lifetime: minutes(60),
        };
        self.cloud.mint().access_token(order).reveal().to_owned()
    }

    pub(crate) fn last(&self) -> Record {
        self.cloud.decisions().last().unwrap()
    }

    pub(crate) async fn send(&self, host: &str, request: Request<Body>) -> Response<Body> {
        self.hosts.find(host).unwrap().oneshot(request).await.unwrap()
    }

    /// A REST request with an owner's token; `target` is `VERB host/path`.
    pub(crate) async fn rest(&self, target: &str, body: &str) -> (u16, Value) {
        let token = self.token(CLOUD_PLATFORM);
        let (status, text) = self.rest_as(Some(&format!("Bearer {token}")), target, body).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn rest_as(&self, authorization: Option<&str>, target: &str, body: &str) -> (u16, String) {
        let (verb, place) = target.split_once(' ').unwrap();
        let (host, path) = place.split_at(place.find('/').unwrap());
        let mut request = Request::builder().method(verb).uri(path).header("content-type", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = self.send(host, request.body(Body::from(body.to_owned())).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// A gRPC request, framed by hand.
    pub(crate) async fn grpc(&self, authorization: Option<&str>, host: &str, path: &str, message: &[u8]) -> GrpcAnswer {
        let mut body = BytesMut::new();
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).unwrap());
        body.put_slice(message);
        let mut request = Request::builder().method("POST").uri(path).header("content-type", "application/grpc");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = self.send(host, request.body(Body::from(body.freeze())).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/grpc");
        let headers = response.headers().clone();
        let collected = response.into_body().collect().await.unwrap();
        let trailers = collected.trailers().cloned();
        let body = collected.to_bytes();
        let trailers_only = trailers.is_none();
        let end = trailers.unwrap_or(headers);
        let text = |name: &str| end.get(name).map(|value| value.to_str().unwrap().to_owned());
        let details = text("grpc-status-details-bin").map(|text| {
            rpc::Status::decode(Bytes::from(STANDARD_NO_PAD.decode(text.trim_end_matches('=')).unwrap())).unwrap()
        });
        GrpcAnswer {
            code: text("grpc-status").unwrap().parse().unwrap(),
            message: text("grpc-message").unwrap_or_default(),
            details,
            trailers_only,
            body: body.slice(body.len().min(5)..),
        }
    }

    /// `generateIdToken` over either wire: the token, or code and decoded message.
    pub(crate) async fn generate(
        &self,
        over: Over,
        authorization: Option<&str>,
        audience: &str,
    ) -> Result<String, (i32, String)> {
        let name = "projects/-/serviceAccounts/caller@shop-test.iam.gserviceaccount.com";
        match over {
            Over::Rest => {
                let target = format!("POST iamcredentials.googleapis.com/v1/{name}:generateIdToken");
                let body = serde_json::json!({ "audience": audience, "includeEmail": true, "delegates": ["a", "b"] });
                let (status, text) = self.rest_as(authorization, &target, &body.to_string()).await;
                let answer: Value = serde_json::from_str(&text).unwrap();
                if status == 200 {
                    return Ok(answer["token"].as_str().unwrap().to_owned());
                }
                let code = rpc_code(answer["error"]["status"].as_str().unwrap());
                assert_eq!(answer["error"]["code"], status);
                Err((code, answer["error"]["message"].as_str().unwrap().to_owned()))
            }
            Over::Grpc => {
                let method = table().by_short("iamcredentials.serviceAccounts.generateIdToken").unwrap();
                let request = GenerateIdTokenRequest {
                    name: name.to_owned(),
                    audience: audience.to_owned(),
                    include_email: true,
                    delegates: vec!["a".into(), "b".into()],
                    ..Default::default()
                };
                let answer = self.grpc(authorization, method.host, method.grpc_path, &request.encode_to_vec()).await;
                if answer.code == 0 {
                    return Ok(GenerateIdTokenResponse::decode(answer.body).unwrap().token);
                }
                assert!(answer.trailers_only, "an error is trailers alone");
                Err((answer.code, percent_decoded(&answer.message)))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Rest,
    Grpc,
}

pub(crate) struct GrpcAnswer {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) details: Option<rpc::Status>,
    pub(crate) trailers_only: bool,
    pub(crate) body: Bytes,
}

fn rpc_code(name: &str) -> i32 {
    let codes = [
        Code::InvalidArgument,
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::Unimplemented,
        Code::Internal,
        Code::NotFound,
    ];
    codes.into_iter().find(|code| code.name() == name).unwrap().grpc()
}

pub(crate) fn percent_decoded(text: &str) -> String {
    form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes()).next().unwrap().1.into_owned()
}
