//! A real client as a child process: started without a shell, captured within bounds, ended with all that it started.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use tokenrig_clock::real;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

/// What is kept of each of the two outputs: 1 MiB from the start. The rest is read and counted.
const KEPT: usize = 1 << 20;
/// What is kept of an output's end, if it is longer than that: what a client says last is what matters.
const END: usize = 8 << 10;
/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How long outputs may stay open after the process itself has ended: children in the background hold them.
const LINGER: Duration = Duration::from_millis(500);

/// A command to run.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// All variables; nothing is inherited. The last of a name wins.
    pub(crate) env: Vec<(String, String)>,
    /// The folder to run in.
    pub(crate) dir: PathBuf,
    /// What it reads.
    pub(crate) stdin: Option<Vec<u8>>,
    /// How long it may run.
    pub(crate) deadline: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The exit code; 128+N if signal N ended it.
    pub(crate) exit: i64,
    /// Whether it was ended because its deadline had passed.
    pub(crate) overran: bool,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
}

/// An output, as far as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    /// Its start: at most [`KEPT`] bytes; what is no UTF-8 is replaced.
    pub(crate) text: String,
    /// Its end, of an output that is longer: at most [`END`] bytes of what comes after the start.
    pub(crate) end: String,
    /// How many bytes there were between the two.
    pub(crate) dropped: usize,
}

/// What a command has printed so far: there also if its run was given up. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<[Capture; 2]>>);

impl Printed {
    fn lock(&self) -> MutexGuard<'_, [Capture; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what was printed, to the standard output and to the other one.
    pub(crate) fn taken(&self) -> (Captured, Captured) {
        let [out, err] = std::mem::take(&mut *self.lock());
        (out.captured(), err.captured())
    }

    /// How a command ended that was given up: with its whole group killed.
    pub(crate) fn given_up(&self) -> Ended {
        let (stdout, stderr) = self.taken();
        Ended { exit: 128 + 9, overran: true, stdout, stderr }
    }
}

/// An output while it is read.
#[derive(Debug, Default)]
struct Capture {
    start: Vec<u8>,
    end: VecDeque<u8>,
    dropped: usize,
}

impl Capture {
    fn take(&mut self, bytes: &[u8]) {
        let (start, rest) = bytes.split_at(bytes.len().min(KEPT.saturating_sub(self.start.len())));
        self.start.extend_from_slice(start);
        self.end.extend(rest);
        let over = self.end.len().saturating_sub(END);
        self.end.drain(..over);
        self.dropped += over;
    }

    fn captured(self) -> Captured {
        Captured {
            text: String::from_utf8_lossy(&self.start).into_owned(),
            end: String::from_utf8_lossy(&Vec::from(self.end)).into_owned(),
            dropped: self.dropped,
        }
    }
}

/// Why a command did not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessFault {
    #[error("there is no command")]
    Empty,
    #[error("cannot start `{program}`: {why}")]
    Start { program: String, why: io::Error },
    #[error("cannot wait for `{program}`: {why}")]
    Wait { program: String, why: io::Error },
}

/// Runs a command to its end, or to its deadline. If the future is dropped the whole process group is killed, and `printed`
/// has what it had printed until then.
pub(crate) async fn run(order: Order, printed: &Printed) -> Result<Ended, ProcessFault> {
    let (program, arguments) = order.words.split_first().ok_or(ProcessFault::Empty)?;
    let mut child = Command::new(located(program, &order.dir))
        .args(arguments)
        .env_clear()
        .envs(order.env)
        .current_dir(&order.dir)
        .stdin(if order.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| ProcessFault::Start { program: program.clone(), why })?;
    let group = Group::of(&child);

    let stdin = child.stdin.take();
    let input = order.stdin.unwrap_or_default();
    let feed = async move {
        // A program that does not read its input to the end is no fault of the step.
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&input).await;
            let _ = stdin.shutdown().await;
        }
    };
    let (out_pipe, err_pipe) = (child.stdout.take(), child.stderr.take());
    let read = async {
        tokio::join!(feed, capture(out_pipe, printed, 0), capture(err_pipe, printed, 1));
    };
    let ended = async {
        let waited = match real::within(order.deadline, child.wait()).await {
            Ok(status) => status.map(|status| (status, false)),
            Err(_) => group.end(&mut child).await.map(|status| (status, true)),
        };
        waited.map_err(|why| ProcessFault::Wait { program: program.clone(), why })
    };
    let (status, overran) = {
        let mut read = std::pin::pin!(read);
        let mut ended = std::pin::pin!(ended);
        tokio::select! {
            ended = &mut ended => {
                let ended = ended?;
                if real::within(LINGER, &mut read).await.is_err() {
                    group.kill();
                    let _ = real::within(LINGER, &mut read).await;
                }
                ended
            }
            () = &mut read => ended.await?,
        }
    };
    group.kill();
    let (stdout, stderr) = printed.taken();
    Ok(Ended { exit: exit_code(status), overran, stdout, stderr })
}

/// A program with a `/` in its name is meant relative to the step's folder, as a shell there would take it.
fn located(program: &str, dir: &Path) -> PathBuf {
    if program.contains('/') { dir.join(program) } else { PathBuf::from(program) }
}

fn exit_code(status: std::process::ExitStatus) -> i64 {
    use std::os::unix::process::ExitStatusExt;
    status.code().map(i64::from).or_else(|| status.signal().map(|signal| 128 + i64::from(signal))).unwrap_or(-1)
}

async fn capture(pipe: Option<impl AsyncRead + Unpin>, printed: &Printed, which: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 16 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        if let Some(capture) = printed.lock().get_mut(which) {
            capture.take(chunk.get(..count).unwrap_or_default());
        }
    }
}

/// The process group of a child; killed when dropped, so that nothing outlives its case.
///
/// Holds the group's number, 0 once it was killed.
struct Group(AtomicI32);

impl Group {
    fn of(child: &Child) -> Self {
        Self(AtomicI32::new(child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default()))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(group) = rustix::process::Pid::from_raw(self.0.load(Ordering::Relaxed)) {
            // It may have ended by itself.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    /// Kills what is left of it, once: later its number may be another's.
    fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
        self.0.store(0, Ordering::Relaxed);
    }

    async fn end(&self, child: &mut Child) -> io::Result<std::process::ExitStatus> {
        self.signal(rustix::process::Signal::TERM);
        match real::within(GRACE, child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                self.kill();
                child.wait().await
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(order: Order) -> Result<Ended, ProcessFault> {
        super::run(order, &Printed::default()).await
    }

    fn order(words: &[&str]) -> Order {
        Order {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            env: vec![("GREETING".to_owned(), "hello".to_owned())],
            dir: PathBuf::from("/"),
            stdin: Some(b"from stdin".to_vec()),
            deadline: Duration::from_secs(10),
        }
    }

    #[tokio::test]
    async fn a_command_gets_its_input_and_environment_and_its_outputs_and_code_come_back() {
        let ended = run(order(&["sh", "-c", "cat; echo $GREETING >&2; exit 3"])).await.unwrap();
        assert_eq!((ended.exit, ended.overran), (3, false));
        assert_eq!((ended.stdout.text.as_str(), ended.stderr.text.as_str()), ("from stdin", "hello\n"));
    }

    #[tokio::test]
    async fn a_command_that_ignores_sigterm_is_killed_with_its_children() {
        let mut order = order(&["sh", "-c", "trap '' TERM; sleep 100 & while true; do sleep 1; done"]);
        order.deadline = Duration::from_millis(100);
        let ended = run(order).await.unwrap();
        assert_eq!((ended.exit, ended.overran), (128 + 9, true));
    }

    #[tokio::test]
    async fn a_child_left_in_the_background_does_not_hold_the_step() {
        let watch = real::Stopwatch::start();
        let ended = run(order(&["sh", "-c", "sleep 100 & echo done"])).await.unwrap();
        assert_eq!((ended.exit, ended.stdout.text.as_str()), (0, "done\n"));
        assert!(watch.elapsed() < Duration::from_secs(8));
    }

    #[tokio::test]
    async fn a_run_that_is_given_up_leaves_no_process_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let mut order =
            order(&["sh", "-c", "(sleep 1; touch mark) & echo hello; echo there >&2; touch started; sleep 100"]);
        order.dir = folder.path().to_owned();
        let printed = Printed::default();
        let work = tokio::spawn({
            let printed = printed.clone();
            async move { super::run(order, &printed).await }
        });
        while !folder.path().join("started").exists() {
            real::pause(Duration::from_millis(5)).await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        let given_up = printed.given_up();
        assert_eq!((&*given_up.stdout.text, &*given_up.stderr.text), ("hello\n", "there\n"));
        real::pause(Duration::from_millis(1500)).await;
        assert!(!mark.exists(), "the child in the background went on");
    }

    #[tokio::test]
    async fn nothing_is_inherited() {
        let ended = run(order(&["env"])).await.unwrap();
        assert_eq!(ended.stdout.text, "GREETING=hello\n");
    }

    #[tokio::test]
    async fn output_without_end_is_counted_and_not_kept() {
        let ended = run(order(&["sh", "-c", "head -c 3000000 /dev/zero"])).await.unwrap();
        assert_eq!((ended.stdout.text.len(), ended.stdout.end.len()), (KEPT, END));
        assert_eq!(ended.stdout.dropped, 3_000_000 - KEPT - END);
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_says_so() {
        let fault = run(order(&["no-such-program-here"])).await.unwrap_err();
        assert!(fault.to_string().starts_with("cannot start `no-such-program-here`: "), "{fault}");
    }
}
