//! The suite `node`: Google's packages below `target/`, and a `node` that finds them.

use std::{ffi::OsString, fs, io, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::place::{Place, Unready, call, works};

const LOCK: &str = "package-lock.json";

/// Installs the packages unless they are those of the lock file.
pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let node = place.target.join("bin/node");
    place.install(LOCK, || works(Command::new(&node).arg("--version")), || install(place, &node))?;
    Ok(vec![node.into(), place.source.join("suite.js").into()])
}

fn install(place: &Place, node: &Path) -> Result<(), Unready> {
    for (tool, missing) in [("node", "`node` (20 or newer)"), ("npm", "`npm`")] {
        works(Command::new(tool).arg("--version")).then_some(()).ok_or(Unready::Missing(missing))?;
    }
    place.copy("package.json")?;
    place.copy(LOCK)?;
    // No package of them needs to run anything to be installed.
    let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    call("installing the clients", Command::new("npm").args(quiet).current_dir(&place.target))?;
    finder(node, &place.target).map_err(|error| Unready::Failed(format!("{}: {error}", node.display())))
}

/// A `node` that finds the packages from wherever a script lies: no script lies beside them here.
fn finder(node: &Path, target: &Path) -> io::Result<()> {
    let real = Command::new("node").args(["--print", "process.execPath"]).output()?.stdout;
    let real = String::from_utf8_lossy(&real).trim().to_owned();
    let packages = target.join("node_modules").display().to_string();
    fs::create_dir_all(target.join("bin"))?;
    fs::write(node, format!("#!/bin/sh\nNODE_PATH='{packages}' exec '{real}' \"$@\"\n"))?;
    fs::set_permissions(node, fs::Permissions::from_mode(0o755))
}
