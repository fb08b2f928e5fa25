//! The command of `exec`: started, waited for, told of the signals that reach us.
//!
//! In front of a terminal it stays in our process group: it may read what is typed, and the terminal tells it of Ctrl-C.
//! Without a terminal it gets a group of its own, so that whatever it has started hears of the end, too.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, ErrorKind},
    os::unix::process::ExitStatusExt as _,
    process::ExitStatus,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, getpgrp, kill_process, kill_process_group, test_kill_process_group},
    termios::tcgetpgrp,
};
use tokenrig_clock::real;
use tokio::process::{Child, Command};

use crate::{
    inherited::Environment,
    signals::{Asked, Signals},
    tell,
};

/// How long a command that was asked to end may take.
const GRACE: Duration = Duration::from_secs(10);
/// How often it is looked whether the last process of a group has ended: no call tells it.
const LOOKS: Duration = Duration::from_millis(20);

/// Runs the command to its end and gives the exit code: its own, 126 or 127 if it did not start, 128+N for a signal.
pub(crate) async fn run(command: &[OsString], environment: Environment, signals: &mut Signals) -> u8 {
    let (mut child, started) = match start(command, environment) {
        Ok(started) => started,
        Err(code) => return code,
    };
    loop {
        tokio::select! {
            status = child.wait() => return code(status),
            asked = signals.asked() => match asked {
                Asked::Interrupt if started.hears_the_terminal() => {}
                Asked::Interrupt => started.tell(Signal::INT),
                Asked::Terminate => return started.end(child, Signal::TERM, signals).await,
                Asked::HangUp => return started.end(child, Signal::HUP, signals).await,
            },
        }
    }
}

/// Starts the command.
///
/// # Errors
///
/// The exit code, after the reason was told: 126 or 127.
pub(crate) fn start(command: &[OsString], environment: Environment) -> Result<(Child, Started), u8> {
    let Some((program, arguments)) = command.split_first() else { return Err(2) };
    let terminal = File::open("/dev/tty").ok();
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    environment.put_on(&mut command);
    if terminal.is_none() {
        command.process_group(0);
    }
    match command.spawn() {
        Ok(child) => {
            let started = Started::of(&child, terminal);
            Ok((child, started))
        }
        Err(fault) => {
            tell::error(&format!("cannot start `{}`: {fault}", program.to_string_lossy()), None);
            Err(if fault.kind() == ErrorKind::NotFound { 127 } else { 126 })
        }
    }
}

/// The command's process, and how it is reached.
pub(crate) struct Started {
    pid: Option<Pid>,
    terminal: Option<File>,
}

impl Started {
    fn of(child: &Child, terminal: Option<File>) -> Self {
        Self { pid: child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)), terminal }
    }

    /// Whether a terminal tells it of Ctrl-C by itself: that is when our group is the one in front.
    fn hears_the_terminal(&self) -> bool {
        self.terminal.as_ref().is_some_and(|terminal| tcgetpgrp(terminal).is_ok_and(|front| front == getpgrp()))
    }

    /// It may have ended a moment ago; then there is nobody to tell.
    fn tell(&self, signal: Signal) {
        let _ = match self.pid {
            Some(pid) if self.terminal.is_none() => kill_process_group(pid, signal),
            Some(pid) => kill_process(pid, signal),
            None => Ok(()),
        };
    }

    /// Asks it to end; kills what is left when its time is over, or when somebody asks again.
    pub(crate) async fn end(&self, mut child: Child, signal: Signal, signals: &mut Signals) -> u8 {
        self.tell(signal);
        let gone = real::within(GRACE, async {
            let status = child.wait().await;
            self.group_gone().await;
            status
        });
        let ended = tokio::select! {
            ended = gone => ended.ok(),
            _ = signals.asked() => None,
        };
        if let Some(status) = ended {
            return code(status);
        }
        self.tell(Signal::KILL);
        code(child.wait().await)
    }

    /// Waits until no process of the command's own group is left.
    async fn group_gone(&self) {
        let Some(group) = self.pid.filter(|_| self.terminal.is_none()) else { return };
        while test_kill_process_group(group).is_ok() {
            real::pause(LOOKS).await;
        }
    }
}

fn code(status: io::Result<ExitStatus>) -> u8 {
    let code = status.ok().and_then(|status| status.code().or_else(|| status.signal().map(|signal| 128 + signal)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
