//! Whole commands: their files, how long they take, and what they hold.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use tokenrig_clock::real::{Stopwatch, pause};
use tokio::process::Command;

use crate::child::Programs;

/// Between two looks at a process's memory.
const LOOK: Duration = Duration::from_millis(20);

/// A folder of a measurement, gone with it.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new() -> Result<Self, String> {
        tempfile::tempdir().map(Self).map_err(|fault| format!("no folder for files: {fault}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.0.path().join(name);
        fs::write(&path, text).map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))?;
        Ok(path)
    }

    /// `tokenrig run` in this folder, which also keeps what the command notes for the next time.
    pub(crate) fn run(&self, programs: &Programs) -> Command {
        let mut command = Command::new(&programs.tokenrig);
        command.arg("run").current_dir(self.0.path()).env("XDG_STATE_HOME", self.0.path());
        command
    }
}

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// From start to end.
    pub(crate) milliseconds: f64,
    /// The most memory it had.
    pub(crate) mebibytes: f64,
}

/// Runs a command to its end, which must be a success; what it prints is read by nobody.
pub(crate) fn timed(command: &mut Command) -> Result<Took, String> {
    let program = command.as_std().get_program().to_owned();
    let told = |why: &dyn std::fmt::Display| format!("`{}`: {why}", program.display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| told(&fault))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    runtime.block_on(async {
        let watch = Stopwatch::start();
        let mut child = command.spawn().map_err(|fault| told(&fault))?;
        let status = child.id().map(|id| format!("/proc/{id}/status")).unwrap_or_default();
        let mut mebibytes = 0.0_f64;
        let ended = loop {
            tokio::select! {
                ended = child.wait() => break ended.map_err(|fault| told(&fault))?,
                () = pause(LOOK) => mebibytes = peak(&status).unwrap_or_default().max(mebibytes),
            }
        };
        let milliseconds = watch.elapsed().as_secs_f64() * 1000.0;
        if ended.success() { Ok(Took { milliseconds, mebibytes }) } else { Err(told(&ended)) }
    })
}

/// The peak of a process that runs; nothing of one that has ended.
fn peak(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
