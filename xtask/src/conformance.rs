//! `conformance [--route proxy|netns] [NAME…]`: real clients, unmodified, against a rig.
//!
//! A suite installs its clients from a lock file into `target/conformance/NAME` and runs inside `exec`. What it prints
//! is one JSON object per case; what a person sees is the table of them.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

mod attack;
mod go;
mod java;
mod node;
mod place;
mod python;
mod rust;
mod shell;
mod table;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use place::{Place, Unready};
use table::Row;

/// A folder of `conformance/`.
struct Suite {
    name: &'static str,
    /// The files of the resources that the rig has.
    given: &'static [&'static str],
    /// Installs what is needed; gives the command that runs the suite.
    prepare: fn(&Place) -> Result<Vec<OsString>, Unready>,
}

/// What the suites of all languages need: the walk-through's resources, and a build with its provider, accounts and
/// services.
const BUILD: &[&str] = &["fixtures/seeds/000.given.yaml", "conformance/build.given.yaml"];

const SUITES: &[Suite] = &[
    Suite { name: "python", given: BUILD, prepare: python::prepare },
    Suite { name: "node", given: BUILD, prepare: node::prepare },
    Suite { name: "go", given: BUILD, prepare: go::prepare },
    Suite { name: "java", given: BUILD, prepare: java::prepare },
    Suite { name: "rust", given: BUILD, prepare: rust::prepare },
    Suite { name: "curl", given: BUILD, prepare: shell::curl },
    Suite { name: "gcloud", given: BUILD, prepare: shell::gcloud },
    Suite { name: "attack", given: &[], prepare: attack::prepare },
];

/// Runs the named suites, or all for which this machine has the tools. Exit code: 2 for an unknown name, 3 when a client
/// could not be installed or the rig not started, 1 when a case failed.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let (route, names) = match arguments {
        [flag, route, names @ ..] if flag == "--route" => (route.clone(), names),
        names => (OsString::from("proxy"), names),
    };
    let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.iter().any(|known| *name == *known)) {
        eprintln!("error: there is no suite `{}`", unknown.to_string_lossy());
        eprintln!("\nhelp: the suites are {}; `--route` stands before them", known.join(", "));
        return ExitCode::from(2);
    }
    let root = root();
    let mut rows = Vec::new();
    let mut skipped = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name)) {
        let command = match (suite.prepare)(&Place::of(&root, suite.name)) {
            Ok(command) => command,
            // Whoever names a suite wants it; whoever names none wants what can be had here.
            Err(Unready::Missing(tool)) if names.is_empty() => {
                skipped.push((suite.name, tool));
                continue;
            }
            Err(why) => return failed(suite, &why.to_string()),
        };
        match suite.run(&root, &route, command) {
            Ok(more) => rows.extend(more),
            Err(why) => return failed(suite, &why),
        }
    }
    print!("{}", table::render(&rows));
    for (name, tool) in skipped {
        eprintln!("{:>8} {name}: {}", "SKIP", Unready::Missing(tool));
    }
    ExitCode::from(u8::from(rows.iter().any(|row| !row.ok)))
}

fn failed(suite: &Suite, why: &str) -> ExitCode {
    eprintln!("error: suite `{}`: {why}", suite.name);
    ExitCode::from(3)
}

impl Suite {
    fn run(&self, root: &Path, route: &OsStr, command: Vec<OsString>) -> Result<Vec<Row>, String> {
        let mut child = Command::new(own_binary()?)
            .args(["exec".as_ref(), "--route".as_ref(), route])
            .args(self.given.iter().flat_map(|file| ["--given", *file]))
            .arg("--")
            .args(command)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start a rig: {error}"))?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        let mut rows = Vec::new();
        for line in lines {
            let line = line.map_err(|error| format!("cannot read its output: {error}"))?;
            let row = Row::parse(&line).ok_or_else(|| format!("printed a line that is no case: {line}"))?;
            eprintln!("{:>8} {} › {} › {}", if row.ok { "PASS" } else { "FAIL" }, self.name, row.path, row.case);
            rows.push(row);
        }
        let status = child.wait().map_err(|error| format!("cannot wait for it: {error}"))?;
        let explained = status.success() || (status.code() == Some(1) && rows.iter().any(|row| !row.ok));
        match (explained, rows.is_empty()) {
            (true, false) => Ok(rows),
            (true, true) => Err("ran no case".to_owned()),
            (false, _) => Err(format!("ended early: {status}")),
        }
    }
}

/// The workspace: a clone is needed anyway, so where this was compiled is where the files are.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// This very program: all commands of `tokenrig` are in it, `exec` among them.
#[expect(clippy::disallowed_methods, reason = "a command knows its own binary")]
pub(crate) fn own_binary() -> Result<PathBuf, String> {
    env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}
