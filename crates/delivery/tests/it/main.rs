//! Deliveries on a clock, as services see them.

mod conduct;
mod support;
