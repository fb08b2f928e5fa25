//! `bench [--json FILE]`: how fast it is.
//!
//! What is measured, and how, is in `benches/`; here it is built for release and called.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use crate::conformance::{own_binary, root};

/// Measures. Exit code: 0 when everything was measured, whatever the figures; 2 for a wrong call, 3 when something could
/// not be built or measured.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    let programs = match own_binary() {
        // Cargo puts what it builds for release beside the folder that this program is in.
        Ok(own) => own.ancestors().nth(2).map(|target| target.join("release")).unwrap_or_default(),
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(3);
        }
    };
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--package", "tokenrig-cli", "--package", "tokenrig-benches", "--manifest-path"]);
    build.arg(root().join("Cargo.toml"));
    let mut measure = Command::new(programs.join("tokenrig-benches"));
    measure.args(args);
    for command in [&mut build, &mut measure] {
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code == 2);
                return ExitCode::from(code.unwrap_or(3));
            }
            Err(error) => {
                eprintln!("error: cannot call `{}`: {error}", command.get_program().display());
                return ExitCode::from(3);
            }
        }
    }
    ExitCode::SUCCESS
}
