//! The suite `python`: Google's libraries in a virtual environment.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Makes `target/conformance/python` unless it already holds what the lock file says.
pub(super) fn prepare(root: &Path) -> Result<Vec<OsString>, String> {
    let lock = root.join("conformance/python/requirements.txt");
    let venv = root.join("target/conformance/python");
    let wanted = fs::read(&lock).map_err(|error| format!("cannot read {}: {error}", lock.display()))?;
    // The stamp is the lock file itself, written last: a half-made environment has none.
    let stamp = venv.join("installed-requirements.txt");
    let python = program(&venv, "python");
    if fs::read(&stamp).ok().as_deref() != Some(&wanted) || !works(&python) {
        install(&venv, &python, &lock)?;
        fs::write(&stamp, &wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    }
    Ok(vec![python.into(), root.join("conformance/python/suite.py").into()])
}

fn install(venv: &Path, python: &Path, lock: &Path) -> Result<(), String> {
    let system = ["python3", "python"]
        .into_iter()
        .find(|name| works(Path::new(name)))
        .ok_or("no `python3` on the path; install Python 3.10 or newer, with venv")?;
    call("making a virtual environment", Command::new(system).args(["-m", "venv", "--clear"]).arg(venv))?;
    call(
        "installing the clients",
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(lock),
    )
}

/// Runs a step of the installation; its output goes to stderr, because stdout is for data.
fn call(what: &str, command: &mut Command) -> Result<(), String> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map_err(|error| format!("{what}: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("{what}: {status}"))
}

/// Whether this is a Python that runs: a virtual environment breaks when its system Python goes away.
fn works(python: &Path) -> bool {
    let quiet = Command::new(python).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

fn program(venv: &Path, name: &str) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join(name).with_extension("exe") } else { venv.join("bin").join(name) }
}
