//! A service on a cloud of its own, an issuer that signs for it, and hosts that answer as a test says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderMap, Request, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokenrig_clock::{Clock, ManualClock, SharedClock, SignedDuration};
use tokenrig_cloud::{
    Cloud, Fetch, FetchFault, FetchLimits, Fetched, Foundation, IdentityPool, Oidc, Provider, ProviderConfig,
};
use tokenrig_decision::Record;
use tokenrig_jose::{JwkSet, SigningKey, pool, protected_header, sign};
use tokenrig_policy::PoolRef;
use tokenrig_sts::Settings;
use tower::ServiceExt;

pub(crate) const ISSUER: &str = "https://login.corp.example";
pub(crate) const DISCOVERY: &str = "https://login.corp.example/.well-known/openid-configuration";
pub(crate) const CERTS: &str = "https://login.corp.example/certs";
pub(crate) const KID: &str = "corp-1";
pub(crate) const PROVIDER: &str =
    "projects/1071284184436/locations/global/workloadIdentityPools/partners/providers/corp";
pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Hosts as a test has them: what each URL answers, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    answers: Mutex<BTreeMap<String, Result<Fetched, FetchFault>>>,
    asked: Mutex<Vec<String>>,
}

impl Hosts {
    pub(crate) fn put(&self, url: &str, answer: Result<Fetched, FetchFault>) {
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    /// How often a URL was asked.
    pub(crate) fn asked(&self, url: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == url).count()
    }
}

impl Fetch for Hosts {
    fn get<'a>(&'a self, url: &'a str, _: FetchLimits) -> BoxFuture<'a, Result<Fetched, FetchFault>> {
        async move {
            self.asked.lock().unwrap().push(url.to_owned());
            // Others get their turn, as they do while a network answers.
            tokio::task::yield_now().await;
            let unknown = || Err(FetchFault::UnknownHost(url.to_owned()));
            self.answers.lock().unwrap().get(url).cloned().unwrap_or_else(unknown)
        }
        .boxed()
    }
}

pub(crate) fn page(status: u16, body: impl Into<Vec<u8>>) -> Result<Fetched, FetchFault> {
    Ok(Fetched { status, headers: Vec::new(), body: body.into() })
}

pub(crate) fn redirect(to: &str) -> Result<Fetched, FetchFault> {
    Ok(Fetched { status: 302, headers: vec![("location".to_owned(), to.to_owned())], body: Vec::new() })
}

pub(crate) fn certs(keys: &[(&str, &SigningKey)]) -> Result<Fetched, FetchFault> {
    let set: JwkSet = keys.iter().map(|(kid, key)| key.public().to_jwk(kid)).collect();
    page(200, serde_json::to_vec(&set).unwrap())
}

pub(crate) struct Rig {
    pub(crate) cloud: Cloud,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hosts: Arc<Hosts>,
    router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, Settings::default())
    }

    /// A rig with one provider, whose issuer publishes one RSA key.
    pub(crate) fn with(change: impl FnOnce(&mut Foundation), settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let mut foundation = Foundation::on(Arc::clone(&clock) as SharedClock);
        change(&mut foundation);
        let cloud = Cloud::new(foundation);
        let hosts = Arc::new(Hosts::default());
        hosts.put(DISCOVERY, page(200, json!({ "issuer": ISSUER, "jwks_uri": CERTS }).to_string()));
        hosts.put(CERTS, certs(&[(KID, signer())]));
        let service = tokenrig_sts::service(&cloud, Arc::clone(&hosts) as Arc<dyn Fetch>, settings);
        let table = tokenrig_wire::assemble(&cloud, vec![service]);
        let router = table.find("sts.googleapis.com:443").unwrap();
        let rig = Self { cloud, clock, hosts, router };
        let pool = rig.cloud.pools().create(IdentityPool::named(pool_name())).unwrap();
        let provider = Provider {
            attribute_mapping: vec![("google.subject".to_owned(), "assertion.sub".to_owned())],
            config: ProviderConfig::Oidc(Oidc { issuer_uri: ISSUER.to_owned(), ..Oidc::default() }),
            ..Provider::named(pool, "corp")
        };
        rig.cloud.pools().create_provider(&pool_name(), provider).unwrap();
        rig
    }

    pub(crate) fn provider(&self, change: impl FnOnce(&mut Provider)) {
        self.cloud.pools().update_provider(&pool_name(), "corp", change).unwrap();
    }

    pub(crate) fn oidc(&self, change: impl FnOnce(&mut Oidc)) {
        self.provider(|provider| match &mut provider.config {
            ProviderConfig::Oidc(oidc) => change(oidc),
            other => panic!("{other:?}"),
        });
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        self.clock.advance_to(self.clock.now() + by).unwrap();
    }

    /// Claims that pass every check.
    pub(crate) fn claims(&self) -> Value {
        let now = self.clock.now().as_second();
        let aud = format!("https://iam.googleapis.com/{PROVIDER}");
        json!({ "iss": ISSUER, "sub": "alice", "aud": aud, "iat": now, "exp": now + 3600 })
    }

    /// A good token with some claims changed; null takes one away.
    pub(crate) fn token(&self, change: Value) -> String {
        self.token_by(KID, signer(), change)
    }

    pub(crate) fn token_by(&self, kid: &str, key: &SigningKey, change: Value) -> String {
        let mut claims = self.claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        sign(&protected_header(key.algorithm(), kid), claims.as_object().unwrap(), key)
    }

    pub(crate) async fn exchange(&self, token: &str) -> Answer {
        self.form("/v1/token", &good(token)).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form(fields);
        self.post(path, &[(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")], body).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&bytes)));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The newest decision.
    pub(crate) fn last(&self) -> Record {
        self.cloud.decisions().last().unwrap()
    }

    /// The check that failed first, and the refusal's id.
    pub(crate) fn refused(&self) -> (String, String) {
        let last = self.last();
        let failed = last.failed().map(|check| check.name.clone()).unwrap_or_default();
        (failed, last.refusal.unwrap_or_default())
    }
}

pub(crate) fn signer() -> &'static SigningKey {
    pool::rsa(10)
}

pub(crate) fn pool_name() -> PoolRef {
    PoolRef::workload("1071284184436", "partners")
}

/// The fields that clients send.
pub(crate) fn good(token: &str) -> [(&str, &str); 6] {
    const AUDIENCE: &str =
        "//iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/partners/providers/corp";
    [
        ("grant_type", EXCHANGE),
        ("audience", AUDIENCE),
        ("scope", "https://www.googleapis.com/auth/iam"),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token", token),
        ("subject_token_type", JWT),
    ]
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
