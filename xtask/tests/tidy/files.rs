//! What every file of the project owes its readers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::house::root;

/// A file of Rust has one purpose and can be read in one sitting.
const LONGEST: usize = 600;

#[test]
fn no_file_of_rust_is_longer_than_one_sitting() {
    let long: Vec<_> = texts()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs") && !path.contains("/generated/"))
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, path)| format!("{path} has {lines} lines, {LONGEST} are allowed"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    // Put together here, so that this file does not name them.
    let folders = ["work", "root", "Users"].map(|name| format!("/{name}/"));
    let mut faults = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            if folders.iter().any(|folder| begins_path(line, folder)) {
                faults.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether an absolute path in `line` begins with `folder`.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._/-}".contains(c))
    })
}

#[test]
fn a_path_is_told_from_a_part_of_one() {
    assert!(begins_path("see /etc/passwd", "/etc/"));
    assert!(begins_path("/etc/passwd", "/etc/"));
    assert!(!begins_path("https://host/etc/passwd", "/etc/"));
    assert!(!begins_path("./etc/passwd", "/etc/"));
}

/// Path and text of every tracked file that is text.
fn texts() -> Vec<(String, String)> {
    let tracked = tracked().unwrap_or_else(|| {
        let mut found = Vec::new();
        walk(&root(), &mut found);
        found
    });
    let text =
        |path: PathBuf| Some((path.to_string_lossy().replace('\\', "/"), fs::read_to_string(root().join(&path)).ok()?));
    tracked.into_iter().filter_map(text).collect()
}

/// What git knows; nothing in an unpacked archive.
fn tracked() -> Option<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != "target" && name != ".git" {
                walk(&path, found);
            }
        } else if let Ok(inside) = path.strip_prefix(root()) {
            found.push(inside.to_owned());
        }
    }
}
