//! What users of the crate rely on.

mod against_the_crate;
mod bounds;
mod dialects;
mod explanations;
mod language;
mod wrong_texts;

use tokenrig_cel::{Dialect, EvalError, Program, Scope, Value};

/// The value of a scenario's expression in a scope without names.
fn value(text: &str) -> Result<Value, EvalError> {
    value_in(text, &Scope::new())
}

fn value_in(text: &str, scope: &Scope) -> Result<Value, EvalError> {
    Program::compile(text, Dialect::Scenario).unwrap_or_else(|error| panic!("{text}: {error:?}")).evaluate(scope)
}
