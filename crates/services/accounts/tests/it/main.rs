//! The account endpoints from outside, without a network.

mod assertions;
mod keys;
mod refresh;
mod refusals;
mod support;
mod tokeninfo;
