//! `tokenrig-benches [--json FILE] [--only NAME] [--quick]`: measures and prints the table. `cargo xtask bench` builds it
//! and calls it. The variable `HURL` names the Hurl to measure against, if it is not the one on the `PATH`.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

use std::{env, fs, process::ExitCode};

use mimalloc::MiMalloc;
use serde_json::json;
use tokenrig_benches::{MEASUREMENTS, Programs, Round, Scale, render, to_json};

/// That of the program `tokenrig`, for subjects and baselines alike.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What somebody typed.
#[derive(Debug)]
struct Wanted {
    json: Option<String>,
    only: Option<String>,
    scale: Scale,
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self { json: None, only: None, scale: Scale::Full };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("`{argument}` lacks its value"));
            match argument.as_str() {
                "--json" => wanted.json = Some(value()?),
                "--only" => wanted.only = Some(value()?),
                "--quick" => wanted.scale = Scale::Quick,
                _ => return Err(format!("`{argument}` is not known: `--json FILE`, `--only NAME` and `--quick` are")),
            }
        }
        let known: Vec<&str> = MEASUREMENTS.iter().map(|(name, _)| *name).collect();
        match wanted.only.as_deref().filter(|only| !known.contains(only)) {
            Some(unknown) => Err(format!("there is no measurement `{unknown}`: there are {}", known.join(", "))),
            None => Ok(wanted),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a command reads its arguments")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(("round", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return round(rest);
    }
    let wanted = match Wanted::read(arguments.into_iter()) {
        Ok(wanted) => wanted,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    match measure(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(3)
        }
    }
}

fn round(arguments: &[String]) -> ExitCode {
    let Some(round) = Round::read(arguments) else {
        eprintln!("error: this is no round");
        return ExitCode::from(2);
    };
    match round.run() {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(3)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a command knows its own binary, and reads its environment")]
fn measure(wanted: &Wanted) -> Result<(), String> {
    let bench = env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let programs = Programs::beside(&bench)?.with_hurl(env::var_os("HURL"));
    if cfg!(debug_assertions) {
        eprintln!("note: this is a debug build: the figures mean nothing");
    }
    let before = load();
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (name, measure) in MEASUREMENTS {
        if wanted.only.as_deref().is_none_or(|only| only == *name) {
            eprintln!("measuring {name}");
            // One that cannot be measured does not hide the others.
            match measure(&programs, wanted.scale) {
                Ok(measured) => rows.extend(measured),
                Err(why) => faults.push(format!("{name}: {why}")),
            }
        }
    }
    let after = load();
    print!("{}", render(&rows));
    println!("\nload of the machine: {before} before, {after} after");
    if let Some(file) = &wanted.json {
        let told = json!({ "load": { "before": before, "after": after }, "measurements": to_json(&rows) });
        fs::write(file, format!("{told:#}\n")).map_err(|error| format!("cannot write `{file}`: {error}"))?;
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What else the machine does: runnable processes over 1, 5 and 15 minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
