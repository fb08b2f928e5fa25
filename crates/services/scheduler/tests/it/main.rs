//! Cloud Scheduler, on both wires and on a clock.

mod jobs;
mod refusals;
mod runs;
mod support;
