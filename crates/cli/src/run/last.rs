//! Which cases failed when they last ran from this folder, for `--rerun-failed`.
//!
//! One small file per folder, where programs keep what they would like to know next time (`XDG_STATE_HOME`). A run
//! changes only what it says about cases that it ran. Where there is no such place, or it cannot be written, nothing is
//! kept: no run fails for it.

use std::{
    collections::BTreeSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Read as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tokenrig_runner::{CaseKey, CaseReport, Outcome, Skip};

use crate::inherited;

/// A larger file is none of ours.
const MOST: u64 = 16 << 20;

/// What is known of earlier runs.
pub(crate) struct Last {
    file: Option<PathBuf>,
    folder: PathBuf,
    /// `None`: nothing has run here yet.
    failed: Option<BTreeSet<CaseKey>>,
}

impl Last {
    pub(crate) fn read() -> Self {
        let folder = std::path::absolute(".").unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        folder.hash(&mut hasher);
        let file = inherited::state_folder().map(|state| state.join(format!("failed-{:016x}.json", hasher.finish())));
        let failed = file.as_deref().and_then(|file| stored(file, &folder));
        Self { file, folder, failed }
    }

    /// The cases that failed.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub(crate) fn failed(&self) -> Result<impl Iterator<Item = CaseKey>, String> {
        match &self.failed {
            None => Err("no run from this folder is on record".to_owned()),
            Some(failed) if failed.is_empty() => Err("nothing failed when it last ran".to_owned()),
            Some(failed) => Ok(failed.iter().cloned()),
        }
    }

    /// The files of these, as one would call them from here; those that are gone are left out.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files: BTreeSet<&PathBuf> = self.failed.iter().flatten().map(|key| &key.file).collect();
        let here = |file: &PathBuf| file.strip_prefix(&self.folder).map_or_else(|_| file.clone(), Path::to_owned);
        files.into_iter().filter(|file| file.is_file()).map(here).collect()
    }

    /// Writes down how cases ended. Of a case that ran several times the worst counts.
    pub(crate) fn note(&mut self, ended: &[(CaseKey, bool)]) {
        let Some(file) = &self.file else { return };
        let mut failed = self.failed.take().unwrap_or_default();
        for (key, _) in ended {
            failed.remove(key);
        }
        failed.extend(ended.iter().filter(|(_, failed)| *failed).map(|(key, _)| key.clone()));
        let list = failed.iter().map(|key| json!({ "file": key.file.to_string_lossy(), "case": key.case }));
        let text = json!({ "folder": self.folder.to_string_lossy(), "failed": list.collect::<Vec<_>>() }).to_string();
        // Two runs at once would otherwise mix their texts.
        let new = file.with_extension(format!("{}.new", std::process::id()));
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&new, text));
        if written.and_then(|()| fs::rename(&new, file)).is_err() {
            let _ = fs::remove_file(new);
        }
        self.failed = Some(failed);
    }
}

/// Whether a case that has ended failed; nothing of one that was skipped or stopped.
pub(crate) fn outcome(report: &CaseReport) -> Option<(CaseKey, bool)> {
    let failed = match report.outcome {
        Outcome::Passed => false,
        Outcome::Failed | Outcome::Broken(_) | Outcome::Skipped(Skip::Need { required: true, .. }) => true,
        Outcome::Skipped(_) => return None,
    };
    Some((CaseKey::of(&report.id), failed))
}

/// What the file says, if it is about this folder and can be read.
fn stored(file: &Path, folder: &Path) -> Option<BTreeSet<CaseKey>> {
    let mut text = String::new();
    fs::File::open(file).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    let known: Value = serde_json::from_str(&text).ok()?;
    if known.get("folder")?.as_str()? != folder.to_string_lossy() {
        return None;
    }
    let key = |one: &Value| {
        let case = one.get("case").and_then(Value::as_str).map(str::to_owned);
        Some(CaseKey { file: PathBuf::from(one.get("file")?.as_str()?), case })
    };
    known.get("failed")?.as_array()?.iter().map(key).collect()
}
