//! A cloud with the account endpoints, and how to ask them.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request};
use serde_json::{Map, Value, json};
use tokenrig_accounts::Settings;
use tokenrig_clock::{Clock, ManualClock, SignedDuration};
use tokenrig_cloud::{Cloud, Foundation, NewAccount, ServiceAccount};
use tokenrig_decision::Record;
use tokenrig_jose::{Algorithm, SigningKey, protected_header, sign};
use tokenrig_wire::{HostTable, assemble};
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "https://oauth2.googleapis.com/token";
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const NOW: i64 = 1_768_467_600;
pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    clock: Arc<ManualClock>,
    hosts: HostTable,
    pub(crate) account: Arc<ServiceAccount>,
    /// A key that a user holds.
    pub(crate) key: SigningKey,
    pub(crate) key_id: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Rig {
    /// A cloud at 2026-01-15T09:00:00Z with the account `caller` and a key of it.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as _));
        let hosts = assemble(&cloud, vec![tokenrig_accounts::with_settings(&cloud, settings)]);
        let new = NewAccount { account: "caller".into(), ..NewAccount::default() };
        let account = cloud.accounts().create(new).unwrap();
        let created = cloud.accounts().create_key(&account).unwrap();
        Self { cloud, clock, hosts, account, key: created.private, key_id: created.key.id.clone() }
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance_to(self.clock.now() + by).unwrap();
    }

    pub(crate) fn last(&self) -> Record {
        self.cloud.decisions().last().unwrap()
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.ask("GET", url, &[], "").await
    }

    pub(crate) async fn ask(&self, verb: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(verb).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let router = self.hosts.find(request.uri().authority().unwrap().as_str()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The claims of a good assertion for an access token, changed.
    pub(crate) fn claims(&self, changes: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": self.account.email, "aud": TOKEN, "iat": NOW, "exp": NOW + 3600, "scope": CLOUD_PLATFORM,
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims.as_object().unwrap().clone()
    }

    /// An assertion by the account's key.
    pub(crate) fn assertion(&self, changes: Value) -> String {
        sign(&protected_header(Algorithm::Rs256, &self.key_id), &self.claims(changes), &self.key)
    }

    /// Sends an assertion as a form.
    pub(crate) async fn grant(&self, assertion: &str) -> Answer {
        self.grant_at(TOKEN, assertion).await
    }

    pub(crate) async fn grant_at(&self, url: &str, assertion: &str) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", JWT_BEARER), ("assertion", assertion)])
            .finish();
        self.ask("POST", url, &[("content-type", "application/x-www-form-urlencoded")], &form).await
    }
}
