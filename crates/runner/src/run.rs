//! A run: cases side by side, each in a site of its own; events in the order in which things happen.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use tokenrig_clock::{
    Timestamp,
    real::{self, Stopwatch},
};
use tokio::task::{Id, JoinError, JoinSet};

use crate::{
    case::{self, Setting},
    catalogue::Catalogue,
    events::{CaseReport, Cut, Event, Outcome, Started, Summary},
    plan::{Plan, Planned},
    stop::{Cutting, Stop},
    world::World,
};

/// How long a step may wait where the clock is the real one.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How long a case may take unless [`Options::case_deadline`] says otherwise: longer than any that goes well.
const CASE_DEADLINE: Duration = Duration::from_secs(600);
/// After how long, and after how long again, a case that still runs is told of.
const SLOW: Duration = Duration::from_secs(60);

/// How a plan is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many cases run at once.
    pub jobs: NonZeroUsize,
    /// The refusals that expectations may name.
    pub catalogue: Catalogue,
    /// The first instant of scenarios that say none.
    pub now: Option<Timestamp>,
    /// Needs without which the run is an error.
    pub required: Vec<String>,
    /// Where files of cases are made, each in a folder that only its owner may enter.
    pub scratch: Option<PathBuf>,
    /// Whether exchanges, commands and decisions of cases that passed are kept for a report.
    pub keep_all: bool,
    /// A folder for what failed cases leave: captured output, and what their site has to show.
    pub keep: Option<PathBuf>,
    /// Whether no case starts any more once one has failed. Those that run go on to their end.
    pub fail_fast: bool,
    /// How long a case may take, in real time; then it is ended and has failed.
    pub case_deadline: Duration,
    /// How long the run may take, in real time; then cases that run are ended and have failed, and no other starts.
    pub run_deadline: Option<Duration>,
    /// How long a step may wait where the clock is the real one ([`World::waits`]); a case that must wait for longer is
    /// skipped.
    pub max_wait: Duration,
    /// Asks the run to end.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: NonZeroUsize::MIN,
            catalogue: Catalogue::default(),
            now: None,
            required: Vec::new(),
            scratch: None,
            keep_all: false,
            keep: None,
            fail_fast: false,
            case_deadline: CASE_DEADLINE,
            run_deadline: None,
            max_wait: MAX_WAIT,
            stop: Stop::default(),
        }
    }
}

/// Runs all cases of a plan and tells what happens. If the future is dropped, running cases end at once with all that
/// they started; asked by [`Options::stop`] they end as well, but tell where they were.
pub async fn run(world: Arc<dyn World>, plan: &Plan, options: &Options, mut tell: impl FnMut(Event) + Send) -> Summary {
    let watch = Stopwatch::start();
    let setting = Arc::new(Setting {
        catalogue: options.catalogue,
        now: options.now,
        required: options.required.clone(),
        scratch: case::scratch(options.scratch.as_deref()),
        keep_all: options.keep_all,
        keep: options.keep.clone(),
        deadline: options.case_deadline,
        max_wait: world.waits().then_some(options.max_wait),
        cutting: Cutting::new(),
    });
    tell(Event::Started(Started {
        world: world.kind(),
        scenarios: plan.scenarios(),
        cases: plan.cases.len(),
        jobs: options.jobs.get().min(plan.cases.len().max(1)),
    }));
    let mut summary = Summary { wrong_files: plan.wrong.len(), ..Summary::default() };
    let mut waiting = plan.cases.iter().enumerate();
    let mut running = Running::default();
    let mut cut = None;
    loop {
        while cut.is_none() && running.cases.len() < options.jobs.get() {
            let Some((number, planned)) = waiting.next() else { break };
            tell(Event::CaseStarted(planned.id.clone()));
            running.start(&world, planned, number, &setting);
        }
        let due = running.due();
        let happened = tokio::select! {
            ended = running.next() => Happened::Ended(ended),
            () = options.stop.wait(), if !ends_cases(cut) => Happened::Cut(Cut::Asked),
            why = overdue(options.run_deadline, watch), if !ends_cases(cut) => Happened::Cut(why),
            () = real::pause(due) => Happened::Slow,
        };
        match happened {
            Happened::Ended(None) => break,
            Happened::Ended(Some(report)) => {
                summary.count(&report);
                if options.fail_fast && matches!(report.outcome, Outcome::Failed | Outcome::Broken(_)) {
                    cut = cut.or(Some(Cut::FirstFailure));
                }
                tell(Event::CaseEnded(report));
            }
            Happened::Cut(why) => {
                cut = Some(why);
                setting.cutting.cut(why);
            }
            Happened::Slow => running.slow(|planned, took| tell(Event::CaseSlow(planned.id.clone(), took))),
        }
    }
    summary.not_run = waiting.len();
    // One that came after the last case had started has cut nothing short but what it stopped.
    summary.cut = cut.filter(|_| summary.not_run > 0 || ends_cases(cut));
    summary.took = watch.elapsed();
    tell(Event::Ended(summary.clone()));
    summary
}

enum Happened {
    Ended(Option<Arc<CaseReport>>),
    Cut(Cut),
    Slow,
}

/// Whether the run ends in a way that ends the cases that run, too.
fn ends_cases(cut: Option<Cut>) -> bool {
    matches!(cut, Some(Cut::Asked | Cut::Deadline(_)))
}

/// Waits until the run has taken too long; for ever, if it may.
async fn overdue(limit: Option<Duration>, watch: Stopwatch) -> Cut {
    match limit {
        Some(limit) => {
            real::pause(limit.saturating_sub(watch.elapsed())).await;
            Cut::Deadline(limit)
        }
        None => std::future::pending().await,
    }
}

/// The cases that run.
#[derive(Default)]
struct Running<'p> {
    tasks: JoinSet<CaseReport>,
    cases: Vec<Case<'p>>,
}

struct Case<'p> {
    task: Id,
    number: usize,
    planned: &'p Planned,
    watch: Stopwatch,
    /// When it is told of next, from its start.
    slow: Duration,
}

impl<'p> Running<'p> {
    fn start(&mut self, world: &Arc<dyn World>, planned: &'p Planned, number: usize, setting: &Arc<Setting>) {
        let (world, owned, setting) = (world.clone(), planned.clone(), setting.clone());
        let task = self.tasks.spawn(async move { case::run(&*world, &owned, number, &setting).await });
        self.cases.push(Case { task: task.id(), number, planned, watch: Stopwatch::start(), slow: SLOW });
    }

    /// The next case that ends; `None` if none runs.
    async fn next(&mut self) -> Option<Arc<CaseReport>> {
        let joined = self.tasks.join_next_with_id().await?;
        let task = joined.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let case = self.cases.iter().position(|case| case.task == task).map(|at| self.cases.swap_remove(at));
        match joined {
            Ok((_, report)) => Some(Arc::new(report)),
            Err(_) => case.map(|case| Arc::new(ended_badly(case.planned, case.number))),
        }
    }

    /// How long until a case is told of because it still runs.
    fn due(&self) -> Duration {
        let left = self.cases.iter().map(|case| case.slow.saturating_sub(case.watch.elapsed()));
        left.min().unwrap_or(SLOW)
    }

    fn slow(&mut self, mut tell: impl FnMut(&Planned, Duration)) {
        for case in self.cases.iter_mut().filter(|case| case.watch.elapsed() >= case.slow) {
            tell(case.planned, case.slow);
            case.slow += SLOW;
        }
    }
}

/// A case whose task panicked.
fn ended_badly(planned: &Planned, number: usize) -> CaseReport {
    CaseReport {
        id: planned.id.clone(),
        number,
        sources: planned.scenario.sources.clone(),
        outcome: Outcome::Broken("the runner itself failed in this case; this is a defect of tokenrig".to_owned()),
        steps: Vec::new(),
        took: Duration::ZERO,
        kept: None,
    }
}
