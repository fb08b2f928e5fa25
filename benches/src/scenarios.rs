//! All scenarios of the project that run no command.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use tokenrig_clock::real::Stopwatch;
use tokenrig_offline::{Inherited, Offline};
use tokenrig_runner::{Catalogue, Event, Options, Outcome, Plan, Selection};

use crate::{
    child::Programs,
    round::{Round, Side, What, cores},
    scale::{ROUNDS, Scale},
    table::{Goal, Row, Unit},
};

pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    Ok(vec![
        per_case(programs, scale, What::Scenarios, "scenarios", 10.0)?,
        per_case(programs, scale, What::Deliveries, "scenarios of deliveries", 15.0)?,
    ])
}

fn per_case(programs: &Programs, scale: Scale, what: What, name: &str, most: f64) -> Result<Row, String> {
    let round = Round { what, side: Side::Subject, count: 1, answer_bytes: 0 };
    let mut rounds = Vec::new();
    let mut cases = 0;
    for _ in 0..scale.of(ROUNDS, 1) {
        let told = programs.round(&round)?;
        let (Some(took), Some(count), Some(cores)) =
            (told["took"].as_f64(), told["cases"].as_u64(), told["cores"].as_f64())
        else {
            return Err("a round of scenarios told no figures".to_owned());
        };
        cases = count;
        rounds.push(took * 1000.0 * cores / count as f64);
    }
    let name = format!("{name}, a case and core ({cases} cases)");
    Ok(Row::alone(name, Unit::Milliseconds, &rounds, Goal::Figure(most)))
}

/// Reads and runs all of these folders of `scenarios`, as many cases at once as there are cores.
pub(crate) fn round(folders: &[&str]) -> Result<Value, String> {
    let watch = Stopwatch::start();
    let all = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
    let paths = folders.iter().map(|folder| all.join(folder)).collect();
    let selection = Selection { paths, ..Selection::default() };
    let mut plan = Plan::read(&selection).map_err(|fault| fault.to_string())?;
    if let Some(wrong) = plan.wrong.first() {
        return Err(format!("`{}` is wrong", wrong.file.display()));
    }
    plan.cases.retain(|case| !case.scenario.has_run_step);
    let refusals: Vec<_> = tokenrig::refusals().into_iter().flat_map(|(_, refusals)| refusals).copied().collect();
    let options = Options {
        jobs: NonZeroUsize::new(cores()).unwrap_or(NonZeroUsize::MIN),
        catalogue: Catalogue::new(Vec::leak(refusals)),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let world = Arc::new(Offline::new(Inherited::default()));
    let mut first = None;
    let summary = runtime.block_on(tokenrig_runner::run(world, &plan, &options, |event| {
        if let Event::CaseEnded(report) = event
            && matches!(report.outcome, Outcome::Failed | Outcome::Broken(_))
        {
            first.get_or_insert(report.id.to_string());
        }
    }));
    let took = watch.elapsed();
    // What needs a thing that is not here has not run, and is not counted.
    if let Some(case) = first {
        return Err(format!("{} cases did not pass, `{case}` for one", summary.failed + summary.broken));
    }
    if summary.passed == 0 {
        return Err("no case ran".to_owned());
    }
    Ok(json!({ "took": took.as_secs_f64(), "cases": summary.passed, "cores": cores() }))
}
