//! One case as JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use tokenrig_decision::Record;
use tokenrig_runner::{CaseReport, CommandReport, Exchange, Failure, Outcome, Skip, StepReport, TokenShown};
use tokenrig_scenario::{Sources, Span};

#[derive(Serialize)]
pub(super) struct CaseOf<'a> {
    scenario: &'a str,
    title: &'a str,
    file: String,
    case: Option<&'a str>,
    /// Unique together with `scenario`.
    name: String,
    number: usize,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    seconds: f64,
    steps: Vec<StepOf<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepOf<'a> {
    number: usize,
    title: Option<&'a str>,
    what: &'a str,
    place: Option<Place<'a>>,
    seconds: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureOf<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_checked: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exchanges: Vec<ExchangeOf<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<TokenOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<CommandOf<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    decisions: &'a [Record],
}

/// A place in a file.
#[derive(Serialize)]
pub(super) struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct FailureOf<'a> {
    message: &'a str,
    label: &'a str,
    place: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartOf<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct PartOf<'a> {
    expression: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct ExchangeOf<'a> {
    method: &'a str,
    url: &'a str,
    request: MessageOf<'a>,
    answer: Option<AnswerOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<TokenOf<'a>>,
}

#[derive(Serialize)]
struct MessageOf<'a> {
    headers: Vec<HeaderOf<'a>>,
    body: &'a str,
}

#[derive(Serialize)]
struct AnswerOf<'a> {
    version: &'static str,
    status: u16,
    headers: Vec<HeaderOf<'a>>,
    body: &'a str,
    seconds: f64,
}

#[derive(Serialize)]
struct HeaderOf<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct TokenOf<'a> {
    place: &'a str,
    shortened: &'a str,
    header: &'a Map<String, Value>,
    claims: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct CommandOf<'a> {
    line: &'a str,
    exit: i64,
    stdout: &'a str,
    stderr: &'a str,
}

/// A case as the report holds it.
pub(super) fn case(report: &CaseReport) -> CaseOf<'_> {
    let (outcome, reason) = match &report.outcome {
        Outcome::Passed => ("passed", None),
        Outcome::Failed => ("failed", None),
        Outcome::Broken(why) => ("broken", Some(why.clone())),
        Outcome::Skipped(skip) => ("skipped", Some(skip_reason(skip))),
    };
    let shown = report.id.to_string();
    // What is shown after the scenario's name: the case, and which time it was.
    let name = shown.strip_prefix(&report.id.scenario).unwrap_or_default().trim_start_matches([' ', '›']);
    CaseOf {
        scenario: &report.id.scenario,
        title: &report.id.title,
        file: super::text(&report.id.file),
        case: report.id.case.as_deref(),
        name: if name.is_empty() { report.id.title.clone() } else { name.to_owned() },
        number: report.number,
        outcome,
        reason,
        seconds: report.took.as_secs_f64(),
        steps: report.steps.iter().map(|one| step(one, &report.sources)).collect(),
    }
}

fn skip_reason(skip: &Skip) -> String {
    skip.to_string()
}

fn step<'a>(step: &'a StepReport, sources: &'a Sources) -> StepOf<'a> {
    StepOf {
        number: step.number,
        title: step.title.as_deref(),
        what: &step.what,
        place: step.at.and_then(|at| place(sources, at)),
        seconds: step.took.as_secs_f64(),
        failures: step.failures.iter().map(|one| failure(one, sources)).collect(),
        not_checked: &step.not_checked,
        exchanges: step.exchanges.iter().map(exchange).collect(),
        tokens: tokens(&step.tokens),
        command: step.command.as_ref().map(command),
        decisions: &step.decisions,
    }
}

/// The place of a span.
pub(super) fn place(sources: &Sources, span: Span) -> Option<Place<'_>> {
    let source = sources.get(span.source)?;
    let position = source.position(span.start);
    Some(Place { file: &source.name, line: position.line, column: position.column })
}

fn failure<'a>(failure: &'a Failure, sources: &'a Sources) -> FailureOf<'a> {
    FailureOf {
        message: &failure.message,
        label: &failure.label,
        place: failure.at.and_then(|at| place(sources, at)),
        expected: failure.expected.as_ref(),
        found: failure.found.as_ref(),
        parts: failure.parts.iter().map(|(expression, value)| PartOf { expression, value }).collect(),
        notes: &failure.notes,
        help: failure.help.as_deref(),
    }
}

fn exchange(exchange: &Exchange) -> ExchangeOf<'_> {
    ExchangeOf {
        method: &exchange.method,
        url: &exchange.url,
        request: MessageOf { headers: headers(&exchange.request_headers), body: &exchange.request_body },
        answer: exchange.answer.as_ref().map(|answer| AnswerOf {
            version: answer.version,
            status: answer.status,
            headers: headers(&answer.headers),
            body: &answer.body,
            seconds: answer.took.as_secs_f64(),
        }),
        fault: exchange.fault.as_deref(),
        tokens: tokens(&exchange.tokens),
    }
}

fn headers(headers: &[(String, String)]) -> Vec<HeaderOf<'_>> {
    headers.iter().map(|(name, value)| HeaderOf { name, value }).collect()
}

fn tokens(tokens: &[TokenShown]) -> Vec<TokenOf<'_>> {
    tokens.iter().map(token).collect()
}

fn token(token: &TokenShown) -> TokenOf<'_> {
    let TokenShown { place, shortened, header, claims } = token;
    TokenOf { place, shortened, header, claims }
}

fn command(command: &CommandReport) -> CommandOf<'_> {
    CommandOf { line: &command.line, exit: command.exit, stdout: &command.stdout, stderr: &command.stderr }
}
