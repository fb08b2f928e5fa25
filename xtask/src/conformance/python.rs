//! The suite `python`: Google's libraries in a virtual environment.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::place::{Place, Unready, call, works};

const LOCK: &str = "requirements.txt";

/// Makes the virtual environment unless it already holds what the lock file says.
pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let python = program(&place.target, "python");
    // A virtual environment breaks when its system Python goes away.
    place.install(LOCK, || works(Command::new(&python).arg("--version")), || install(place, &python))?;
    Ok(vec![python.into(), place.source.join("suite.py").into()])
}

fn install(place: &Place, python: &Path) -> Result<(), Unready> {
    let system = ["python3", "python"]
        .into_iter()
        .find(|name| works(Command::new(name).arg("--version")))
        .ok_or(Unready::Missing("`python3` (3.10 or newer, with venv)"))?;
    call("making a virtual environment", Command::new(system).args(["-m", "venv", "--clear"]).arg(&place.target))?;
    call(
        "installing the clients",
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(place.source.join(LOCK)),
    )
}

fn program(venv: &Path, name: &str) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join(name).with_extension("exe") } else { venv.join("bin").join(name) }
}
