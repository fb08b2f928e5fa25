//! A run as JSON, for programs. `report.schema.json` describes the form.

mod case;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use tokenrig_runner::{Event, Started, Summary, WrongFile, word};
use tokenrig_scenario::Severity;

use self::case::{Place, place};
use crate::file::{Head, Piece, Report, Spool};

/// The version of the form. It changes when a program that reads it would have to: not when members are added.
pub const JSON_VERSION: u32 = 1;

/// The JSON Schema of the form.
pub const JSON_SCHEMA: &str = include_str!("../../report.schema.json");

/// Collects a run and writes it as JSON: cases in the order of the plan, each with all that happened in it.
#[derive(Debug)]
pub(crate) struct Json {
    head: Head,
    started: Option<Started>,
    wrong: Vec<WrongFile>,
    cases: BTreeMap<usize, Piece>,
    spool: Spool,
    so_far: Summary,
    summary: Option<Summary>,
}

impl Json {
    pub(crate) fn new(head: Head, spool: Spool) -> Self {
        let (started, summary) = (None, None);
        Self { head, started, wrong: Vec::new(), cases: BTreeMap::new(), spool, so_far: Summary::default(), summary }
    }

    fn head(&self) -> HeadOf<'_> {
        let summary = self.summary.as_ref().unwrap_or(&self.so_far);
        HeadOf {
            version: JSON_VERSION,
            tool: Tool { name: "tokenrig", version: &self.head.version },
            started: self.head.at.to_string(),
            world: self.started.as_ref().map(|started| word(started.world)),
            planned: self.started.as_ref().map_or(0, |started| started.cases),
            complete: self.summary.is_some() && self.started.as_ref().is_some_and(|s| s.cases <= self.cases.len()),
            summary: SummaryOf {
                cases: summary.cases(),
                passed: summary.passed,
                failed: summary.failed,
                broken: summary.broken,
                skipped: summary.cases() - summary.passed - summary.failed - summary.broken,
                wrong_files: self.wrong.len(),
                seconds: summary.took.as_secs_f64(),
            },
            files: self.wrong.iter().map(file).collect(),
        }
    }
}

impl Report for Json {
    fn files(&mut self, files: &[WrongFile]) {
        self.wrong.extend_from_slice(files);
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some(started.clone()),
            Event::CaseEnded(report) => {
                self.so_far.count(report);
                let piece = self.spool.put(&serde_json::to_vec(&case::case(report))?)?;
                self.cases.insert(report.number, piece);
            }
            Event::Ended(summary) => self.summary = Some(summary.clone()),
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let head = serde_json::to_string_pretty(&self.head())?;
        // The cases are the last member of the same object, one a line.
        out.write_all(head.trim_end().trim_end_matches('}').trim_end().as_bytes())?;
        out.write_all(b",\n  \"cases\": [")?;
        let mut first = true;
        for piece in std::mem::take(&mut self.cases).into_values() {
            out.write_all(if std::mem::take(&mut first) { b"\n    " } else { b",\n    " })?;
            self.spool.copy(piece, out)?;
        }
        out.write_all(if first { b"]\n}\n" } else { b"\n  ]\n}\n" })
    }
}

#[derive(Serialize)]
struct HeadOf<'a> {
    version: u32,
    tool: Tool<'a>,
    started: String,
    world: Option<&'static str>,
    planned: usize,
    complete: bool,
    summary: SummaryOf,
    files: Vec<FileOf<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryOf {
    cases: usize,
    passed: usize,
    failed: usize,
    broken: usize,
    skipped: usize,
    wrong_files: usize,
    seconds: f64,
}

#[derive(Serialize)]
struct FileOf<'a> {
    file: String,
    diagnostics: Vec<DiagnosticOf<'a>>,
}

#[derive(Serialize)]
struct DiagnosticOf<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    place: Option<Place<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
}

fn file(wrong: &WrongFile) -> FileOf<'_> {
    let diagnostics = wrong.faults.diagnostics.iter().map(|diagnostic| DiagnosticOf {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: diagnostic.code,
        message: &diagnostic.message,
        place: place(&wrong.faults.sources, diagnostic.span()),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
    });
    FileOf { file: text(&wrong.file), diagnostics: diagnostics.collect() }
}

/// A path as text.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
