//! One implementation of a Google method, two wires.
//!
//! A service crate offers a [`Service`]: its methods by discovery id ([`Api`]), and [`Front`]s for hosts that speak something
//! else. [`assemble`] joins the services of one cloud into a [`HostTable`], which the gateway asks who answers at a host.
//!
//! A request of a Google API comes as gRPC or as JSON over HTTP, on the same port. Either is led to the same handler by the
//! table of `protos`: host, then verb and path or gRPC path. What all Google APIs have in common happens here, with Google's
//! answers ([`refusals`]): the checks `credential`, `scope` and `request` in this order, the JSON bridge with its system
//! parameters and its words for wrong fields, error bodies and gRPC statuses with typed details, the decision of every
//! call. `permission` and `resource` are the handler's, through its [`Call`]. A method that nobody plays answers 501
//! `UNIMPLEMENTED` on both wires and is counted in the cloud's [`Unplayed`](tokenrig_cloud::Unplayed).
//!
//! Sources: <https://cloud.google.com/apis/design/errors>, `google/api/http.proto`, the proto3 JSON mapping, measurements of
//! Google's answers named at each refusal.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::ManualClock;
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_protos::google::iam::credentials::v1::{SignBlobRequest, SignBlobResponse};
//! use tokenrig_wire::{Api, Call, Service, assemble};
//!
//! fn service() -> Service {
//!     let api = Api::new().on(
//!         "iamcredentials.projects.serviceAccounts.signBlob",
//!         |_call: Call, request: SignBlobRequest| async move {
//!             Ok(SignBlobResponse { key_id: "k".into(), signed_blob: request.payload })
//!         },
//!     );
//!     Service { name: "example", about: "signs blobs", api, fronts: Vec::new(), refusals: &[], assumptions: &[] }
//! }
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let hosts = assemble(&cloud, vec![service()]);
//! assert!(hosts.find("iamcredentials.googleapis.com:443").is_some());
//! assert!(hosts.find("iamcredentials.mtls.googleapis.com").is_some());
//! assert!(hosts.find("www.example.com").is_none());
//! ```

mod api;
mod call;
mod credential;
mod edge;
mod grpc;
mod hosts;
pub mod iam;
mod json;
mod mask;
pub mod operation;
mod page;
pub mod refusals;
mod rest;
mod service;
pub mod settings;

/// What all Google APIs have in common, in a line of the README, where services have theirs.
pub const ABOUT: &str = "what all Google APIs refuse alike: credentials, scopes, malformed requests, policies";

pub use crate::{
    api::{Api, with},
    call::Call,
    hosts::{HostTable, assemble},
    json::to_json,
    mask::{UnknownPath, merge},
    page::{Page, UnknownToken, page},
    rest::refuse,
    service::{Front, Hosts, Service},
};
