//! One case's part of a project.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokenrig_clock::{Clock as _, SystemClock, real::pause};
use tokenrig_decision::Record;
use tokenrig_jose::{Jwk, JwkSet};
use tokenrig_runner::{Advanced, Answer, Facts, MintOrder, Placed, Received, Request, Site, SiteFault, Who};

use crate::{Live, credentials::Credentials, issuers::Issuers, reach::Reach};

/// The site of a case.
#[derive(Debug)]
pub(crate) struct LiveSite {
    /// What the id of everything given starts with.
    prefix: String,
    facts: Facts,
    issuers: Issuers,
    credentials: Arc<Credentials>,
    reach: Arc<Reach>,
    clock: SystemClock,
}

impl LiveSite {
    pub(crate) fn new(
        prefix: String,
        facts: Facts,
        issuers: Issuers,
        credentials: Arc<Credentials>,
        reach: Arc<Reach>,
    ) -> Self {
        let facts = Facts { issuers: issuers.facts(), ..facts };
        Self { prefix, facts, issuers, credentials, reach, clock: SystemClock::movable() }
    }

    async fn wait(&self, to: Timestamp) -> Result<Advanced, SiteFault> {
        // The runner has seen to it that this is no longer than it may be.
        let left = Duration::try_from(to.duration_since(self.now())).unwrap_or_default();
        pause(left).await;
        Ok(Advanced { now: self.now(), in_flight: Vec::new() })
    }
}

fn unsupported<T: Send + 'static>(why: &str) -> BoxFuture<'static, Result<T, SiteFault>> {
    let why = why.to_owned();
    async move { Err(SiteFault::Unsupported(why)) }.boxed()
}

impl Site for LiveSite {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.credentials.client().send(request).boxed()
    }

    fn place(&self, mut request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        // What only a rig understands is nothing for a project.
        request.headers.retain(|(name, _)| !name.starts_with("x-tokenrig-"));
        self.send(request)
    }

    fn mint(&self, order: MintOrder) -> BoxFuture<'_, Result<String, SiteFault>> {
        let minted = self.issuers.mint(&order, self.now());
        async move { minted }.boxed()
    }

    fn issuer_keys(&self, issuer: &str) -> Option<JwkSet> {
        self.issuers.published(issuer)
    }

    fn credentials(&self, who: Who) -> BoxFuture<'_, Result<String, SiteFault>> {
        self.credentials.token(who).boxed()
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, SiteFault>> {
        self.wait(to).boxed()
    }

    fn decisions(&self, _: u64) -> BoxFuture<'_, Option<Vec<Record>>> {
        async { None }.boxed()
    }

    fn received(&self, _: &str, _: u64) -> BoxFuture<'_, Result<Vec<Received>, SiteFault>> {
        unsupported(Live::NOTHING_RECEIVED)
    }

    fn environment(&self, _: &[String]) -> BoxFuture<'_, Result<Vec<(String, String)>, SiteFault>> {
        let variables = self.reach.variables.clone();
        async move { Ok(variables) }.boxed()
    }

    fn set_workload(&self, _: &str, workload: &Value) -> BoxFuture<'_, Result<(), SiteFault>> {
        match workload.as_str() {
            Some("echo") => async { Ok(()) }.boxed(),
            _ => unsupported("what is deployed answers, and not what a scenario says"),
        }
    }

    fn patch_issuer(&self, _: &str, _: &Map<String, Value>) -> BoxFuture<'_, Result<(), SiteFault>> {
        unsupported("an issuer only signs here")
    }

    fn rotate_keys(&self, _: &str) -> BoxFuture<'_, Result<(), SiteFault>> {
        unsupported("nobody replaces keys on command here")
    }

    fn placed(&self, collection: &str, id: &str, mut fields: Map<String, Value>) -> Result<Placed, SiteFault> {
        if collection.ends_with(".providers")
            && let Some(Value::Object(oidc)) = fields.get_mut("oidc")
            && !oidc.contains_key("jwksJson")
            && let Some(keys) =
                oidc.get("issuerUri").and_then(Value::as_str).and_then(|url| self.issuers.published(url))
        {
            let keys: Vec<_> = keys.keys().iter().map(Jwk::members).collect();
            oidc.insert("jwksJson".to_owned(), json!(json!({ "keys": keys }).to_string()));
        }
        Ok(Placed { id: format!("{}{id}", self.prefix), fields })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), SiteFault>> {
        async { Ok(()) }.boxed()
    }
}
