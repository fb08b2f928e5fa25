//! A home of its own for each test, the program in it, and the few HTTP requests that tests make by hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokenrig_clock::real::{pause, within};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};

/// Nothing here takes long; whatever takes this long hangs.
const LONG: Duration = Duration::from_secs(60);
/// Between two looks at something that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(10);

/// What people see, with everything left out that differs from one call to the next.
macro_rules! assert_told {
    ($ended:expr, @$expected:literal) => {{
        let told = $ended;
        insta::with_settings!({ filters => crate::support::FILTERS.to_vec() }, {
            insta::assert_snapshot!(told, @$expected);
        })
    }};
}
pub(crate) use assert_told;

/// What differs from one call to the next, and what stands for it.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"proxyPort=\d+", "proxyPort=PORT"),
    (r"(:\d\d)\.\d{3,9}Z", "$1.FRACTIONZ"),
    (r"\[ *\d+ ms\]", "[TIME]"),
    (r"\[ *\d+\.\d+ s\]", "[TIME]"),
    (r"/\S*/tokenrig-[A-Za-z0-9]{6}\b", "TEMP"),
    (r"\b[0-9a-f]{40}\b", "KEY"),
    (r"\b[0-9a-f]{32};o=1\b", "TRACE"),
    (r"ya29\..{3}…", "ya29.XXX…"),
    (r"\d jobs?\b", "N jobs"),
];

/// A home folder, a working folder and a folder for temporary files, all of one test.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(TempDir::new().unwrap());
        for folder in ["home", "work", "tmp"] {
            fs::create_dir(home.0.path().join(folder)).unwrap();
        }
        home
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("work").join(name)
    }

    /// Writes a file in the working folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A well-known credentials file, as `gcloud auth application-default login` leaves it.
    pub(crate) fn log_in(&self) {
        let folder = self.0.path().join("home/.config/gcloud");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("application_default_credentials.json"), "{}").unwrap();
    }

    /// What lies in the folder for temporary files.
    pub(crate) fn temporary(&self) -> Vec<PathBuf> {
        fs::read_dir(self.0.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The program, with nothing of this process's environment.
    pub(crate) fn tokenrig(&self, arguments: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_tokenrig"), arguments)
    }

    /// Runs a script, which finds the program, and waits for its end.
    pub(crate) async fn shell(&self, script: &str) -> Told {
        let program = Path::new(env!("CARGO_BIN_EXE_tokenrig")).parent().unwrap();
        let mut command = self.command("sh", &["-e", "-c", script]);
        command.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
        ended(command).await
    }

    /// The program without a terminal, wherever the tests run.
    pub(crate) fn tokenrig_alone(&self, arguments: &[&str]) -> Command {
        let mut words = vec![env!("CARGO_BIN_EXE_tokenrig")];
        words.extend(arguments);
        self.command("setsid", &words)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.0.path().join("home"))
            .env("TMPDIR", self.0.path().join("tmp"))
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Calls the program and waits for its end.
    pub(crate) async fn call(&self, arguments: &[&str]) -> Told {
        ended(self.tokenrig(arguments)).await
    }

    /// Waits until a file is there, and gives what it holds.
    pub(crate) async fn appears(&self, name: &str) -> String {
        let path = self.path(name);
        until(&format!("{name} appears"), || fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))).await
    }
}

/// Waits for something that tells nobody when it happens.
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let seen = within(LONG, async {
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            pause(LOOK).await;
        }
    });
    seen.await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

/// How a call ended and all that it printed.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        write!(f, "exit: {code}\n──── stdout\n{}──── stderr\n{}", self.stdout, self.stderr)
    }
}

/// Runs a command to its end.
pub(crate) async fn ended(mut command: Command) -> Told {
    let output = within(LONG, command.output()).await.expect("the call ends").unwrap();
    Told {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A call that goes on while a test does something.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = child.stderr.take().unwrap();
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            errors.read_to_string(&mut text).await.unwrap();
            text
        });
        Self { child, lines, stderr }
    }

    /// The next line that it prints to stdout.
    pub(crate) async fn line(&mut self) -> String {
        let line = within(LONG, self.lines.next_line()).await.expect("a line comes").unwrap();
        line.expect("it prints one more line")
    }

    /// Lets it read the end of its input.
    pub(crate) fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().unwrap())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Told {
        let status = within(LONG, self.child.wait()).await.expect("it ends").unwrap();
        let mut stdout = String::new();
        while let Ok(Some(line)) = within(LONG, self.lines.next_line()).await.expect("its output ends") {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        let stderr = within(LONG, self.stderr).await.expect("its errors end").unwrap();
        Told { code: status.code(), stdout, stderr }
    }
}

/// Whether a process has ended. One that nobody has collected yet has ended, too.
pub(crate) async fn has_ended(pid: &str) {
    let status = Path::new("/proc").join(pid.trim()).join("stat");
    until(&format!("process {pid} has ended"), || match fs::read_to_string(&status) {
        Ok(text) => text.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')).then_some(()),
        Err(_) => Some(()),
    })
    .await;
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// One request in clear. `target` is what stands after the verb; `at` is `HOST:PORT`, with or without `http://`.
pub(crate) async fn ask(at: &str, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let at = at.trim_start_matches("http://");
    let exchange = within(LONG, async {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let mut text = format!("{request} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push_str(&format!("host: {at}\r\n"));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{text}\r\n{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    });
    let answer = exchange.await.expect("an answer comes");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Answer { status: status.unwrap_or_else(|| panic!("no answer: {answer}")), body }
}
