//! Checks, and the decision that they make together.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    evidence::Evidence,
    refusal::{Refusal, Refused},
    shown::Shown,
    wire::{Code, Wire},
};

/// What a failed check answers that has no answer of its own.
const NO_ANSWER: Refusal = Refusal {
    ids: &["check-without-answer"],
    when: "a check failed and names no refusal: a defect of the service",
    wire: Wire::Status {
        code: Code::Internal,
        message: "Internal error encountered.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("the usual words of Google's APIs for faults of their own"),
};

/// One question that a decision asks, with what it expected and what it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    name: &'static str,
    ok: bool,
    expected: Shown,
    found: Shown,
    /// Most checks pass, and have none.
    failure: Option<Box<Failure>>,
}

/// What stands beside a check that failed.
#[derive(Debug, Clone, Default, PartialEq)]
struct Failure {
    refused: Option<Refused>,
    mend: Option<String>,
}

impl Check {
    /// A check by its public name. It holds until told otherwise.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self { name, ok: true, expected: Shown::default(), found: Shown::default(), failure: None }
    }

    /// What would let it pass: a whole value, never a token or key.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<Value>) -> Self {
        self.expected = Shown::of(expected.into());
        self
    }

    /// As [`expected`](Self::expected), made when somebody looks: for a value that costs something to make. What it is
    /// made of is kept as long as the decision: small things, and nothing that others change.
    #[must_use]
    pub fn expects(mut self, make: impl Fn() -> Value + Clone + Send + Sync + 'static) -> Self {
        self.expected = Shown::made(make);
        self
    }

    /// What was there: a whole value, never a token or key; null where there was nothing.
    #[must_use]
    pub fn found(mut self, found: impl Into<Value>) -> Self {
        self.found = Shown::of(found.into());
        self
    }

    /// As [`found`](Self::found), made when somebody looks: for a value that costs something to make. What it is made of
    /// is kept as long as the decision: small things, and nothing that others change.
    #[must_use]
    pub fn finds(mut self, make: impl Fn() -> Value + Clone + Send + Sync + 'static) -> Self {
        self.found = Shown::made(make);
        self
    }

    /// Whether it passes.
    #[must_use]
    pub fn holds(mut self, ok: bool) -> Self {
        self.ok = ok;
        self
    }

    /// The answer if it does not pass.
    #[must_use]
    pub fn or_refuse(mut self, refusal: &'static Refusal, id: &'static str) -> Self {
        if !self.ok {
            self.failure.get_or_insert_default().refused = Some(refusal.refuse(id));
        }
        self
    }

    /// The answer if it does not pass, made by somebody who knows its arguments.
    #[must_use]
    pub fn or_answer(mut self, answer: impl FnOnce() -> Refused) -> Self {
        if !self.ok {
            self.failure.get_or_insert_default().refused = Some(answer());
        }
        self
    }

    /// An argument of the answer given by [`or_refuse`](Self::or_refuse).
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Some(failure) = &mut self.failure {
            failure.refused = failure.refused.take().map(|refused| refused.with(name, value));
        }
        self
    }

    /// What would have made it pass, in a sentence with Google's names; made only if it failed.
    #[must_use]
    pub fn mend(mut self, mend: impl FnOnce() -> String) -> Self {
        if !self.ok {
            self.failure.get_or_insert_default().mend = Some(mend());
        }
        self
    }

    /// Its public name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it passed.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.ok
    }

    /// What would let it pass.
    #[must_use]
    pub fn expectation(&self) -> &Value {
        self.expected.get()
    }

    /// What was there.
    #[must_use]
    pub fn finding(&self) -> &Value {
        self.found.get()
    }

    /// The answer, if it failed.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        self.failure.as_ref()?.refused.as_ref()
    }

    /// What would have made it pass, if it failed.
    #[must_use]
    pub fn mending(&self) -> Option<&str> {
        self.failure.as_ref()?.mend.as_deref()
    }
}

/// A verdict with its reasons: all checks that could be made, in order. The first that failed gives the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    surface: &'static str,
    of: Cow<'static, str>,
    checks: Vec<Check>,
}

impl Decision {
    /// An empty decision of a surface (a surface word of the refusal catalogue) about one of its methods, in Google's spelling.
    #[must_use]
    pub fn of(surface: &'static str, of: impl Into<Cow<'static, str>>) -> Self {
        Self { surface, of: of.into(), checks: Vec::with_capacity(8) }
    }

    /// Makes a check and adds it.
    #[must_use]
    pub fn check(mut self, check: impl FnOnce() -> Check) -> Self {
        self.checks.push(check());
        self
    }

    /// Adds a check that was made elsewhere and says whether it passed.
    pub fn add(&mut self, check: Check) -> bool {
        let ok = check.ok;
        self.checks.push(check);
        ok
    }

    /// The surface word.
    #[must_use]
    pub fn surface(&self) -> &'static str {
        self.surface
    }

    /// The method, in Google's spelling.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.of
    }

    /// All checks, in order of judgement.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The check that gives the answer, if one failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.ok)
    }

    /// The answer: nothing, or the refusal of the first check that failed.
    ///
    /// # Errors
    ///
    /// The refusal. A failed check without one is a defect of the service: it lets nothing through and answers as a fault
    /// of the server, and a debug build panics.
    pub fn verdict(&self) -> Result<(), Refused> {
        match self.failed() {
            None => Ok(()),
            Some(check) => {
                debug_assert!(check.refused().is_some(), "check `{}` failed and has no refusal", check.name);
                Err(check.refused().cloned().unwrap_or_else(|| NO_ANSWER.refuse("check-without-answer")))
            }
        }
    }
}
