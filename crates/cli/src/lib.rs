//! The commands: `tokenrig COMMAND` and `cargo xtask COMMAND`.
//!
//! This crate alone reads the environment and prints. Data goes to stdout, all else to stderr; exit codes are part of the
//! contract: 2 for a wrong file or call, 3 when the world cannot be set up, 1 when a case failed.
//!
//! ```
//! use std::process::ExitCode;
//!
//! let code = tokenrig_cli::run("tokenrig", ["run", "no/such/folder"].map(Into::into).into_iter());
//! assert_eq!(code, ExitCode::from(2));
//! ```

mod arguments;
mod attack;
mod child;
mod containers;
mod door;
mod exec;
mod explain;
mod inherited;
mod log;
mod netns;
mod places;
mod principal;
mod reference;
mod reports;
mod run;
mod serve;
mod signals;
mod standing;
mod tell;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
pub use crate::reference::command_reference;

/// How long tasks that were cut short may take to give up what they hold.
const LAST: Duration = Duration::from_secs(2);

/// Runs a command and gives its exit code. `program` is how it was called, as it is printed in commands to type again;
/// `args` are the arguments without the program's name.
pub fn run(program: &str, args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    if args.first().is_some_and(|command| command == "serve" || command == "exec" || command == "run") {
        tokenrig::prepare();
    }
    let arguments = match Arguments::try_parse_from(std::iter::once(OsString::from(program)).chain(args)) {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and version go to stdout with 0, mistakes to stderr with 2.
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => {
            tell::error(&format!("the runtime does not start: {fault}"), None);
            return ExitCode::from(3);
        }
    };
    let code = runtime.block_on(async {
        match arguments.command {
            Command::Run(wanted) => run::run(program, wanted).await,
            Command::Exec(wanted) => exec::exec(program, wanted).await,
            Command::Serve(wanted) => serve::serve(program, wanted).await,
            Command::NetnsInside(wanted) => netns::run(wanted).await,
            Command::Attack(wanted) => attack::attack(program, wanted).await,
            Command::Explain(wanted) => explain::explain(program, &wanted).await,
            Command::Schema(wanted) => reference::print_schema(&wanted),
            Command::Completions(wanted) => reference::print_completions(program, &wanted),
            Command::Cleanup(_) => {
                tell::error("this command is not built yet", Some("`run`, `exec`, `serve` and `attack` are"));
                2
            }
        }
    });
    // What was cut short gives up its processes and files here; a name look-up that hangs holds nobody up for long.
    runtime.shutdown_timeout(LAST);
    ExitCode::from(code)
}
