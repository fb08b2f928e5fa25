//! `conformance [NAME…]`: real clients, unmodified, against a rig.
//!
//! A suite installs its clients from a lock file into `target/conformance/NAME` and runs inside `exec`. What it prints
//! is one JSON object per case; what a person sees is the table of them.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

mod python;
mod table;

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use table::Row;

/// A folder of `conformance/`.
struct Suite {
    name: &'static str,
    /// The files of the resources that the rig has.
    given: &'static [&'static str],
    /// Installs what is needed; gives the command that runs the suite.
    prepare: fn(&Path) -> Result<Vec<OsString>, String>,
}

const SUITES: &[Suite] = &[Suite {
    name: "python",
    given: &["fixtures/seeds/000.given.yaml", "conformance/python/suite.given.yaml"],
    prepare: python::prepare,
}];

/// Runs the named suites, or all of them. Exit code: 2 for an unknown name, 3 when a client could not be installed or
/// the rig not started, 1 when a case failed.
pub(crate) fn run(names: &[OsString]) -> ExitCode {
    let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.iter().any(|known| *name == *known)) {
        eprintln!("error: there is no suite `{}`", unknown.to_string_lossy());
        eprintln!("\nhelp: the suites are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let root = root();
    let mut rows = Vec::new();
    for suite in SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name)) {
        match suite.run(&root) {
            Ok(more) => rows.extend(more),
            Err(why) => {
                eprintln!("error: suite `{}`: {why}", suite.name);
                return ExitCode::from(3);
            }
        }
    }
    print!("{}", table::render(&rows));
    ExitCode::from(u8::from(rows.iter().any(|row| !row.ok)))
}

impl Suite {
    fn run(&self, root: &Path) -> Result<Vec<Row>, String> {
        let command = (self.prepare)(root)?;
        let mut child = Command::new(own_binary()?)
            .arg("exec")
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
            eprintln!("{:>8} {} › {}", if row.ok { "PASS" } else { "FAIL" }, row.path, row.case);
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
