//! A service that has something to deliver.

use tokenrig_clock::Timestamp;

use crate::{
    order::{Due, Order},
    outcome::{Follows, Outcome},
};

/// A service that has something to deliver: it knows what falls due, and is told how each attempt ended. Its functions are
/// called one at a time while a clock is advanced, and from several tasks at once while it runs; they never wait.
pub trait Source: Send + Sync {
    /// The service's word, that of its agent: `cloudscheduler`.
    fn service(&self) -> &'static str;

    /// What falls due first, whenever that is; `None` if nothing does before an attempt ends or a client asks for something.
    fn next(&self) -> Option<Due>;

    /// Takes what falls due first, at or before `now`. `None` if it was no attempt, but something that the service does by
    /// itself.
    fn take(&self, now: Timestamp) -> Option<Order>;

    /// Is told how an attempt that it gave ended, and says what follows.
    fn ended(&self, order: &Order, outcome: &Outcome, now: Timestamp) -> Follows;
}
