//! Comparing what came back with an expected shape.
//!
//! A literal must be equal, a map must hold what is named, a list is compared whole. A hole with `it` in it is a test of
//! the value found there; every other hole is a value to equal. `absent` says that nothing is there.

use tokenrig_cel::Value;
use tokenrig_scenario::{Expr, Kind, Piece, Template};

use crate::{
    evaluate::{self, Env, bounded},
    events::Failure,
    redact,
};

/// A place in an answer, for messages: `status`, `body.error.code`, `headers.content-type`.
#[derive(Debug, Clone)]
pub(crate) struct Place(String);

impl Place {
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    fn key(&self, key: &str) -> Self {
        let plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        Self(if plain { format!("{}.{key}", self.0) } else { format!("{}['{key}']", self.0) })
    }

    fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

/// All ways in which `found` differs from the shape.
pub(crate) fn compare(env: &Env, shape: &Template, found: &Value, place: &Place) -> Vec<Failure> {
    let mut failures = Vec::new();
    walk(env, shape, found, place, false, &mut failures);
    failures
}

/// As [`compare`], for a map whose keys are lower case and whose shape's keys ignore case.
pub(crate) fn compare_headers(env: &Env, shape: &Template, found: &Value, place: &Place) -> Vec<Failure> {
    let mut failures = Vec::new();
    walk(env, shape, found, place, true, &mut failures);
    failures
}

fn walk(env: &Env, shape: &Template, found: &Value, place: &Place, headers: bool, failures: &mut Vec<Failure>) {
    match &shape.kind {
        Kind::Hole(expr) if tests_it(expr) => test(env, expr, found, place, failures),
        Kind::Mixed(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Hole(expr) if tests_it(expr))) => {
            failures.push(Failure {
                message: "a test of `it` is a whole value: `\"${…}\"`".to_owned(),
                at: Some(shape.span),
                label: "`it` stands inside text here".to_owned(),
                ..Failure::default()
            });
        }
        Kind::List(items) => match found {
            Value::List(found) if found.len() == items.len() => {
                for (index, (shape, found)) in items.iter().zip(found.iter()).enumerate() {
                    walk(env, shape, found, &place.index(index), headers, failures);
                }
            }
            Value::List(other) => {
                let count = |count: usize| if count == 1 { "1 item".to_owned() } else { format!("{count} items") };
                let mut failure = differing(shape, place, &count(items.len()), &count(other.len()));
                failure.expected = env.json(shape).ok().map(redact::json);
                failure.found = evaluate::json(found).map(redact::json);
                failures.push(failure);
            }
            other => failures.push(differing(shape, place, "a list", &shown(other))),
        },
        Kind::Map(entries) => match found {
            Value::Map(map) => {
                for (key, shape) in entries {
                    let found =
                        if headers { map.get_text(&key.text.to_ascii_lowercase()) } else { map.get_text(&key.text) };
                    walk(env, shape, found.unwrap_or(&Value::Absent), &place.key(&key.text), false, failures);
                }
            }
            // A map of which nothing may be there is satisfied by nothing.
            other if !entries.is_empty() || !matches!(other, Value::Absent) => {
                failures.push(differing(shape, place, "a map", &shown(other)));
            }
            _ => failures.push(differing(shape, place, "a map", "nothing")),
        },
        _ => match env.value(shape) {
            Ok(expected) if expected == *found => {}
            Ok(expected) => {
                let mut failure = differing(shape, place, &shown(&expected), &shown(found));
                failure.expected = evaluate::json(&expected).map(redact::json);
                failure.found = evaluate::json(found).map(redact::json);
                if let Some(note) = nearly(&expected, found) {
                    failure.notes.push(note);
                }
                failures.push(failure);
            }
            Err(fault) => failures.push(fault.into()),
        },
    }
}

fn tests_it(expr: &Expr) -> bool {
    expr.program.variables().iter().any(|name| name == "it")
}

fn test(env: &Env, expr: &Expr, found: &Value, place: &Place, failures: &mut Vec<Failure>) {
    let env = env.with("it", found.clone());
    match env.holds(expr) {
        Ok(true) => {}
        Ok(false) => failures.push(Failure {
            message: format!(
                "{} is {}, for which `{}` does not hold",
                place.0,
                shown(found),
                redact::text(expr.text())
            ),
            at: Some(expr.span),
            label: format!("found {}", shown(found)),
            found: evaluate::json(found).map(redact::json),
            parts: env.parts(expr).into_iter().filter(|(text, _)| text != "it").collect(),
            ..Failure::default()
        }),
        Err(fault) => {
            let mut failure = Failure::from(fault);
            failure.notes.push(format!("it: {}", shown(found)));
            failures.push(failure);
        }
    }
}

fn differing(shape: &Template, place: &Place, expected: &str, found: &str) -> Failure {
    Failure {
        message: format!("expected {} {expected}, found {found}", place.0),
        at: Some(shape.span),
        label: format!("found {found}"),
        ..Failure::default()
    }
}

/// A value in a message: text in backquotes, all else as JSON; tokens shortened.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Absent => "nothing".to_owned(),
        Value::String(text) => format!("`{}`", line(text)),
        other => match evaluate::json(other) {
            Some(json) => line(&json.to_string()),
            None => "nothing".to_owned(),
        },
    }
}

/// The start of a text on one line.
fn line(text: &str) -> String {
    const LIMIT: usize = 160;
    let text = redact::text(text);
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match flat.char_indices().nth(LIMIT) {
        None => flat,
        Some((at, _)) => bounded(&format!("{}…", flat.get(..at).unwrap_or_default())),
    }
}

/// What makes two values differ that look alike.
fn nearly(expected: &Value, found: &Value) -> Option<String> {
    let (number, text) = match (expected, found) {
        (number, Value::String(text)) if number.to_json().is_number() => (number, text),
        (Value::String(text), number) if number.to_json().is_number() => (number, text),
        (Value::Bool(flag), Value::String(text)) | (Value::String(text), Value::Bool(flag)) => {
            return (flag.to_string() == **text).then(|| "one is text, the other a boolean".to_owned());
        }
        (Value::String(a), Value::String(b)) => {
            return (a.to_lowercase() == b.to_lowercase()).then(|| "they differ in letter case only".to_owned());
        }
        _ => return None,
    };
    (number.to_text().as_deref() == Some(&**text))
        .then(|| "one is text, the other a number; Google's 64-bit integers are text in JSON".to_owned())
}
