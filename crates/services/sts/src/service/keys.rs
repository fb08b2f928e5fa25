//! The keys of issuers: fetched by discovery and kept a while, or uploaded with the provider.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_cloud::{Cloud, Fetch, FetchLimits};
use tokenrig_jose::{JsonLimits, JwkSet, parse_object};

/// Issuers and uploaded sets that are remembered; their names come from outside.
const MOST_KEPT: usize = 1_000;
/// How many redirects are followed to an issuer's keys.
const MOST_REDIRECTS: usize = 3;
/// An unknown key id may ask an issuer again, but not more often than this.
const ASKED_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// Key sets of all issuers. Many exchanges that wait for one issuer share one fetch.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    fetch: Arc<dyn Fetch>,
    issuers: Mutex<BTreeMap<String, Arc<Slot>>>,
    uploaded: Mutex<BTreeMap<String, Arc<JwkSet>>>,
}

/// One issuer: what was last had of it, and how often it was asked.
#[derive(Debug, Default)]
struct Slot {
    asked: AtomicU64,
    kept: tokio::sync::Mutex<Option<Kept>>,
}

/// What was last had of one issuer.
#[derive(Debug)]
struct Kept {
    at: Timestamp,
    set: Result<Arc<JwkSet>, KeysFault>,
}

/// Why no key set could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeysFault {
    #[error("the uploaded key set cannot be read: {0}")]
    Uploaded(String),
    #[error("{url}: {why}")]
    Fetch { url: String, why: String },
}

impl IssuerKeys {
    pub(crate) fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, issuers: Mutex::default(), uploaded: Mutex::default() }
    }

    /// An uploaded set, parsed once.
    pub(crate) fn uploaded(&self, text: &str) -> Result<Arc<JwkSet>, KeysFault> {
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = uploaded.get(text) {
            return Ok(Arc::clone(set));
        }
        let set = JwkSet::parse(text.as_bytes()).map_err(|fault| KeysFault::Uploaded(fault.to_string()))?;
        if uploaded.len() >= MOST_KEPT {
            uploaded.clear();
        }
        let set = Arc::new(set);
        uploaded.insert(text.to_owned(), Arc::clone(&set));
        Ok(set)
    }

    /// The published set of an issuer: kept for `keys_kept` of the rig's clock, asked for again when it lacks `kid`.
    pub(crate) async fn published(
        &self,
        cloud: &Cloud,
        issuer: &str,
        kid: &str,
        keys_kept: SignedDuration,
    ) -> Result<Arc<JwkSet>, KeysFault> {
        let slot = self.slot(issuer);
        let asked_before = slot.asked.load(Ordering::Acquire);
        let mut kept = slot.kept.lock().await;
        let now = cloud.now();
        if let Some(Kept { at, set }) = &*kept {
            // Whoever waited while another asked takes that answer, good or bad.
            if slot.asked.load(Ordering::Acquire) != asked_before {
                return set.clone();
            }
            if let Ok(known) = set {
                let age = now.duration_since(*at);
                let limit = if known.find(kid).is_some() { keys_kept } else { ASKED_AGAIN_AFTER };
                if age < limit {
                    return set.clone();
                }
            }
        }
        let set = self.fetch(issuer).await.map(Arc::new);
        slot.asked.fetch_add(1, Ordering::AcqRel);
        *kept = Some(Kept { at: now, set: set.clone() });
        set
    }

    fn slot(&self, issuer: &str) -> Arc<Slot> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = issuers.get(issuer) {
            return Arc::clone(slot);
        }
        if issuers.len() >= MOST_KEPT {
            issuers.clear();
        }
        Arc::clone(issuers.entry(issuer.to_owned()).or_default())
    }

    /// Discovery, then the key set that it names. OpenID Connect Discovery 1.0, section 4.
    async fn fetch(&self, issuer: &str) -> Result<JwkSet, KeysFault> {
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let body = self.get(&discovery).await?;
        let fault = |url: &str, why: String| KeysFault::Fetch { url: url.to_owned(), why };
        let document = parse_object(&body, JsonLimits::default()).map_err(|why| fault(&discovery, why.to_string()))?;
        let named = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if named.trim_end_matches('/') != issuer.trim_end_matches('/') {
            return Err(fault(&discovery, format!("its `issuer` is `{named}`, not `{issuer}`")));
        }
        let jwks_uri = document.get("jwks_uri").and_then(Value::as_str).unwrap_or_default();
        let body = self.get(jwks_uri).await?;
        JwkSet::parse(&body).map_err(|why| fault(jwks_uri, why.to_string()))
    }

    /// Gets a URL, following a few redirects. Only https is asked.
    async fn get(&self, url: &str) -> Result<Vec<u8>, KeysFault> {
        let mut at = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let fault = |why: String| KeysFault::Fetch { url: at.clone(), why };
            if !at.starts_with("https://") {
                return Err(fault("it is no https URL".to_owned()));
            }
            let fetched = self.fetch.get(&at, FetchLimits::default()).await.map_err(|why| fault(why.to_string()))?;
            match (fetched.status, fetched.header("location")) {
                (200, _) => return Ok(fetched.body),
                (301 | 302 | 303 | 307 | 308, Some(next)) => at = next.to_owned(),
                (status, _) => return Err(fault(format!("status {status}"))),
            }
        }
        Err(KeysFault::Fetch { url: url.to_owned(), why: format!("more than {MOST_REDIRECTS} redirects") })
    }
}
