//! The suite `rust`: a package beside the workspace, whose clients bring a tree of their own.

use std::{ffi::OsString, process::Command};

use super::place::{Place, Unready, call};

/// Builds the suite, and the client of the walk-through beside it. Cargo itself knows what has changed.
pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let build = place.target.join("build");
    let mut step = Command::new("cargo");
    // Variables of the call that started this one are about another package.
    step.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&build).current_dir(&place.source);
    call("building the clients", &mut step)?;
    let suite = build.join("debug/tokenrig-conformance-rust");
    // A variable of one's own process is nothing that Rust sets lightly.
    Ok(vec!["env".into(), "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1".into(), suite.into()])
}
