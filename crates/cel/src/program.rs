//! Compiled expressions.

use std::{cmp::Reverse, ops::Range, sync::Arc};

use crate::{
    cache,
    dialect::Dialect,
    eval,
    lower::Lowered,
    node::{Kind, Node},
    parse::parse,
    scan::fault,
    scope::Scope,
    value::Value,
};

/// A compiled expression. Cheap to clone; programs are kept by text and dialect, so that compiling the same text again
/// is a look-up.
#[derive(Debug, Clone)]
pub struct Program {
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    text: Arc<str>,
    dialect: Dialect,
    tree: Lowered,
    variables: Vec<String>,
    references: Vec<Reference>,
    custom_functions: Vec<(String, Range<usize>)>,
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
    pub fn compile(text: &str, dialect: Dialect) -> Result<Self, CompileError> {
        let most = dialect.max_characters();
        // Bytes first: whoever sends megabytes is not counted for.
        if text.len() > most && (text.len() > most * 4 || text.chars().count() > most) {
            let end = text.char_indices().nth(most).map_or(text.len(), |(byte, _)| byte);
            return Err(fault(format!("the expression is too long, {most} characters are the most"), end..text.len()));
        }
        cache::kept(text, dialect, || {
            let tree = parse(text, dialect)?;
            let mut names = Names::default();
            names.collect(&tree.root);
            let Names { references, custom_functions } = names;
            let mut variables: Vec<String> = Vec::new();
            for name in references.iter().filter_map(|reference| reference.path.first()) {
                if !variables.contains(name) {
                    variables.push(name.clone());
                }
            }
            let text = Arc::from(text);
            let compiled = Compiled { text, dialect, tree, variables, references, custom_functions };
            Ok(Self { compiled: Arc::new(compiled) })
        })
    }

    /// The text that was compiled.
    pub fn text(&self) -> &str {
        &self.compiled.text
    }

    /// The dialect it was compiled for.
    pub fn dialect(&self) -> Dialect {
        self.compiled.dialect
    }

    /// The free variables, each once, in the order of the text. `absent` is none in scenarios.
    pub fn variables(&self) -> &[String] {
        &self.compiled.variables
    }

    /// Every use of a free variable, with the path that is read from it, in the order of the text.
    pub fn references(&self) -> &[Reference] {
        &self.compiled.references
    }

    /// Calls of functions that are not CEL's own, which the [`Scope`] must bring: name and place of each. Only scenarios
    /// have any.
    pub fn custom_functions(&self) -> &[(String, Range<usize>)] {
        &self.compiled.custom_functions
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// As CEL defines them: a name, field or key that is not there, operands of types that do not fit, a division by
    /// zero, an overflow; too many steps ([`Dialect::max_steps`]); or a function of the scope that failed.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, EvalError> {
        eval::evaluate(&self.compiled.tree.root, scope, self.compiled.dialect).map_err(|error| *error)
    }

    /// The value of the expression and of each of its parts, evaluated once.
    pub fn explain(&self, scope: &Scope) -> Explanation {
        let Compiled { text, dialect, tree, .. } = &*self.compiled;
        let (outcome, mut kept) = eval::explain(&tree.root, tree.slots, scope, *dialect);
        let mut parts = Vec::new();
        tree.root.each(&mut |node| {
            if let Some(value) = node.slot.and_then(|slot| kept.get_mut(slot)).and_then(Option::take) {
                let text = text.get(node.range.clone()).unwrap_or_default().to_owned();
                parts.push(Part { range: node.range.clone(), text, value });
            }
        });
        parts.sort_by_key(|part| (part.range.start, Reverse(part.range.end)));
        Explanation { result: outcome.map_err(|error| *error), parts }
    }
}

/// The free names of a tree.
#[derive(Default)]
struct Names {
    references: Vec<Reference>,
    custom_functions: Vec<(String, Range<usize>)>,
}

impl Names {
    fn collect(&mut self, node: &Node) {
        if let Some(path) = path(node) {
            self.references.push(Reference { path, range: node.range.clone() });
            return;
        }
        if let Kind::Custom { name, .. } = &node.kind {
            let end = node.range.start + name.len();
            self.custom_functions.push((name.to_string(), node.range.start..end.min(node.range.end)));
        }
        node.children(&mut |child| self.collect(child));
    }
}

/// The path that a node reads from a free name, if it is one and known without evaluation.
fn path(node: &Node) -> Option<Vec<String>> {
    let (operand, next) = match &node.kind {
        Kind::Free(name) => return Some(vec![name.to_string()]),
        Kind::Select { operand, field, .. } | Kind::Has { operand, field } => (operand, field),
        Kind::Index { operand, key, .. } => match &key.kind {
            Kind::Literal(Value::String(key)) => (operand, key),
            _ => return None,
        },
        _ => return None,
    };
    let mut path = path(operand)?;
    path.push(next.to_string());
    Some(path)
}
