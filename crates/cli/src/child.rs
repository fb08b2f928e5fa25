//! The command of `exec`: started, waited for, asked to end when we are.

use std::{ffi::OsString, io::ErrorKind, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokenrig_clock::real;
use tokio::process::{Child, Command};

use crate::{
    signals::{Asked, Signals},
    tell,
};

/// How long a command that was asked to end may take.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the command to its end and gives the exit code: its own, 126 or 127 if it did not start, 128+N for a signal.
pub(crate) async fn run(command: &[OsString], environment: Vec<(String, String)>) -> u8 {
    let Some((program, arguments)) = command.split_first() else { return 2 };
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(fault) => {
            tell::error(&format!("cannot listen for signals: {fault}"), None);
            return 3;
        }
    };
    let spawned = Command::new(program).args(arguments).env_clear().envs(environment).kill_on_drop(true).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(fault) => {
            tell::error(&format!("cannot start `{}`: {fault}", program.to_string_lossy()), None);
            return if fault.kind() == ErrorKind::NotFound { 127 } else { 126 };
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => return status.map_or(1, code),
            asked = signals.asked() => match asked {
                // The terminal has told the command too; what it makes of it is its own affair.
                Asked::Interrupt => {}
                Asked::Terminate => return end(child).await,
            },
        }
    }
}

async fn end(mut child: Child) -> u8 {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
        // It may have ended a moment ago; then there is nobody to tell.
        let _ = kill_process(pid, Signal::TERM);
    }
    match real::within(GRACE, child.wait()).await {
        Ok(status) => status.map_or(1, code),
        Err(_) => {
            let _ = child.kill().await;
            128 + 9
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
