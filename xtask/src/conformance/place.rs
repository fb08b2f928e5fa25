//! Where a suite lies and where its clients are installed.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The folders of one suite.
pub(super) struct Place {
    /// `conformance/NAME`: its sources and lock files.
    pub(super) source: PathBuf,
    /// `target/conformance/NAME`: what is installed. Commands of `exec` and of scenarios find its `bin` first.
    pub(super) target: PathBuf,
}

/// Why a suite cannot run.
#[derive(Debug)]
pub(super) enum Unready {
    /// A tool of the language, which the machine must have; what to do about it.
    Missing(&'static str),
    /// A step of the installation went wrong.
    Failed(String),
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(tool) => write!(f, "there is no {tool} on the path"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl Place {
    pub(super) fn of(root: &Path, name: &str) -> Self {
        Self { source: root.join("conformance").join(name), target: root.join("target/conformance").join(name) }
    }

    /// Installs unless what is there is of the same `lock` file and still `works`.
    pub(super) fn install(
        &self,
        lock: &str,
        works: impl FnOnce() -> bool,
        install: impl FnOnce() -> Result<(), Unready>,
    ) -> Result<(), Unready> {
        let failed = |what: &Path, error| Unready::Failed(format!("{}: {error}", what.display()));
        let file = self.source.join(lock);
        let wanted = fs::read(&file).map_err(|error| failed(&file, error))?;
        // The stamp is the lock file itself, written last: a half-made installation has none.
        let stamp = self.target.join(format!("installed-{lock}"));
        if fs::read(&stamp).ok().as_deref() == Some(&wanted) && works() {
            return Ok(());
        }
        fs::create_dir_all(&self.target).map_err(|error| failed(&self.target, error))?;
        install()?;
        fs::write(&stamp, &wanted).map_err(|error| failed(&stamp, error))
    }

    /// Copies a file of the source to where things are installed.
    pub(super) fn copy(&self, file: &str) -> Result<(), Unready> {
        let copied = fs::copy(self.source.join(file), self.target.join(file));
        copied.map(drop).map_err(|error| Unready::Failed(format!("copying {file}: {error}")))
    }
}

/// Runs a step of the installation; its output goes to stderr, because stdout is for data.
pub(super) fn call(what: &str, command: &mut Command) -> Result<(), Unready> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map_err(|error| Unready::Failed(format!("{what}: {error}")))?;
    status.success().then_some(()).ok_or_else(|| Unready::Failed(format!("{what}: {status}")))
}

/// Whether a command runs and ends well, without a word.
pub(super) fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
