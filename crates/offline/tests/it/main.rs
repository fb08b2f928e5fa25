//! Scenarios in rigs, from outside.

mod scenarios;
mod site;
mod support;
mod upstream;
