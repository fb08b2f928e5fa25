//! Every attempt that was made: what was sent, with which token, what came back, what follows.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;

use crate::{
    order::{Order, Target},
    outcome::{Follows, Outcome},
};

/// An attempt as it is kept; it becomes JSON only when somebody reads it.
#[derive(Debug, Clone)]
struct Kept {
    at: Timestamp,
    service: &'static str,
    order: Order,
    token: Option<Arc<Value>>,
    ended: Option<(Timestamp, Outcome, Follows)>,
}

/// The log of one rig.
#[derive(Debug)]
pub(crate) struct Log {
    most: usize,
    /// The number of the newest, and all that are kept, oldest first.
    kept: Mutex<(u64, VecDeque<Kept>)>,
}

impl Log {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: Mutex::default() }
    }

    /// Enters an attempt that begins, and gives its number.
    pub(crate) fn begin(&self, at: Timestamp, service: &'static str, order: &Order, token: Option<Arc<Value>>) -> u64 {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &mut *guard;
        if ring.len() >= self.most {
            ring.pop_front();
        }
        ring.push_back(Kept { at, service, order: order.clone(), token, ended: None });
        *last += 1;
        *last
    }

    /// Says how an attempt ended, if it is still kept.
    pub(crate) fn end(&self, seq: u64, at: Timestamp, outcome: Outcome, follows: Follows) {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &mut *guard;
        let first = *last + 1 - ring.len() as u64;
        let index = seq.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(kept) = index.and_then(|index| ring.get_mut(index)) {
            kept.ended = Some((at, outcome, follows));
        }
    }

    /// The kept attempts after number `seq`, oldest first, as the control address tells them.
    pub(crate) fn since(&self, seq: u64) -> Vec<Value> {
        let kept: Vec<(u64, Kept)> = {
            let guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let first = guard.0 + 1 - guard.1.len() as u64;
            (first..).zip(&guard.1).filter(|(number, _)| *number > seq).map(|(n, kept)| (n, kept.clone())).collect()
        };
        kept.into_iter().map(|(number, kept)| told(number, &kept)).collect()
    }
}

fn told(seq: u64, kept: &Kept) -> Value {
    let (method, url, headers, bytes) = match &kept.order.target {
        Target::Http(request) => {
            let headers = request.headers.iter().map(|(name, value)| (name.to_string(), json!(&**value)));
            let mut headers: Map<String, Value> = headers.collect();
            if kept.token.is_some() {
                // What the token says stands under `token`.
                headers.insert("Authorization".to_owned(), json!("Bearer …"));
            }
            (json!(request.method.as_str()), json!(&*request.url), Value::Object(headers), request.body.len())
        }
        Target::Topic(message) => (Value::Null, json!(&*message.topic), json!({}), message.data.len()),
    };
    let mut told = json!({
        "seq": seq,
        "at": kept.at.to_string(),
        "service": kept.service,
        "resource": &*kept.order.resource,
        "method": method,
        "url": url,
        "headers": headers,
        "bodyBytes": bytes,
        "status": Value::Null,
        "token": kept.token.as_deref().cloned().unwrap_or_default(),
        "next": Value::Null,
    });
    match &kept.ended {
        None => told["inFlight"] = json!(true),
        Some((at, outcome, follows)) => {
            told["ended"] = json!(at.to_string());
            told["status"] = json!(outcome.status());
            told["code"] = json!(outcome.code().map_or("OK", tokenrig_decision::Code::name));
            if let Some(why) = outcome.why() {
                told["why"] = json!(why);
            }
            told["follows"] = json!(follows.word());
            told["next"] = json!(follows.at().map(|at| at.to_string()));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Method;
    use tokenrig_clock::seconds;

    use super::*;
    use crate::order::Outgoing;

    fn order() -> Order {
        Order {
            resource: "projects/p/locations/l/jobs/j".into(),
            ticket: 1,
            target: Target::Http(Outgoing {
                method: Method::POST,
                url: "https://orders.example.com/tick".into(),
                headers: vec![("X-CloudScheduler".into(), "true".into())],
                body: Bytes::from_static(b"abc"),
            }),
            token: None,
            deadline: seconds(180),
            redirects: 0,
        }
    }

    #[test]
    fn an_attempt_is_told_with_what_was_sent_what_came_back_and_what_follows() {
        let log = Log::new(10);
        let at: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let claims = Arc::new(json!({ "header": { "alg": "RS256" }, "claims": { "aud": "x" } }));
        let seq = log.begin(at, "cloudscheduler", &order(), Some(claims));
        assert_eq!(log.since(0)[0]["inFlight"], true);
        let outcome = Outcome::Answered { status: 503, retry_after: None };
        log.end(seq, at + seconds(1), outcome, Follows::Retry(at + seconds(6)));
        let expected = json!({
            "seq": 1, "at": "2026-01-15T09:00:00Z", "service": "cloudscheduler",
            "resource": "projects/p/locations/l/jobs/j", "method": "POST", "url": "https://orders.example.com/tick",
            "headers": { "X-CloudScheduler": "true", "Authorization": "Bearer …" }, "bodyBytes": 3, "status": 503,
            "token": { "header": { "alg": "RS256" }, "claims": { "aud": "x" } }, "next": "2026-01-15T09:00:06Z",
            "ended": "2026-01-15T09:00:01Z", "code": "UNAVAILABLE", "follows": "retry",
        });
        assert_eq!(log.since(0), [expected]);
    }

    #[test]
    fn the_oldest_go_and_an_end_that_comes_after_is_no_harm() {
        let log = Log::new(2);
        let at = Timestamp::UNIX_EPOCH;
        for _ in 0..5 {
            log.begin(at, "cloudtasks", &order(), None);
        }
        for seq in [1, 4, 9] {
            log.end(seq, at, Outcome::Stopped, Follows::GivenUp);
        }
        let told = log.since(0);
        assert_eq!(told.iter().map(|one| one["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((&told[0]["follows"], &told[1]["inFlight"]), (&json!("given up"), &json!(true)));
        assert_eq!(log.since(4).len(), 1);
    }
}
