//! The keys of issuers: fetched by discovery and kept a while, or uploaded with the provider.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokenrig_clock::{Timestamp, real::within};
use tokenrig_cloud::{Cloud, Fetch, FetchLimits};
use tokenrig_jose::{JsonLimits, JwkSet, parse_object};

use crate::assumptions::Settings;

/// Issuers that are remembered; their names come from outside.
const MOST_ISSUERS: usize = 1_000;
/// Uploaded sets that are remembered, each of up to a mebibyte.
const MOST_UPLOADED: usize = 64;
/// How many redirects are followed to each of the two documents of an issuer.
const MOST_REDIRECTS: usize = 3;

/// Key sets of all issuers. Many exchanges that wait for one issuer share one fetch.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    fetch: Arc<dyn Fetch>,
    issuers: Mutex<BTreeMap<String, Arc<Slot>>>,
    uploaded: Mutex<BTreeMap<String, Arc<JwkSet>>>,
}

/// One issuer.
#[derive(Debug, Default)]
struct Slot {
    /// The last set that was had. Nobody who finds a key in it waits for anybody.
    kept: RwLock<Option<Kept>>,
    /// How often the issuer has answered, or failed to.
    asked: AtomicU64,
    turn: tokio::sync::Mutex<Turn>,
}

#[derive(Debug)]
struct Kept {
    at: Timestamp,
    set: Arc<JwkSet>,
}

/// Who holds it asks; those who waited for it take its answer.
#[derive(Debug, Default)]
struct Turn {
    last: Option<Result<Arc<JwkSet>, KeysFault>>,
    /// When an unknown key id last made the issuer be asked.
    again: Option<Timestamp>,
}

/// Why no key set could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeysFault {
    #[error("the uploaded key set cannot be read: {0}")]
    Uploaded(String),
    #[error("{url}: {why}")]
    Fetch { url: String, why: String },
}

impl Slot {
    /// The kept set, if it is not too old.
    fn fresh(&self, now: Timestamp, settings: &Settings) -> Option<Arc<JwkSet>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| now.duration_since(kept.at) < settings.keys_kept)?;
        Some(Arc::clone(&kept.set))
    }
}

impl IssuerKeys {
    pub(crate) fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch, issuers: Mutex::default(), uploaded: Mutex::default() }
    }

    /// An uploaded set, parsed once.
    pub(crate) fn uploaded(&self, text: &str) -> Result<Arc<JwkSet>, KeysFault> {
        let uploaded = || self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = uploaded().get(text) {
            return Ok(Arc::clone(set));
        }
        // Not under the lock: others need not wait for thousands of keys.
        let set = JwkSet::parse(text.as_bytes()).map_err(|fault| KeysFault::Uploaded(fault.to_string()))?;
        let set = Arc::new(set);
        let mut uploaded = uploaded();
        if uploaded.len() >= MOST_UPLOADED {
            uploaded.clear();
        }
        uploaded.insert(text.to_owned(), Arc::clone(&set));
        Ok(set)
    }

    /// The published set of an issuer: kept for `keys_kept` of the rig's clock, asked for at once when it lacks `kid`,
    /// but not more often than each `asked_again_after`. A fault is not kept: who comes later asks again. A token
    /// without key id has no key, whatever the set; it does not make anybody ask.
    pub(crate) async fn published(
        &self,
        cloud: &Cloud,
        issuer: &str,
        kid: Option<&str>,
        settings: &Settings,
    ) -> Result<Arc<JwkSet>, KeysFault> {
        let slot = self.slot(issuer);
        let known = |set: &Arc<JwkSet>| kid.is_none_or(|kid| set.find(kid).is_some());
        if let Some(set) = slot.fresh(cloud.now(), settings).filter(known) {
            return Ok(set);
        }
        let asked_before = slot.asked.load(Ordering::Acquire);
        let mut turn = slot.turn.lock().await;
        if slot.asked.load(Ordering::Acquire) != asked_before
            && let Some(answer) = &turn.last
        {
            return answer.clone();
        }
        let now = cloud.now();
        if let Some(set) = slot.fresh(now, settings) {
            let too_soon = |again: Timestamp| now.duration_since(again) < settings.asked_again_after;
            if known(&set) || turn.again.is_some_and(too_soon) {
                return Ok(set);
            }
            turn.again = Some(now);
        }
        let answer = self.ask(issuer).await.map(Arc::new);
        if let Ok(set) = &answer {
            *slot.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Kept { at: now, set: Arc::clone(set) });
        }
        turn.last = Some(answer.clone());
        slot.asked.fetch_add(1, Ordering::AcqRel);
        answer
    }

    fn slot(&self, issuer: &str) -> Arc<Slot> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = issuers.get(issuer) {
            return Arc::clone(slot);
        }
        if issuers.len() >= MOST_ISSUERS {
            issuers.clear();
        }
        Arc::clone(issuers.entry(issuer.to_owned()).or_default())
    }

    /// Discovery, then the key set that it names. OpenID Connect Discovery 1.0, section 4.
    async fn ask(&self, issuer: &str) -> Result<JwkSet, KeysFault> {
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        // Each answer has the same deadline; redirects do not make it longer.
        let limit = FetchLimits::default().deadline;
        let asked = within(limit, async {
            let body = self.get(&discovery).await?;
            let limits = JsonLimits { bytes: FetchLimits::default().body, ..JsonLimits::default() };
            let fault = |why: String| KeysFault::Fetch { url: discovery.clone(), why };
            let document = parse_object(&body, limits).map_err(|why| fault(why.to_string()))?;
            let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
            if text("issuer").trim_end_matches('/') != issuer.trim_end_matches('/') {
                return Err(fault(format!("its `issuer` is not `{issuer}`")));
            }
            let jwks_uri = text("jwks_uri");
            if jwks_uri.is_empty() {
                return Err(fault("it has no `jwks_uri`".to_owned()));
            }
            let body = self.get(jwks_uri).await?;
            JwkSet::parse(&body).map_err(|why| KeysFault::Fetch { url: jwks_uri.to_owned(), why: why.to_string() })
        });
        let late = |_| KeysFault::Fetch { url: discovery.clone(), why: format!("no keys within {limit:?}") };
        asked.await.map_err(late)?
    }

    /// Gets a URL, following a few redirects. Only https is asked.
    async fn get(&self, url: &str) -> Result<Vec<u8>, KeysFault> {
        let mut at = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let fault = |why: String| KeysFault::Fetch { url: at.clone(), why };
            if !is_https(&at) {
                return Err(fault("it is no https URL".to_owned()));
            }
            let fetched = self.fetch.get(&at, FetchLimits::default()).await.map_err(|why| fault(why.to_string()))?;
            match (fetched.status, fetched.header("location")) {
                (200, _) => return Ok(fetched.body),
                (301 | 302 | 303 | 307 | 308, Some(next)) => at = resolve(&at, next),
                (status, _) => return Err(fault(format!("status {status}"))),
            }
        }
        Err(KeysFault::Fetch { url: url.to_owned(), why: format!("more than {MOST_REDIRECTS} redirects") })
    }
}

const HTTPS: &str = "https://";

fn is_https(url: &str) -> bool {
    url.get(..HTTPS.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
}

/// Where a redirect leads: to a URL, or to a path of the same host.
fn resolve(at: &str, next: &str) -> String {
    if next.starts_with('/') && !next.starts_with("//") {
        let host = at.get(HTTPS.len()..).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        return format!("{HTTPS}{host}{next}");
    }
    next.to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://b.example/keys", "https://b.example/keys")]
    #[case("/keys?x=1", "https://a.example:8443/keys?x=1")]
    #[case("//b.example/keys", "//b.example/keys")]
    #[case("keys", "keys")]
    fn a_redirect_leads_to_a_url_or_to_a_path_of_its_host(#[case] next: &str, #[case] expected: &str) {
        assert_eq!(resolve("https://a.example:8443/.well-known/openid-configuration", next), expected);
    }

    #[rstest]
    #[case("https://a.example", true)]
    #[case("HTTPS://a.example", true)]
    #[case("http://a.example", false)]
    #[case("//a.example", false)]
    #[case("é", false)]
    fn only_https_is_asked(#[case] url: &str, #[case] ok: bool) {
        assert_eq!(is_https(url), ok);
    }
}
