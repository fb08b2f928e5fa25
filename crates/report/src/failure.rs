//! A failed case: what was expected at its place, why it is not so, what went over the wire, what to do.

use std::collections::VecDeque;

use annotate_snippets::{Group, Level, normalize_untrusted_str};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use tokenrig_runner::{CaseReport, Failure, Outcome, StepReport, given::GivenFault};
use tokenrig_scenario::Sources;

use crate::{
    decision,
    diagnostics::{Place, snippets},
    exchange,
    paint::{Look, flat, safe},
};

/// Values longer than this are shown as a difference.
const LONG: usize = 200;
/// The most lines of a difference.
const DIFF_LINES: usize = 60;

/// The whole report of a case that failed or was broken; ends with one line end.
#[must_use]
pub fn case_failed(report: &CaseReport, look: &Look) -> String {
    let word = if matches!(report.outcome, Outcome::Broken(_)) { "ERROR" } else { "FAIL" };
    let mut text = format!("{} {}\n\n", look.bad(word), look.strong(&flat(&report.id.to_string())));
    let mut told = false;
    for step in report.steps.iter().filter(|step| !step.failures.is_empty()) {
        told = true;
        text.push_str(&step_failed(step, &report.sources, look));
    }
    if let (false, Outcome::Broken(why)) = (told, &report.outcome) {
        text.push_str(&format!("{}: {}", look.bad("error"), safe(why)));
    }
    text.truncate(text.trim_end().len());
    if let Some(folder) = &report.kept {
        text.push_str(&format!("\n\nkept: {}", flat(&folder.to_string_lossy())));
    }
    text + "\n"
}

/// The report of a given document that could not be put in place.
#[must_use]
pub fn given_fault(fault: &GivenFault, sources: &Sources, look: &Look) -> String {
    let text = step_failed(fault.report(), sources, look);
    text.trim_end().to_owned() + "\n"
}

fn step_failed(step: &StepReport, sources: &Sources, look: &Look) -> String {
    let mut text = String::new();
    let mut helps: Vec<&str> = Vec::new();
    for (index, failure) in step.failures.iter().enumerate() {
        text.push_str(&one(step, failure, index == 0, sources, look));
        text.push_str("\n\n");
        if let Some(help) = failure.help.as_deref().filter(|help| !helps.contains(help)) {
            helps.push(help);
        }
    }
    for help in helps {
        text.push_str(&format!("{}: {}\n\n", look.help("help"), safe(help)));
    }
    for note in &step.not_checked {
        text.push_str(&format!("note: {}\n\n", flat(note)));
    }
    if !step.exchanges.is_empty() {
        text.push_str("exchange:\n");
        let all: Vec<String> = step.exchanges.iter().map(|exchange| indented(&exchange::lines(exchange))).collect();
        text.push_str(&all.join("\n"));
        text.push('\n');
    }
    if let Some(command) = &step.command {
        text.push_str("command:\n");
        text.push_str(&indented(&exchange::command(command)));
        text.push('\n');
    }
    text
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect()
}

/// A failure at its place, with the step's decision if it is the `first`.
pub(crate) fn one(step: &StepReport, failure: &Failure, first: bool, sources: &Sources, look: &Look) -> String {
    let message = flat(&failure.message);
    let label = flat(&failure.label);
    let what = flat(&step.what);
    let mut places = Vec::new();
    if let Some(span) = failure.at {
        places.push(Place { span, label: &label, primary: true });
    }
    if let Some(span) = step.at.filter(|at| Some(*at) != failure.at) {
        places.push(Place { span, label: &what, primary: failure.at.is_none() });
    }
    let mut group = Group::with_title(Level::ERROR.primary_title(message.as_str()));
    group = group.elements(snippets(sources, &places));
    for note in notes(step, failure, first) {
        group = group.element(Level::NOTE.no_name().message(normalize_untrusted_str(&note)));
    }
    look.renderer().render(&[group])
}

/// Everything that is said below the place, a block each.
fn notes(step: &StepReport, failure: &Failure, first: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !failure.parts.is_empty() {
        let width = failure.parts.iter().map(|(text, _)| text.chars().count()).max().unwrap_or_default().min(60);
        let lines = failure.parts.iter().map(|(text, value)| format!("    {:<width$}  {}", flat(text), flat(value)));
        notes.push(format!("where\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    if let Some(diff) = diff(failure) {
        notes.push(format!("- expected, + found\n{diff}"));
    }
    notes.extend(failure.notes.iter().map(|note| safe(note)));
    if first && let Some(record) = &step.decision {
        let lines = decision::check_lines(record).into_iter().map(|line| format!("    {}", line.text));
        notes.push(format!("{}:\n{}", decision::title(record), lines.collect::<Vec<_>>().join("\n")));
    }
    notes
}

/// The difference of two values that are too long to be read beside each other.
fn diff(failure: &Failure) -> Option<String> {
    let lines = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let (expected, found) = (lines(failure.expected.as_ref()?), lines(failure.found.as_ref()?));
    let long = |text: &str| text.len() > LONG || text.trim_end().contains('\n');
    if !long(&expected) && !long(&found) {
        return None;
    }
    let (expected, found) = (safe(&shortened(&expected)), safe(&shortened(&found)));
    let diff = TextDiff::from_lines(expected.as_str(), found.as_str());
    let mut shown: Vec<String> = Vec::new();
    for group in diff.grouped_ops(2) {
        let changes: Vec<_> = group.iter().flat_map(|operation| diff.iter_changes(operation)).collect();
        let of = |tag: ChangeTag| changes.iter().filter(move |change| change.tag() == tag).map(|change| change.value());
        // Long lines are cut where they begin to differ from what stands in their place.
        let mut starts: [VecDeque<usize>; 2] = Default::default();
        for (gone, new) in of(ChangeTag::Delete).zip(of(ChangeTag::Insert)) {
            let same = gone.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
            starts.iter_mut().for_each(|starts| starts.push_back(same));
        }
        for change in &changes {
            let (sign, from) = match change.tag() {
                ChangeTag::Delete => ('-', starts[0].pop_front()),
                ChangeTag::Insert => ('+', starts[1].pop_front()),
                ChangeTag::Equal => (' ', None),
            };
            shown.push(format!("    {sign} {}", window(change.value().trim_end(), from.unwrap_or_default())));
        }
    }
    let more = shown.len().saturating_sub(DIFF_LINES);
    shown.truncate(DIFF_LINES);
    if more > 0 {
        shown.push(format!("    … ({more} lines more)"));
    }
    Some(shown.join("\n"))
}

/// The part of a long line around its character `from`.
fn window(line: &str, from: usize) -> String {
    const BEFORE: usize = 40;
    const WIDTH: usize = 160;
    let length = line.chars().count();
    if length <= WIDTH {
        return line.to_owned();
    }
    let start = from.saturating_sub(BEFORE).min(length - WIDTH);
    let part: String = line.chars().skip(start).take(WIDTH).collect();
    let (before, after) = (start, length - WIDTH - start);
    let told = |count: usize| if count == 0 { String::new() } else { format!("…({count})…") };
    format!("{}{part}{}", told(before), told(after))
}

/// No more text than a difference can be made of in reasonable time.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 64 << 10;
    const LINES: usize = 2000;
    let end = text.char_indices().nth(LIMIT).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default().split_inclusive('\n').take(LINES).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_line_is_cut_where_it_begins_to_differ() {
        let text = |word: &str| json!(format!("{}{word}{}", "a".repeat(5000), "b".repeat(5000)));
        let failure = Failure { expected: Some(text("one")), found: Some(text("two")), ..Failure::default() };
        let shown = diff(&failure).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 2, "{shown}");
        assert!(lines[0].starts_with("    - …(4960)…aaa") && lines[0].contains("aoneb"), "{shown}");
        assert!(lines[1].starts_with("    + …(4960)…aaa") && lines[1].contains("atwob"), "{shown}");
    }

    #[test]
    fn texts_without_a_line_in_common_are_told_apart_in_bounded_time() {
        let text = |word: &str| json!(format!("{word}\n").repeat(30_000));
        let failure = Failure { expected: Some(text("a")), found: Some(text("b")), ..Failure::default() };
        assert!(diff(&failure).unwrap().lines().count() <= DIFF_LINES + 1);
    }
}
