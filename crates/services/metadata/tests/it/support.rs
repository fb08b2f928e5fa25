//! A machine, and how to ask its metadata server.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, Request};
use serde_json::Value;
use tokenrig_clock::{Clock, ManualClock, SignedDuration};
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_metadata::Settings;
use tower::ServiceExt;

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    clock: Arc<ManualClock>,
    router: Router,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Rig {
    /// The owner's machine, at 2026-01-15T09:00:00Z.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as _));
        let router = tokenrig_metadata::router(&cloud, &cloud.owner_email(), settings);
        Self { cloud, clock, router }
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance_to(self.clock.now() + by).unwrap();
    }

    /// A path under `/computeMetadata/v1/`, with the header.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", &format!("/computeMetadata/v1/{path}"), &[("metadata-flavor", "Google")]).await
    }

    pub(crate) async fn ask(&self, verb: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(verb).uri(format!("http://127.0.0.1:4711{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text };
        assert_eq!(answer.header("metadata-flavor"), "Google", "{answer:?}");
        assert_eq!(answer.header("server"), "Metadata Server for VM");
        answer
    }
}
