//! What a failed case leaves behind for whoever wants to look at it.

use std::path::{Path, PathBuf};

use crate::{events::CaseId, process::Captured, redact, world::Site};

/// The longest name of a folder, in characters.
const NAME: usize = 80;

/// What a case would leave, while nobody knows yet whether it fails.
pub(crate) struct Kept {
    folder: PathBuf,
    /// Names of files and what is in them.
    files: Vec<(String, String)>,
}

impl Kept {
    /// In a folder of its own below `folder`, named for the case; `number` makes the name unique.
    pub(crate) fn new(folder: &Path, id: &CaseId, number: usize) -> Self {
        Self { folder: folder.join(name(id, number)), files: Vec::new() }
    }

    /// Notes what commands of a step have printed.
    pub(crate) fn outputs(&mut self, step: usize, outputs: Vec<(&'static str, Captured)>) {
        for (name, output) in outputs {
            self.files.push((format!("step-{step}.{name}"), redact::text(&output.text).into_owned()));
        }
    }

    /// Writes everything. `None`: it cannot be written, which is no reason to hide why the case failed.
    pub(crate) async fn of(self, site: &dyn Site) -> Option<PathBuf> {
        tokio::fs::create_dir_all(&self.folder).await.ok()?;
        for (name, text) in &self.files {
            tokio::fs::write(self.folder.join(name), text).await.ok()?;
        }
        site.leave(&self.folder).await.ok()?;
        Some(self.folder)
    }
}

/// `federation-cloud-run-the-service-s-own-URL-17`: letters, digits and `-` alone, so that no shell minds.
fn name(id: &CaseId, number: usize) -> String {
    let mut name = String::new();
    for c in id.to_string().chars() {
        match c {
            c if c.is_alphanumeric() => name.push(c),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name: String = name.trim_matches('-').chars().take(NAME).collect();
    format!("{name}-{}", number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_for_its_case_and_leads_nowhere_else() {
        let id = |case: &str| CaseId { scenario: "a/b".to_owned(), case: Some(case.to_owned()), ..CaseId::default() };
        assert_eq!(name(&id("it's `here`"), 0), "a-b-it-s-here-1");
        assert_eq!(name(&id("../../etc"), 4), "a-b-etc-5");
        assert_eq!(name(&id(&"x".repeat(500)), 0).len(), NAME + 2);
    }
}
