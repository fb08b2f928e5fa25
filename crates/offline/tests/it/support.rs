//! Running the text of a scenario.

use std::{num::NonZeroUsize, sync::Arc};

use tokenrig_offline::{Inherited, Offline};
use tokenrig_runner::{Event, Options, Outcome, Plan, Selection, run};

/// Runs a scenario, which must pass, case by case.
pub(crate) async fn passes(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let plan = Plan::read(&Selection { paths: vec![file], ..Selection::default() }).unwrap();
    if let Some(wrong) = plan.wrong.first() {
        panic!("{}", wrong.faults);
    }
    let options = Options { jobs: NonZeroUsize::MIN, keep_all: true, ..Options::default() };
    let mut reports = Vec::new();
    run(Arc::new(Offline::new(Inherited::default())), &plan, &options, |event| {
        if let Event::CaseEnded(report) = event {
            reports.push(report);
        }
    })
    .await;
    assert!(!reports.is_empty());
    for report in reports {
        assert!(matches!(report.outcome, Outcome::Passed), "{}: {:?}\n{:#?}", report.id, report.outcome, report.steps);
    }
}
