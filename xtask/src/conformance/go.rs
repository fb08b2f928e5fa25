//! The suite `go`: built by the system's Go from modules that `go.sum` pins.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::place::{Place, Unready, call, works};

const LOCK: &str = "go.sum";

/// Builds the suite, and beside it the clients of the walk-throughs and an application that verifies tokens. Go itself knows what has changed.
pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let go = ["go", "/usr/local/go/bin/go"]
        .into_iter()
        .map(Path::new)
        // An older one than the modules need does not even read `go.mod`.
        .find(|go| works(own(go, place).args(["list", "-m"])))
        .ok_or(Unready::Missing("`go` (as new as `conformance/go/go.mod` says)"))?;
    let suite = build(place, go, "suite", "suite")?;
    for command in ["call", "enqueue", "verifier"] {
        build(place, go, command, &format!("{command}-by-go"))?;
    }
    place.install(LOCK, || true, || Ok(()))?;
    Ok(vec![suite.into()])
}

fn build(place: &Place, go: &Path, command: &str, name: &str) -> Result<PathBuf, Unready> {
    let program = place.target.join("bin").join(name);
    let mut step = own(go, place);
    step.args(["build", "-trimpath", "-o"]).arg(&program).arg(format!("./{command}"));
    call("building the clients", &mut step)?;
    Ok(program)
}

/// This very Go, with the modules of the lock file or none.
fn own(go: &Path, place: &Place) -> Command {
    let mut command = Command::new(go);
    command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=readonly").current_dir(&place.source);
    command
}
