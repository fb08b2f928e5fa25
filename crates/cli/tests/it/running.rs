//! `run`: which cases, how often, for how long, and what is left of those that fail.

use rstest::rstest;
use rustix::process::Signal;

use crate::support::{Home, Running, assert_told, ended, has_ended};

const ROWS: &str = "\
scenario: Where an issuer publishes its keys
tags: [keys]
given:
  issuers: { corp: {} }
cases:
  - { case: where discovery says, path: /certs, status: 200 }
  - { case: \"it's at `nothing`, $HOME!\", path: /keys, status: 200 }
  - { case: nowhere, path: /no, status: 404 }
steps:
  - http: GET ${corp.issuer}${case.path}
    expect: { status: \"${case.status}\" }
";

fn rows() -> Home {
    let home = Home::new();
    home.write("scenarios/keys/rows.yaml", ROWS);
    home
}

#[tokio::test]
async fn cases_are_listed_and_do_not_run() {
    assert_told!(rows().call(&["run", "--list", "-v", "--filter", "tag:keys", "--shard", "1/2"]).await, @r#"
    exit: 0
    ──── stdout
    keys/rows › where discovery says  scenarios/keys/rows.yaml:6:5  [keys]
    keys/rows › nowhere  scenarios/keys/rows.yaml:8:5  [keys]
    ──── stderr
    "#);
    assert_eq!(rows().call(&["run", "--list", "--filter", "case:no such"]).await.code, Some(2));
}

#[tokio::test]
async fn cases_are_repeated() {
    let told = rows().call(&["run", "--repeat", "2", "-v", "--filter", "case:nowhere", "--jobs", "1"]).await;
    assert_told!(told, @r#"
    exit: 0
    ──── stdout
        Running 1 scenario, 2 cases, offline, N jobs
           PASS [TIME] keys/rows › nowhere (1 of 2)
           PASS [TIME] keys/rows › nowhere (2 of 2)
    ────────────
        Summary [TIME] 2 cases: 2 passed
    ──── stderr
    "#);
}

#[tokio::test]
async fn no_case_starts_after_the_first_failure_if_none_shall() {
    let told = rows().call(&["run", "--fail-fast", "--jobs", "1"]).await;
    let summary = "2 cases: 1 passed, 1 failed; cut short by the first failure, 1 case did not run";
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains(summary), "{told}");
}

#[tokio::test]
async fn the_command_that_is_shown_runs_just_the_case_that_failed() {
    let home = rows();
    let told = home.call(&["run", "--now", "2026-03-02T09:00:00Z"]).await;
    let again = told.stdout.lines().find_map(|line| line.strip_prefix("      again ")).unwrap();
    let line = again.replacen("tokenrig", env!("CARGO_BIN_EXE_tokenrig"), 1);
    let mut shell = home.tokenrig(&[]);
    shell = {
        let mut command = tokio::process::Command::new("sh");
        let from = shell.as_std();
        command.args(["-c", &line]).current_dir(from.get_current_dir().unwrap()).env_clear();
        command.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command
    };
    let told = ended(shell).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("Summary [") && told.stdout.contains("1 case: 1 failed"), "{told}");
}

#[tokio::test]
async fn what_failed_last_is_run_again_until_it_passes() {
    let home = rows();
    assert_told!(home.call(&["run", "--rerun-failed"]).await, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error: no run from this folder is on record

    help: run without `--rerun-failed`
    "#);
    assert_eq!(home.call(&["run"]).await.code, Some(1));
    let listed = home.call(&["run", "--rerun-failed", "--list"]).await;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), "keys/rows › it's at `nothing`, $HOME!\n"));
    // A run of other cases says nothing about those that failed.
    assert_eq!(home.call(&["run", "--filter", "case:nowhere"]).await.code, Some(0));
    home.write("scenarios/keys/rows.yaml", &ROWS.replace("/keys, status: 200", "/keys, status: 404"));
    let told = home.call(&["run", "--rerun-failed"]).await;
    assert!(told.code == Some(0) && told.stdout.contains("1 case: 1 passed"), "{told}");
    let told = home.call(&["run", "--rerun-failed"]).await;
    assert!(told.code == Some(2) && told.stderr.contains("nothing failed when it last ran"), "{told}");
}

#[tokio::test]
async fn what_a_failed_case_left_is_kept_and_its_rig_can_be_looked_at() {
    let home = rows();
    let told = home.call(&["run", "--keep=kept"]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("\nkept: kept/keys-rows-it-s-at-nothing-HOME-2\n"), "{told}");
    let report = home.read("kept/keys-rows-it-s-at-nothing-HOME-2/report.txt");
    assert!(report.contains("error: expected status 200, found 404"), "{report}");
    assert!(home.read("kept/keys-rows-it-s-at-nothing-HOME-2/decisions.json").contains("\"decisions\""));
    let state = "kept/keys-rows-it-s-at-nothing-HOME-2/state.given.json";
    let exec = home.call(&["exec", "--given", state, "--", "true"]).await;
    assert_eq!(exec.code, Some(0), "{exec}");
    // Without a name it is a new folder, which is there only if something is in it.
    assert_eq!(home.call(&["run", "--keep", "--filter", "case:nowhere"]).await.code, Some(0));
    assert_eq!(home.temporary(), Vec::<std::path::PathBuf>::new());
}

const HANGING: &str = "\
scenario: A client that prints without end and does not end when it is asked to
steps:
  - run: [sh, -c, \"trap '' TERM; echo $$ >started; echo $$ >pid; while true; do echo more; done\"]
";

#[tokio::test]
async fn a_case_that_overruns_is_ended_and_the_others_go_on() {
    let home = rows();
    home.write("scenarios/hanging.yaml", HANGING);
    home.write("scenarios/late.yaml", &HANGING.replace("pid", "late").replace("done\"]", "done\"]\n    deadline: 1s"));
    let told = home.call(&["run", "--case-deadline", "4s"]).await;
    assert_eq!(told.code, Some(1), "{told}");
    let place = "error: the case was ended after 4 s, its deadline; it was in step 1: run sh -c trap '' TERM;";
    assert!(told.stdout.contains(place), "{told}");
    assert!(told.stdout.contains("error: the command had not ended after 1 s"), "{told}");
    assert!(told.stdout.contains("… ("), "both ends of the output are shown: {told}");
    assert!(told.stdout.len() < 40_000, "{} bytes", told.stdout.len());
    assert!(told.stdout.contains("5 cases: 2 passed, 3 failed"), "{told}");
    has_ended(&home.read("scenarios/pid")).await;
    has_ended(&home.read("scenarios/late")).await;
}

#[tokio::test]
async fn the_second_interrupt_ends_at_once() {
    let home = Home::new();
    home.write("scenarios/hanging.yaml", HANGING);
    let running = Running::start(home.tokenrig(&["run"]));
    let client = home.appears("scenarios/started").await;
    running.signal(Signal::INT);
    running.signal(Signal::INT);
    let told = running.ended().await;
    assert_eq!(told.code, Some(130), "{told}");
    has_ended(&client).await;
}

#[tokio::test]
async fn an_interrupt_tells_what_had_finished_and_where_the_rest_was() {
    let home = rows();
    home.write("scenarios/z.yaml", HANGING);
    let running = Running::start(home.tokenrig(&["run", "--jobs", "1"]));
    home.appears("scenarios/started").await;
    running.signal(Signal::INT);
    let told = running.ended().await;
    assert_eq!(told.code, Some(130), "{told}");
    assert!(told.stdout.contains("    STOPPED ["), "{told}");
    assert!(told.stdout.contains("z: was in step 1: run sh -c trap"), "{told}");
    let summary = "4 cases: 2 passed, 1 failed, 1 stopped; cut short, 0 cases did not run";
    assert!(told.stdout.contains(summary), "{told}");
}

/// `script` gives the command a terminal of its own.
async fn on_a_terminal(home: &Home, ci: bool) -> String {
    let program = env!("CARGO_BIN_EXE_tokenrig");
    let ci = if ci { "CI=true " } else { "" };
    let line = format!("{ci}TERM=xterm {program} run --filter case:nowhere");
    let mut command = tokio::process::Command::new("script");
    let from = home.tokenrig(&[]);
    let from = from.as_std();
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear();
    command.envs(from.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(from.get_current_dir().unwrap()).stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let told = ended(command).await;
    assert_eq!(told.code, Some(0), "{told}");
    told.stdout
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_terminal_shows_a_bar_that_is_gone_at_the_end() {
    let shown = on_a_terminal(&rows(), false).await;
    assert!(shown.contains("] 0/1 keys/rows › nowhere"), "{shown:?}");
    let after = shown.rsplit("0/1 ").next().unwrap();
    assert!(after.contains("\u{1b}[2K") || after.contains("\u{1b}[K"), "{shown:?}");
    assert!(!on_a_terminal(&rows(), true).await.contains("0/1"));
}

#[rstest]
#[case::a_report(&["run", "--report", "junit=/dev/full"], "error: cannot write the report `/dev/full`: ", false)]
#[case::what_is_printed(&["run"], "error: cannot write to the standard output: ", true)]
#[case::a_list(&["run", "--list"], "error: cannot write to the standard output: ", true)]
#[tokio::test]
async fn a_full_disk_is_told_and_hides_nothing_else(#[case] call: &[&str], #[case] error: &str, #[case] stdout: bool) {
    let home = rows();
    let mut command = home.tokenrig(call);
    if stdout {
        command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    }
    let told = command.spawn().unwrap().wait_with_output().await.unwrap();
    let (code, errors) = (told.status.code(), String::from_utf8_lossy(&told.stderr));
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains(error), "{errors}");
    let shown = String::from_utf8_lossy(&told.stdout);
    assert!(stdout || shown.contains("3 cases: 2 passed, 1 failed"), "{shown}");
}
