//! The suite `java`: jars that Maven brings, and what the system's compiler makes of the sources.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::place::{Place, Unready, call, works};

const LOCK: &str = "pom.xml";
const PACKAGE: &str = "dev.tokenrig.conformance";

/// Brings the jars unless they are those of the lock file, and compiles the suite.
pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let jars = place.target.join("lib");
    works(Command::new("javac").arg("--version")).then_some(()).ok_or(Unready::Missing("`javac` (17 or newer)"))?;
    let classes = place.target.join("classes");
    let sources = sources(&place.source).map_err(|error| Unready::Failed(format!("its sources: {error}")))?;
    let found = format!("{}/*", jars.display());
    place.install(LOCK, || jars.is_dir(), || install(place, &jars))?;
    let mut step = Command::new("javac");
    step.args(["--release", "17", "-Xlint:all,-processing,-serial", "-cp", &found, "-d"]).arg(&classes);
    call("compiling the suite", step.args(sources))?;
    let path = format!("{}:{found}", classes.display());
    let client = place.target.join("bin/call-by-java");
    wrap(&client, &path).map_err(|error| Unready::Failed(format!("{}: {error}", client.display())))?;
    // Nothing in Java sets a variable of its own process.
    let words = ["env", "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1", "java", "-cp", &path];
    Ok(words.into_iter().map(OsString::from).chain([format!("{PACKAGE}.Suite").into()]).collect())
}

fn install(place: &Place, jars: &Path) -> Result<(), Unready> {
    works(Command::new("mvn").arg("--version")).then_some(()).ok_or(Unready::Missing("`mvn` (Maven 3)"))?;
    // Jars of an older lock file would be found as well.
    if jars.exists() {
        fs::remove_dir_all(jars).map_err(|error| Unready::Failed(format!("{}: {error}", jars.display())))?;
    }
    let mut step = Command::new("mvn");
    step.args(["--quiet", "--batch-mode", "--strict-checksums", "dependency:copy-dependencies"]);
    call("installing the clients", step.arg(format!("-DoutputDirectory={}", jars.display())).current_dir(&place.source))
}

fn sources(of: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = of.join("src").join(PACKAGE.replace('.', "/"));
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "java")).collect())
}

/// The walk-through's client as a command of its own.
fn wrap(client: &Path, path: &str) -> io::Result<()> {
    if let Some(folder) = client.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(client, format!("#!/bin/sh\nexec java -cp '{path}' {PACKAGE}.Call \"$@\"\n"))?;
    fs::set_permissions(client, fs::Permissions::from_mode(0o755))
}
