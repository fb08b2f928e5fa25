//! `bench [--json FILE]`: how fast it is.
//!
//! What is measured, and how, is in `benches/`; here it is built for release and called.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use crate::conformance::root;

/// Measures. Exit code: 0 when everything was measured, whatever the figures; 2 for a wrong call, 3 when something could
/// not be built or measured.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let cargo = |words: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(words).args(["--manifest-path"]).arg(root().join("Cargo.toml"));
        command
    };
    let mut build = cargo(&["build", "--release", "--package", "tokenrig-cli", "--package", "tokenrig-benches"]);
    let mut measure = cargo(&["run", "--quiet", "--release", "--package", "tokenrig-benches"]);
    measure.arg("--").args(args);
    for command in [&mut build, &mut measure] {
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code == 2);
                return ExitCode::from(code.unwrap_or(3));
            }
            Err(error) => {
                eprintln!("error: cannot call cargo: {error}");
                return ExitCode::from(3);
            }
        }
    }
    ExitCode::SUCCESS
}
