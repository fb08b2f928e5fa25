//! Scenarios run in a world of scripted answers.

mod early;
mod expectations;
mod fake;
mod given;
mod plans;
mod steps;
mod tokens;
