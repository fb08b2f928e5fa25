//! Images behind Cloud Run services: a workload `{image: REF}` is a container of the Docker engine on this machine.
//!
//! A container gets what Cloud Run promises it (<https://cloud.google.com/run/docs/container-contract>): `PORT`,
//! `K_SERVICE`, `K_REVISION`, `K_CONFIGURATION`, the variables, command and arguments of the service's template, and
//! SIGTERM ten seconds before it is killed. Its port is published on loopback only. It is removed when it ends, when
//! another revision takes its place, and when the rig ends or is dropped; what is left behind after a killed process has
//! the label `dev.tokenrig.service`.
//!
//! The image must be there: nothing is pulled unless [`Pull::Missing`] was asked for. A container has a network of its
//! own, in which 127.0.0.1 is the container: what it calls at a rig that listens on loopback does not arrive.
//!
//! The engine is the one that `DOCKER_HOST` names, else the one at its usual socket. It must publish ports on this
//! machine's loopback.
//!
//! A rig learns the kind `image` from whoever builds it, so that nobody else pays for this crate:
//!
//! ```
//! use serde_json::json;
//! use tokenrig::Rig;
//! use tokenrig_containers::{Pull, images};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let rig = Rig::builder()
//!     .workload_kind("image", images(Pull::Never))
//!     .workload("orders", json!({ "image": "orders:latest" }))
//!     .start()
//!     .await;
//! # rig.stop().await;
//! # });
//! ```

mod container;
mod engine;
mod instance;
mod probe;
mod reference;

use std::sync::Arc;

use serde_json::Value;
use tokenrig_cloudrun::{Workload, WorkloadMaker};

pub use crate::engine::{EngineFault, engine};
use crate::{container::Container, reference::Reference};

/// What becomes of an image that the engine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// Nothing: requests are answered with 503, and the log says which image is missing.
    #[default]
    Never,
    /// The engine fetches it from its registry, when it is first needed. The time that takes counts as start-up.
    Missing,
}

/// Makes workloads of `{image: REF}`: for `RigBuilder::workload_kind("image", …)`.
///
/// `REF` is a reference as Docker reads it: `NAME`, `NAME:TAG`, `NAME@sha256:DIGEST` or an image's id, 512 bytes at most.
#[must_use]
pub fn images(pull: Pull) -> WorkloadMaker {
    Arc::new(move |told: &Value| {
        let image = Reference::told(told)?;
        Ok(Arc::new(Container::new(image, pull)) as Arc<dyn Workload>)
    })
}
