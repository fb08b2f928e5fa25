//! A case as the page shows it.

use askama::Template;
use tokenrig_decision::{CheckRecord, Record};
use tokenrig_runner::{CaseReport, Outcome, StepReport, TokenShown};

use super::{
    flow::Flow,
    text::{line, shown, start, took},
    token::TokenView,
};
use crate::{command::again, decision, exchange, failure, paint::Look};

/// Checks whose values are shown at most so long.
const VALUE: usize = 2_000;

/// How much of a case is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Its name and its steps.
    Brief,
    /// All of it.
    Full,
}

#[derive(Template)]
#[template(path = "case.html")]
pub(super) struct CaseView {
    number: usize,
    id: String,
    find: String,
    outcome: &'static str,
    word: &'static str,
    took: String,
    title: String,
    file: String,
    reason: String,
    again: String,
    failures: Vec<FailureView>,
    flow: Option<Flow>,
    steps: Vec<StepView>,
    brief: bool,
    open: bool,
}

struct FailureView {
    step: usize,
    text: String,
    help: String,
}

struct StepView {
    number: usize,
    title: String,
    what: String,
    took: String,
    failed: bool,
    exchanges: Vec<String>,
    command: Option<String>,
    tokens: Vec<TokenView>,
    /// Tokens that an earlier step shows: as they are shortened, and that step.
    known: Vec<(String, usize)>,
    decisions: Vec<DecisionView>,
    notes: Vec<String>,
}

impl StepView {
    fn detailed(&self) -> bool {
        !(self.exchanges.is_empty()
            && self.command.is_none()
            && self.tokens.is_empty()
            && self.known.is_empty()
            && self.decisions.is_empty()
            && self.notes.is_empty())
    }
}

struct DecisionView {
    title: String,
    refused: bool,
    checks: Vec<CheckView>,
    mend: String,
}

struct CheckView {
    name: String,
    ok: bool,
    expected: String,
    found: String,
}

impl CaseView {
    pub(super) fn of(report: &CaseReport, look: &Look, detail: Detail) -> Self {
        let full = detail == Detail::Full;
        let (outcome, word, reason) = match &report.outcome {
            Outcome::Passed => ("passed", "PASS", String::new()),
            Outcome::Failed => ("failed", "FAIL", String::new()),
            Outcome::Broken(why) => ("failed", "ERROR", shown(&start(why, 4_000))),
            Outcome::Skipped(skip) => ("skipped", "SKIP", shown(&skip.to_string())),
        };
        let id = line(&report.id.to_string());
        let file = line(&report.id.file.to_string_lossy());
        let title = line(&report.id.title);
        let mut seen: Vec<(&TokenShown, usize)> = Vec::new();
        let steps = report.steps.iter().map(|one| step(one, &mut seen, full)).collect();
        Self {
            number: report.number,
            find: start(&format!("{id} {title} {file} {word}").to_lowercase(), 500),
            id,
            outcome,
            word,
            took: took(report.took),
            title,
            file,
            reason,
            again: line(&again(&report.id, look)),
            failures: failures(report, full),
            flow: full.then(|| Flow::of(report)).flatten(),
            steps,
            brief: !full && report.steps.iter().any(|step| !step.exchanges.is_empty() || !step.decisions.is_empty()),
            open: outcome == "failed",
        }
    }
}

fn failures(report: &CaseReport, full: bool) -> Vec<FailureView> {
    let look = Look { width: 110, ..Look::default() };
    let (count, length) = if full { (20, 64 << 10) } else { (2, 1_200) };
    let all = report.failures().map(|(step, one)| FailureView {
        step: step.number,
        text: start(&shown(&failure::one(step, one, false, &report.sources, &look)), length),
        help: one.help.as_deref().map(|help| start(&shown(help), length)).unwrap_or_default(),
    });
    all.take(count).collect()
}

fn step<'a>(step: &'a StepReport, seen: &mut Vec<(&'a TokenShown, usize)>, full: bool) -> StepView {
    let mut view = StepView {
        number: step.number,
        title: step.title.as_deref().map(line).unwrap_or_default(),
        what: start(&line(&step.what), 300),
        took: took(step.took),
        failed: !step.failures.is_empty(),
        exchanges: Vec::new(),
        command: None,
        tokens: Vec::new(),
        known: Vec::new(),
        decisions: Vec::new(),
        notes: step.not_checked.iter().map(|note| line(note)).collect(),
    };
    if !full {
        return view;
    }
    view.exchanges = step.exchanges.iter().map(|one| shown(&exchange::lines(one).join("\n"))).collect();
    view.command = step.command.as_ref().map(|one| shown(&exchange::command(one).join("\n")));
    view.decisions = step.decisions.iter().map(decided).collect();
    for token in step.tokens.iter().chain(step.exchanges.iter().flat_map(|one| &one.tokens)) {
        let known = seen.iter().find(|(known, _)| known.header == token.header && known.claims == token.claims);
        match known {
            None => {
                seen.push((token, step.number));
                view.tokens.push(TokenView::of(token));
            }
            Some((_, number)) if *number != step.number => view.known.push((line(&token.shortened), *number)),
            Some(_) => {}
        }
    }
    view
}

fn decided(record: &Record) -> DecisionView {
    DecisionView {
        title: start(&line(&decision::title(record)), 400),
        refused: record.failed().is_some(),
        checks: record.checks.iter().map(check).collect(),
        mend: record.mend.as_deref().map(line).unwrap_or_default(),
    }
}

fn check(check: &CheckRecord) -> CheckView {
    let joined = |value| start(&shown(&decision::values(value).join("\n")), VALUE);
    let (expected, found) = (joined(&check.expected), joined(&check.found));
    // What passed has found what it expected: once is enough.
    let expected = if check.ok && (expected == found || !found.is_empty()) { String::new() } else { expected };
    CheckView { name: line(&check.name), ok: check.ok, expected, found }
}
