//! Every attempt that was made: what was sent, with which token, what came back, what follows.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_decision::Decision;

use crate::{
    order::{Order, Target},
    outcome::{Follows, Outcome},
    tokens::About,
};

/// What decisions about attempts are about.
const ATTEMPT: &str = "attempt";

/// An attempt, kept by the log and by the decision about it: values, of which JSON is made when somebody looks.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    pub(crate) service: &'static str,
    pub(crate) order: Order,
    /// Of the token, if one was ordered.
    pub(crate) about: Option<Arc<About>>,
    ended: OnceLock<Ended>,
}

/// How an attempt ended, and what follows.
#[derive(Debug)]
struct Ended {
    at: Timestamp,
    outcome: Outcome,
    follows: Follows,
}

impl Attempt {
    pub(crate) fn new(at: Timestamp, service: &'static str, order: Order, about: Option<Arc<About>>) -> Self {
        Self { at, service, order, about, ended: OnceLock::new() }
    }

    /// Says how it ended.
    pub(crate) fn end(&self, at: Timestamp, outcome: Outcome, follows: Follows) {
        // It ends once.
        let _ = self.ended.set(Ended { at, outcome, follows });
    }

    /// How it was decided: by the checks of its token, and by what came of it.
    pub(crate) fn decision(&self) -> Decision {
        let mut decision = Decision::of(self.service, ATTEMPT);
        for check in self.about.iter().flat_map(|about| &about.checks) {
            decision.add(check.clone());
        }
        // A token that could not be made has failed its own check already.
        if let Some(ended) = self.ended.get().filter(|_| decision.failed().is_none()) {
            decision.add(ended.outcome.check(self.order.target.address()));
        }
        decision
    }
}

/// The log of one rig.
#[derive(Debug)]
pub(crate) struct Log {
    most: usize,
    /// The number of the newest, and all that are kept, oldest first.
    kept: Mutex<(u64, VecDeque<Arc<Attempt>>)>,
}

impl Log {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), kept: Mutex::default() }
    }

    /// Enters an attempt that begins, and gives its number.
    pub(crate) fn begin(&self, attempt: Arc<Attempt>) -> u64 {
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, ring) = &mut *guard;
        if ring.len() >= self.most {
            ring.pop_front();
        }
        ring.push_back(attempt);
        *last += 1;
        *last
    }

    /// The kept attempts after number `seq`, oldest first, as the control address tells them.
    pub(crate) fn since(&self, seq: u64) -> Vec<Value> {
        let kept: Vec<(u64, Arc<Attempt>)> = {
            let guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let first = guard.0 + 1 - guard.1.len() as u64;
            (first..).zip(&guard.1).filter(|(number, _)| *number > seq).map(|(n, kept)| (n, Arc::clone(kept))).collect()
        };
        kept.into_iter().map(|(number, kept)| told(number, &kept)).collect()
    }
}

fn told(seq: u64, kept: &Attempt) -> Value {
    let token = kept.about.as_ref().and_then(|about| about.told.as_ref());
    let (method, url, headers, bytes) = match &kept.order.target {
        Target::Http(request) => {
            let headers = request.headers.iter().map(|(name, value)| (name.to_string(), json!(&**value)));
            let mut headers: Map<String, Value> = headers.collect();
            if token.is_some() {
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
        "token": token,
        "next": Value::Null,
    });
    match kept.ended.get() {
        None => told["inFlight"] = json!(true),
        Some(Ended { at, outcome, follows }) => {
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
    use tokenrig_decision::Check;

    use super::*;
    use crate::order::Outgoing;

    fn order() -> Order {
        Order {
            resource: "projects/p/locations/l/jobs/j".into(),
            ticket: 1,
            target: Target::Http(Outgoing {
                method: Method::POST,
                url: "https://orders.example.com/tick".into(),
                headers: vec![("X-CloudScheduler".into(), "true".into())].into(),
                body: Bytes::from_static(b"abc"),
            }),
            token: None,
            deadline: seconds(180),
            redirects: 0,
        }
    }

    fn attempt(at: Timestamp, about: Option<Arc<About>>) -> Arc<Attempt> {
        Arc::new(Attempt::new(at, "cloudscheduler", order(), about))
    }

    #[test]
    fn an_attempt_is_told_with_what_was_sent_what_came_back_and_what_follows() {
        let log = Log::new(10);
        let at: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let told = Some(json!({ "header": { "alg": "RS256" }, "claims": { "aud": "x" } }));
        let attempt = attempt(at, Some(Arc::new(About { told, checks: vec![Check::named("agent")] })));
        log.begin(Arc::clone(&attempt));
        assert_eq!(log.since(0)[0]["inFlight"], true);
        let outcome = Outcome::Answered { status: 503, retry_after: None };
        attempt.end(at + seconds(1), outcome, Follows::Retry(at + seconds(6)));
        let expected = json!({
            "seq": 1, "at": "2026-01-15T09:00:00Z", "service": "cloudscheduler",
            "resource": "projects/p/locations/l/jobs/j", "method": "POST", "url": "https://orders.example.com/tick",
            "headers": { "X-CloudScheduler": "true", "Authorization": "Bearer …" }, "bodyBytes": 3, "status": 503,
            "token": { "header": { "alg": "RS256" }, "claims": { "aud": "x" } }, "next": "2026-01-15T09:00:06Z",
            "ended": "2026-01-15T09:00:01Z", "code": "UNAVAILABLE", "follows": "retry",
        });
        assert_eq!(log.since(0), [expected]);
        let decision = attempt.decision();
        let checks: Vec<_> = decision.checks().iter().map(|check| (check.name(), check.ok())).collect();
        assert_eq!(checks, [("agent", true), ("target", false)]);
    }

    #[test]
    fn without_a_token_that_was_made_there_is_no_header_and_no_target() {
        let log = Log::new(10);
        let checks = vec![Check::named("agent").holds(false)];
        let attempt = attempt(Timestamp::UNIX_EPOCH, Some(Arc::new(About { told: None, checks })));
        log.begin(Arc::clone(&attempt));
        attempt.end(Timestamp::UNIX_EPOCH, Outcome::Stopped, Follows::GivenUp);
        let told = log.since(0).remove(0);
        assert_eq!((&told["headers"]["Authorization"], &told["token"]), (&Value::Null, &Value::Null));
        assert_eq!(attempt.decision().checks().len(), 1);
    }

    #[test]
    fn the_oldest_go_and_an_end_that_comes_after_is_no_harm() {
        let log = Log::new(2);
        let attempts: Vec<_> = (0..5).map(|_| attempt(Timestamp::UNIX_EPOCH, None)).collect();
        for attempt in &attempts {
            log.begin(Arc::clone(attempt));
        }
        for seq in [1, 4] {
            attempts[seq - 1].end(Timestamp::UNIX_EPOCH, Outcome::Stopped, Follows::GivenUp);
        }
        let told = log.since(0);
        assert_eq!(told.iter().map(|one| one["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((&told[0]["follows"], &told[1]["inFlight"]), (&json!("given up"), &json!(true)));
        assert_eq!(log.since(4).len(), 1);
    }
}
