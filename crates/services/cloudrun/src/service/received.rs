//! What reached the services, refused requests included.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, Version};
use tokenrig_clock::Timestamp;
use tokenrig_jose::Map;

use super::door::Shown;
use crate::{
    front::{kept::Kept, redact::redact, tap::Copy},
    model::Deployed,
};

/// A request that reached a service's door.
#[derive(Debug, Clone)]
pub struct Received {
    /// Counts all received requests of a rig from 1.
    pub seq: u64,
    /// When, on the rig's clock.
    pub at: Timestamp,
    /// The service, `projects/P/locations/L/services/S`.
    pub service: String,
    /// The verb.
    pub method: String,
    /// Path and query, as sent; tokens in it without their signatures.
    pub path: String,
    /// As the door saw them, tokens without their signatures; lower-case names, in order.
    pub headers: Vec<(String, String)>,
    /// The body as far as it has come and was kept; tokens in a text without their signatures.
    pub body: Vec<u8>,
    /// What was answered.
    pub status: u16,
    /// Header and claims of the token, if one could be opened.
    pub token: Option<(Map, Map)>,
    /// Whether the door found the signature good; `None` if it did not look.
    pub signature: Option<bool>,
    /// The number of the door's decision.
    pub decision: u64,
}

/// The same as it is kept: small, and made readable when somebody looks. The log of requests is made of it too.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    pub(crate) service: Arc<Deployed>,
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) path: Box<str>,
    pub(crate) headers: Kept,
    /// It may still be on its way.
    pub(crate) body: Copy,
    pub(crate) status: u16,
    pub(crate) token: Option<Shown>,
    pub(crate) signature: Option<bool>,
    pub(crate) decision: u64,
    /// The catalogue's id of the refusal, if it was one.
    pub(crate) refusal: Option<&'static str>,
    /// Whom the door let in, as a policy member.
    pub(crate) principal: Option<Arc<str>>,
}

impl Seen {
    fn received(&self, seq: u64) -> Received {
        Received {
            seq,
            at: self.at,
            service: self.service.canonical.clone(),
            method: self.method.as_str().to_owned(),
            path: redact(&self.path),
            headers: self.headers.told(self.token.as_ref()),
            body: shown(self.body.bytes()),
            status: self.status,
            token: self.token.as_ref().and_then(Shown::open),
            signature: self.signature,
            decision: self.decision,
        }
    }
}

/// A bounded list, newest last.
pub(crate) struct Ring {
    most: usize,
    kept: Mutex<(u64, VecDeque<Arc<Seen>>)>,
}

impl Ring {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: Mutex::default() }
    }

    /// Keeps a request; its number is one more than that of the one before.
    pub(crate) fn keep(&self, seen: Arc<Seen>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &mut *kept;
        *last += 1;
        let oldest = if ring.len() >= self.most { ring.pop_front() } else { None };
        ring.push_back(seen);
        drop(kept);
        // Not under the lock.
        drop(oldest);
    }

    /// What reached `service` after number `since`, oldest first.
    pub(crate) fn since(&self, service: &str, since: u64) -> Vec<Received> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &*kept;
        let first = last - ring.len() as u64 + 1;
        let numbered = (first..).zip(ring).filter(|(seq, seen)| *seq > since && seen.service.canonical == service);
        let found: Vec<(u64, Arc<Seen>)> = numbered.map(|(seq, seen)| (seq, Arc::clone(seen))).collect();
        drop(kept);
        found.into_iter().map(|(seq, seen)| seen.received(seq)).collect()
    }
}

/// A body without the tokens in it; bytes that are no text are what they are.
fn shown(body: Vec<u8>) -> Vec<u8> {
    String::from_utf8(body).map_or_else(std::string::FromUtf8Error::into_bytes, |text| redact(&text).into_bytes())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use tokenrig_clock::ManualClock;
    use tokenrig_cloud::{Cloud, Foundation};
    use tokenrig_protos::google::cloud::run::v2::Service;

    use super::*;
    use crate::{assumptions::Settings, model::ServiceName};

    fn seen(service: &str) -> Arc<Seen> {
        let name = ServiceName::parse(&named(service)).unwrap();
        let cloud = Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))));
        Arc::new(Seen {
            at: Timestamp::UNIX_EPOCH,
            service: Deployed::new(Service::default(), name, &cloud, &Settings::default()),
            method: Method::GET,
            version: Version::HTTP_11,
            path: "/a?t=eyJh.eyJz.c2ln".into(),
            headers: Kept::of(&HeaderMap::new(), None),
            body: Copy::default(),
            status: 200,
            token: Shown::of("e30.eyJzdWIiOiJhIn0.c2ln"),
            signature: None,
            decision: 0,
            refusal: None,
            principal: None,
        })
    }

    fn named(service: &str) -> String {
        format!("projects/shop-test/locations/us-central1/services/{service}")
    }

    #[test]
    fn the_oldest_goes_when_the_ring_is_full_and_numbers_go_on() {
        let ring = Ring::new(2);
        for service in ["a", "b", "a", "a"] {
            ring.keep(seen(service));
        }
        let numbers: Vec<u64> = ring.since(&named("a"), 0).iter().map(|one| one.seq).collect();
        assert_eq!(numbers, [3, 4]);
        assert_eq!(ring.since(&named("a"), 3).len(), 1);
    }

    #[test]
    fn what_is_told_of_a_request_holds_no_signature() {
        let ring = Ring::new(2);
        ring.keep(seen("a"));
        let told = ring.since(&named("a"), 0).remove(0);
        assert_eq!(told.path, "/a?t=eyJh.eyJz.…");
        assert_eq!(told.token.unwrap().1["sub"], "a");
    }
}
