//! `run`: reports and exit codes, and what is left when it is cut short.

use rstest::rstest;
use rustix::process::Signal;

use crate::support::{Home, Running, assert_told, has_ended};

const RIGHT: &str = "\
scenario: An issuer publishes its keys
given:
  issuers: { corp: {} }
cases:
  - case: where discovery says
    path: /certs
  - case: where everybody looks
    path: /.well-known/jwks.json
steps:
  - http: GET ${corp.issuer}${case.path}
    expect: { status: 200 }
";

const FAILING: &str = "\
scenario: A private service
given:
  run.services:
    orders: {}
steps:
  - step: Nobody may call it without a token
    http: GET ${orders.uri}/hello
    expect: { status: 200 }
";

const WRONG: &str = "\
scenario: A provider with a slip of the pen
given:
  iam.workloadIdentityPools:
    partners:
      providers:
        corp-oidc:
          attributeMappings: { google.subject: assertion.sub }
steps: []
";

#[tokio::test]
async fn cases_that_pass_are_counted() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    assert_told!(home.call(&["run"]).await, @r#"
    exit: 0
    ──── stdout
        Running 1 scenario, 2 cases, offline, N jobs
    ────────────
        Summary [TIME] 2 cases: 2 passed
    ──── stderr
    "#);
}

#[tokio::test]
async fn cases_that_pass_are_lines_when_asked_for() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    assert_told!(home.call(&["run", "-v", "--jobs", "1", "scenarios/keys.yaml"]).await, @r#"
    exit: 0
    ──── stdout
        Running 1 scenario, 2 cases, offline, N jobs
           PASS [TIME] keys › where discovery says
           PASS [TIME] keys › where everybody looks
    ────────────
        Summary [TIME] 2 cases: 2 passed
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_failing_case_is_told_with_its_place_its_decision_and_the_exchange() {
    let home = Home::new();
    home.write("scenarios/private.yaml", FAILING);
    assert_told!(home.call(&["run"]).await, @r#"
    exit: 1
    ──── stdout
        Running 1 scenario, 1 case, offline, N jobs
           FAIL [TIME] private

    FAIL private

    error: expected status 200, found 403
     --> scenarios/private.yaml:8:23
      |
    7 |     http: GET ${orders.uri}/hello
      |           ----------------------- GET https://orders-txigsvlwt2-uc.a.run.app/hello
    8 |     expect: { status: 200 }
      |                       ^^^ found 403
      |
      = cloud-run-front refused run.routes.invoke with 403, run-front-no-credential:
            ok    ingress     from outside, ingress INGRESS_TRAFFIC_ALL, defaultUriDisabled false
            FAIL  credential  expected Authorization: Bearer ID_TOKEN
                              found    nothing

    help: send an ID token as `Authorization: Bearer`, or grant `roles/run.invoker` to `allUsers`

    exchange:
      > GET /hello HTTP/2            host: orders-txigsvlwt2-uc.a.run.app
      < HTTP/2 403                   content-type: text/html; charset=UTF-8
      < x-cloud-trace-context: TRACE
      <
      <   <html><head>
      <   <meta http-equiv="content-type" content="text/html;charset=utf-8">
      <   <title>403 Forbidden</title>
      <   </head>
      <   <body text=#000000 bgcolor=#ffffff>
      <   <h1>Error: Forbidden</h1>
      <   <h2>Your client does not have permission to get URL <code>/hello</code> from this server.</h2>
      <   <h2></h2>
      <   </body></html>

    ────────────
        Summary [TIME] 1 case: 1 failed
          again tokenrig run scenarios/private.yaml
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_wrong_file_is_listed_and_the_others_run() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    home.write("scenarios/slip.yaml", WRONG);
    assert_told!(home.call(&["run"]).await, @r#"
    exit: 2
    ──── stdout
    error[given::unknown-field]: `attributeMappings` is not a field of a workload identity pool provider
     --> scenarios/slip.yaml:7:11
      |
    7 |           attributeMappings: { google.subject: assertion.sub }
      |           ^^^^^^^^^^^^^^^^^ did you mean `attributeMapping`?

    error[file::empty]: `steps` is empty: nothing would be proved
     --> scenarios/slip.yaml:8:8
      |
    8 | steps: []
      |        ^^

        Running 1 scenario, 2 cases, offline, N jobs
    ────────────
        Summary [TIME] 2 cases: 2 passed; 1 file is wrong and did not run
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_filter_that_nothing_matches_is_a_mistake_of_the_call() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    assert_told!(home.call(&["run", "--filter", "no such case"]).await, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error: no case matches

    help: name other files, or loosen `--filter`
    "#);
}

#[tokio::test]
async fn a_path_with_nothing_there_is_a_mistake_of_the_call() {
    assert_told!(Home::new().call(&["run", "no/such.yaml"]).await, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error: there is no file or folder `no/such.yaml`

    help: name scenario files, or folders that hold some
    "#);
}

const NEEDS_PYTHON: &str = "\
scenario: A client that nobody has installed here
needs: [python]
steps:
  - run: [python, --version]
";

#[tokio::test]
async fn a_missing_need_skips_a_case() {
    let home = Home::new();
    home.write("scenarios/python.yaml", NEEDS_PYTHON);
    assert_told!(home.call(&["run"]).await, @r#"
    exit: 0
    ──── stdout
        Running 1 scenario, 1 case, offline, N jobs
           SKIP            python: needs `python`: it is not installed; `cargo xtask conformance python` does it
    ────────────
        Summary [TIME] 1 case: 1 skipped
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_missing_need_that_is_required_is_an_error() {
    let home = Home::new();
    home.write("scenarios/python.yaml", NEEDS_PYTHON);
    assert_told!(home.call(&["run", "--require", "python"]).await, @r#"
    exit: 3
    ──── stdout
        Running 1 scenario, 1 case, offline, N jobs
           SKIP            python: needs `python`: it is not installed; `cargo xtask conformance python` does it
    ────────────
        Summary [TIME] 1 case: 1 skipped; 1 case needs what is required and missing
    ──── stderr
    "#);
}

#[tokio::test]
async fn the_live_world_says_that_it_is_not_built() {
    assert_told!(Home::new().call(&["run", "--world", "live"]).await, @r#"
    exit: 3
    ──── stdout
    ──── stderr
    error: the live world is not built yet

    help: leave `--world` out
    "#);
}

#[tokio::test]
async fn junit_has_a_test_case_for_each_case() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    home.write("scenarios/private.yaml", FAILING);
    let told = home.call(&["run", "--report", "junit=report.xml"]).await;
    assert_eq!(told.code, Some(1));
    let report = home.read("report.xml");
    assert_eq!(report.matches("<testcase ").count(), 3, "{report}");
    assert_eq!(report.matches("<failure ").count(), 1, "{report}");
    assert!(report.contains(r#"name="where everybody looks""#), "{report}");
}

#[tokio::test]
async fn json_and_html_hold_what_happened_in_cases_that_passed_too() {
    let home = Home::new();
    home.write("scenarios/keys.yaml", RIGHT);
    home.write("scenarios/private.yaml", FAILING);
    let told = home.call(&["run", "--report", "json=report.json", "--report", "html=report.html"]).await;
    assert_eq!(told.code, Some(1), "{told}");
    let report: serde_json::Value = serde_json::from_str(&home.read("report.json")).unwrap();
    assert_eq!(report["summary"]["passed"], 2);
    let passed = &report["cases"][0];
    assert_eq!(
        (&passed["outcome"], &passed["steps"][0]["exchanges"][0]["answer"]["status"]),
        (&"passed".into(), &200.into())
    );
    let failed = &report["cases"][2];
    assert_eq!(failed["steps"][0]["decisions"][0]["surface"], "cloud-run-front");
    let page = home.read("report.html");
    assert_eq!(page.matches("<svg viewBox").count(), 3, "the flow of each case is drawn");
    assert!(page.contains("1 of 3 cases failed"), "{page}");
}

#[rstest]
#[case::junit("junit=no/such/folder.xml")]
#[case::html("html=no/such/folder.xml")]
#[tokio::test]
async fn a_report_that_has_no_place_is_told_before_anything_runs(#[case] report: &str) {
    let home = Home::new();
    home.write("scenarios/one.yaml", FAILING);
    let told = home.call(&["run", "--report", report]).await;
    assert_eq!(told.code, Some(3), "{told}");
    assert!(told.stderr.contains("error: cannot write the report `no/such/folder.xml`"), "{told}");
    assert!(!told.stdout.contains("Running"), "{told}");
}

#[rstest]
#[case::cases_failed(FAILING, 3)]
#[case::a_file_is_wrong(WRONG, 2)]
#[tokio::test]
async fn a_full_disk_is_told_when_the_run_has_ended(#[case] scenario: &str, #[case] code: i32) {
    let home = Home::new();
    home.write("scenarios/one.yaml", scenario);
    let told = home.call(&["run", "--report", "json=/dev/full"]).await;
    assert_eq!(told.code, Some(code), "{told}");
    assert!(told.stderr.contains("error: cannot write the report `/dev/full`"), "{told}");
    assert!(told.stdout.contains("Summary"), "{told}");
}

const CLOCK: &str = r#"
scenario: What time it is
given:
  issuers: { corp: {} }
steps:
  - mint: corp
    claims: { sub: alice }
    expect: { that: ["now == timestamp('2026-03-02T09:00:00Z')"] }
"#;

#[tokio::test]
async fn the_clock_starts_where_the_call_says() {
    let home = Home::new();
    home.write("scenarios/clock.yaml", CLOCK);
    let told = home.call(&["run", "--now", "2026-03-02T09:00:00Z"]).await;
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(home.call(&["run"]).await.code, Some(1));
}

/// A client that never ends, with a child of its own and a temporary file.
const ENDLESS: &str = r#"
scenario: A client that never ends
given:
  issuers: { corp: {} }
  iam.workloadIdentityPools:
    partners:
      providers:
        corp-oidc:
          oidc: { issuerUri: "${corp.issuer}" }
          attributeMapping: { google.subject: assertion.sub }
steps:
  - run: [sh, -c, "sleep 600 & echo $! >child; echo $$ >\"$0\"; wait", started]
    env: { FILE: "${credential_file(corp_oidc, 'no token')}" }
"#;

#[rstest]
#[case::ctrl_c(Signal::INT, 130)]
#[case::sigterm(Signal::TERM, 143)]
#[case::a_terminal_that_goes_away(Signal::HUP, 129)]
#[tokio::test]
async fn a_run_that_is_cut_short_ends_its_children_and_takes_its_files_away(#[case] signal: Signal, #[case] code: i32) {
    let home = Home::new();
    home.write("scenarios/endless.yaml", ENDLESS);
    let running = Running::start(home.tokenrig(&["run"]));
    let client = home.appears("scenarios/started").await;
    let child = home.read("scenarios/child");
    assert!(!home.temporary().is_empty());
    running.signal(signal);
    let told = running.ended().await;
    assert_eq!(told.code, Some(code), "{told}");
    assert!(told.stderr.contains("ended before all cases had run"), "{told}");
    has_ended(&client).await;
    has_ended(&child).await;
    assert_eq!(home.temporary(), Vec::<std::path::PathBuf>::new());
}
