//! What the values of a file mean: templates with their holes filled.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};
use tokenrig_cel::{Scope, Value};
use tokenrig_scenario::{Case, Expr, Key, Kind, Piece, RowUse, Span, Template};

use crate::events::Failure;

/// Rows may refer to each other; deeper than this they cannot mean anything.
const MAX_ROW_DEPTH: usize = 32;

/// A value that could not be had.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Lower case, no full stop.
    pub(crate) message: String,
    /// The part of the file that failed.
    pub(crate) span: Span,
    /// The values of the parts of the expression, in source order.
    pub(crate) parts: Vec<(String, String)>,
}

impl Fault {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, parts: Vec::new() }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self {
            label: fault.message.clone(),
            message: fault.message,
            at: Some(fault.span),
            parts: fault.parts,
            ..Self::default()
        }
    }
}

/// A function with an effect that an expression asked for and that has not been done yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// `key_file(account)`: a new key of this account, by e-mail.
    KeyFile(String),
}

/// Effects asked for by expressions and their results. Expressions cannot wait, so one that needs an effect fails, the
/// effect is done, and the expression is evaluated again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Effects(Arc<Mutex<EffectsInside>>);

#[derive(Debug, Default)]
struct EffectsInside {
    wanted: Vec<Effect>,
    done: Vec<(Effect, Result<Value, String>)>,
}

impl Effects {
    /// The result of an effect, or the note that it is wanted.
    pub(crate) fn ask(&self, effect: Effect) -> Result<Value, String> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, result)) = inside.done.iter().find(|(done, _)| *done == effect) {
            return result.clone();
        }
        inside.wanted.push(effect);
        Err("not made yet".to_owned())
    }

    /// Takes an effect that is still to be done.
    pub(crate) fn take(&self) -> Option<Effect> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wanted.pop()
    }

    /// Tells what came of an effect.
    pub(crate) fn done(&self, effect: Effect, result: Result<Value, String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).done.push((effect, result));
    }
}

/// All that an expression of one case can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env {
    /// Names and functions.
    pub(crate) scope: Scope,
    /// The row.
    pub(crate) row: Arc<[(Key, Template)]>,
    /// The row's name.
    pub(crate) row_name: Option<Arc<str>>,
    /// What functions with an effect made.
    pub(crate) effects: Effects,
    /// How many values of the row are being evaluated for each other.
    depth: usize,
}

impl Env {
    /// An environment for a case.
    pub(crate) fn of(case: &Case) -> Self {
        Self {
            row: case.values.clone().into(),
            row_name: case.name.as_ref().map(|name| name.text.clone()),
            ..Self::default()
        }
    }

    /// The same with one more name.
    pub(crate) fn with(&self, name: &'static str, value: Value) -> Self {
        let mut env = self.clone();
        env.scope.set(name, value);
        env
    }

    /// The value of a template.
    pub(crate) fn value(&self, template: &Template) -> Result<Value, Fault> {
        match &template.kind {
            Kind::Null => Ok(Value::Null),
            Kind::Bool(flag) => Ok(Value::Bool(*flag)),
            Kind::Int(number) => Ok(Value::Int(*number)),
            Kind::Float(number) => Ok(Value::Double(*number)),
            Kind::Text(text) => Ok(Value::String(text.clone())),
            Kind::Hole(expr) => self.expr(expr),
            Kind::Mixed(pieces) => self.mixed(pieces).map(Value::from),
            Kind::List(items) => {
                items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            Kind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((&*key.text, self.value(value)?)));
                Ok(Value::map(entries.collect::<Result<Vec<_>, Fault>>()?))
            }
        }
    }

    fn mixed(&self, pieces: &[Piece]) -> Result<String, Fault> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Hole(expr) => {
                    let value = self.expr(expr)?;
                    text.push_str(&value.to_text().ok_or_else(|| {
                        let what = match value {
                            Value::Absent => "nothing is there".to_owned(),
                            _ => format!("its value is a {}", value.type_name()),
                        };
                        Fault::new(expr.span, format!("only a string, number or bool can stand inside text; {what}"))
                    })?);
                }
            }
        }
        Ok(text)
    }

    /// The value of an expression.
    pub(crate) fn expr(&self, expr: &Expr) -> Result<Value, Fault> {
        let scope = self.scope_for(expr)?;
        expr.program.evaluate(&scope).map_err(|error| Fault {
            span: expr.place(error.at.clone()),
            message: error.message,
            parts: parts(expr, &scope),
        })
    }

    /// Whether a test of `it`, or a line of `that`, holds.
    pub(crate) fn holds(&self, expr: &Expr) -> Result<bool, Fault> {
        match self.expr(expr)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(Fault {
                parts: parts(expr, &self.scope_for(expr)?),
                ..Fault::new(expr.span, format!("a test gives true or false; this gives a {}", other.type_name()))
            }),
        }
    }

    /// The values of the parts of an expression.
    pub(crate) fn parts(&self, expr: &Expr) -> Vec<(String, String)> {
        self.scope_for(expr).map(|scope| parts(expr, &scope)).unwrap_or_default()
    }

    /// The scope with what the expression reads of its row.
    fn scope_for(&self, expr: &Expr) -> Result<Scope, Fault> {
        let mut row: Vec<(&str, Value)> = match &self.row_name {
            Some(name) => vec![("case", Value::String(name.clone()))],
            None => Vec::new(),
        };
        match &expr.row {
            RowUse::Keys(keys) if keys.is_empty() => return Ok(self.scope.clone()),
            RowUse::Keys(keys) => {
                for key in keys.iter().filter(|key| &***key != "case") {
                    if let Some((key, template)) = self.row.iter().find(|(known, _)| known.text == *key) {
                        row.push((&key.text, self.row_value(template, expr.span)?));
                    }
                }
            }
            RowUse::Whole => {
                // Expectations with tests in them are no values; they are left out.
                for (key, template) in self.row.iter() {
                    if let Ok(value) = self.row_value(template, expr.span) {
                        row.push((&key.text, value));
                    }
                }
            }
        }
        Ok(self.scope.clone().with("case", Value::map(row)))
    }

    fn row_value(&self, template: &Template, from: Span) -> Result<Value, Fault> {
        if self.depth >= MAX_ROW_DEPTH {
            return Err(Fault::new(from, "the row's values refer to each other without end"));
        }
        Self { depth: self.depth + 1, ..self.clone() }.value(template)
    }

    /// The value of a template that must be text.
    pub(crate) fn text(&self, template: &Template) -> Result<String, Fault> {
        let value = self.value(template)?;
        value
            .to_text()
            .ok_or_else(|| Fault::new(template.span, format!("text is needed here, not {}", described(&value))))
    }

    /// The value of a template as JSON; entries whose value is `absent` are left out.
    pub(crate) fn json(&self, template: &Template) -> Result<Json, Fault> {
        self.value(template).map(|value| json(&value).unwrap_or(Json::Null))
    }

    /// The value of a template that must be a map, as JSON.
    pub(crate) fn object(&self, template: &Template) -> Result<Map<String, Json>, Fault> {
        match self.json(template)? {
            Json::Object(map) => Ok(map),
            _ => Err(Fault::new(template.span, "a map is needed here")),
        }
    }

    /// The entries of a template that must be a map, with `absent` kept.
    pub(crate) fn entries(&self, template: &Template) -> Result<Vec<(String, Value)>, Fault> {
        match self.value(template)? {
            Value::Map(map) => Ok(map.iter().map(|(key, value)| (key_text(key), value.clone())).collect()),
            other => Err(Fault::new(template.span, format!("a map is needed here, not {}", described(&other)))),
        }
    }
}

fn key_text(key: &tokenrig_cel::Key) -> String {
    key.to_value().to_text().unwrap_or_default()
}

/// A value in an error: with its type, and itself where it is short.
pub(crate) fn described(value: &Value) -> String {
    match value {
        Value::Absent => "nothing".to_owned(),
        Value::Null => "null".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        other => format!("{other} ({})", other.type_name()),
    }
}

/// The value as JSON without what is absent; `None` if it is absent itself.
pub(crate) fn json(value: &Value) -> Option<Json> {
    match value {
        Value::Absent | Value::Optional(None) => None,
        Value::Optional(Some(value)) => json(value),
        Value::List(items) => Some(Json::Array(items.iter().filter_map(json).collect())),
        Value::Map(map) => {
            Some(Json::Object(map.iter().filter_map(|(key, value)| Some((key_text(key), json(value)?))).collect()))
        }
        other => Some(other.to_json()),
    }
}

fn parts(expr: &Expr, scope: &Scope) -> Vec<(String, String)> {
    let explained = expr.program.explain(scope).parts.into_iter();
    explained
        // The whole expression is what failed; its own value says nothing.
        .filter(|part| part.text != expr.text())
        .map(|part| {
            let value = match part.value {
                Ok(value) => value.to_string(),
                Err(error) => format!("error: {error}"),
            };
            (part.text, bounded(&crate::redact::text(&value)))
        })
        .collect()
}

/// The start of a long text.
pub(crate) fn bounded(text: &str) -> String {
    const LIMIT: usize = 2000;
    match text.char_indices().nth(LIMIT) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} characters)", text.get(..at).unwrap_or_default(), text.chars().count()),
    }
}

/// Start and end of an output: `text` is its start, `end` what comes last, `dropped` how many bytes are between the two.
pub(crate) fn both_ends(text: &str, end: &str, dropped: usize) -> String {
    const START: usize = 2000;
    const END: usize = 6000;
    let shortened = |start: &str, bytes: usize, end: &str| format!("{start}\n… ({bytes} bytes left out)\n{end}");
    if end.is_empty() && text.chars().count() <= START + END {
        return text.to_owned();
    }
    let start = text.char_indices().nth(START).map_or(text.len(), |(at, _)| at);
    let (start, rest) = text.split_at(start);
    // What is shown of the end comes from the last part there is.
    let last = if end.is_empty() { rest } else { end };
    let from = last.char_indices().rev().nth(END - 1).map_or(0, |(at, _)| at);
    let (before, shown) = last.split_at(from);
    let skipped = if end.is_empty() { 0 } else { rest.len() };
    shortened(start, skipped + dropped + before.len(), shown)
}

#[cfg(test)]
mod tests {
    use super::both_ends;

    #[test]
    fn a_long_output_is_shown_by_both_its_ends() {
        assert_eq!(both_ends("short", "", 0), "short");
        let long = format!("first{}last", "x".repeat(20_000));
        let shown = both_ends(&long, "", 0);
        assert!(shown.starts_with("first") && shown.ends_with("last"), "{shown}");
        assert!(shown.contains("… (12009 bytes left out)"), "{shown}");
        let shown = both_ends(&long, "the very last", 7);
        assert!(shown.ends_with("\nthe very last") && shown.contains("… (18016 bytes left out)"), "{shown}");
    }
}
