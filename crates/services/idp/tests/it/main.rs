//! The issuers from outside, without a network.

mod code_flow;
mod mint;
mod misbehaviour;
mod paths;
mod refusals;
mod subject_tokens;
mod support;
mod upstream;
