//! The suites in shell: tools that the machine has anyway. They tell their version; nothing is installed.

use std::{ffi::OsString, process::Command};

use super::place::{Place, Unready, works};

/// What a person types with curl.
pub(super) fn curl(place: &Place) -> Result<Vec<OsString>, Unready> {
    // `--json` came with 7.82.
    suite(place, Command::new("curl").args(["--json", "{}", "--version"]), "`curl` (7.82 or newer)")
}

/// gcloud itself.
pub(super) fn gcloud(place: &Place) -> Result<Vec<OsString>, Unready> {
    suite(place, Command::new("gcloud").arg("--version"), "`gcloud`")
}

fn suite(place: &Place, tool: &mut Command, missing: &'static str) -> Result<Vec<OsString>, Unready> {
    works(tool).then_some(()).ok_or(Unready::Missing(missing))?;
    Ok(vec!["sh".into(), place.source.join("suite.sh").into()])
}
