//! `run`: scenarios.

use std::{io, num::NonZeroUsize, path::PathBuf, sync::Arc};

use anstream::stream::RawStream;
use tokenrig_clock::{Clock as _, SystemClock};
use tokenrig_offline::{Inherited, Offline};
use tokenrig_report::{Head, Look, Terminal};
use tokenrig_runner::{Catalogue, Event, Options, Plan, Selection};

use crate::{
    arguments::{Run, World},
    containers, inherited, reports,
    signals::Signals,
    tell,
};

/// Where scenarios are if nobody says.
const SCENARIOS: &str = "scenarios";

pub(crate) async fn run(program: &str, wanted: Run) -> u8 {
    if wanted.world == World::Live {
        tell::error("the live world is not built yet", Some("leave `--world` out"));
        return 3;
    }
    let paths = if wanted.paths.is_empty() { vec![PathBuf::from(SCENARIOS)] } else { wanted.paths };
    let selection = Selection { paths, filters: wanted.filters, shard: wanted.shard };
    let plan = match Plan::read(&selection) {
        Ok(plan) => plan,
        Err(fault) => {
            tell::error(&fault.to_string(), Some("name scenario files, or folders that hold some"));
            return 2;
        }
    };
    let look = look(program, wanted.verbose, io::stdout());
    let mut terminal = Terminal::new(anstream::stdout(), look.clone());
    let head =
        Head { look: look.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), at: SystemClock::real().now() };
    let mut reports = match reports::create(&wanted.reports, &head) {
        Ok(reports) => reports,
        Err(code) => return code,
    };
    reports.iter_mut().for_each(|report| report.files(&plan.wrong));
    // What cannot be written to is nobody's fault here: the exit code still tells.
    let _ = terminal.files(&plan.warnings);
    let _ = terminal.files(&plan.wrong);
    if plan.cases.is_empty() && plan.wrong.is_empty() {
        tell::error("no case matches", Some("name other files, or loosen `--filter`"));
        return 2;
    }
    let options = Options {
        jobs: wanted.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN),
        catalogue: catalogue(),
        now: wanted.now,
        required: wanted.require,
        scratch: Some(std::env::temp_dir()),
        keep_all: reports::need_all(&wanted.reports),
        ..Options::default()
    };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    let inherited = Inherited { images: containers::images().await, ..inherited::of_scenarios() };
    let world = Arc::new(Offline::new(inherited));
    let ended = {
        let told = |event: Event| {
            reports.iter_mut().for_each(|report| report.event(&event));
            let _ = terminal.event(&reports::line(event));
        };
        tokio::select! {
            summary = tokenrig_runner::run(world, &plan, &options, told) => Ok(summary),
            asked = signals.asked() => Err(asked),
        }
    };
    let mut code = match ended {
        Ok(summary) => summary.exit_code(),
        Err(asked) => {
            let _ = terminal.cut_short();
            tell::error("ended before all cases had run; those above had finished", None);
            asked.code()
        }
    };
    if !reports::finish(reports) {
        // A wrong file is told before all else.
        code = if code == 2 { code } else { 3 };
    }
    code
}

/// How text looks on a stream: no bar and no colour where nobody watches.
pub(crate) fn look(program: &str, verbose: bool, to: impl RawStream) -> Look {
    Look {
        colour: anstream::AutoStream::choice(&to) != anstream::ColorChoice::Never,
        bar: to.is_terminal(),
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
