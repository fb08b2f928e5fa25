//! What a step saves and whether what came back is what was expected.

mod decision;
mod token;

use tokenrig_cel::Value;
use tokenrig_scenario::{Expect, Key, Step, Template, nearest};

use crate::{
    catalogue::{Catalogue, Comparison},
    evaluate::{Env, Fault},
    events::{Failure, StepReport},
    redact, shape,
    shape::Place,
    step::{self, Case, Done},
    world::Received,
};

/// Saves, then judges; saved names are in the case's environment afterwards. All failures end in `report`.
pub(crate) async fn judge(
    case: &mut Case<'_>,
    step: &Step,
    mut done: Done,
    catalogue: Catalogue,
    report: &mut StepReport,
) {
    let decisions = case.decisions().await;
    let shows_decisions = decisions.is_some();
    let decided = decisions.unwrap_or_default();
    report.decision = decision::of(&done, &decided);
    report.decisions = decided;
    report.failures.append(&mut done.failures);

    let mut seen = case.env.clone();
    for (name, value) in &done.names {
        seen.scope.set(*name, value.clone());
    }
    let saved = save(case, step, &seen);
    for (name, value) in case.env_names(step) {
        seen.scope.set(name, value);
    }

    let judging = Judging { env: &seen, done: &done, catalogue };
    match &step.expect {
        Some(expect) => {
            judging.answer(expect, &mut report.failures);
            if let Some(expected) = &expect.token {
                let failures = token::judge(case, &seen, &done, expected).await;
                report.failures.extend(failures);
                // Fetching keys may have been decided upon; that is not the next step's.
                case.decisions().await;
            }
            if let Some(expected) = &expect.decision {
                if shows_decisions || done.requests.is_some() {
                    let records = decision::all(&done, report.decision.as_ref());
                    report.failures.extend(decision::judge(&seen, expected, &records));
                } else {
                    report.not_checked.push("the decision is not checked here".to_owned());
                }
            }
            judging.that(expect, &mut report.failures);
        }
        None => report.failures.extend(unexpected(step, &done)),
    }
    // Expectations come first: a save that finds nothing is often only their consequence.
    report.failures.extend(saved);
    if !report.failures.is_empty() {
        let mend = report.decision.as_ref().and_then(|record| record.mend.clone());
        if let Some(failure) = report.failures.first_mut() {
            failure.help = failure.help.take().or(mend);
            failure.notes.append(&mut done.notes);
        }
    }
}

/// Evaluates what the step saves and puts it into the case's environment.
fn save(case: &mut Case<'_>, step: &Step, seen: &Env) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut seen = seen.clone();
    for (key, expr) in &step.save {
        let value = match seen.expr(expr) {
            Ok(Value::Absent | Value::Optional(None)) => Err(Fault::new(expr.span, "nothing is there to save")),
            Ok(Value::Optional(Some(value))) => Ok(*value),
            Ok(value) => Ok(value),
            Err(fault) => Err(Fault { message: format!("cannot save `{}`: {}", key.text, fault.message), ..fault }),
        };
        match value {
            Ok(value) => {
                seen.scope.set(key.text.to_string(), value.clone());
                case.env.scope.set(key.text.to_string(), value);
            }
            Err(fault) => failures.push(fault.into()),
        }
    }
    failures
}

impl Case<'_> {
    /// What the step has saved.
    fn env_names(&self, step: &Step) -> Vec<(String, Value)> {
        let value = |key: &Key| Some((key.text.to_string(), self.env.scope.get(&key.text)?.clone()));
        step.save.iter().filter_map(|(key, _)| value(key)).collect()
    }
}

/// Without expectations a refusal is a failure, and so is a command that fails.
fn unexpected(step: &Step, done: &Done) -> Option<Failure> {
    if let Some(status) = done.status.filter(|status| *status >= 400 && step::fails_on_error(&step.verb)) {
        return Some(Failure {
            at: Some(step.verb_span),
            label: format!("found status {status}"),
            ..Failure::new(format!("this step expects nothing, so its status must be below 400; found {status}"))
        });
    }
    let exit = done.exit.filter(|exit| *exit != 0)?;
    Some(Failure {
        at: Some(step.verb_span),
        label: format!("exit code {exit}"),
        ..Failure::new(format!("this command expects nothing, so its exit code must be 0; found {exit}"))
    })
}

struct Judging<'a> {
    env: &'a Env,
    done: &'a Done,
    catalogue: Catalogue,
}

impl Judging<'_> {
    fn name(&self, name: &str) -> Value {
        let found = self.done.names.iter().find(|(known, _)| *known == name);
        found.map_or(Value::Absent, |(_, value)| value.clone())
    }

    /// Everything that is compared as a shape, and the refusal.
    fn answer(&self, expect: &Expect, failures: &mut Vec<Failure>) {
        match &self.done.requests {
            Some(requests) => self.requests(expect, requests, failures),
            None => {
                for (name, shape) in [
                    ("status", &expect.status),
                    ("exit", &expect.exit),
                    ("body", &expect.body),
                    ("text", &expect.text),
                    ("url", &expect.url),
                    ("stdout", &expect.stdout),
                    ("stderr", &expect.stderr),
                ] {
                    self.shape(name, shape.as_ref(), &self.name(name), failures);
                }
                if let Some(shape) = &expect.headers {
                    let place = Place::named("headers");
                    failures.extend(shape::compare_headers(self.env, shape, &self.name("headers"), &place));
                }
            }
        }
        if let Some(refusal) = &expect.refusal {
            failures.extend(self.refusal(refusal));
        }
    }

    fn shape(&self, name: &str, shape: Option<&Template>, found: &Value, failures: &mut Vec<Failure>) {
        if let Some(shape) = shape {
            failures.extend(shape::compare(self.env, shape, found, &Place::named(name)));
        }
    }

    /// Each received request against the same shapes.
    fn requests(&self, expect: &Expect, requests: &[Received], failures: &mut Vec<Failure>) {
        let count = Value::Int(i64::try_from(requests.len()).unwrap_or(i64::MAX));
        self.shape("count", expect.count.as_ref(), &count, failures);
        let alone = requests.len() == 1;
        for (index, request) in requests.iter().enumerate() {
            let value = step::received(request);
            for (name, shape) in [
                ("status", &expect.status),
                ("method", &expect.method),
                ("path", &expect.path),
                ("headers", &expect.headers),
                ("body", &expect.body),
                ("text", &expect.text),
            ] {
                let Some(shape) = shape else { continue };
                let place = Place::named(if alone { name.to_owned() } else { format!("requests[{index}].{name}") });
                let found = value.get(name).cloned().unwrap_or(Value::Absent);
                let compare = if name == "headers" { shape::compare_headers } else { shape::compare };
                failures.extend(compare(self.env, shape, &found, &place));
            }
            // One request that differs says enough: 288 alike would hide it.
            if !failures.is_empty() {
                break;
            }
        }
    }

    fn refusal(&self, template: &Template) -> Option<Failure> {
        let id = match self.env.text(template) {
            Ok(id) => id,
            Err(fault) => return Some(fault.into()),
        };
        let at = Some(template.span);
        let Some(answer) = &self.done.answer else {
            let failure = Failure::new("a refusal is expected and there is no answer to compare");
            return Some(Failure { at, ..failure });
        };
        let seen =
            tokenrig_decision::Seen { status: answer.status, headers: answer.headers.as_deref(), body: &answer.body };
        match self.catalogue.compare(&id, &seen) {
            Comparison::Same => None,
            Comparison::Unknown(near) => Some(Failure {
                at,
                label: near.map_or_else(|| "no such refusal".to_owned(), |near| format!("did you mean `{near}`?")),
                ..Failure::new(format!("`{id}` is no refusal of the catalogue"))
            }),
            Comparison::Differs(differences) => {
                let forms = self.catalogue.forms(&seen);
                let is = match forms.as_slice() {
                    [] => format!("status {}", answer.status),
                    [one] => format!("the form of `{one}`"),
                    [one, ..] => format!("the form of `{one}` (and {} more)", forms.len() - 1),
                };
                let notes = differences.iter().map(|difference| {
                    let quoted = |text: &str| match text {
                        "" => "nothing".to_owned(),
                        text => redact::text(&crate::evaluate::bounded(text)).into_owned(),
                    };
                    format!(
                        "{}: expected {}, found {}",
                        difference.place,
                        quoted(&difference.expected),
                        quoted(&difference.found)
                    )
                });
                Some(Failure {
                    at,
                    label: format!("found {is}"),
                    notes: notes.collect(),
                    ..Failure::new(format!("expected refusal `{id}`, found {is}"))
                })
            }
        }
    }

    fn that(&self, expect: &Expect, failures: &mut Vec<Failure>) {
        for expr in &expect.that {
            match self.env.holds(expr) {
                Ok(true) => {}
                Ok(false) => failures.push(Failure {
                    at: Some(expr.span),
                    label: "is false".to_owned(),
                    parts: self.env.parts(expr),
                    ..Failure::new(format!("`{}` does not hold", redact::text(expr.text())))
                }),
                Err(fault) => failures.push(fault.into()),
            }
        }
    }
}

/// The nearest of a few words, for messages.
pub(crate) fn did_you_mean<'w>(written: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    nearest(written, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
