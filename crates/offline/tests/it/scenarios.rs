//! Every scenario that is shipped.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use tokenrig_offline::{Inherited, Offline};
use tokenrig_report::{Look, Terminal};
use tokenrig_runner::{Catalogue, Options, Plan, Selection};

/// What `run` does without arguments, in this process. Real clients are left out: whether they are installed is a matter
/// of the machine.
#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_scenario_passes() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let plan = Plan::read(&Selection { paths: vec![folder], ..Selection::default() }).unwrap();
    assert!(plan.cases.len() > 20, "{} cases", plan.cases.len());
    let mut report = Vec::new();
    let mut terminal = Terminal::new(&mut report, Look::default());
    terminal.files(&plan.warnings).unwrap();
    terminal.files(&plan.wrong).unwrap();
    let refusals = tokenrig::refusals().into_iter().flat_map(|(_, refusals)| refusals.iter().copied()).collect();
    let options = Options {
        jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        catalogue: Catalogue::new(Vec::leak(refusals)),
        ..Options::default()
    };
    let world = Arc::new(Offline::new(Inherited::default()));
    let summary = tokenrig_runner::run(world, &plan, &options, |event| terminal.event(&event).unwrap()).await;
    drop(terminal);
    assert_eq!(summary.exit_code(), 0, "\n{}", String::from_utf8_lossy(&report));
}
