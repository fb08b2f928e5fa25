//! The walk over the tree.
//!
//! Every node is looked at once, its steps are counted, and where an explanation is asked for its value is kept. Errors
//! are CEL's: a false operand decides an `&&` and a true one an `||`, whatever became of the others.

use std::cell::RefCell;

use crate::{
    dialect::Dialect,
    failure::{Failure, Meter},
    functions,
    map::{Key, Map},
    node::{Call, Element, Entry, Form, Kind, Loop, Node},
    operators,
    program::{EvalError, EvalErrorKind},
    scope::Scope,
    value::Value,
};

type Outcome = Result<Value, Box<EvalError>>;

/// The values of the nodes that have a slot, as far as they were evaluated.
pub(crate) type Kept = Vec<Option<Result<Value, String>>>;

/// The value of a tree.
pub(crate) fn evaluate(root: &Node, scope: &Scope, dialect: Dialect) -> Outcome {
    Walk::new(scope, dialect, None).node(root)
}

/// The value of a tree, and of each of its nodes.
pub(crate) fn explain(root: &Node, slots: usize, scope: &Scope, dialect: Dialect) -> (Outcome, Kept) {
    let walk = Walk::new(scope, dialect, Some(RefCell::new(vec![None; slots])));
    let outcome = walk.node(root);
    (outcome, walk.kept.map(RefCell::into_inner).unwrap_or_default())
}

struct Walk<'a> {
    scope: &'a Scope,
    meter: Meter,
    /// What the names of macros stand for, the innermost last.
    locals: RefCell<Vec<Value>>,
    kept: Option<RefCell<Kept>>,
}

impl<'a> Walk<'a> {
    fn new(scope: &'a Scope, dialect: Dialect, kept: Option<RefCell<Kept>>) -> Self {
        let meter = Meter::of(dialect.max_steps());
        Self { scope, meter, locals: RefCell::new(Vec::new()), kept }
    }

    fn node(&self, node: &'a Node) -> Outcome {
        if let Kind::Literal(value) = &node.kind {
            return Ok(value.clone());
        }
        let outcome = self.meter.spend(1).map_err(|failure| at(node, failure)).and_then(|()| self.kind(node));
        if let (Some(kept), Some(slot)) = (&self.kept, node.slot)
            && let Some(kept) = kept.borrow_mut().get_mut(slot)
        {
            *kept = Some(outcome.clone().map_err(|error| error.message));
        }
        outcome
    }

    fn kind(&self, node: &'a Node) -> Outcome {
        let failed = |failure| at(node, failure);
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Free(_) | Kind::Select { .. } | Kind::Index { .. } => {
                self.borrowed(node).map_or_else(|| self.path(node), |found| found.cloned())
            }
            Kind::Local(place) => {
                let locals = self.locals.borrow();
                locals.get(*place).cloned().ok_or_else(|| failed(Failure::missing("the name has no value here")))
            }
            Kind::Has { operand, field } => {
                self.has(operand, field).map(Value::Bool).map_err(|error| error.or_at(node))
            }
            Kind::And(operands) => self.logic(operands, false),
            Kind::Or(operands) => self.logic(operands, true),
            Kind::Not(operand) => match self.node(operand)? {
                Value::Bool(flag) => Ok(Value::Bool(!flag)),
                other => Err(failed(Failure::of_type(format!("`!` does not take {}", other.type_name())))),
            },
            Kind::Negate(operand) => operators::negate(&self.node(operand)?).map_err(failed),
            Kind::If(parts) => {
                let [condition, yes, no] = &**parts;
                if self.truth(condition, "the condition of `? :`")? { self.node(yes) } else { self.node(no) }
            }
            Kind::Binary(operator, operands) => {
                let [left, right] = &**operands;
                // Constants and paths are looked at where they are.
                match (self.borrowed(left), self.borrowed(right)) {
                    (Some(left), Some(right)) => operators::binary(*operator, left?, right?, &self.meter),
                    (Some(left), None) => operators::binary(*operator, left?, &self.node(right)?, &self.meter),
                    (None, Some(right)) => operators::binary(*operator, &self.node(left)?, right?, &self.meter),
                    (None, None) => operators::binary(*operator, &self.node(left)?, &self.node(right)?, &self.meter),
                }
                .map_err(failed)
            }
            Kind::Call(call) => self.call(node, call),
            Kind::Custom { name, arguments } => self.custom(node, name, arguments),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(looped) => self.looped(node, looped),
            Kind::WithOptional { target, body, flat } => self.with_optional(node, target, body, *flat),
        }
    }

    /// The value of a literal or of a path that begins at a name of the scope, where it is; nothing is copied. `None`
    /// for all else, and when values are kept for an explanation.
    fn borrowed(&self, node: &'a Node) -> Option<Result<&'a Value, Box<EvalError>>> {
        if let Kind::Literal(value) = &node.kind {
            return Some(Ok(value));
        }
        if self.kept.is_some() || !starts_free(node) {
            return None;
        }
        Some(self.lookup(node))
    }

    fn lookup(&self, node: &'a Node) -> Result<&'a Value, Box<EvalError>> {
        self.meter.spend(1).map_err(|failure| at(node, failure))?;
        match &node.kind {
            Kind::Free(name) => self.free(node, name),
            Kind::Select { operand, field, .. } => {
                select(self.lookup(operand)?, field).map_err(|failure| at(node, failure))
            }
            Kind::Index { operand, key, .. } => match &key.kind {
                Kind::Literal(key) => index(self.lookup(operand)?, key).map_err(|failure| at(node, failure)),
                _ => Err(at(node, Failure::other("the key is no literal"))),
            },
            _ => Err(at(node, Failure::other("this is no path"))),
        }
    }

    fn free(&self, node: &'a Node, name: &str) -> Result<&'a Value, Box<EvalError>> {
        let found = self.scope.get(name);
        found.ok_or_else(|| at(node, Failure::missing(format!("there is nothing named `{name}` here"))))
    }

    /// A name, a field or an item, with all that optionals ask for.
    fn path(&self, node: &'a Node) -> Outcome {
        let (operand, optional) = match &node.kind {
            Kind::Free(name) => return self.free(node, name).cloned(),
            Kind::Select { operand, optional, .. } | Kind::Index { operand, optional, .. } => (operand, *optional),
            _ => return Err(at(node, Failure::other("this is no path"))),
        };
        let (operand, chained) = match self.node(operand)? {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(value)) => (*value, true),
            value => (value, false),
        };
        let found = match &node.kind {
            Kind::Select { field, .. } => select(&operand, field).cloned(),
            Kind::Index { key, .. } => index(&operand, &self.node(key)?).cloned(),
            _ => Err(Failure::other("this is no path")),
        };
        match found {
            Ok(value) if optional || chained => Ok(Value::Optional(Some(Box::new(value)))),
            Ok(value) => Ok(value),
            // Whatever stands in the way of `.?` and `[?]`, nothing is there.
            Err(_) if optional => Ok(Value::Optional(None)),
            Err(failure) if chained && failure.kind == EvalErrorKind::Missing => Ok(Value::Optional(None)),
            Err(failure) => Err(at(node, failure)),
        }
    }

    fn has(&self, operand: &'a Node, field: &str) -> Result<bool, Stopped> {
        let owned;
        let value = match self.borrowed(operand) {
            Some(found) => found.map_err(Stopped::Below)?,
            None => {
                owned = self.node(operand).map_err(Stopped::Below)?;
                &owned
            }
        };
        match value {
            Value::Map(map) => Ok(map.get_text(field).is_some()),
            Value::Optional(None) => Ok(false),
            Value::Optional(Some(value)) if value.as_map().is_some() => Ok(value.get(field).is_some()),
            other => Err(Stopped::Here(no_field(other, field))),
        }
    }

    fn truth(&self, node: &'a Node, what: &str) -> Result<bool, Box<EvalError>> {
        match self.node(node)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(at(node, Failure::of_type(format!("{what} must be bool, this is {}", other.type_name())))),
        }
    }

    /// `&&` and `||`: an operand that decides does so whatever the others are.
    fn logic(&self, operands: &'a [Node], decides: bool) -> Outcome {
        let what = if decides { "an operand of `||`" } else { "an operand of `&&`" };
        let mut first_error = None;
        for operand in operands {
            match self.truth(operand, what) {
                Ok(flag) if flag == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(error) if error.kind == EvalErrorKind::Budget => return Err(error),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn call(&self, node: &'a Node, call: &'a Call) -> Outcome {
        if let (Some(pattern), Some(text)) = (&call.pattern, call.arguments.first()) {
            return match (self.node(text)?, pattern) {
                (Value::String(text), Ok(pattern)) => {
                    self.meter.spend_bytes(text.len()).map_err(|failure| at(node, failure))?;
                    Ok(Value::Bool(pattern.is_match(&text)))
                }
                (Value::String(_), Err(message)) => Err(at(node, Failure::other(message.clone()))),
                (other, _) => Err(at(node, no_function(call, &[other, Value::Type("string")]))),
            };
        }
        let run = |arguments: &[Value]| match functions::call(call.function, arguments, &self.meter) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(at(node, no_function(call, arguments))),
            Err(failure) => Err(at(node, failure)),
        };
        match &*call.arguments {
            [] => run(&[]),
            [one] => run(&[self.node(one)?]),
            [one, two] => run(&[self.node(one)?, self.node(two)?]),
            more => run(&self.nodes(more)?),
        }
    }

    fn nodes(&self, nodes: &'a [Node]) -> Result<Vec<Value>, Box<EvalError>> {
        nodes.iter().map(|node| self.node(node)).collect()
    }

    fn custom(&self, node: &'a Node, name: &str, arguments: &'a [Node]) -> Outcome {
        let arguments = self.nodes(arguments)?;
        let Some(function) = self.scope.find_function(name) else {
            return Err(at(node, Failure::missing(format!("there is no function `{name}` here"))));
        };
        function(&arguments).map_err(|message| at(node, Failure::other(message)))
    }

    fn list(&self, elements: &'a [Element]) -> Outcome {
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            items.extend(self.maybe(&element.value, element.optional)?);
        }
        Ok(Value::from(items))
    }

    fn map(&self, entries: &'a [Entry]) -> Outcome {
        let mut made = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = self.node(&entry.key)?;
            let key = Some(key).filter(|key| !matches!(key, Value::Double(_))).as_ref().and_then(Key::of);
            let key = key
                .ok_or_else(|| at(&entry.key, Failure::of_type("a key of a map must be bool, int, uint or string")))?;
            made.extend(self.maybe(&entry.value, entry.optional)?.map(|value| (key, value)));
        }
        let count = made.len();
        let map = Map::new(made);
        match (map.len() == count, entries.first()) {
            (false, Some(first)) => Err(at(&first.key, Failure::other("the map has a key twice"))),
            _ => Ok(Value::from(map)),
        }
    }

    /// The value of an element; of an optional one what is in it.
    fn maybe(&self, node: &'a Node, optional: bool) -> Result<Option<Value>, Box<EvalError>> {
        Ok(match self.node(node)? {
            Value::Optional(value) if optional => value.map(|value| *value),
            value => Some(value),
        })
    }

    fn looped(&self, node: &'a Node, looped: &'a Loop) -> Outcome {
        let over = self.node(&looped.over)?;
        let keys;
        let items = match &over {
            Value::List(items) => &**items,
            Value::Map(map) => {
                keys = map.iter().map(|(key, _)| key.to_value()).collect::<Vec<_>>();
                &keys
            }
            other => {
                let message =
                    format!("`{}` goes over lists and maps, this is {}", looped.form.name(), other.type_name());
                return Err(at(&looped.over, Failure::of_type(message)));
            }
        };
        let place = self.locals.borrow().len();
        self.locals.borrow_mut().push(Value::Null);
        let outcome = self.turns(node, looped, items, place);
        self.locals.borrow_mut().truncate(place);
        outcome
    }

    fn turns(&self, node: &'a Node, looped: &'a Loop, items: &[Value], place: usize) -> Outcome {
        let what = "the condition of a macro";
        let mut made = Vec::new();
        let mut count = 0usize;
        let mut first_error: Option<Box<EvalError>> = None;
        for item in items {
            self.meter.spend(1).map_err(|failure| at(node, failure))?;
            if let Some(local) = self.locals.borrow_mut().get_mut(place) {
                local.clone_from(item);
            }
            match looped.form {
                Form::All | Form::Exists => match self.truth(&looped.body, what) {
                    Ok(flag) if flag == (looped.form == Form::Exists) => return Ok(Value::Bool(flag)),
                    Ok(_) => {}
                    Err(error) if error.kind == EvalErrorKind::Budget => return Err(error),
                    Err(error) => {
                        first_error.get_or_insert(error);
                    }
                },
                Form::ExistsOne => count += usize::from(self.truth(&looped.body, what)?),
                Form::Filter => {
                    if self.truth(&looped.body, what)? {
                        made.push(item.clone());
                    }
                }
                Form::Map => {
                    let kept = looped.filter.as_ref().map_or(Ok(true), |filter| self.truth(filter, what))?;
                    if kept {
                        made.push(self.node(&looped.body)?);
                    }
                }
            }
        }
        match (looped.form, first_error) {
            (_, Some(error)) => Err(error),
            (Form::All, None) => Ok(Value::Bool(true)),
            (Form::Exists, None) => Ok(Value::Bool(false)),
            (Form::ExistsOne, None) => Ok(Value::Bool(count == 1)),
            (Form::Map | Form::Filter, None) => Ok(Value::from(made)),
        }
    }

    fn with_optional(&self, node: &'a Node, target: &'a Node, body: &'a Node, flat: bool) -> Outcome {
        let value = match self.node(target)? {
            Value::Optional(Some(value)) => *value,
            Value::Optional(None) => return Ok(Value::Optional(None)),
            other => {
                let message = format!("`optMap` and `optFlatMap` go over optionals, this is {}", other.type_name());
                return Err(at(target, Failure::of_type(message)));
            }
        };
        self.locals.borrow_mut().push(value);
        let outcome = self.node(body);
        self.locals.borrow_mut().pop();
        match outcome? {
            value if !flat => Ok(Value::Optional(Some(Box::new(value)))),
            value @ Value::Optional(_) => Ok(value),
            other => {
                let message = format!("the body of `optFlatMap` must be an optional, this is {}", other.type_name());
                Err(at(node, Failure::of_type(message)))
            }
        }
    }
}

/// A failure of the node itself, or of one below it which has its place already.
enum Stopped {
    Here(Failure),
    Below(Box<EvalError>),
}

impl Stopped {
    fn or_at(self, node: &Node) -> Box<EvalError> {
        match self {
            Self::Here(failure) => at(node, failure),
            Self::Below(error) => error,
        }
    }
}

fn at(node: &Node, failure: Failure) -> Box<EvalError> {
    Box::new(EvalError { message: failure.message, at: node.range.clone(), kind: failure.kind })
}

/// Whether a node is a path that begins at a name of the scope, without optional parts and with literal keys only.
fn starts_free(node: &Node) -> bool {
    match &node.kind {
        Kind::Free(_) => true,
        Kind::Select { operand, optional: false, .. } => starts_free(operand),
        Kind::Index { operand, key, optional: false } => matches!(key.kind, Kind::Literal(_)) && starts_free(operand),
        _ => false,
    }
}

fn select<'v>(value: &'v Value, field: &str) -> Result<&'v Value, Failure> {
    match value {
        Value::Map(map) => map.get_text(field).ok_or_else(|| Failure::missing(format!("there is no field `{field}`"))),
        other => Err(no_field(other, field)),
    }
}

fn no_field(value: &Value, field: &str) -> Failure {
    let kind = if matches!(value, Value::Absent) { EvalErrorKind::Missing } else { EvalErrorKind::Type };
    Failure { kind, message: format!("{} has no fields, so there is no `{field}`", value.type_name()) }
}

fn index<'v>(value: &'v Value, key: &Value) -> Result<&'v Value, Failure> {
    match value {
        Value::List(items) => {
            let position = match Key::of(key) {
                Some(Key::Int(position)) => usize::try_from(position).ok(),
                Some(Key::Uint(position)) => usize::try_from(position).ok(),
                _ => return Err(Failure::of_type(format!("a list has no item {} {key}", key.type_name()))),
            };
            let item = position.and_then(|position| items.get(position));
            item.ok_or_else(|| Failure::missing(format!("there is no item {key}, the list has {}", items.len())))
        }
        Value::Map(map) => {
            let found = Key::of(key).and_then(|key| map.get(&key));
            found.ok_or_else(|| Failure::missing(format!("there is no key {key}")))
        }
        other => {
            let kind = if matches!(other, Value::Absent) { EvalErrorKind::Missing } else { EvalErrorKind::Type };
            Err(Failure { kind, message: format!("{} has no items, so there is no {key}", other.type_name()) })
        }
    }
}

fn no_function(call: &Call, arguments: &[Value]) -> Failure {
    let types = |values: &[Value]| values.iter().map(Value::type_name).collect::<Vec<_>>().join(", ");
    let name = call.name;
    Failure::of_type(match arguments {
        [target] if call.on_target => format!("{} has no `{name}`", target.type_name()),
        [target, rest @ ..] if call.on_target => {
            format!("{} has no `{name}` that takes ({})", target.type_name(), types(rest))
        }
        _ => format!("`{name}` does not take ({})", types(arguments)),
    })
}
