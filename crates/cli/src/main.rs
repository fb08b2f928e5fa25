//! The program `tokenrig`.

use std::{env, process::ExitCode};

use mimalloc::MiMalloc;

/// A rig makes many small things for each request.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[expect(clippy::disallowed_methods, reason = "a program reads its arguments")]
fn main() -> ExitCode {
    tokenrig_cli::run("tokenrig", env::args_os().skip(1))
}
