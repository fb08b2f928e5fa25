//! What the commands say of themselves: the reference of commands, the JSON Schemas, completions for shells.

use std::{fmt::Write as _, io};

use clap::CommandFactory as _;
use clap_complete::generate;
use tokenrig_scenario::{SchemaOf, schema};

use crate::arguments::{Arguments, Completions, Schema, SchemaKind};

/// How wide help is written in the reference.
const WIDTH: usize = 100;

/// The reference of all commands, as Markdown: what `--help` prints for each.
#[must_use]
pub fn command_reference() -> String {
    let mut text = String::from(
        "# Commands\n\n`tokenrig COMMAND`; in a clone `cargo xtask COMMAND` is the same, and has two more, `bench` and \
         `conformance`. Data goes to stdout, all else to stderr. Exit codes: 0, 1 (a case failed), 2 (a wrong file or call), \
         3 (the world could not be set up); `exec` ends with the code of its command.\n",
    );
    let mut root = Arguments::command().name("tokenrig").bin_name("tokenrig").term_width(WIDTH);
    root.build();
    for command in root.get_subcommands_mut().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        let name = command.get_name().to_owned();
        let help = command.render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    }
    text
}

/// Prints a schema. 0, or 3 if nobody takes it.
pub(crate) fn print_schema(wanted: &Schema) -> u8 {
    let of = match wanted.of {
        SchemaKind::Scenario => SchemaOf::Scenario,
        SchemaKind::Given => SchemaOf::Given,
    };
    printed(format!("{:#}\n", schema(of)).as_bytes())
}

/// Prints the completions of a shell.
pub(crate) fn print_completions(program: &str, wanted: &Completions) -> u8 {
    let mut script = Vec::new();
    let name = program.rsplit(['/', ' ']).next().unwrap_or(program);
    generate(wanted.shell, &mut Arguments::command(), name, &mut script);
    printed(&script)
}

fn printed(bytes: &[u8]) -> u8 {
    use io::Write as _;
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => 0,
        // Whoever reads has seen enough.
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(fault) => {
            crate::tell::error(&format!("cannot print: {fault}"), None);
            3
        }
    }
}
