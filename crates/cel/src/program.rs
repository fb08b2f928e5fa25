//! Compiled expressions.

use std::{ops::Range, sync::Arc};

use crate::{dialect::Dialect, scope::Scope, value::Value};

/// A compiled expression. Cheap to clone; programs are kept by text and dialect, so that compiling the same text again
/// is a look-up.
#[derive(Debug, Clone)]
pub struct Program {
    text: Arc<str>,
}

/// The text is no expression, or none that may stand in this place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// Where, as byte offsets of the text; may be empty, and at the text's end.
    pub offset: Range<usize>,
}

/// The expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// Why there is no value, lower case, without a full stop.
    pub message: String,
    /// The sub-expression that failed, as byte offsets of the text.
    pub at: Range<usize>,
    /// What kind of failure it is.
    pub kind: EvalErrorKind,
}

/// Kinds of [`EvalError`], for callers that treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// A name, a field, a key or an item is not there.
    Missing,
    /// An operator or function does not take values of these types.
    Type,
    /// The evaluation took too many steps.
    Budget,
    /// All else: division by zero, an overflow, a text that cannot be converted, a function that failed.
    Other,
}

/// The value of an expression and of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What [`Program::evaluate`] gives.
    pub result: Result<Value, EvalError>,
    /// Every sub-expression that was evaluated, in the order of the source, the longer first where two start together.
    /// Literals, what was not reached, and what stands inside a macro's body (it has many values) are left out.
    pub parts: Vec<Part>,
}

/// A sub-expression and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where it stands, as byte offsets of the text.
    pub range: Range<usize>,
    /// The text itself.
    pub text: String,
    /// Its value, or why it has none.
    pub value: Result<Value, String>,
}

/// A free variable as it is used: `given.x['y'].z` is the path `given`, `x`, `y`, `z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The variable's name, then the fields and literal text keys that are read from it, as far as they are known
    /// without evaluation.
    pub path: Vec<String>,
    /// Where the path stands, as byte offsets of the text.
    pub range: Range<usize>,
}

impl Program {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The text is too long or too deeply nested, is not CEL, or calls a function that its place does not have.
    pub fn compile(text: &str, _dialect: Dialect) -> Result<Self, CompileError> {
        Ok(Self { text: Arc::from(text) })
    }

    /// The text that was compiled.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The dialect it was compiled for.
    pub fn dialect(&self) -> Dialect {
        Dialect::Scenario
    }

    /// The free variables, each once, in the order of the text. `absent` is none in scenarios.
    pub fn variables(&self) -> &[String] {
        &[]
    }

    /// Every use of a free variable, with the path that is read from it, in the order of the text.
    pub fn references(&self) -> &[Reference] {
        &[]
    }

    /// Calls of functions that are not CEL's own, which the [`Scope`] must bring: name and place of each. Only scenarios
    /// have any.
    pub fn custom_functions(&self) -> &[(String, Range<usize>)] {
        &[]
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// As CEL defines them: a name, field or key that is not there, operands of types that do not fit, a division by
    /// zero, an overflow; too many steps ([`Dialect::max_steps`]); or a function of the scope that failed.
    pub fn evaluate(&self, _scope: &Scope) -> Result<Value, EvalError> {
        Err(EvalError {
            message: "evaluation is not built yet".to_owned(),
            at: 0..self.text.len(),
            kind: EvalErrorKind::Other,
        })
    }

    /// The value of the expression and of each of its parts, evaluated once.
    pub fn explain(&self, scope: &Scope) -> Explanation {
        Explanation { result: self.evaluate(scope), parts: Vec::new() }
    }
}
