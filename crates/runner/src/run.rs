//! A run: cases side by side, each in a site of its own; events in the order in which things happen.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use tokenrig_clock::{Timestamp, real::Stopwatch};
use tokio::task::JoinSet;

use crate::{
    case::{self, Setting},
    catalogue::Catalogue,
    events::{CaseReport, Event, Outcome, Started, Summary},
    plan::{Plan, Planned},
    world::World,
};

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
        }
    }
}

/// Runs all cases of a plan and tells what happens. If the future is dropped, running cases end at once with all that
/// they started.
pub async fn run(world: Arc<dyn World>, plan: &Plan, options: &Options, mut tell: impl FnMut(Event) + Send) -> Summary {
    let watch = Stopwatch::start();
    let setting = Arc::new(Setting {
        catalogue: options.catalogue,
        now: options.now,
        required: options.required.clone(),
        scratch: case::scratch(options.scratch.as_deref()),
        keep_all: options.keep_all,
    });
    tell(Event::Started(Started {
        world: world.kind(),
        scenarios: plan.scenarios(),
        cases: plan.cases.len(),
        jobs: options.jobs.get().min(plan.cases.len().max(1)),
    }));
    let mut summary = Summary { wrong_files: plan.wrong.len(), ..Summary::default() };
    let mut waiting = plan.cases.iter().enumerate();
    let mut running: JoinSet<(usize, CaseReport)> = JoinSet::new();
    let mut numbers: Vec<(tokio::task::Id, usize)> = Vec::new();
    loop {
        while running.len() < options.jobs.get() {
            let Some((number, planned)) = waiting.next() else { break };
            tell(Event::CaseStarted(planned.id.clone()));
            let (world, planned, setting) = (world.clone(), planned.clone(), setting.clone());
            let task = running.spawn(async move { (number, case::run(&*world, &planned, number, &setting).await) });
            numbers.push((task.id(), number));
        }
        let Some(joined) = running.join_next_with_id().await else { break };
        let report = match joined {
            Ok((id, (_, report))) => {
                numbers.retain(|(known, _)| *known != id);
                report
            }
            Err(fault) => {
                let number = numbers.iter().find(|(known, _)| *known == fault.id()).map(|(_, number)| *number);
                let Some(planned) = number.and_then(|number| plan.cases.get(number)) else { continue };
                ended_badly(planned, number.unwrap_or_default())
            }
        };
        summary.count(&report);
        tell(Event::CaseEnded(Arc::new(report)));
    }
    summary.took = watch.elapsed();
    tell(Event::Ended(summary.clone()));
    summary
}

/// A case whose task panicked.
fn ended_badly(planned: &Planned, number: usize) -> CaseReport {
    CaseReport {
        id: planned.id.clone(),
        number,
        sources: planned.scenario.sources.clone(),
        outcome: Outcome::Broken("the runner itself failed in this case; this is a defect of tokenrig".to_owned()),
        steps: Vec::new(),
        took: std::time::Duration::ZERO,
    }
}
