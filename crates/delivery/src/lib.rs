//! What Cloud Scheduler, Cloud Tasks and Pub/Sub push share: work that falls due on the rig's clock, attempts, back-off,
//! and the token that goes with each.
//!
//! A service is a [`Source`]: it says what falls due first ([`Due`]), gives the attempt that is to be made ([`Order`]), and is
//! told how it ended ([`Outcome`]), whereupon it says what [`Follows`]. [`Deliveries`] does all between: it asks whether the
//! service's agent may make the token, takes it from `cloud`'s mint, keeps it for the next attempt, sends the request by the
//! [`Carrier`] that whoever composes the rig brings, cuts it at its deadline, and enters it in the log of attempts. Each
//! attempt leaves a decision with the checks `agent account audience target`.
//!
//! While a clock is advanced ([`Deliveries::advance`]) attempts are made one after the other, in the order (due, service, name,
//! sequence), so that the same is recorded every time. While a clock runs they are made as they fall due, beside each other;
//! how many at once is the source's to say ([`Bucket`] has the pace of a queue, [`Retry`] and [`Backoff`] when it is tried
//! again).
//!
//! Sources: <https://cloud.google.com/scheduler/docs>, <https://cloud.google.com/tasks/docs>, and the recordings named at
//! each refusal and assumption.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use tokenrig_clock::{Clock as _, ManualClock, SharedClock, Timestamp, seconds};
//! use tokenrig_cloud::{Cloud, Foundation};
//! use tokenrig_delivery::{Deliveries, Due, Follows, Headers, NoOp, Order, Outcome, Outgoing, Settings, Source, Target};
//!
//! /// Calls one URL every minute.
//! struct Minutely(Mutex<Timestamp>);
//!
//! impl Source for Minutely {
//!     fn service(&self) -> &'static str {
//!         "cloudscheduler"
//!     }
//!
//!     fn next(&self) -> Option<Due> {
//!         Some(Due { at: *self.0.lock().unwrap(), name: "minutely".into(), sequence: 1 })
//!     }
//!
//!     fn take(&self, _: Timestamp) -> Option<Order> {
//!         *self.0.lock().unwrap() += seconds(60);
//!         let request = Outgoing {
//!             method: http::Method::GET,
//!             url: "https://orders.example.com/".into(),
//!             headers: Headers::default(),
//!             body: bytes::Bytes::new(),
//!         };
//!         let (target, resource) = (Target::Http(request), "minutely".into());
//!         Some(Order { resource, ticket: 0, target, token: None, deadline: seconds(180), redirects: 0 })
//!     }
//!
//!     fn ended(&self, _: &Order, _: &Outcome, _: Timestamp) -> Follows {
//!         Follows::Schedule(*self.0.lock().unwrap())
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock.clone() as SharedClock));
//! let receiver = NoOp::default();
//! let deliveries = Deliveries::new(&cloud, Arc::new(receiver.clone()), Settings::default());
//! deliveries.add(Arc::new(Minutely(Mutex::new(clock.now() + seconds(60)))));
//! let in_flight = deliveries.advance(clock.now() + seconds(3600)).await.unwrap();
//! assert_eq!((receiver.received(), in_flight), (60, vec![]));
//! # });
//! ```

mod assumptions;
mod attempt;
mod backoff;
mod bucket;
mod carrier;
mod conduct;
mod engine;
mod log;
mod order;
mod outcome;
mod refusals;
mod source;
mod tokens;

/// What deliveries do, in a line of the README, where services have theirs.
pub const ABOUT: &str = "what all deliveries share: tokens by the service agent, attempts, back-off, deadlines";

pub use crate::{
    assumptions::{ALL as ASSUMPTIONS, Settings},
    backoff::{Backoff, Retry},
    bucket::Bucket,
    carrier::{Answer, Carrier, CarryFault, NoOp, Progress, Publisher, Sending},
    conduct::Running,
    engine::{Bell, Deliveries},
    order::{
        CLOUD_PLATFORM, Due, Header, Headers, Order, Outgoing, Publication, Target, TokenKind, TokenOrder,
        default_audience,
    },
    outcome::{Follows, Outcome, code_of},
    refusals::ALL as REFUSALS,
    source::Source,
};
