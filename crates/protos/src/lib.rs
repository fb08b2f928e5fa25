//! Google's public API messages, and the one table of Google methods.
//!
//! `proto/` holds a hand-written subset of Google's public protos: package names, field numbers, JSON names and routes are
//! Google's, the comments are ours. APIs that Google describes in discovery documents only (workload identity pools, Resource
//! Manager v1, allowed locations) have messages in a package of our own, with the same annotations; they are not served by
//! gRPC. What is under `src/generated` is made from `proto/` by `xtask/tests/tidy.rs`, which also keeps it current.
//!
//! [`table`] says of each [`Method`] where it lives: host, HTTP rules, gRPC path, request and answer message, scopes. `wire`
//! serves from it, the scenario format checks fields against it, the runner builds requests from it.
//!
//! ```
//! use tokenrig_protos::{Verb, google::iam::credentials::v1::GenerateIdTokenRequest, prost::Name, table};
//!
//! let path = "/v1/projects/-/serviceAccounts/caller%40shop-test.iam.gserviceaccount.com:generateIdToken";
//! let found = table().match_rest("iamcredentials.googleapis.com", Verb::Post, path).unwrap();
//! assert_eq!(found.method.id, "iamcredentials.projects.serviceAccounts.generateIdToken");
//! assert_eq!(found.method.input.full_name(), GenerateIdTokenRequest::full_name());
//! assert_eq!(found.values, [("name", "projects/-/serviceAccounts/caller@shop-test.iam.gserviceaccount.com".to_owned())]);
//! ```

mod collection;
mod method;
mod route;
mod table;
mod template;

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "made by prost-build")]
#[rustfmt::skip]
mod generated {
    include!("generated/mod.rs");
}

/// Messages that Google describes in public protos, by package.
pub use generated::google;
/// Messages of ours for APIs that Google describes in discovery documents only, and our options.
pub use generated::tokenrig;
/// The library of the generated messages.
pub use prost;
/// Reading messages by descriptor.
pub use prost_reflect;
/// Google's well-known messages: timestamps, durations, masks, `Any`.
pub use prost_types;

pub use crate::{
    collection::Collection,
    method::{Body, HttpRule, Method, Verb},
    route::{Host, RestMatch},
    table::{Table, pool, table},
    template::{PathTemplate, Segment, TemplateFault, Variable},
};
