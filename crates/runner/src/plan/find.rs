//! Scenario files of a folder.

use std::path::{Path, PathBuf};

use super::PathFault;

/// A file is itself; of a folder all `*.yaml` and `*.yml` below it that are no given files, in the order of their names.
pub(super) fn scenarios(path: &Path) -> Result<Vec<PathBuf>, PathFault> {
    let unreadable = |fault: &std::io::Error| match fault.kind() {
        std::io::ErrorKind::NotFound => PathFault::Missing(path.display().to_string()),
        _ => PathFault::Unreadable(path.display().to_string(), fault.to_string()),
    };
    let meta = std::fs::metadata(path).map_err(|fault| unreadable(&fault))?;
    if !meta.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|fault| unreadable(&fault))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // Links to folders are not followed: they may lead round in a circle.
        let kind = entry.file_type().map_err(|fault| unreadable(&fault))?;
        if kind.is_dir() {
            found.extend(scenarios(&entry.path())?);
        } else if is_scenario(&name) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn is_scenario(name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    stem.is_some_and(|stem| !stem.is_empty() && !stem.ends_with(".given"))
}

/// `THEME/NAME`: the file without its extension, below a folder `scenarios` if it is in one, else below its own folder.
pub(super) fn name(file: &Path) -> String {
    let parts: Vec<String> = file
        .with_extension("")
        .components()
        .filter_map(|part| match part {
            std::path::Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    let below = parts.iter().rposition(|part| part == "scenarios").map(|at| at + 1).filter(|at| *at < parts.len());
    let start = below.unwrap_or(parts.len().saturating_sub(2));
    parts.get(start..).unwrap_or_default().join("/")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("scenarios/federation/cloud-run.yaml", "federation/cloud-run")]
    #[case("/home/a/scenarios/learn/01.yaml", "learn/01")]
    #[case("scenarios/one.yaml", "one")]
    #[case("tests/mine.yaml", "tests/mine")]
    #[case("mine.yaml", "mine")]
    #[case("../other/mine.yml", "other/mine")]
    fn a_scenario_is_named_by_theme_and_file(#[case] file: &str, #[case] expected: &str) {
        assert_eq!(name(Path::new(file)), expected);
    }

    #[test]
    fn given_files_and_hidden_ones_are_no_scenarios() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.yaml", "a.yml", "shop.given.yaml", ".hidden.yaml", "notes.md", "sub/c.yaml"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = scenarios(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a.yml"), Path::new("b.yaml"), Path::new("sub/c.yaml")]);
    }
}
