//! Scenarios in rigs, from outside.

mod people;
mod scenarios;
mod site;
mod support;
mod upstream;
