//! What a rig that nobody calls takes; and what this process takes.

use std::{process::Command, time::Duration};

use tokenrig_clock::real::pause;

use crate::{
    child::Programs,
    scale::{ROUNDS, Scale},
    serve::{Served, Standing},
    table::{Goal, Row, Unit},
};

/// What a server gets to come to rest.
const REST: Duration = Duration::from_secs(1);

/// Resident memory of `serve` with a given document, once it answers and nobody asks.
pub(crate) fn measure(programs: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let mut rounds = Vec::new();
    for _ in 0..scale.of(ROUNDS, 1) {
        let served = Served::start(programs)?;
        rest()?;
        let subject = served.process.memory()?;
        drop(served);
        let mut empty = Standing::start(&mut Command::new(&programs.empty))?;
        empty.line()?;
        rest()?;
        rounds.push((subject, empty.memory()?));
    }
    Ok(vec![Row::paired("idle memory of serve", Unit::Mebibytes, &rounds, Goal::Figure(25.0))])
}

fn rest() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?.block_on(pause(REST));
    Ok(())
}

/// Resident memory of this process, in mebibytes.
pub(crate) fn resident() -> Result<f64, String> {
    let text = std::fs::read_to_string("/proc/self/status").map_err(|fault| format!("no figure of memory: {fault}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| "/proc/self/status tells no VmRSS".to_owned())
}
