//! The issuers from outside, without a network.

mod mint;
mod misbehaviour;
mod paths;
mod refusals;
mod support;
mod upstream;
