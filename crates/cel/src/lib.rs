//! Expressions in the Common Expression Language (CEL), bounded and explained.
//!
//! Attribute mappings and conditions of identity pools, conditions of IAM bindings, holes and assertions of scenarios
//! are all CEL, each with a set of functions of its own: a [`Dialect`]. A [`Program`] is compiled once per text and kept,
//! a [`Scope`] gives names their values, and [`Program::explain`] tells the value of every sub-expression.
//!
//! The text may come from anybody. Its length and its nesting are checked before it is parsed; parsing happens on one
//! thread with a deep stack; evaluation counts its steps and ends with an error when there are too many. Nothing here
//! panics on what is written in an expression.
//!
//! The language: <https://github.com/google/cel-spec/blob/master/doc/langdef.md>; its strings extension:
//! <https://github.com/google/cel-go/blob/master/ext/README.md#strings>; `extract`:
//! <https://cloud.google.com/iam/docs/conditions-attribute-reference>.
//!
//! ```
//! use tokenrig_cel::{Dialect, Program, Scope, Value};
//!
//! let claims = serde_json::json!({ "sub": "repo:acme/shop:ref:refs/heads/main", "level": 2 });
//! let scope = Scope::new().with("assertion", Value::from(&claims));
//!
//! let mapping = Program::compile("assertion.sub.extract('repo:{repository}:ref')", Dialect::AttributeMapping).unwrap();
//! assert_eq!(mapping.evaluate(&scope).unwrap(), Value::from("acme/shop"));
//!
//! let condition = Program::compile("assertion.level >= 3", Dialect::AttributeCondition).unwrap();
//! let explanation = condition.explain(&scope);
//! assert_eq!(explanation.result, Ok(Value::Bool(false)));
//! assert!(explanation.parts.iter().any(|part| part.text == "assertion.level" && part.value == Ok(Value::Int(2))));
//! ```

mod cache;
mod dialect;
mod eval;
mod failure;
mod functions;
mod json;
mod lower;
mod map;
mod node;
mod operators;
mod parse;
mod program;
mod scan;
mod scope;
mod value;

pub use crate::{
    dialect::Dialect,
    map::{Key, Map},
    program::{CompileError, EvalError, EvalErrorKind, Explanation, Part, Program, Reference},
    scan::closing_brace,
    scope::Scope,
    value::Value,
};
