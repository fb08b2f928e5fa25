//! The tree that is evaluated: names resolved, macros opened, constants made, functions looked up.

use std::{ops::Range, sync::Arc};

use regex::Regex;

use crate::{functions::Function, value::Value};

/// A node of the tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Where it stands, in bytes of the text.
    pub(crate) range: Range<usize>,
    /// The slot in which an explanation keeps its value, for nodes that have one.
    pub(crate) slot: Option<usize>,
}

impl Node {
    /// Calls `f` for every node right below this one, in the order of evaluation.
    pub(crate) fn children<'n>(&'n self, f: &mut dyn FnMut(&'n Node)) {
        match &self.kind {
            Kind::Literal(_) | Kind::Free(_) | Kind::Local(_) => {}
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => f(operand),
            Kind::Not(operand) | Kind::Negate(operand) => f(operand),
            Kind::Index { operand, key, .. } => {
                f(operand);
                f(key);
            }
            Kind::And(nodes) | Kind::Or(nodes) => nodes.iter().for_each(f),
            Kind::If(nodes) => nodes.iter().for_each(f),
            Kind::Binary(_, nodes) => nodes.iter().for_each(f),
            Kind::Call(call) => call.arguments.iter().for_each(f),
            Kind::Custom { arguments, .. } => arguments.iter().for_each(f),
            Kind::List(elements) => elements.iter().for_each(|element| f(&element.value)),
            Kind::Map(entries) => {
                for entry in entries {
                    f(&entry.key);
                    f(&entry.value);
                }
            }
            Kind::Loop(looped) => {
                f(&looped.over);
                looped.filter.iter().for_each(&mut *f);
                f(&looped.body);
            }
            Kind::WithOptional { target, body, .. } => {
                f(target);
                f(body);
            }
        }
    }

    /// Calls `f` for this node and all below it.
    pub(crate) fn each<'n>(&'n self, f: &mut dyn FnMut(&'n Node)) {
        f(self);
        self.children(&mut |child| child.each(f));
    }
}

#[derive(Debug)]
pub(crate) enum Kind {
    Literal(Value),
    /// A name that the scope must know.
    Free(Box<str>),
    /// A name that a macro binds, by its place on the stack of such names.
    Local(usize),
    Select {
        operand: Box<Node>,
        field: Arc<str>,
        optional: bool,
    },
    Has {
        operand: Box<Node>,
        field: Arc<str>,
    },
    Index {
        operand: Box<Node>,
        key: Box<Node>,
        optional: bool,
    },
    /// All must be true; `a && b && c` is one node.
    And(Vec<Node>),
    /// One must be true.
    Or(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    If(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Box<Call>),
    /// A function that the scope must bring.
    Custom {
        name: Box<str>,
        arguments: Vec<Node>,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    Loop(Box<Loop>),
    /// `optMap` and `optFlatMap`.
    WithOptional {
        target: Box<Node>,
        body: Box<Node>,
        flat: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

impl Operator {
    /// As it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}

/// A call of one of CEL's own functions.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) name: &'static str,
    /// Whether the first argument stands before the dot.
    pub(crate) on_target: bool,
    pub(crate) arguments: Vec<Node>,
    /// The pattern of `matches`, when it is a literal.
    pub(crate) pattern: Option<Result<Regex, String>>,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
    pub(crate) optional: bool,
}

/// A macro over a list or over the keys of a map.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) form: Form,
    pub(crate) over: Node,
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl Form {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }
}
