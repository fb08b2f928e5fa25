//! Scenarios in rigs, from outside.

mod support;
mod upstream;
