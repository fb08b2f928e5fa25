//! The service from outside, over both wires, with receivers in this process.

mod buffers;
mod drained;
mod queues;
mod refusals;
mod support;
mod tasks;
mod told;
