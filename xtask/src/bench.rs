//! `bench`: how fast it is.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::process::ExitCode;

/// Measures, as soon as there is something to measure.
pub(crate) fn run() -> ExitCode {
    eprintln!("error: nothing is measured yet");
    ExitCode::from(2)
}
