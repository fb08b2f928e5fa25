//! A run on a terminal, or in a log.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use tokenrig_runner::{CaseId, CaseReport, Event, Outcome, Started, Summary, WrongFile, word};

use crate::{
    diagnostics::diagnostics,
    failure::case_failed,
    paint::{Look, flat},
};

/// Clears the line and goes to its start.
const CLEAR: &str = "\r\x1b[2K";
const RULE: &str = "────────────";

/// Writes a run as it goes on: lines for what needs attention, in the order of the plan; failures in full at the end.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    look: Look,
    cases: usize,
    /// Cases that have ended before one that stands earlier in the plan.
    early: BTreeMap<usize, Arc<CaseReport>>,
    next: usize,
    ended: usize,
    failed: Vec<Arc<CaseReport>>,
    /// What has ended so far, for a run that is cut short.
    so_far: Summary,
    bar_shown: bool,
}

impl<W: io::Write> Terminal<W> {
    /// A report to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self {
            out,
            look,
            cases: 0,
            early: BTreeMap::new(),
            next: 0,
            ended: 0,
            failed: Vec::new(),
            so_far: Summary::default(),
            bar_shown: false,
        }
    }

    /// Tells of files that are wrong (they do not run), or of what deserves a look in files that are right.
    ///
    /// # Errors
    ///
    /// What the writer gives.
    pub fn files(&mut self, files: &[WrongFile]) -> io::Result<()> {
        for file in files {
            self.out.write_all(diagnostics(&file.faults, &self.look).as_bytes())?;
        }
        Ok(())
    }

    /// Tells what happened.
    ///
    /// # Errors
    ///
    /// What the writer gives.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started(started)?,
            Event::CaseStarted(id) => self.bar(&id.to_string())?,
            Event::CaseEnded(report) => {
                self.ended += 1;
                self.so_far.count(report);
                self.early.insert(report.number, report.clone());
                while let Some(report) = self.early.remove(&self.next) {
                    self.next += 1;
                    self.case(&report)?;
                }
                self.bar(&report.id.to_string())?;
            }
            Event::Ended(summary) => {
                self.finished(summary)?;
                self.again()?;
            }
        }
        self.out.flush()
    }

    /// Tells of what has ended so far, for a run that is cut short: then nothing else comes after it.
    ///
    /// # Errors
    ///
    /// What the writer gives.
    pub fn cut_short(&mut self) -> io::Result<()> {
        let so_far = self.so_far.clone();
        self.finished(&so_far)?;
        writeln!(self.out, "            cut short: {} had not ended", counted(self.cases - self.ended, "case"))?;
        self.again()?;
        self.out.flush()
    }

    fn started(&mut self, started: &Started) -> io::Result<()> {
        self.cases = started.cases;
        if started.cases == 0 {
            return Ok(());
        }
        writeln!(
            self.out,
            "{} {}, {}, {}, {}",
            self.look.good("    Running"),
            counted(started.scenarios, "scenario"),
            counted(started.cases, "case"),
            word(started.world),
            counted(started.jobs, "job"),
        )
    }

    fn case(&mut self, report: &Arc<CaseReport>) -> io::Result<()> {
        let id = flat(&report.id.to_string());
        let line = match &report.outcome {
            Outcome::Passed if !self.look.verbose => return Ok(()),
            Outcome::Passed => format!("{} [{}] {id}", self.look.good("       PASS"), took(report.took)),
            Outcome::Failed => format!("{} [{}] {id}", self.look.bad("       FAIL"), took(report.took)),
            Outcome::Broken(_) => format!("{} [{}] {id}", self.look.bad("      ERROR"), took(report.took)),
            Outcome::Skipped(skip) => {
                format!("{} {:10} {id}: {}", self.look.mild("       SKIP"), "", flat(&skip.to_string()))
            }
        };
        if matches!(report.outcome, Outcome::Failed | Outcome::Broken(_)) {
            self.failed.push(report.clone());
        }
        self.clear()?;
        writeln!(self.out, "{line}")
    }

    fn finished(&mut self, summary: &Summary) -> io::Result<()> {
        self.clear()?;
        // A run that was cut short has gaps in its order.
        for report in std::mem::take(&mut self.early).into_values() {
            self.case(&report)?;
        }
        for report in &self.failed {
            write!(self.out, "\n{}", case_failed(report, &self.look))?;
        }
        if !self.failed.is_empty() {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{RULE}")?;
        let took = format!("[{:>5.2} s]", summary.took.as_secs_f64());
        let title = if summary.exit_code() == 0 { self.look.good("    Summary") } else { self.look.bad("    Summary") };
        writeln!(self.out, "{title} {took} {}", counts(summary))
    }

    fn again(&mut self) -> io::Result<()> {
        for report in &self.failed {
            writeln!(self.out, "      again {}", again(&report.id, &self.look))?;
        }
        Ok(())
    }

    fn bar(&mut self, doing: &str) -> io::Result<()> {
        if !self.look.bar || self.cases == 0 {
            return Ok(());
        }
        const CELLS: usize = 20;
        let done = CELLS * self.ended / self.cases;
        let line = format!(
            "    [{}{}] {}/{} {}",
            "#".repeat(done),
            "-".repeat(CELLS - done),
            self.ended,
            self.cases,
            flat(doing)
        );
        let line: String = line.chars().take(self.look.width.saturating_sub(1)).collect();
        self.bar_shown = true;
        write!(self.out, "{CLEAR}{line}")
    }

    fn clear(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.bar_shown) { write!(self.out, "{CLEAR}") } else { Ok(()) }
    }
}

/// The command that runs just this case.
pub(crate) fn again(id: &CaseId, look: &Look) -> String {
    let Look { program, options, .. } = look;
    let mut command = format!("{program} run {}", quoted(&id.file.to_string_lossy()));
    if !options.is_empty() {
        command.push_str(&format!(" {options}"));
    }
    if let Some(case) = &id.case {
        command.push_str(&format!(" --filter {}", quoted_always(&format!("case:{case}"))));
    }
    command
}

fn counts(summary: &Summary) -> String {
    let mut parts = Vec::new();
    for (count, word) in [
        (summary.passed, "passed"),
        (summary.failed, "failed"),
        (summary.broken, "could not be set up"),
        (summary.skipped, "skipped"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let mut text = match parts.as_slice() {
        [] => "no case".to_owned(),
        parts => format!("{}: {}", counted(summary.cases(), "case"), parts.join(", ")),
    };
    if summary.wrong_files > 0 {
        text.push_str(&format!("; {} wrong and did not run", counted_are(summary.wrong_files)));
    }
    if summary.missing > 0 {
        text.push_str(&format!("; {} needs what is required and missing", counted(summary.missing, "case")));
    }
    text
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn counted_are(files: usize) -> String {
    if files == 1 { "1 file is".to_owned() } else { format!("{files} files are") }
}

/// Eight columns.
fn took(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{:>5} ms", took.as_millis())
    } else {
        format!("{:>6.1} s", took.as_secs_f64())
    }
}

/// A word for a POSIX shell, in quotes where it needs them.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '@' | '+' | ',');
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted_always(text) }
}

/// A word for a POSIX shell in double quotes; in single ones if it holds what double ones do not keep.
fn quoted_always(text: &str) -> String {
    if text.contains(['$', '`', '\\', '"', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}
