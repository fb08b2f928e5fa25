//! The service from outside, over both wires.

mod delegates;
mod locations;
mod refusals;
mod sign;
mod support;
mod tokens;
