//! The issuers from outside, without a network.

mod code_flow;
mod mint;
mod misbehaviour;
mod paths;
mod refusals;
mod support;
mod upstream;
