//! `run`: scenarios.

mod last;
mod list;

use std::{
    collections::HashSet,
    io::{self, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anstream::stream::RawStream;
use tokenrig_clock::{Clock as _, SystemClock};
use tokenrig_offline::{Inherited, Offline};
use tokenrig_report::{FileReport, Head, Look, Terminal, case_failed};
use tokenrig_runner::{CaseKey, Catalogue, Event, Options, Plan, Selection, Stop};

use self::last::Last;
use crate::{
    arguments::{Run, World},
    containers, inherited, reports,
    signals::{Asked, Signals},
    tell,
};

/// Where scenarios are if nobody says.
const SCENARIOS: &str = "scenarios";

pub(crate) async fn run(program: &str, wanted: Run) -> u8 {
    if wanted.world == World::Live {
        tell::error("the live world is not built yet", Some("leave `--world` out"));
        return 3;
    }
    let mut last = Last::read();
    let selection = match selection(&wanted, &last) {
        Ok(selection) => selection,
        Err(why) => {
            tell::error(&why, Some("run without `--rerun-failed`"));
            return 2;
        }
    };
    let plan = match Plan::read(&selection) {
        Ok(plan) => plan,
        Err(fault) => {
            tell::error(&fault.to_string(), Some("name scenario files, or folders that hold some"));
            return 2;
        }
    };
    let look = Look { options: options_again(&wanted), ..look(program, wanted.verbose, io::stdout()) };
    if wanted.list {
        return list::list(&plan, &look, wanted.verbose);
    }
    let head =
        Head { look: look.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), at: SystemClock::real().now() };
    let mut reports = match reports::create(&wanted.reports, &head) {
        Ok(reports) => reports,
        Err(code) => return code,
    };
    reports.iter_mut().for_each(|report| report.files(&plan.wrong));
    let mut told = Told {
        terminal: Terminal::new(anstream::stdout(), look.clone()),
        reports,
        fault: None,
        look,
        ended: Vec::new(),
    };
    told.files(&plan);
    if plan.cases.is_empty() && plan.wrong.is_empty() {
        tell::error("no case matches", Some("name other files, or loosen `--filter`"));
        return 2;
    }
    let keep = match wanted.keep.as_ref().map(|folder| kept(folder.as_deref())).transpose() {
        Ok(keep) => keep,
        Err(fault) => {
            tell::error(&format!("cannot make a folder for what is kept: {fault}"), None);
            return 3;
        }
    };
    let mut options = Options {
        jobs: wanted.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
        catalogue: catalogue(),
        now: wanted.now,
        required: wanted.require,
        scratch: Some(std::env::temp_dir()),
        keep_all: reports::need_all(&wanted.reports),
        keep: keep.clone(),
        fail_fast: wanted.fail_fast,
        run_deadline: wanted.run_deadline,
        ..Options::default()
    };
    if let Some(wait) = wanted.max_wait {
        options.max_wait = wait;
    }
    if let Some(deadline) = wanted.case_deadline {
        options.case_deadline = deadline;
    }
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    let inherited = Inherited { images: containers::images().await, ..inherited::of_scenarios() };
    let world = Arc::new(Offline::new(inherited));
    let stop = options.stop.clone();
    let (summary, asked) = {
        let running = tokenrig_runner::run(world, &plan, &options, |event| told.event(event));
        ended(running, &stop, &mut signals).await
    };
    if summary.is_none() {
        told.cut_short();
    }
    let mut code = match (summary, asked) {
        (Some(summary), None) => summary.exit_code(),
        // A signal that came when all was over has cut nothing short.
        (Some(summary), Some(_)) if summary.cut.is_none() => summary.exit_code(),
        (_, asked) => {
            tell::error("ended before all cases had run; those above had finished", None);
            asked.map_or(1, Asked::code)
        }
    };
    last.note(&told.ended);
    if let Some(folder) = keep.filter(|_| wanted.keep == Some(None)) {
        // A folder of ours in which nothing was kept goes away; one with something in it cannot.
        let _ = std::fs::remove_dir(folder);
    }
    if !reports::finish(told.reports) {
        // A wrong file is told before all else.
        code = if code == 2 { code } else { 3 };
    }
    if let Some(fault) = told.fault.filter(|fault| fault.kind() != io::ErrorKind::BrokenPipe) {
        tell::error(&format!("cannot write to the standard output: {fault}"), None);
        code = if code == 2 { code } else { 3 };
    }
    code
}

/// Runs to the end. The first signal asks the run to end, which it then does by itself; the second ends it at once, and
/// then there is no summary.
async fn ended<T>(running: impl Future<Output = T>, stop: &Stop, signals: &mut Signals) -> (Option<T>, Option<Asked>) {
    let mut running = std::pin::pin!(running);
    let asked = tokio::select! {
        summary = &mut running => return (Some(summary), None),
        asked = signals.asked() => asked,
    };
    stop.ask();
    tokio::select! {
        summary = &mut running => (Some(summary), Some(asked)),
        _ = signals.asked() => (None, Some(asked)),
    }
}

/// What is told of a run, and where.
struct Told<W: Write> {
    terminal: Terminal<W>,
    reports: Vec<FileReport>,
    /// Why the terminal's text could not be written; the run goes on, and its reports and exit code still tell.
    fault: Option<io::Error>,
    look: Look,
    /// Cases that have ended, and whether they failed.
    ended: Vec<(CaseKey, bool)>,
}

impl<W: Write> Told<W> {
    fn files(&mut self, plan: &Plan) {
        let told = self.terminal.files(&plan.warnings).and_then(|()| self.terminal.files(&plan.wrong));
        self.note(told);
    }

    fn event(&mut self, event: Event) {
        if let Event::CaseEnded(report) = &event {
            self.ended.extend(last::outcome(report));
            if let Some(folder) = &report.kept {
                let plain = Look { colour: false, ..self.look.clone() };
                let told = std::fs::write(folder.join("report.txt"), case_failed(report, &plain));
                self.note(told);
            }
        }
        self.reports.iter_mut().for_each(|report| report.event(&event));
        let told = self.terminal.event(&reports::line(event));
        self.note(told);
    }

    fn cut_short(&mut self) {
        let told = self.terminal.cut_short();
        self.note(told);
    }

    fn note(&mut self, told: io::Result<()>) {
        self.fault = self.fault.take().or(told.err());
    }
}

/// What to run.
fn selection(wanted: &Run, last: &Last) -> Result<Selection, String> {
    let mut paths = wanted.paths.clone();
    let mut only = None;
    if wanted.rerun_failed {
        let failed: HashSet<CaseKey> = last.failed()?.collect();
        if paths.is_empty() {
            paths = last.files();
        }
        only = Some(failed);
    }
    if paths.is_empty() {
        paths = vec![PathBuf::from(SCENARIOS)];
    }
    let repeat = wanted.repeat.map_or(1, NonZeroUsize::get);
    Ok(Selection { paths, filters: wanted.filters.clone(), shard: wanted.shard, only, repeat })
}

/// What a command that runs a case again must say besides the case.
fn options_again(wanted: &Run) -> String {
    let length = |length: Duration| match length.subsec_nanos() {
        0 => format!("{}s", length.as_secs()),
        _ => format!("{}ms", length.as_millis()),
    };
    let now = wanted.now.map(|now| format!("--now {now}"));
    let deadline = wanted.case_deadline.map(|limit| format!("--case-deadline {}", length(limit)));
    let wait = wanted.max_wait.map(|limit| format!("--max-wait {}", length(limit)));
    now.into_iter().chain(deadline).chain(wait).collect::<Vec<_>>().join(" ")
}

/// The folder for what is kept: the one that is named, or a new one of ours.
fn kept(folder: Option<&Path>) -> io::Result<PathBuf> {
    match folder {
        Some(folder) => std::fs::create_dir_all(folder).map(|()| folder.to_owned()),
        None => Ok(tempfile::Builder::new().prefix("tokenrig-kept-").tempdir()?.keep()),
    }
}

/// How text looks on a stream: no bar and no colour where nobody watches.
pub(crate) fn look(program: &str, verbose: bool, to: impl RawStream) -> Look {
    Look {
        colour: anstream::AutoStream::choice(&to) != anstream::ColorChoice::Never,
        bar: to.is_terminal() && io::IsTerminal::is_terminal(&io::stderr()) && !inherited::in_ci(),
        verbose,
        program: program.to_owned(),
        ..Look::default()
    }
}

/// Every refusal that a rig can give, as one list for the life of the process.
fn catalogue() -> Catalogue {
    let all: Vec<_> = tokenrig::refusals().into_iter().flat_map(|(_, refusals)| refusals.iter().copied()).collect();
    Catalogue::new(Vec::leak(all))
}
