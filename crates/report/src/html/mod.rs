//! A run as one page for people: no other file, no network.
//!
//! What failed comes first. The flow of each case is drawn, its tokens are opened, its decisions stand check by check.
//! The page works without its script, which only searches, filters and listens to keys. All texts come from outside: they
//! are escaped by the templates, and [`text::shown`] makes visible what would change how a line is read.

mod flow;
mod text;
mod token;
mod view;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use askama::Template;
use tokenrig_runner::{CaseReport, Event, Outcome, Started, Summary, WrongFile, word};

use self::{
    text::shown,
    view::{CaseView, Detail},
};
use crate::{
    diagnostics::diagnostics,
    file::{Head, Piece, Report, Spool},
    paint::Look,
};

const CSS: &str = include_str!("../../assets/report.css");
const SCRIPT: &str = include_str!("../../assets/report.js");

/// What the cases of a page may take, if there are few: a page of this size opens at once everywhere.
const LEAST_ROOM: u64 = 1_900_000;
/// The same for each case of many.
const ROOM_PER_CASE: u64 = 9_500;
/// And for all of them: browsers take their time with more.
const MOST_ROOM: u64 = 12_000_000;
/// What is shown of one failed case: beyond it, details are left out.
const LARGEST_CASE: usize = 256 << 10;

/// Collects a run and writes it as a page.
#[derive(Debug)]
pub(crate) struct Html {
    head: Head,
    started: Option<Started>,
    wrong: Vec<(String, String)>,
    cases: BTreeMap<(Section, usize), Pieces>,
    spool: Spool,
    so_far: Summary,
    summary: Option<Summary>,
}

/// Where a case stands on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Failed,
    Skipped,
    Passed,
}

/// A case in both lengths.
#[derive(Debug, Clone, Copy)]
struct Pieces {
    full: Piece,
    brief: Piece,
}

impl Html {
    pub(crate) fn new(head: Head, spool: Spool) -> Self {
        let (started, summary) = (None, None);
        Self { head, started, wrong: Vec::new(), cases: BTreeMap::new(), spool, so_far: Summary::default(), summary }
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        self.so_far.count(report);
        let section = match report.outcome {
            Outcome::Failed | Outcome::Broken(_) => Section::Failed,
            Outcome::Skipped(_) => Section::Skipped,
            Outcome::Passed => Section::Passed,
        };
        let brief = CaseView::of(report, &self.head.look, Detail::Brief).render().map_err(io::Error::other)?;
        let full = CaseView::of(report, &self.head.look, Detail::Full).render().map_err(io::Error::other)?;
        let full = if full.len() > LARGEST_CASE { &brief } else { &full };
        let pieces = Pieces { full: self.spool.put(full.as_bytes())?, brief: self.spool.put(brief.as_bytes())? };
        self.cases.insert((section, report.number), pieces);
        Ok(())
    }

    fn count(&self, section: Section) -> usize {
        self.cases.keys().filter(|(of, _)| *of == section).count()
    }
}

impl Report for Html {
    fn files(&mut self, files: &[WrongFile]) {
        let look = Look::default();
        let told =
            files.iter().map(|file| (shown(&file.file.to_string_lossy()), shown(&diagnostics(&file.faults, &look))));
        self.wrong.extend(told);
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(started) => self.started = Some(started.clone()),
            Event::CaseEnded(report) => self.case(report)?,
            Event::Ended(summary) => self.summary = Some(summary.clone()),
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let planned = self.started.as_ref().map_or(0, |started| started.cases);
        let summary = self.summary.as_ref().unwrap_or(&self.so_far);
        let top = Top {
            css: CSS,
            version: shown(&self.head.version),
            at: text::second(self.head.at),
            world: self.started.as_ref().map_or("no", |started| word(started.world)),
            took: text::took(summary.took),
            cases: self.cases.len(),
            failed: self.count(Section::Failed),
            skipped: self.count(Section::Skipped),
            passed: self.count(Section::Passed),
            not_run: planned.saturating_sub(self.cases.len()),
            wrong: &self.wrong,
        };
        out.write_all(top.render().map_err(io::Error::other)?.as_bytes())?;
        let mut left = (ROOM_PER_CASE * self.cases.len() as u64).clamp(LEAST_ROOM, MOST_ROOM);
        // Each case has its line in any case; what is left of the room goes to details, to failed cases first.
        left = left.saturating_sub(self.cases.values().map(|pieces| pieces.brief.length()).sum());
        let mut section = None;
        for ((of, _), pieces) in std::mem::take(&mut self.cases) {
            if section != Some(of) {
                if section.replace(of).is_some() {
                    out.write_all(b"</section>\n")?;
                }
                let (id, title) = match of {
                    Section::Failed => ("failed", "What failed"),
                    Section::Skipped => ("skipped", "What did not run"),
                    Section::Passed => ("passed", "What passed"),
                };
                writeln!(
                    out,
                    "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>"
                )?;
            }
            let more = pieces.full.length().saturating_sub(pieces.brief.length());
            let piece = if more <= left { pieces.full } else { pieces.brief };
            left -= if more <= left { more } else { 0 };
            self.spool.copy(piece, out)?;
        }
        if section.is_some() {
            out.write_all(b"</section>\n")?;
        }
        out.write_all(Bottom { script: SCRIPT }.render().map_err(io::Error::other)?.as_bytes())
    }
}

#[derive(Template)]
#[template(path = "top.html")]
struct Top<'a> {
    css: &'static str,
    version: String,
    at: String,
    world: &'static str,
    took: String,
    cases: usize,
    failed: usize,
    skipped: usize,
    passed: usize,
    not_run: usize,
    wrong: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "bottom.html")]
struct Bottom {
    script: &'static str,
}
