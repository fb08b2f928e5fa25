//! What reached the services, refused requests included.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use tokenrig_clock::Timestamp;
use tokenrig_jose::Map;

use crate::front::{redact::redact, tap::Copy};

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

/// A bounded list, newest last.
#[derive(Debug)]
pub(crate) struct Ring {
    most: usize,
    kept: Mutex<(u64, VecDeque<(Received, Copy)>)>,
}

impl Ring {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: Mutex::default() }
    }

    /// Keeps a request and gives it its number. Its body may still be on its way.
    pub(crate) fn keep(&self, mut received: Received, body: Copy) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &mut *kept;
        *last += 1;
        received.seq = *last;
        if ring.len() >= self.most {
            ring.pop_front();
        }
        ring.push_back((received, body));
    }

    /// What reached `service` after number `since`, oldest first.
    pub(crate) fn since(&self, service: &str, since: u64) -> Vec<Received> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<(Received, Copy)> =
            kept.1.iter().filter(|(one, _)| one.seq > since && one.service == service).cloned().collect();
        drop(kept);
        found.into_iter().map(|(one, body)| Received { body: shown(body.bytes()), ..one }).collect()
    }
}

/// A body without the tokens in it; bytes that are no text are what they are.
fn shown(body: Vec<u8>) -> Vec<u8> {
    String::from_utf8(body).map_or_else(std::string::FromUtf8Error::into_bytes, |text| redact(&text).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(service: &str) -> Received {
        Received {
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            service: service.to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            status: 200,
            token: None,
            signature: None,
            decision: 0,
        }
    }

    #[test]
    fn the_oldest_goes_when_the_ring_is_full_and_numbers_go_on() {
        let ring = Ring::new(2);
        for service in ["a", "b", "a", "a"] {
            ring.keep(received(service), Copy::default());
        }
        let seen: Vec<u64> = ring.since("a", 0).iter().map(|one| one.seq).collect();
        assert_eq!(seen, [3, 4]);
        assert_eq!(ring.since("a", 3).len(), 1);
    }
}
