//! The program `tokenrig`.

use std::{env, process::ExitCode};

#[expect(clippy::disallowed_methods, reason = "a program reads its arguments")]
fn main() -> ExitCode {
    tokenrig_cli::run("tokenrig", env::args_os().skip(1))
}
