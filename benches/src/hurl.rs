//! The runner against Hurl, whole command by whole command; what reports cost, and what ten thousand cases do.
//!
//! Both make the same number of GET requests and check the status of each. Ours start and stop a rig, and speak TLS to
//! it; Hurl's go in clear to a server that runs already and answers as many bytes. Where there is no Hurl, its rows say
//! that they were not measured.

#![expect(clippy::disallowed_macros, reason = "that something is not measured is told while it is measured")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use crate::{
    child::Programs,
    command::{Files, timed},
    scale::{ROUNDS, Scale},
    table::{Goal, Row, Unit},
};

/// As many bytes as an echo answers to such a request.
const ANSWER: usize = 400;

/// Against Hurl: many steps in one file, and many files of a step.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let count = scale.of(200, 20);
    let version = version(&programs.hurl);
    if version.is_none() {
        eprintln!("not measured: `{}` is no Hurl that starts; HURL names one", programs.hurl.display());
    }
    let hurl = version.as_deref().unwrap_or("Hurl");
    let row = |name: String, goal: f64, files: [Vec<PathBuf>; 2]| -> Result<Row, String> {
        let (name, goal) = (format!("{name}, and {hurl}"), Goal::AtMost(goal));
        if version.is_none() {
            return Ok(Row::missing(name, Unit::Milliseconds, goal));
        }
        let rounds = paired(programs, scale, &files)?;
        Ok(Row::paired(name, Unit::Milliseconds, &rounds, goal))
    };
    let server = plain()?;
    let files = Files::new()?;
    let whole = [
        vec![files.write("steps.yaml", &scenario(count))?],
        vec![files.write("steps.hurl", &requests(server, count))?],
    ];
    let mut single = [Vec::new(), Vec::new()];
    for number in 0..count {
        single[0].push(files.write(&format!("one-{number}.yaml"), &scenario(1))?);
        single[1].push(files.write(&format!("one-{number}.hurl"), &requests(server, 1))?);
    }
    Ok(vec![
        row(format!("{count} steps in a file"), 1.5, whole)?,
        row(format!("{count} files of a step"), 3.0, single)?,
    ])
}

/// What JUnit, JSON and HTML of many files cost.
pub(crate) fn reports(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let count = scale.of(200, 20);
    let files = Files::new()?;
    let one = |number| files.write(&format!("one-{number}.yaml"), &scenario(1));
    let scenarios = (0..count).map(one).collect::<Result<Vec<_>, _>>()?;
    let wanted = ["junit=r.xml", "json=r.json", "html=r.html"].map(|report| format!("--report={report}"));
    let mut more = Vec::new();
    for _ in 0..scale.of(ROUNDS, 1) {
        let without = timed(files.run(programs).args(&scenarios))?.milliseconds;
        let with = timed(files.run(programs).args(&wanted).args(&scenarios))?.milliseconds;
        more.push(with - without);
    }
    let name = format!("three reports of {count} files, more");
    Ok(vec![Row::alone(name, Unit::Milliseconds, &more, Goal::Figure(30.0))])
}

/// Cases by the thousand: how much more ten times as many take than ten times, and what the command holds at most.
pub(crate) fn many(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let files = Files::new()?;
    let few = scale.of(1000, 20);
    let file = |count: usize| files.write(&format!("{count}.yaml"), &cases(count));
    let (less, more) = (file(few)?, file(few * 10)?);
    let run = |file: &Path| timed(files.run(programs).arg(file));
    let (mut rounds, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..scale.of(ROUNDS, 1) {
        let less = run(&less)?;
        let more = run(&more)?;
        rounds.push((more.milliseconds, less.milliseconds * 10.0));
        memory.push(more.mebibytes);
    }
    let name = format!("{} cases, against ten times {few}", few * 10);
    Ok(vec![
        Row::paired(name, Unit::Milliseconds, &rounds, Goal::AtMost(1.2)),
        Row::alone(format!("{} cases, memory", few * 10), Unit::Mebibytes, &memory, Goal::Figure(200.0)),
    ])
}

/// Both commands in turn, so that what else the machine does meets both.
fn paired(programs: &Programs, scale: Scale, [ours, theirs]: &[Vec<PathBuf>; 2]) -> Result<Vec<(f64, f64)>, String> {
    let files = Files::new()?;
    let mut rounds = Vec::new();
    for _ in 0..scale.of(ROUNDS, 1) {
        let ours = timed(files.run(programs).args(ours))?.milliseconds;
        rounds
            .push((ours, timed(tokio::process::Command::new(&programs.hurl).arg("--test").args(theirs))?.milliseconds));
    }
    Ok(rounds)
}

/// `hurl 8.0.1`, if that is what a program says of itself.
fn version(hurl: &Path) -> Option<String> {
    let output = Command::new(hurl).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let told = String::from_utf8(output.stdout).ok()?;
    let words: Vec<&str> = told.split_whitespace().take(2).collect();
    (words.first() == Some(&"hurl")).then(|| words.join(" "))
}

/// A server in clear that answers every request alike, for as long as this process lives.
fn plain() -> Result<SocketAddr, String> {
    let told = |fault: std::io::Error| format!("the plain server does not start: {fault}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(told)?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).map_err(told)?;
    let addr = listener.local_addr().map_err(told)?;
    let body = "x".repeat(ANSWER);
    let answers = axum::Router::new().fallback(async move || body.clone());
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, answers).await }));
    Ok(addr)
}

const GIVEN: &str = "\
scenario: An open service answers
given:
  run.services:
    orders: { iamPolicy: { bindings: [{ role: roles/run.invoker, members: [allUsers] }] } }
";

/// An open service and so many requests to it.
fn scenario(steps: usize) -> String {
    (0..steps).fold(format!("{GIVEN}steps:\n"), |text, number| {
        text + &format!("  - http: GET ${{orders.uri}}/{number}\n    expect: {{ status: 200 }}\n")
    })
}

/// So many cases of one request each.
fn cases(count: usize) -> String {
    let rows = (0..count).fold(format!("{GIVEN}cases:\n"), |text, number| {
        text + &format!("  - {{ case: number {number}, path: /{number} }}\n")
    });
    rows + "steps:\n  - http: GET ${orders.uri}${case.path}\n    expect: { status: 200 }\n"
}

/// So many requests to a server.
fn requests(server: SocketAddr, count: usize) -> String {
    (0..count).fold(String::new(), |text, number| text + &format!("GET http://{server}/{number}\nHTTP 200\n\n"))
}
