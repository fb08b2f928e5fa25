//! Conditions of bindings.

use tokenrig_cel::{Dialect, Program, Scope, Value};

use crate::miss::FailedCondition;

/// A condition, compiled once. One that cannot be compiled holds never.
#[derive(Debug, Clone)]
pub(crate) enum Compiled {
    Program(Program),
    Wrong(String),
}

impl Compiled {
    pub(crate) fn new(expression: &str) -> Self {
        match Program::compile(expression, Dialect::IamCondition) {
            Ok(program) => Self::Program(program),
            Err(fault) => Self::Wrong(fault.to_string()),
        }
    }

    /// True only if it gives `true`: an error does not grant.
    pub(crate) fn holds(&self, scope: &Scope) -> bool {
        match self {
            Self::Program(program) => matches!(program.evaluate(scope), Ok(Value::Bool(true))),
            Self::Wrong(_) => false,
        }
    }

    /// Why it does not hold.
    pub(crate) fn explain(&self, condition: &crate::Condition, scope: &Scope) -> FailedCondition {
        let (value, parts) = match self {
            Self::Wrong(fault) => (Err(fault.clone()), Vec::new()),
            Self::Program(program) => {
                let explanation = program.explain(scope);
                let value = explanation.result.map(|value| value.to_json()).map_err(|fault| fault.to_string());
                let parts = explanation.parts.into_iter();
                (value, parts.map(|part| (part.text, part.value.map(|value| value.to_json()))).collect())
            }
        };
        FailedCondition { expression: condition.expression.clone(), title: condition.title.clone(), value, parts }
    }
}
