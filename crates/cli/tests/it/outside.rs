//! Every scenario that does not say `worlds: [offline]`, against a rig of another process: by public addresses, default
//! credentials and the real clock alone. What passes in a rig of its own and fails here leans on something that only a
//! rig has: then the scenario says so, or the format is wrong.

#![expect(clippy::disallowed_macros, reason = "how much was proved is worth reading even if all is well")]

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use rustix::process::Signal;
use tokenrig_jose::{Algorithm, SigningKey};
use tokenrig_live::{Live, Reach};
use tokenrig_report::{Look, Terminal};
use tokenrig_runner::{CaseReport, Catalogue, Event, Options, Outcome, Plan, Selection, Skip};

use crate::support::{Home, Running};

/// How long a step may wait. What needs longer is skipped.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long all of it may take, on a machine that does other things as well.
const LIMIT: Duration = Duration::from_secs(400);
/// How many issuers of a case have keys that none of the others has.
const ISSUERS: usize = 3;
/// How many cases pass at the least: when this was written there were 528.
const FLOOR: usize = 400;

/// The variables of shell exports.
fn exported(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.strip_prefix('\'')?.strip_suffix('\'')?.replace(r"'\''", "'")))
    };
    text.lines().filter_map(line).chain([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]).collect()
}

/// Why a case was left out, in a word that others share; nothing if it may not be.
fn left_out(skip: &Skip) -> Option<String> {
    match skip {
        Skip::World(_) => Some("runs offline alone".to_owned()),
        Skip::Need { need, .. } => Some(format!("needs `{need}`")),
        Skip::Wait { most, .. } => Some(format!("waits longer than {most:?}")),
        Skip::Other(why) if [Live::NOTHING_RECEIVED, Live::OWN_ORGANIZATION].contains(&why.as_str()) => {
            Some(why.clone())
        }
        Skip::Other(_) | Skip::Stopped(_) => None,
    }
}

/// How the cases ended.
#[derive(Default)]
struct Count {
    passed: usize,
    skipped: BTreeMap<String, usize>,
    /// Whatever else is left out would be proved nowhere: that is a fault of the scenario.
    wrongly_skipped: Vec<String>,
}

impl Count {
    /// Counts a case; gives whether it is worth a line.
    fn case(&mut self, report: &CaseReport) -> bool {
        match &report.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped(skip) => match left_out(skip) {
                Some(why) => *self.skipped.entry(why).or_default() += 1,
                None => self.wrongly_skipped.push(format!("{}: {skip}", report.id)),
            },
            Outcome::Failed | Outcome::Broken(_) => return true,
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_that_is_not_offline_alone_passes_in_another_process() {
    let home = Home::new();
    let serve = Running::start(home.tokenrig(&["serve", "--env-file", "environment"]));
    let reach = Reach::of(exported(&home.appears("environment").await)).unwrap();
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios"));
    let plan = Plan::read(&Selection { paths: vec![folder], ..Selection::default() }).unwrap();
    // Keys of their own: those that lie ready for rigs are Google's there.
    let keys = [Algorithm::Rs256, Algorithm::Es256].repeat(ISSUERS).into_iter().map(SigningKey::generate).collect();
    let world = Arc::new(Live::new(reach, "tr", keys));
    let refusals = tokenrig::refusals().into_iter().flat_map(|(_, refusals)| refusals.iter().copied()).collect();
    let options = Options {
        jobs: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        catalogue: Catalogue::new(Vec::leak(refusals)),
        run_deadline: Some(LIMIT),
        max_wait: MAX_WAIT,
        ..Options::default()
    };
    let mut report = Vec::new();
    let mut terminal = Terminal::new(&mut report, Look::default());
    let mut count = Count::default();
    let summary = tokenrig_runner::run(world, &plan, &options, |event| {
        let shown = match &event {
            Event::CaseEnded(case) => count.case(case),
            _ => true,
        };
        if shown {
            terminal.event(&event).unwrap();
        }
    })
    .await;
    drop(terminal);
    serve.signal(Signal::TERM);
    serve.ended().await;
    let report = String::from_utf8_lossy(&report);
    println!("{} cases passed in another process, {} failed", count.passed, summary.failed + summary.broken);
    for (why, cases) in &count.skipped {
        println!("{cases} skipped: {why}");
    }
    let faults = (summary.failed, summary.broken, summary.cut, count.wrongly_skipped);
    assert_eq!(faults, (0, 0, None, Vec::new()), "failed, broken, cut, should say `worlds: [offline]`\n{report}");
    assert!(count.passed >= FLOOR, "only {} passed: {:?}\n{report}", count.passed, count.skipped);
}
