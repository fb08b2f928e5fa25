//! `exec`: the command's own exit code and output, what it is told at the end, and what is left.

use std::{fs, path::PathBuf, process::Stdio};

use rstest::rstest;
use rustix::process::Signal;

use crate::support::{Home, Running, ask, assert_told, ended, has_ended};

#[rstest]
#[case::it_went_well("exit 0", 0)]
#[case::its_own_code("exit 7", 7)]
#[case::a_signal("kill -9 $$", 137)]
#[tokio::test]
async fn the_exit_code_is_the_commands(#[case] script: &str, #[case] code: i32) {
    let told = Home::new().call(&["exec", "--", "sh", "-c", script]).await;
    assert_eq!(told.code, Some(code), "{told}");
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", ""));
}

#[tokio::test]
async fn a_command_that_is_not_there_is_told() {
    assert_told!(Home::new().call(&["exec", "--", "no-such-command"]).await, @r#"
    exit: 127
    ──── stdout
    ──── stderr
    error: cannot start `no-such-command`: No such file or directory (os error 2)
    "#);
}

#[tokio::test]
async fn a_command_that_is_no_program_is_told() {
    let home = Home::new();
    home.write("data", "no program");
    assert_told!(home.call(&["exec", "--", "./data"]).await, @r#"
    exit: 126
    ──── stdout
    ──── stderr
    error: cannot start `./data`: Permission denied (os error 13)
    "#);
}

#[tokio::test]
async fn input_and_output_are_the_commands_own() {
    let home = Home::new();
    home.write("in", "one\ntwo\n");
    let mut command = home.tokenrig(&["exec", "--", "sh", "-c", "cat; echo three >&2"]);
    command.stdin(Stdio::from(fs::File::open(home.path("in")).unwrap()));
    assert_told!(ended(command).await, @r#"
    exit: 0
    ──── stdout
    one
    two
    ──── stderr
    three
    "#);
}

#[tokio::test]
async fn a_wrong_given_file_is_told_and_the_command_does_not_start() {
    let home = Home::new();
    home.write("shop.given.yaml", "iam.serviceAccounts:\n  caller: { displayNam: Caller }\n");
    assert_told!(home.call(&["exec", "--given", "shop.given.yaml", "--", "touch", "started"]).await, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error[given::unknown-field]: `displayNam` is not a field of a service account
     --> shop.given.yaml:2:13
      |
    2 |   caller: { displayNam: Caller }
      |             ^^^^^^^^^^ did you mean `displayName`?
    "#);
    assert!(!home.path("started").exists());
}

#[tokio::test]
async fn what_an_api_refuses_of_a_given_file_is_told_at_its_place() {
    let home = Home::new();
    home.write(
        "shop.given.yaml",
        "run.services:\n  orders:\n    iamPolicy:\n      bindings:\n        - role: roles/run.invoker\n          members: [nobody]\n",
    );
    assert_told!(home.call(&["exec", "--given", "shop.given.yaml", "--", "touch", "started"]).await, @r#"
    exit: 2
    ──── stdout
    ──── stderr
    error: run.services.setIamPolicy refused what is given with 400: Invalid member: nobody
     --> shop.given.yaml:4:7
      |
    4 |       bindings:
      |       ^^^^^^^^^ Invalid member: nobody

    exchange:
      > POST /v2/projects/shop-test/locations/us-central1/services/orders:setIamPolicy HTTP/2  host: run.googleapis.com
      > content-type: application/json
      > authorization: Bearer ya29.XXX…(205 chars)
      >   {
      >     "policy": {
      >       "bindings": [
      >         {
      >           "role": "roles/run.invoker",
      >           "members": [
      >             "nobody"
      >           ]
      >         }
      >       ]
      >     }
      >   }
      < HTTP/2 400                   content-type: application/json; charset=UTF-8
      <   {
      <     "error": {
      <       "code": 400,
      <       "message": "Invalid member: nobody",
      <       "status": "INVALID_ARGUMENT"
      <     }
      <   }
    "#);
    assert!(!home.path("started").exists());
}

#[tokio::test]
async fn refused_hosts_and_unplayed_methods_are_the_last_lines() {
    let home = Home::new();
    let mut command = home.tokenrig(&["exec", "--", "sh", "-c", "echo $HTTPS_PROXY; cat; echo the last word >&2"]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let proxy = running.line().await;
    for _ in 0..2 {
        let refused = ask(&proxy, "CONNECT example.com:443", &[], "").await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    let unplayed = ask(&proxy, "GET /v1/nothing", &[("host", "run.googleapis.com")], "").await;
    assert_eq!(unplayed.status, 501, "{}", unplayed.body);
    running.end_input();
    assert_told!(running.ended().await, @r#"
    exit: 0
    ──── stdout
    ──── stderr
    the last word
    note: refused: the rig does not play the host example.com (2 times)
    note: not played: GET run.googleapis.com/v1/nothing (once)
    "#);
}

/// Whether this machine gives network namespaces to whoever tests, and has curl to look around in one; says so where not.
#[expect(clippy::disallowed_macros, reason = "a test that is left out says so")]
fn has_namespaces() -> bool {
    const TRY: &str = "unshare --user --map-root-user --net --mount -- ip link set lo up && curl --version";
    let has = std::process::Command::new("sh").args(["-c", TRY]).output().is_ok_and(|made| made.status.success());
    if !has {
        eprintln!("skipped: this machine gives no network namespaces, or has no curl");
    }
    has
}

#[tokio::test]
async fn by_the_route_of_namespaces_names_lead_to_the_rig_without_a_proxy() {
    if !has_namespaces() {
        return;
    }
    const LOOK: &str = "\
        env | grep -ci -e proxy -e GCE_METADATA; \
        getent hosts sts.googleapis.com any-thing.run.app; \
        getent hosts metadata.google.internal; \
        curl -s -o /dev/null -w '%{http_code}\\n' https://sts.googleapis.com/v1/token; \
        curl -s -H 'Metadata-Flavor: Google' http://169.254.169.254/computeMetadata/v1/universe/universe-domain; echo; \
        curl -s $TOKENRIG_URL/healthz; echo; \
        [ $(id -u) = $0 ] && echo the same user; exit 7";
    let home = Home::new();
    let own = rustix::process::getuid().as_raw().to_string();
    assert_told!(home.call(&["exec", "--route", "netns", "--", "sh", "-c", LOOK, &own]).await, @r#"
    exit: 7
    ──── stdout
    0
    127.0.0.1       sts.googleapis.com
    127.0.0.1       any-thing.run.app
    169.254.169.254 metadata.google.internal metadata
    501
    googleapis.com
    {"status":"ok"}
    the same user
    ──── stderr
    note: not played: GET sts.googleapis.com/v1/token (once)
    "#);
}

#[tokio::test]
async fn without_its_tools_the_route_by_namespaces_says_what_to_do() {
    let home = Home::new();
    let mut command = home.tokenrig(&["exec", "--route", "netns", "--", "true"]);
    command.env("PATH", "/nowhere");
    assert_told!(Running::start(command).ended().await, @r#"
    exit: 3
    ──── stdout
    ──── stderr
    error: `unshare` is not on the path

    help: install util-linux (`unshare`, `mount`) and iproute2 (`ip`), or leave `--route netns` out
    "#);
}

#[tokio::test]
async fn the_clock_runs_on_from_where_the_call_says() {
    let home = Home::new();
    let mut command =
        home.tokenrig(&["exec", "--now", "2031-03-02T09:00:00Z", "--", "sh", "-c", "echo $TOKENRIG_URL; cat"]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let control = running.line().await;
    let answer = ask(&control, "POST /clock/advance", &[], r#"{"duration":"1d"}"#).await;
    assert!(answer.json()["now"].as_str().unwrap().starts_with("2031-03-03T09:"), "{}", answer.body);
    running.end_input();
    assert_eq!(running.ended().await.code, Some(0));
}

#[tokio::test]
async fn the_log_holds_no_token() {
    let home = Home::new();
    let mut command = home.tokenrig(&["exec", "--log", "rig.log", "--", "sh", "-c", "echo $HTTPS_PROXY; cat"]);
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let proxy = running.line().await;
    let headers = [("host", "iam.googleapis.com"), ("authorization", "Bearer ya29.a-secret-of-somebody")];
    ask(&proxy, "GET /v1/projects/shop-test/serviceAccounts", &headers, "").await;
    ask(&proxy, "CONNECT example.com:443", &[], "").await;
    running.end_input();
    assert_eq!(running.ended().await.code, Some(0));
    let log = home.read("rig.log");
    assert!(log.contains("example.com"), "{log}");
    assert!(!log.contains("a-secret"), "{log}");
}

/// Says that it has started, and what its child is.
const WAITS: &str = "sleep 600 & echo $! >child; echo $$ >started; wait";

#[rstest]
#[case::sigterm(Signal::TERM, 143)]
#[case::ctrl_c(Signal::INT, 130)]
#[case::a_terminal_that_goes_away(Signal::HUP, 129)]
#[tokio::test]
async fn a_signal_reaches_the_command_and_all_that_it_started(#[case] signal: Signal, #[case] code: i32) {
    let home = Home::new();
    // What a shell starts in the background ignores SIGINT, as POSIX has it.
    let script = if signal == Signal::INT { "echo $$ >child; echo $$ >started; exec sleep 600" } else { WAITS };
    let running = Running::start(home.tokenrig_alone(&["exec", "--", "sh", "-c", script]));
    let command = home.appears("started").await;
    let child = home.read("child");
    assert!(!home.temporary().is_empty());
    running.signal(signal);
    let told = running.ended().await;
    assert_eq!(told.code, Some(code), "{told}");
    has_ended(&command).await;
    has_ended(&child).await;
    assert_eq!(home.temporary(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_command_may_end_in_its_own_way_when_it_is_asked_to() {
    let home = Home::new();
    let script = "exec 2>/dev/null; trap 'echo tidied; exit 5' TERM; echo $$ >started; while :; do sleep 0.01; done";
    let running = Running::start(home.tokenrig_alone(&["exec", "--", "sh", "-c", script]));
    home.appears("started").await;
    running.signal(Signal::TERM);
    assert_told!(running.ended().await, @r#"
    exit: 5
    ──── stdout
    tidied
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_command_that_will_not_end_is_killed_when_somebody_asks_again() {
    let home = Home::new();
    let script = "trap 'echo no >refused' TERM; echo $$ >started; while :; do sleep 0.01; done";
    let running = Running::start(home.tokenrig_alone(&["exec", "--", "sh", "-c", script]));
    home.appears("started").await;
    running.signal(Signal::TERM);
    home.appears("refused").await;
    running.signal(Signal::TERM);
    assert_eq!(running.ended().await.code, Some(137));
    assert_eq!(home.temporary(), Vec::<PathBuf>::new());
}
