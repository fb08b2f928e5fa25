//! The metadata server from outside, without a network.

mod paths;
mod refusals;
mod support;
mod tokens;
