//! The programs that are measured, and rounds in processes of their own.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::round::Round;

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    pub(crate) bench: PathBuf,
    pub(crate) tokenrig: PathBuf,
    pub(crate) empty: PathBuf,
    /// Hurl, wherever it is.
    pub(crate) hurl: PathBuf,
}

impl Programs {
    /// They lie beside `bench`, the program that measures.
    ///
    /// # Errors
    ///
    /// One of them is not there.
    pub fn beside(bench: &Path) -> Result<Self, String> {
        let there = |name: &str| {
            let path = bench.with_file_name(name);
            if path.is_file() { Ok(path) } else { Err(format!("there is no program `{}`", path.display())) }
        };
        let hurl = PathBuf::from("hurl");
        Ok(Self { bench: bench.to_owned(), tokenrig: there("tokenrig")?, empty: there("empty-server")?, hurl })
    }

    /// The same with a Hurl that is not the one on the `PATH`.
    #[must_use]
    pub fn with_hurl(mut self, hurl: Option<OsString>) -> Self {
        self.hurl = hurl.map_or(self.hurl, PathBuf::from);
        self
    }

    /// Runs a round and gives what it told.
    pub(crate) fn round(&self, round: &Round) -> Result<Value, String> {
        let arguments = round.arguments();
        let told = |why: &dyn std::fmt::Display| format!("the round `{}`: {why}", arguments.join(" "));
        let output = Command::new(&self.bench)
            .arg("round")
            .args(&arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|fault| told(&fault))?;
        if !output.status.success() {
            return Err(told(&output.status));
        }
        serde_json::from_slice(&output.stdout).map_err(|fault| told(&fault))
    }
}
