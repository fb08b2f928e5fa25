//! `decision`: what the request's own verdict must say.

use tokenrig_cel::Value;
use tokenrig_decision::Record;
use tokenrig_scenario::{ExpectDecision, Kind, Template};

use super::did_you_mean;
use crate::{
    evaluate::Env,
    events::Failure,
    shape::{self, Place},
    step::Done,
};

/// The decision that a step is about: of its answer, of what it received, or of the last refused request of a command
/// or of what fell due.
pub(super) fn of(done: &Done, decided: &[Record]) -> Option<Record> {
    if done.requests.is_some() {
        return done.decisions.last().cloned();
    }
    if let Some(status) = done.status {
        let answered = decided.iter().rev().find(|record| record.answer.status == status);
        return answered.or(decided.last()).cloned();
    }
    // Commands make requests of their own, and so does what falls due; nothing else does.
    if done.exit.is_none() && !done.advanced {
        return None;
    }
    let refused = decided.iter().rev().find(|record| record.failed().is_some());
    refused.or(decided.last()).cloned()
}

/// All decisions that an expectation is held against.
pub(super) fn all<'a>(done: &'a Done, one: Option<&'a Record>) -> Vec<&'a Record> {
    match &done.requests {
        Some(_) => done.decisions.iter().collect(),
        None => one.into_iter().collect(),
    }
}

pub(super) fn judge(env: &Env, expected: &ExpectDecision, records: &[&Record]) -> Vec<Failure> {
    if records.is_empty() {
        return vec![Failure {
            at: Some(expected.span),
            label: "nothing was decided".to_owned(),
            ..Failure::new("a decision is expected and none was made")
        }];
    }
    let mut failures = Vec::new();
    for record in records {
        one(env, expected, record, &mut failures);
        if !failures.is_empty() {
            break;
        }
    }
    failures
}

fn one(env: &Env, expected: &ExpectDecision, record: &Record, failures: &mut Vec<Failure>) {
    let failed = record.failed();
    let name = failed.map_or(Value::Absent, |check| Value::from(check.name.as_str()));
    let mut compare = |shape: &Option<Template>, word: &str, found: Value| {
        let Some(shape) = shape else { return };
        // Null says the same as absent here: no check failed.
        if matches!(shape.kind, Kind::Null) && matches!(found, Value::Absent) {
            return;
        }
        let place = Place::named(format!("decision.{word}"));
        let mut more = shape::compare(env, shape, &found, &place);
        if word == "failed"
            && let Some(failure) = more.first_mut()
            && let Ok(written) = env.text(shape)
            && !record.checks.iter().any(|check| check.name == written)
        {
            let known: Vec<&str> = record.checks.iter().map(|check| check.name.as_str()).collect();
            let near = did_you_mean(&written, known.iter().copied());
            failure.notes.push(format!("the checks made were {}{near}", known.join(", ")));
        }
        failures.append(&mut more);
    };
    compare(&expected.failed, "failed", name);
    compare(&expected.refusal, "refusal", record.refusal.as_deref().map_or(Value::Absent, Value::from));
    let value = |json: &serde_json::Value| if json.is_null() { Value::Absent } else { Value::from(json) };
    compare(&expected.expected, "expected", failed.map_or(Value::Absent, |check| value(&check.expected)));
    compare(&expected.found, "found", failed.map_or(Value::Absent, |check| value(&check.found)));
}
