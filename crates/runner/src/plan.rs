//! From paths to the cases that run: all files are read first, wrong ones are set aside with all their faults.

mod filter;
mod find;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokenrig_scenario::{Scenario, read_scenario};

use self::filter::Traits;
pub use self::filter::{Filter, Shard, ShardFault};
use crate::events::{CaseId, Repeat, WrongFile};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Files, and folders whose scenarios are all meant, in this order.
    pub paths: Vec<PathBuf>,
    /// Only cases that all of these match.
    pub filters: Vec<Filter>,
    /// Only this part of them.
    pub shard: Option<Shard>,
    /// Only these cases, if there is a list.
    pub only: Option<HashSet<CaseKey>>,
    /// How often each case is run; 0 is as good as 1.
    pub repeat: usize,
}

/// What names a case from one run to the next: its file, as an absolute path, and its row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseKey {
    /// The file; links are not resolved.
    pub file: PathBuf,
    /// The row's name; `None` in a scenario without rows.
    pub case: Option<String>,
}

impl CaseKey {
    /// The key of a case.
    #[must_use]
    pub fn of(id: &CaseId) -> Self {
        // Only an empty path has no absolute form.
        let file = std::path::absolute(&id.file).unwrap_or_else(|_| id.file.clone());
        Self { file, case: id.case.clone() }
    }
}

/// All that was read.
#[derive(Debug, Default)]
pub struct Plan {
    /// The cases in the order of paths and files.
    pub cases: Vec<Planned>,
    /// Files that cannot run.
    pub wrong: Vec<WrongFile>,
    /// Warnings of files that can.
    pub warnings: Vec<WrongFile>,
    /// How many cases the filters and the shard left out.
    pub left_out: usize,
}

/// A case that is to run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its names.
    pub id: CaseId,
    /// Its file.
    pub scenario: Arc<Scenario>,
    /// Its row: an index of the scenario's cases.
    pub row: usize,
    /// The folder in which its commands and files are.
    pub folder: PathBuf,
}

/// A path that cannot be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// Nothing is there.
    #[error("there is no file or folder `{0}`")]
    Missing(String),
    /// It cannot be read.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(String, String),
}

impl Plan {
    /// Reads every file of the selection.
    ///
    /// # Errors
    ///
    /// A path that is not there or cannot be read; wrong files are no error here, they are in [`Plan::wrong`].
    pub fn read(selection: &Selection) -> Result<Self, PathFault> {
        let mut plan = Self::default();
        let mut files: Vec<PathBuf> = Vec::new();
        let mut known: HashSet<PathBuf> = HashSet::new();
        for path in &selection.paths {
            let found = find::scenarios(path)?.into_iter();
            files.extend(found.filter(|file| known.insert(file.clone())));
        }
        let mut names: HashSet<String> = HashSet::new();
        let mut number = 0;
        for file in files {
            let mut name = find::name(&file);
            if !names.insert(name.clone()) {
                // Two folders of the same name: the whole path tells them apart.
                name = file.with_extension("").to_string_lossy().into_owned();
            }
            match read_scenario(&file) {
                Ok(scenario) => plan.add(&name, &file, Arc::new(scenario), selection, &mut number),
                Err(faults) => plan.wrong.push(WrongFile { file, faults }),
            }
        }
        Ok(plan)
    }

    fn add(&mut self, name: &str, file: &Path, scenario: Arc<Scenario>, selection: &Selection, number: &mut usize) {
        if !scenario.warnings.is_empty() {
            self.warnings.push(WrongFile {
                file: file.to_owned(),
                faults: tokenrig_scenario::Faults {
                    sources: scenario.sources.clone(),
                    diagnostics: scenario.warnings.clone(),
                },
            });
        }
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let tags = scenario.tags.iter().map(|tag| &*tag.text);
        let names = scenario.cases.iter().filter_map(|case| Some(&*case.name.as_ref()?.text));
        let traits = Traits::new(tags, names);
        for (row, case) in scenario.cases.iter().enumerate() {
            let id = CaseId {
                scenario: name.to_owned(),
                file: file.to_owned(),
                title: scenario.title.text.to_string(),
                case: case.name.as_ref().map(|name| name.text.to_string()),
                repeat: None,
            };
            let listed = selection.only.as_ref().is_none_or(|only| only.contains(&CaseKey::of(&id)));
            if !listed || !selection.filters.iter().all(|filter| filter.takes(&id, &traits)) {
                self.left_out += 1;
                continue;
            }
            // A shard is one of all the cases that the filters leave, so that shards are of equal size.
            let mine = selection.shard.is_none_or(|shard| shard.takes(*number));
            *number += 1;
            if !mine {
                self.left_out += 1;
                continue;
            }
            let of = selection.repeat.max(1);
            for time in 1..=of {
                let repeat = (of > 1).then_some(Repeat { time, of });
                let id = CaseId { repeat, ..id.clone() };
                self.cases.push(Planned { id, scenario: scenario.clone(), row, folder: folder.clone() });
            }
        }
    }

    /// How many scenarios have at least one case here.
    #[must_use]
    pub fn scenarios(&self) -> usize {
        let mut files: Vec<&Path> = self.cases.iter().map(|case| case.id.file.as_path()).collect();
        files.dedup();
        files.len()
    }
}
