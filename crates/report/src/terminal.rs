//! A run on a terminal, or in a log.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use tokenrig_runner::{CaseReport, Cut, Event, Outcome, Skip, Started, Summary, WrongFile, word};

use crate::{
    bar::Bar,
    command::again,
    diagnostics::diagnostics,
    failure::case_failed,
    paint::{Look, flat},
};

const RULE: &str = "────────────";
/// How many failures are told in full; of the others there is a line, and a build server's report has them all.
const IN_FULL: usize = 100;
/// How many commands are listed that run one case again.
const AGAIN: usize = 10;

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
    /// The first of those that failed, in the order of the plan.
    failed: Vec<Arc<CaseReport>>,
    /// How many more there are.
    more: usize,
    /// What has ended so far, for a run that is cut short.
    so_far: Summary,
    bar: Bar,
}

impl<W: io::Write> Terminal<W> {
    /// A report to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self {
            bar: Bar::new(look.bar),
            out,
            look,
            cases: 0,
            early: BTreeMap::new(),
            next: 0,
            ended: 0,
            failed: Vec::new(),
            more: 0,
            so_far: Summary::default(),
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
            Event::CaseStarted(id) => self.bar.starts(flat(&id.to_string())),
            Event::CaseSlow(id, running) => {
                let time = format!("> {} s", running.as_secs());
                let line = format!("{} [{time:>8}] {}", self.look.mild("       SLOW"), flat(&id.to_string()));
                self.bar.aside(|| writeln!(self.out, "{line}"))?;
            }
            Event::CaseEnded(report) => {
                self.ended += 1;
                self.so_far.count(report);
                self.early.insert(report.number, report.clone());
                while let Some(report) = self.early.remove(&self.next) {
                    self.next += 1;
                    self.case(&report)?;
                }
                self.bar.ends(&flat(&report.id.to_string()), self.so_far.failed + self.so_far.broken);
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
        let not_run = self.cases.saturating_sub(self.ended);
        let so_far = Summary { not_run, cut: Some(Cut::Asked), ..self.so_far.clone() };
        self.finished(&so_far)?;
        self.again()?;
        self.out.flush()
    }

    fn started(&mut self, started: &Started) -> io::Result<()> {
        self.cases = started.cases;
        if started.cases == 0 {
            return Ok(());
        }
        self.bar.length(started.cases);
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
            Outcome::Skipped(skip @ Skip::Stopped(_)) => {
                format!("{} [{}] {id}: {}", self.look.mild("    STOPPED"), took(report.took), flat(&skip.to_string()))
            }
            Outcome::Skipped(skip) => {
                format!("{} {:10} {id}: {}", self.look.mild("       SKIP"), "", flat(&skip.to_string()))
            }
        };
        if matches!(report.outcome, Outcome::Failed | Outcome::Broken(_)) {
            if self.failed.len() < IN_FULL {
                self.failed.push(report.clone());
            } else {
                self.more += 1;
            }
        }
        self.bar.aside(|| writeln!(self.out, "{line}"))
    }

    fn finished(&mut self, summary: &Summary) -> io::Result<()> {
        self.bar.finish();
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
        if self.more > 0 {
            let first = counted(IN_FULL, "failure");
            writeln!(self.out, "The first {first} are told above; {} more, each a line further up.\n", self.more)?;
        }
        writeln!(self.out, "{RULE}")?;
        let took = format!("[{:>5.2} s]", summary.took.as_secs_f64());
        let title = if summary.exit_code() == 0 { self.look.good("    Summary") } else { self.look.bad("    Summary") };
        writeln!(self.out, "{title} {took} {}", counts(summary))
    }

    fn again(&mut self) -> io::Result<()> {
        let mut commands: Vec<String> = self.failed.iter().map(|report| again(&report.id, &self.look)).collect();
        // Cases that were run several times need but one line.
        commands.dedup();
        for command in commands.iter().take(AGAIN) {
            writeln!(self.out, "      again {command}")?;
        }
        if commands.len() > AGAIN || self.more > 0 {
            let Look { program, options, .. } = &self.look;
            let options = if options.is_empty() { String::new() } else { format!(" {options}") };
            writeln!(self.out, "        all {program} run --rerun-failed{options}")?;
        }
        Ok(())
    }
}

fn counts(summary: &Summary) -> String {
    let mut parts = Vec::new();
    for (count, word) in [
        (summary.passed, "passed"),
        (summary.failed, "failed"),
        (summary.broken, "could not be set up"),
        (summary.skipped, "skipped"),
        (summary.stopped, "stopped"),
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
    if summary.waiting > 0 {
        text.push_str(&format!("; {} must wait longer than `--max-wait`", counted(summary.waiting, "case")));
    }
    if summary.missing > 0 {
        text.push_str(&format!("; {} needs what is required and missing", counted(summary.missing, "case")));
    }
    if let Some(cut) = summary.cut {
        let why = match cut {
            Cut::FirstFailure => "cut short by the first failure".to_owned(),
            Cut::Deadline(limit) => format!("cut short by its deadline of {} s", limit.as_secs_f64()),
            Cut::Asked => "cut short".to_owned(),
        };
        text.push_str(&format!("; {why}, {} did not run", counted(summary.not_run, "case")));
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
