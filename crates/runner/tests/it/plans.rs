//! What runs and what does not.

use std::path::PathBuf;

use serde_json::json;
use tokenrig_runner::{Event, Options, Outcome, Plan, Selection, Skip, WorldName, run};

use crate::fake::{Fake, options, ran, ran_with};

const ROWS: &str = "
scenario: Rows
tags: [numbers]
cases:
  - { case: one, n: 200 }
  - { case: two, n: 201 }
  - { case: three, n: 202 }
steps:
  - http: GET https://a.example/${case.n}
    expect: { status: \"${case.n}\" }
";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join("scenarios").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn select(folder: &tempfile::TempDir) -> Selection {
    Selection { paths: vec![folder.path().join("scenarios")], ..Selection::default() }
}

#[tokio::test]
async fn every_case_runs_in_a_site_of_its_own_and_ends_in_the_report() {
    let fake = Fake::new()
        .on("GET https://a.example/200", 200, json!({}))
        .on("GET https://a.example/201", 201, json!({}))
        .on("GET https://a.example/202", 500, json!({}));
    let ran = ran(fake, ROWS).await;
    let outcomes: Vec<_> = ran.reports.iter().map(|report| (report.id.to_string(), report.outcome.clone())).collect();
    assert_eq!(
        outcomes,
        [
            ("theme/name › one".to_owned(), Outcome::Passed),
            ("theme/name › two".to_owned(), Outcome::Passed),
            ("theme/name › three".to_owned(), Outcome::Failed),
        ]
    );
    assert_eq!(ran.messages(), ["expected status 202, found 500"]);
    assert_eq!((ran.summary.passed, ran.summary.failed, ran.summary.exit_code()), (2, 1, 1));
    assert_eq!(ran.state.foundations.lock().unwrap().len(), 3);
}

#[test]
fn wrong_files_are_set_aside_with_all_their_faults_and_the_others_stay() {
    let folder = folder(&[("t/good.yaml", ROWS), ("t/bad.yaml", "scenario: a\nstep: []\nsteps: [{ htp: GET / }]\n")]);
    let plan = Plan::read(&select(&folder)).unwrap();
    assert_eq!((plan.cases.len(), plan.wrong.len()), (3, 1));
    assert!(plan.wrong[0].file.ends_with("t/bad.yaml"));
    assert!(plan.wrong[0].faults.diagnostics.len() >= 2, "{}", plan.wrong[0].faults);
}

#[tokio::test]
async fn a_wrong_file_is_worse_than_a_failed_case_and_nothing_to_run_is_as_bad() {
    let folder = folder(&[("t/bad.yaml", "scenario: a\n")]);
    let plan = Plan::read(&select(&folder)).unwrap();
    let world = Fake::new().world();
    let summary = run(world, &plan, &options(), |_| {}).await;
    assert_eq!((summary.cases(), summary.wrong_files, summary.exit_code()), (0, 1, 2));
}

#[test]
fn filters_and_shards_leave_out_the_rest() {
    let folder = folder(&[("t/rows.yaml", ROWS), ("u/rows.yaml", ROWS)]);
    let cases = |filters: &[&str], shard: Option<&str>| {
        let selection = Selection {
            filters: filters.iter().map(|filter| filter.parse().unwrap()).collect(),
            shard: shard.map(|shard| shard.parse().unwrap()),
            ..select(&folder)
        };
        let plan = Plan::read(&selection).unwrap();
        assert_eq!(plan.cases.len() + plan.left_out, 6);
        plan.cases.iter().map(|case| case.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(cases(&["theme:u", "case:TWO"], None), ["u/rows › two"]);
    assert_eq!(cases(&["t/rows › t"], None), ["t/rows › two", "t/rows › three"]);
    assert_eq!(cases(&["tag:numbers"], Some("2/4")), ["t/rows › two", "u/rows › three"]);
    assert!(cases(&["nothing of the kind"], None).is_empty());
}

#[test]
fn a_path_that_is_not_there_says_so() {
    let missing = Selection { paths: vec![PathBuf::from("no/such/folder")], ..Selection::default() };
    assert_eq!(Plan::read(&missing).unwrap_err().to_string(), "there is no file or folder `no/such/folder`");
}

const NEEDY: &str = "scenario: a\nneeds: [python]\nsteps:\n  - advance: 1s\n";

#[tokio::test]
async fn what_a_scenario_needs_and_lacks_is_skipped_with_the_reason_unless_it_is_required() {
    let fake = || Fake { lacks: vec!["python"], ..Fake::new() };
    let skipped = ran(fake(), NEEDY).await;
    let Outcome::Skipped(skip) = &skipped.reports[0].outcome else { panic!("{:?}", skipped.reports[0].outcome) };
    assert_eq!(skip.to_string(), "needs `python`: this build leaves it out");
    assert_eq!(skipped.summary.exit_code(), 0);

    let required = ran_with(fake(), NEEDY, Options { required: vec!["python".into()], ..options() }).await;
    assert_eq!((required.summary.missing, required.summary.exit_code()), (1, 3));
}

#[tokio::test]
async fn a_scenario_of_the_other_world_is_skipped() {
    let fake = Fake { live: true, ..Fake::new() };
    let ran = ran(fake, "scenario: a\nworlds: [offline]\nsteps:\n  - advance: 1s\n").await;
    assert_eq!(ran.reports[0].outcome, Outcome::Skipped(Skip::World(WorldName::Live)));
}

#[tokio::test]
async fn a_scenarios_own_first_instant_wins_over_the_runs() {
    let text = "scenario: a\nnow: 2026-03-02T08:58:00Z\nsteps:\n  - advance: 1s\n";
    let now = Some("2020-01-01T00:00:00Z".parse().unwrap());
    let own = ran_with(Fake::new(), text, Options { now, ..options() }).await;
    assert_eq!(own.state.foundations.lock().unwrap()[0].now, Some("2026-03-02T08:58:00Z".parse().unwrap()));
    let text = text.replace("now: 2026-03-02T08:58:00Z\n", "");
    let given = ran_with(Fake::new(), &text, Options { now, ..options() }).await;
    assert_eq!(given.state.foundations.lock().unwrap()[0].now, now);
}

#[tokio::test]
async fn events_tell_a_run_from_start_to_end() {
    let folder = folder(&[("t/rows.yaml", "scenario: a\nsteps:\n  - advance: 1s\n")]);
    let plan = Plan::read(&select(&folder)).unwrap();
    let world = Fake::new().world();
    let mut told = Vec::new();
    let summary = run(world, &plan, &options(), |event| {
        told.push(match event {
            Event::Started(started) => format!("{} {} {}", started.scenarios, started.cases, started.jobs),
            Event::CaseStarted(id) => format!("{id} {}", id.name()),
            Event::CaseSlow(id, running) => panic!("{id} runs for {running:?}"),
            Event::CaseEnded(report) => format!("{:?}", report.outcome),
            Event::Ended(summary) => format!("{}", summary.passed),
        });
    })
    .await;
    assert_eq!(told, ["1 1 1", "t/rows a", "Passed", "1"]);
    assert_eq!(summary.exit_code(), 0);
}
