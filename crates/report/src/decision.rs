//! A decision check by check.

use serde_json::Value;
use tokenrig_decision::{CheckRecord, Record};

use crate::paint::flat;

/// One line of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether it belongs to a check that failed.
    pub failed: bool,
    /// The text.
    pub text: String,
}

/// What was decided, in a line: `iamcredentials refused generateIdToken with 403, iamcredentials-permission-denied`.
#[must_use]
pub fn title(record: &Record) -> String {
    let verdict = if record.failed().is_some() { "refused" } else { "allowed" };
    let mut title = format!("{} {verdict} {} with {}", record.surface, record.of, record.answer.status);
    if let Some(refusal) = &record.refusal {
        title.push_str(&format!(", {refusal}"));
    }
    flat(&title)
}

/// The checks in order of judgement, aligned.
#[must_use]
pub fn check_lines(record: &Record) -> Vec<Line> {
    check_lines_but(record, |_| None)
}

/// As [`check_lines`]; of checks that say nothing `unchecked` gives what stands in their place.
#[must_use]
pub fn check_lines_but<'a>(record: &Record, unchecked: impl Fn(&CheckRecord) -> Option<&'a str>) -> Vec<Line> {
    let width = record.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let told = record.checks.iter().flat_map(|check| match unchecked(check) {
        None => lines(check, width),
        Some(why) => {
            vec![Line { failed: false, text: format!("-     {:<width$}  {}", flat(&check.name), flat(why)) }]
        }
    });
    told.collect()
}

fn lines(check: &CheckRecord, width: usize) -> Vec<Line> {
    let name = format!("{:<width$}", flat(&check.name));
    if check.ok {
        let values = values(&check.found);
        let values = if values.is_empty() { self::values(&check.expected) } else { values };
        let text = format!("ok    {name}  {}", values.join(", "));
        return vec![Line { failed: false, text: text.trim_end().to_owned() }];
    }
    let mut lines = Vec::new();
    let mut start = format!("FAIL  {name}  ");
    let indent = " ".repeat(start.chars().count());
    let expected = values(&check.expected);
    for (index, value) in expected.iter().enumerate() {
        // `or` stands so that all values are below each other.
        let word = if index == 0 { "expected" } else { "      or" };
        lines.push(format!("{start}{word} {value}"));
        start.clone_from(&indent);
    }
    let found = values(&check.found);
    if found.is_empty() {
        lines.push(format!("{start}found    nothing"));
    }
    for (index, value) in found.iter().enumerate() {
        let word = if index == 0 { "found   " } else { "     and" };
        lines.push(format!("{start}{word} {value}"));
        start.clone_from(&indent);
    }
    lines.into_iter().map(|text| Line { failed: true, text }).collect()
}

/// A value line by line: the items of a list, the text of a text, a map as `name value` pairs; nothing for null.
pub(crate) fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().map(one).collect(),
        other => vec![one(other)],
    }
}

fn one(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let pairs = fields.iter().filter(|(_, value)| !value.is_null());
            let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name} {}", one(value))).collect();
            pairs.join(", ")
        }
        Value::Array(items) => format!("[{}]", items.iter().map(one).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    };
    flat(&text)
}
