//! One call of a method, as its implementation sees it.

use std::{
    fmt::{self, Debug},
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderMap;
use tokenrig_clock::Timestamp;
use tokenrig_cloud::{Caller, Cloud};
use tokenrig_decision::{Check, Decision, Refused};
use tokenrig_policy::{Attributes, Verdict};
use tokenrig_protos::{Method, Verb};

use crate::refusals;

/// Who calls what, and the decision that the answer will stand on. Clones are the same call.
#[derive(Clone)]
pub struct Call(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    caller: Caller,
    method: &'static Method,
    verb: Verb,
    headers: HeaderMap,
    now: Timestamp,
    decision: Mutex<Decision>,
}

impl Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.0.method.id).field("caller", &self.0.caller.identity).finish()
    }
}

impl Call {
    pub(crate) fn new(
        cloud: Cloud,
        caller: Caller,
        (method, verb): (&'static Method, Verb),
        headers: HeaderMap,
        now: Timestamp,
        decision: Decision,
    ) -> Self {
        Self(Arc::new(Inner { cloud, caller, method, verb, headers, now, decision: Mutex::new(decision) }))
    }

    /// The cloud that the call reached.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// What is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.0.method
    }

    /// The HTTP verb by which it came; by gRPC it is always POST.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.0.verb
    }

    /// The headers of the request, of gRPC the metadata. They hold the bearer token: never to be printed whole.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// When the call arrived. One instant for the whole call.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now
    }

    /// Adds a check to the decision.
    ///
    /// # Errors
    ///
    /// The check's refusal if it did not pass. A failed check that has none is a defect of the service: it lets nothing
    /// through either.
    pub fn check(&self, check: Check) -> Result<(), Refused> {
        let answer = match (check.ok(), check.refused()) {
            (true, _) => Ok(()),
            (false, Some(refused)) => Err(refused.clone()),
            (false, None) => Err(refusals::INTERNAL.refuse("api-internal")),
        };
        self.decide(|decision| decision.add(check));
        answer
    }

    /// Adds a check that only tells, whatever it found.
    pub fn note(&self, check: Check) {
        self.decide(|decision| decision.add(check.holds(true)));
    }

    /// Asks whether the caller has a permission on a resource (a full resource name), and adds the check `permission`.
    ///
    /// # Errors
    ///
    /// What `deny` makes, if the caller has not.
    pub fn permit(&self, permission: &str, resource: &str, deny: impl FnOnce() -> Refused) -> Result<Verdict, Refused> {
        let verdict = self.verdict(permission, resource);
        self.check(verdict.check(&self.0.caller.identity, permission).or_answer(deny))?;
        Ok(verdict)
    }

    /// Asks whether the caller has a permission, and adds no check: for methods that answer with what is permitted.
    #[must_use]
    pub fn verdict(&self, permission: &str, resource: &str) -> Verdict {
        self.0.cloud.permit(&self.0.caller, permission, resource, &Attributes::at(self.0.now))
    }

    /// The decision as it stands; the call is over.
    pub(crate) fn decision(&self) -> Decision {
        self.decide(|decision| std::mem::replace(decision, Decision::of("google-apis", "")))
    }

    fn decide<T>(&self, act: impl FnOnce(&mut Decision) -> T) -> T {
        // A handler that panicked has left a whole decision behind: checks are added in one step.
        act(&mut self.0.decision.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::{ManualClock, seconds};
    use tokenrig_cloud::{AccessTokenOrder, Foundation};
    use tokenrig_protos::table;

    use super::*;

    #[test]
    fn a_failed_check_without_an_answer_lets_nothing_through() {
        let cloud = Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at(Timestamp::UNIX_EPOCH))));
        let order = AccessTokenOrder { identity: cloud.owner().identity(), scopes: vec![], lifetime: seconds(60) };
        let caller = cloud.caller(cloud.mint().access_token(order).reveal()).unwrap();
        let method = table().by_id("iamcredentials.projects.serviceAccounts.signBlob").unwrap();
        let now = cloud.now();
        let call = Call::new(
            cloud,
            caller,
            (method, Verb::Post),
            HeaderMap::new(),
            now,
            Decision::of("google-apis", method.id),
        );
        assert_eq!(call.check(Check::named("request")), Ok(()));
        assert_eq!(call.check(Check::named("request").holds(false)).unwrap_err().id(), "api-internal");
    }
}
