//! Verdicts with their reasons, and the wire answers that say no.
//!
//! Two audiences read a refusal. The client reads the wire form: Google's status, headers and words, nothing added.
//! The person reads the [`Decision`] that stands beside it: which [`Check`]s were made, in the order of judgement, what
//! each expected, what it found, and what would have made it pass. Every wire form is a [`Refusal`] constant with the
//! [`Evidence`] for it.
//!
//! ```
//! use tokenrig_decision::{Check, Decision, Evidence, Refusal, Wire};
//!
//! const TOO_LATE: Refusal = Refusal {
//!     ids: &["shop-token-late"],
//!     when: "the token's time is over",
//!     wire: Wire::OAuth { status: 400, error: "invalid_grant", description: "ID Token issued at {iat} is stale to sign-in." },
//!     evidence: Evidence::recorded("measured against Google", "2026-09-28", "full"),
//! };
//!
//! let decision = Decision::of("sts", "sts.token").check(|| {
//!     Check::named("times")
//!         .expected("expires after 10:00:00")
//!         .found("expired 09:59:00")
//!         .holds(false)
//!         .or_refuse(&TOO_LATE, "shop-token-late")
//!         .with("iat", "1768470000")
//!         .mend(|| "ask the provider for a new token".to_owned())
//! });
//! let refused = decision.verdict().unwrap_err();
//! assert_eq!(decision.failed().unwrap().name(), "times");
//! assert_eq!(refused.form().status, 400);
//! ```

mod check;
mod evidence;
mod matching;
mod record;
mod refusal;
mod shown;
mod wire;

pub use crate::{
    check::{Check, Decision},
    evidence::{Assumption, Evidence, Word},
    matching::{Difference, Seen},
    record::{Answer, CheckRecord, Record},
    refusal::{Refusal, Refused},
    wire::{Code, Detail, Form, Wire},
};
