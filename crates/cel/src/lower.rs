//! From the parser's tree to ours.

use std::{ops::Range, sync::Arc};

use cel::common::ast::{
    CallExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue, SourceInfo, operators,
};

use crate::{
    dialect::Dialect,
    functions::{self, Found, Function},
    map::{Key, Map},
    node::{Call, Element, Entry, Form, Kind, Loop, Node, Operator},
    program::CompileError,
    scan::{Tokens, fault},
    value::Value,
};

/// The deepest tree. A caller's stack carries the evaluation.
pub(crate) const MAX_DEPTH: usize = 200;

/// A tree, and how many slots an explanation of it needs.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) root: Node,
    pub(crate) slots: usize,
}

type Result<T> = std::result::Result<T, CompileError>;

pub(crate) fn lower(
    text: &str,
    tokens: &Tokens<'_>,
    expression: &IdedExpr,
    source: &SourceInfo,
    dialect: Dialect,
) -> Result<Lowered> {
    let mut lowering = Lowering { text, tokens, source, dialect, locals: Vec::new(), slots: 0, depth: 0 };
    let root = lowering.node(expression)?;
    Ok(Lowered { root, slots: lowering.slots })
}

struct Lowering<'a> {
    text: &'a str,
    tokens: &'a Tokens<'a>,
    source: &'a SourceInfo,
    dialect: Dialect,
    locals: Vec<String>,
    slots: usize,
    depth: usize,
}

impl Lowering<'_> {
    fn node(&mut self, expression: &IdedExpr) -> Result<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("the expression is nested too deeply here, {MAX_DEPTH} operations are the most");
            return Err(fault(message, self.tokens.range_at(self.token(expression.id))));
        }
        let (kind, range) = self.kind(expression)?;
        self.depth -= 1;
        let slot = match kind {
            // The value of a node in a macro's body is not one value.
            Kind::Literal(_) => None,
            _ if !self.locals.is_empty() => None,
            _ => {
                self.slots += 1;
                Some(self.slots - 1)
            }
        };
        Ok(Node { kind, range, slot })
    }

    fn boxed(&mut self, expression: &IdedExpr) -> Result<Box<Node>> {
        self.node(expression).map(Box::new)
    }

    fn nodes(&mut self, expressions: &[IdedExpr]) -> Result<Vec<Node>> {
        expressions.iter().map(|expression| self.node(expression)).collect()
    }

    fn kind(&mut self, expression: &IdedExpr) -> Result<(Kind, Range<usize>)> {
        let token = self.token(expression.id);
        let here = self.tokens.range_at(token);
        Ok(match &expression.expr {
            Expr::Literal(literal) => {
                let value = literal_value(literal);
                let signed = matches!(value, Value::Int(number) if number < 0)
                    || matches!(value, Value::Double(number) if number.is_sign_negative());
                let start = if signed { self.before(token, "-") } else { here.start };
                (Kind::Literal(value), start..here.end)
            }
            Expr::Ident(name) => match name.strip_prefix('.') {
                Some(global) => (self.free(global), self.before(token, ".")..here.end),
                None => (self.name(name), here),
            },
            Expr::Select(select) => {
                let operand = self.boxed(&select.operand)?;
                let range = self.outer(&operand).start..self.tokens.range_at(token + 1).end;
                (Kind::Select { operand, field: Arc::from(&*select.field), optional: false }, range)
            }
            Expr::Call(call) => self.call(call, token)?,
            Expr::List(list) => (self.list(list)?, self.bracketed(token)),
            Expr::Map(map) => (self.map(&map.entries)?, self.bracketed(token)),
            Expr::Struct(message) => {
                let text = format!("messages such as `{}{{…}}` are not known here", message.type_name);
                return Err(fault(text, self.bracketed(token)));
            }
            Expr::Comprehension(_) | Expr::Unspecified => return Err(fault("this is no expression", here)),
        })
    }

    fn free(&self, name: &str) -> Kind {
        match name {
            "absent" if self.dialect == Dialect::Scenario => Kind::Literal(Value::Absent),
            _ => functions::type_named(name)
                .map_or_else(|| Kind::Free(name.into()), |name| Kind::Literal(Value::Type(name))),
        }
    }

    fn name(&self, name: &str) -> Kind {
        match self.locals.iter().rposition(|local| local == name) {
            Some(place) => Kind::Local(place),
            None => self.free(name),
        }
    }

    fn call(&mut self, call: &CallExpr, token: usize) -> Result<(Kind, Range<usize>)> {
        if let Some(target) = &call.target {
            return self.member_call(call, target, token);
        }
        let here = self.tokens.range_at(token);
        match (&*call.func_name, &*call.args) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, _]) => {
                let mut operands = Vec::new();
                self.flatten(call, &mut operands)?;
                let range = self.span(operands.first(), operands.last(), here);
                let and = call.func_name == operators::LOGICAL_AND;
                Ok((if and { Kind::And(operands) } else { Kind::Or(operands) }, range))
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                let parts = [self.node(condition)?, self.node(yes)?, self.node(no)?];
                let range = self.span(parts.first(), parts.last(), here);
                Ok((Kind::If(Box::new(parts)), range))
            }
            (operators::LOGICAL_NOT, [operand]) => {
                let operand = self.boxed(operand)?;
                let range = here.start..self.outer(&operand).end;
                Ok((Kind::Not(operand), range))
            }
            (operators::NEGATE, [operand]) => {
                let operand = self.boxed(operand)?;
                let range = here.start..self.outer(&operand).end;
                Ok((Kind::Negate(operand), range))
            }
            (operators::INDEX | operators::OPT_INDEX, [operand, key]) => {
                let operand = self.boxed(operand)?;
                let key = self.boxed(key)?;
                let range = self.outer(&operand).start..self.bracketed(token).end;
                Ok((Kind::Index { operand, key, optional: call.func_name == operators::OPT_INDEX }, range))
            }
            (operators::OPT_SELECT, [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]) => {
                let operand = self.boxed(operand)?;
                let range = self.outer(&operand).start..self.tokens.range_at(token + 2).end;
                Ok((Kind::Select { operand, field: Arc::from(field.inner()), optional: true }, range))
            }
            (name, [left, right]) if operator(name).is_some() => {
                let parts = [self.node(left)?, self.node(right)?];
                let range = self.span(parts.first(), parts.last(), here);
                let operator = operator(name).unwrap_or(Operator::Equal);
                Ok((Kind::Binary(operator, Box::new(parts)), range))
            }
            (name, arguments) => {
                let start = self.tokens.range_at(token.saturating_sub(1));
                let range = start.start..self.bracketed(token).end;
                self.global_call(name.trim_start_matches('.'), arguments, start, range)
            }
        }
    }

    fn global_call(
        &mut self,
        name: &str,
        arguments: &[IdedExpr],
        at: Range<usize>,
        range: Range<usize>,
    ) -> Result<(Kind, Range<usize>)> {
        if name == operators::HAS {
            let kind = match arguments {
                [argument] => self.node(argument)?.kind,
                _ => Kind::Literal(Value::Null),
            };
            return match kind {
                Kind::Select { operand, field, optional: false } => Ok((Kind::Has { operand, field }, range)),
                _ => Err(fault("`has` takes one field, as in `has(a.b)`", range)),
            };
        }
        let arguments = self.nodes(arguments)?;
        match functions::global(name, arguments.len(), self.dialect) {
            Ok(found) => Ok((own(found, false, arguments), range)),
            Err(_) if self.dialect == Dialect::Scenario && !functions::is_known(name) => {
                Ok((Kind::Custom { name: name.into(), arguments }, range))
            }
            Err(message) => Err(fault(message, at)),
        }
    }

    fn member_call(&mut self, call: &CallExpr, target: &IdedExpr, token: usize) -> Result<(Kind, Range<usize>)> {
        let name = &*call.func_name;
        let end = self.bracketed(token).end;
        let at = self.tokens.range_at(token.saturating_sub(1));
        if let Expr::Ident(space) = &target.expr
            && !self.locals.contains(space)
            && let Some(found) = functions::in_namespace(space, name, call.args.len(), self.dialect)
        {
            let start = self.tokens.range_at(self.token(target.id)).start;
            let found = found.map_err(|message| fault(message, at.clone()))?;
            return Ok((own(found, false, self.nodes(&call.args)?), start..end));
        }
        let target = self.node(target)?;
        let range = self.outer(&target).start..end;
        if let Some(kind) = self.opened(name, &call.args, &at)? {
            let kind = match kind {
                Opened::Loop { form, filter, body } => Kind::Loop(Box::new(Loop { form, over: target, filter, body })),
                Opened::WithOptional { body, flat } => {
                    Kind::WithOptional { target: Box::new(target), body: Box::new(body), flat }
                }
            };
            return Ok((kind, range));
        }
        let found = functions::member(name, call.args.len(), self.dialect).map_err(|message| fault(message, at))?;
        let mut arguments = vec![target];
        arguments.extend(self.nodes(&call.args)?);
        Ok((own(found, true, arguments), range))
    }

    /// The body of a macro, with the name that it binds.
    fn opened(&mut self, name: &str, arguments: &[IdedExpr], at: &Range<usize>) -> Result<Option<Opened>> {
        let form = match (name, arguments.len()) {
            ("all", 2) => Some(Form::All),
            ("exists", 2) => Some(Form::Exists),
            ("exists_one" | "existsOne", 2) => Some(Form::ExistsOne),
            ("map", 2 | 3) => Some(Form::Map),
            ("filter", 2) => Some(Form::Filter),
            ("optMap" | "optFlatMap", 2) if self.dialect == Dialect::Scenario => None,
            ("all" | "exists" | "exists_one" | "existsOne" | "map" | "filter" | "optMap" | "optFlatMap", _) => {
                return Err(fault(
                    format!("`{name}` takes a name and an expression, as in `xs.{name}(x, x > 1)`"),
                    at.clone(),
                ));
            }
            _ => return Ok(None),
        };
        let [variable, between @ .., body] = arguments else { return Ok(None) };
        let Expr::Ident(variable) = &variable.expr else {
            return Err(fault(format!("the first argument of `{name}` must be a plain name"), at.clone()));
        };
        self.locals.push(variable.clone());
        let filter = between.first().map(|filter| self.node(filter)).transpose()?;
        let body = self.node(body)?;
        self.locals.pop();
        Ok(Some(match form {
            Some(form) => Opened::Loop { form, filter, body },
            None => Opened::WithOptional { body, flat: name == "optFlatMap" },
        }))
    }

    /// The operands of a chain of one logical operator. The parser has made a balanced tree of it.
    fn flatten(&mut self, call: &CallExpr, operands: &mut Vec<Node>) -> Result<()> {
        for argument in &call.args {
            match &argument.expr {
                Expr::Call(inner) if inner.target.is_none() && inner.func_name == call.func_name => {
                    self.flatten(inner, operands)?;
                }
                _ => operands.push(self.node(argument)?),
            }
        }
        Ok(())
    }

    fn list(&mut self, list: &ListExpr) -> Result<Kind> {
        let mut elements = Vec::with_capacity(list.elements.len());
        let mut optional = list.optional_indices.iter().copied().peekable();
        for (position, element) in list.elements.iter().enumerate() {
            let is_optional = optional.next_if_eq(&position).is_some();
            elements.push(Element { value: self.node(element)?, optional: is_optional });
        }
        let constant: Option<Arc<[Value]>> = elements
            .iter()
            .map(|element| match &element.value.kind {
                Kind::Literal(value) if !element.optional => Some(value.clone()),
                _ => None,
            })
            .collect();
        Ok(constant.map_or(Kind::List(elements), |items| Kind::Literal(Value::List(items))))
    }

    fn map(&mut self, entries: &[IdedEntryExpr]) -> Result<Kind> {
        let mut lowered = Vec::with_capacity(entries.len());
        for entry in entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(fault("this is no map", 0..self.text.len()));
            };
            lowered.push(Entry {
                key: self.node(&entry.key)?,
                value: self.node(&entry.value)?,
                optional: entry.optional,
            });
        }
        let constant: Option<Vec<(Key, Value)>> = lowered
            .iter()
            .map(|entry| match (&entry.key.kind, &entry.value.kind) {
                (Kind::Literal(key), Kind::Literal(value)) if !entry.optional && !matches!(key, Value::Double(_)) => {
                    Some((Key::of(key)?, value.clone()))
                }
                _ => None,
            })
            .collect();
        if let Some(entries) = constant {
            let map = Map::new(entries);
            // A repeated key is an error when it is evaluated.
            if map.len() == lowered.len() {
                return Ok(Kind::Literal(Value::Map(Arc::new(map))));
            }
        }
        Ok(Kind::Map(lowered))
    }

    /// The position of the token that a node's id stands for.
    fn token(&self, id: u64) -> usize {
        // The parser counts bytes here, and characters in its errors.
        let byte = self.source.offset_for(id).map_or(0, |(start, _)| start as usize);
        self.tokens.starting_at(byte).unwrap_or_else(|| self.tokens.behind(byte))
    }

    /// The start of the token before this one, if it is that text; else of this one.
    fn before(&self, token: usize, text: &str) -> usize {
        let previous = token.checked_sub(1).filter(|previous| self.tokens.is(*previous, text));
        self.tokens.range_at(previous.unwrap_or(token)).start
    }

    fn bracketed(&self, token: usize) -> Range<usize> {
        self.tokens.range_at(token).start..self.tokens.range_at(self.tokens.partner(token)).end
    }

    fn outer(&self, node: &Node) -> Range<usize> {
        self.tokens.with_parentheses(node.range.clone())
    }

    fn span(&self, first: Option<&Node>, last: Option<&Node>, otherwise: Range<usize>) -> Range<usize> {
        match (first, last) {
            (Some(first), Some(last)) => self.outer(first).start..self.outer(last).end,
            _ => otherwise,
        }
    }
}

/// A macro's inside, before it meets its target.
enum Opened {
    Loop { form: Form, filter: Option<Node>, body: Node },
    WithOptional { body: Node, flat: bool },
}

fn own(found: Found, on_target: bool, arguments: Vec<Node>) -> Kind {
    let pattern = match (found.function, arguments.get(1).map(|argument| &argument.kind)) {
        (Function::Matches, Some(Kind::Literal(Value::String(pattern)))) => Some(functions::pattern(pattern)),
        _ => None,
    };
    Kind::Call(Box::new(Call { function: found.function, name: found.name, on_target, arguments, pattern }))
}

fn literal_value(literal: &LiteralValue) -> Value {
    match literal {
        LiteralValue::Boolean(flag) => Value::Bool(*flag.inner()),
        LiteralValue::Bytes(bytes) => Value::Bytes(Arc::from(bytes.inner())),
        LiteralValue::Double(number) => Value::Double(*number.inner()),
        LiteralValue::Int(number) => Value::Int(*number.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(text) => Value::from(text.inner()),
        LiteralValue::UInt(number) => Value::Uint(*number.inner()),
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Modulo,
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::Unequal,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessOrEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterOrEqual,
        operators::IN => Operator::In,
        _ => return None,
    })
}
