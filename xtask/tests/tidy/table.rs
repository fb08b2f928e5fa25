//! `crates/README.md` is the table of crates, and it is right.

use std::{collections::BTreeSet, fs};

use crate::house::{CRATES, root};

/// The rows of the table that the workspace asks for, without their sentence: floor, folder, package.
fn wanted() -> BTreeSet<[String; 3]> {
    let crates = CRATES.iter().filter(|one| one.folder.starts_with("crates/"));
    crates
        .map(|one| {
            let floor = one.floor.map(|floor| floor.to_string()).unwrap_or_default();
            [floor, one.folder.trim_start_matches("crates/").to_owned(), one.name.clone()]
        })
        .collect()
}

#[test]
fn the_table_of_crates_is_that_of_the_workspace() {
    let text = fs::read_to_string(root().join("crates/README.md")).unwrap();
    let mut there = BTreeSet::new();
    let mut faults = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')).skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [floor, folder, package, sentence] = cells[..] else {
            faults.push(format!("a row has {} cells, not 4: {line}", cells.len()));
            continue;
        };
        if sentence.is_empty() {
            faults.push(format!("no sentence about {folder}"));
        }
        there.insert([floor, folder, package].map(str::to_owned));
    }
    faults.extend(
        wanted()
            .difference(&there)
            .map(|[floor, folder, package]| format!("missing: | {floor} | `{folder}` | `{package}` | … |")),
    );
    faults.extend(
        there
            .difference(&wanted())
            .map(|[floor, folder, package]| format!("not so: | {floor} | `{folder}` | `{package}` |")),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
