//! The chores of the workspace: `cargo xtask COMMAND`.
//!
//! All commands of `tokenrig` are here too, so that a fresh clone needs no installing. Two more need the clone:
//! `conformance [NAME…]` runs real clients, `bench` measures.

mod bench;
mod conformance;

use std::{env, process::ExitCode};

#[expect(clippy::disallowed_methods, reason = "a command reads its arguments")]
fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().skip(1).collect();
    match args.split_first() {
        Some((command, rest)) if command == "conformance" => conformance::run(rest),
        Some((command, rest)) if command == "bench" => bench::run(rest),
        _ => tokenrig_cli::run("cargo xtask", args.into_iter()),
    }
}
