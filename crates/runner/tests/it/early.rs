//! Runs and cases that end before their time, and what they leave.

use std::{num::NonZeroUsize, time::Duration};

use serde_json::json;
use tokenrig_runner::{Cut, Event, Options, Outcome, Plan, Selection, Skip, Stop, run};

use crate::fake::{Fake, options, ran_with};

const HANGING: &str = "\
scenario: a
cases: [{ case: one }, { case: two }]
steps:
  - advance: 1s
  - run: [sh, -c, \"touch started; trap '' TERM; while true; do sleep 1; done\"]
";

fn written(text: &str) -> (tempfile::TempDir, Plan) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("name.yaml");
    std::fs::write(&file, text).unwrap();
    let plan = Plan::read(&Selection { paths: vec![file], ..Selection::default() }).unwrap();
    (folder, plan)
}

#[tokio::test]
async fn a_case_that_overruns_is_ended_and_says_where_it_was() {
    let case_deadline = Duration::from_millis(300);
    let ran = ran_with(Fake::new(), HANGING, Options { case_deadline, ..options() }).await;
    assert_eq!((ran.summary.failed, ran.summary.exit_code(), ran.summary.cut), (2, 1, None));
    let (step, failure) = ran.reports[0].failures().next().unwrap();
    assert_eq!(step.number, 2);
    let start = "the case was ended after 0.3 s, its deadline; it was in step 2: run sh -c touch started";
    assert!(failure.message.starts_with(start), "{}", failure.message);
    assert!(ran.reports[0].sources.slice(failure.at.unwrap()).starts_with("[sh"), "{failure:?}");
    assert_eq!(failure.help.as_deref(), Some("`--case-deadline` gives each case more time"));
}

#[tokio::test]
async fn what_a_command_had_printed_is_told_although_the_case_was_ended() {
    let text = "scenario: a\nsteps:\n  - run: [sh, -c, \"echo so far; echo and here >&2; sleep 100\"]\n";
    let case_deadline = Duration::from_millis(400);
    let ran = ran_with(Fake::new(), text, Options { case_deadline, ..options() }).await;
    let command = ran.reports[0].steps[0].command.as_ref().expect("the command is told");
    assert_eq!((&*command.stdout, &*command.stderr, command.exit), ("so far\n", "and here\n", 137));
}

/// The second row's wait is only known when it is its turn.
const WAITING: &str = "\
scenario: a
cases: [{ case: short, wait: 10s }, { case: long, wait: 2m }, { case: none, wait: 1s }]
steps:
  - advance: ${case.wait}
";

#[tokio::test]
async fn a_case_that_must_wait_too_long_is_skipped_and_counted_where_the_clock_is_the_real_one() {
    let max_wait = Duration::from_secs(60);
    let live = || Fake { live: true, ..Fake::new() };
    let ran = ran_with(live(), WAITING, Options { max_wait, ..options() }).await;
    assert_eq!((ran.summary.passed, ran.summary.skipped, ran.summary.waiting), (2, 1, 1));
    let Outcome::Skipped(skip) = &ran.reports[1].outcome else { panic!("{:?}", ran.reports[1].outcome) };
    assert_eq!(skip.to_string(), "must wait for 2 min, and `--max-wait` is 1 min");

    // What is written out is known before a site is opened.
    let written = WAITING.replace("${case.wait}", "61m");
    let ran = ran_with(live(), &written, options()).await;
    assert_eq!((ran.summary.skipped, ran.summary.waiting), (3, 3));
    assert!(ran.state.foundations.lock().unwrap().is_empty());

    // A clock that is moved lets nobody wait.
    let ran = ran_with(Fake::new(), WAITING, Options { max_wait: Duration::ZERO, ..options() }).await;
    assert_eq!((ran.summary.passed, ran.summary.waiting), (3, 0));
}

#[tokio::test]
async fn a_run_that_overruns_ends_its_cases_and_starts_no_other() {
    let limit = Duration::from_millis(300);
    let run_deadline = Some(limit);
    let ran = ran_with(Fake::new(), HANGING, Options { jobs: NonZeroUsize::MIN, run_deadline, ..options() }).await;
    assert_eq!((ran.summary.failed, ran.summary.not_run, ran.summary.exit_code()), (1, 1, 1));
    assert_eq!(ran.summary.cut, Some(Cut::Deadline(limit)));
    assert!(ran.messages()[0].contains("because the run had taken 0.3 s, its deadline"), "{:?}", ran.messages());
    assert_eq!(ran.state.calls.lock().unwrap().last().map(String::as_str), Some("close"));
}

#[tokio::test]
async fn a_run_that_is_asked_to_end_tells_where_its_cases_were() {
    let (folder, plan) = written(HANGING);
    let stop = Stop::default();
    let options = Options { jobs: NonZeroUsize::MIN, stop: stop.clone(), ..options() };
    let mut outcomes = Vec::new();
    let running = run(Fake::new().world(), &plan, &options, |event| {
        if let Event::CaseEnded(report) = event {
            outcomes.push(report.outcome.clone());
        }
    });
    let asked = async {
        while !folder.path().join("started").exists() {
            tokenrig_clock::real::pause(Duration::from_millis(5)).await;
        }
        stop.ask();
    };
    let (summary, ()) = tokio::join!(running, asked);
    assert_eq!((summary.stopped, summary.not_run, summary.cut), (1, 1, Some(Cut::Asked)));
    let [Outcome::Skipped(Skip::Stopped(place))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert!(place.starts_with("in step 2: run sh -c touch started"), "{place}");
}

const ROWS: &str = "\
scenario: a
cases: [{ case: one, n: 500 }, { case: two, n: 200 }, { case: three, n: 200 }]
steps:
  - http: GET https://a.example/
    expect: { status: \"${case.n}\" }
";

fn fake() -> Fake {
    Fake::new().on("GET https://a.example/", 200, json!({}))
}

#[tokio::test]
async fn the_first_failure_is_the_last_case_that_starts_if_it_is_to_be() {
    let options = Options { jobs: NonZeroUsize::MIN, fail_fast: true, ..options() };
    let ran = ran_with(fake(), ROWS, options).await;
    assert_eq!((ran.summary.failed, ran.summary.passed, ran.summary.not_run), (1, 0, 2));
    assert_eq!((ran.summary.cut, ran.summary.exit_code()), (Some(Cut::FirstFailure), 1));
}

#[tokio::test]
async fn only_what_failed_leaves_something_in_a_folder_that_its_report_names() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Some(folder.path().to_owned());
    let ran = ran_with(fake(), ROWS, Options { keep: keep.clone(), ..options() }).await;
    let kept: Vec<bool> = ran.reports.iter().map(|report| report.kept.is_some()).collect();
    assert_eq!(kept, [true, false, false]);
    assert_eq!(ran.reports[0].kept, Some(folder.path().join("theme-name-one-1")));

    let text =
        "scenario: a\nsteps:\n  - run: [sh, -c, 'echo out; echo ya29.a0AfH6SMBx7Q2aaaaaaaaaaaaaaaa >&2; exit 1']\n";
    let ran = ran_with(fake(), text, Options { keep, ..options() }).await;
    let folder = ran.reports[0].kept.clone().unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("step-1.stdout")).unwrap(), "out\n");
    assert_eq!(std::fs::read_to_string(folder.join("step-1.stderr")).unwrap(), "ya29.a0A…(34 chars)\n");
}

#[test]
fn cases_are_repeated_one_after_the_other_and_listed_ones_are_found_again() {
    let (folder, all) = written(ROWS);
    let paths = vec![folder.path().to_owned()];
    let only = Some([tokenrig_runner::CaseKey::of(&all.cases[1].id)].into());
    let plan = Plan::read(&Selection { paths, only, repeat: 2, ..Selection::default() }).unwrap();
    let names: Vec<String> = plan.cases.iter().map(|case| case.id.unique_name().into_owned()).collect();
    assert_eq!(names, ["two (1 of 2)", "two (2 of 2)"]);
    assert_eq!(plan.left_out, 2);
}

#[tokio::test]
async fn an_expression_that_would_run_for_ever_ends_with_an_error_at_its_place() {
    let list = format!("[{}]", vec!["1"; 200].join(", "));
    let all = format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d > 0))))");
    let text = format!("scenario: a\nsteps:\n  - http: GET https://a.example/\n    expect: {{ that: [\"{all}\"] }}\n");
    let ran = ran_with(fake(), &text, options()).await;
    let messages = ran.messages();
    assert!(messages[0].contains("steps"), "{messages:?}");
}
