//! The reports of a run that are files.

use std::sync::Arc;

use tokenrig_report::{FileReport, Format, Head};
use tokenrig_runner::{Event, Outcome};

use crate::{arguments::Report, tell};

/// Whether a report shows what happened in cases that passed.
pub(crate) fn need_all(wanted: &[Report]) -> bool {
    wanted.iter().any(|report| matches!(report.format, Format::Json | Format::Html))
}

/// Begins the reports, before anything runs: nobody waits for a run whose report has no place.
///
/// # Errors
///
/// The exit code, after it was told why.
pub(crate) fn create(wanted: &[Report], head: &Head) -> Result<Vec<FileReport>, u8> {
    let begin = |report: &Report| {
        FileReport::create(report.format, &report.file, head).map_err(|fault| {
            tell::error(
                &format!("cannot write the report `{}`: {fault}", report.file.display()),
                Some("name a file in a folder that is there and can be written to"),
            );
            3
        })
    };
    wanted.iter().map(begin).collect()
}

/// What the terminal is told: of a case that passed it shows a line, and may keep it until others have ended.
pub(crate) fn line(event: Event) -> Event {
    match event {
        Event::CaseEnded(report) if report.outcome == Outcome::Passed => Event::CaseEnded(Arc::new(report.brief())),
        event => event,
    }
}

/// Writes the reports. Whether all were written; those that were not are told.
pub(crate) fn finish(reports: Vec<FileReport>) -> bool {
    let mut all = true;
    for report in reports {
        let path = report.path().display().to_string();
        if let Err(fault) = report.finish() {
            tell::error(&format!("cannot write the report `{path}`: {fault}"), None);
            all = false;
        }
    }
    all
}
