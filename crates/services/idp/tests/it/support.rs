//! A rig's issuers, and how to ask them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Map, Value};
use tokenrig_clock::{Clock, ManualClock, SignedDuration};
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_idp::{IssuerSpec, Issuers, Settings, service};
use tower::ServiceExt;

pub(crate) struct Rig {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cloud: Cloud,
    pub(crate) issuers: Issuers,
    pub(crate) router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `Err` if the connection ended before the body did.
    pub(crate) body: Result<String, String>,
}

/// A rig with the issuer `corp` at its default address, at 2026-01-15T09:00:00Z.
pub(crate) fn rig() -> Rig {
    let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
    let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as _));
    let settings = Settings {
        slow: Duration::from_millis(30),
        upstream_deadline: Duration::from_millis(500),
        ..Settings::default()
    };
    let issuers = Issuers::with_settings(Arc::clone(&clock) as _, "7d3f", settings);
    issuers.add(IssuerSpec::new("corp")).unwrap();
    let router = service(&issuers, &cloud).fronts.remove(0).router;
    Rig { clock, cloud, issuers, router }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Rig {
    pub(crate) async fn send(&self, method: &str, url: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(url).body(body.into()).unwrap();
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send("GET", url, Body::empty()).await
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance_to(self.clock.now() + by).unwrap();
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 64 * 1024 * 1024).await.map_err(|fault| fault.to_string());
    let body = body.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    Answer { status: parts.status, headers: parts.headers, body }
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        self.body.as_deref().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
