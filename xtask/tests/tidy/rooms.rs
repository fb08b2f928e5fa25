//! A service crate has the same rooms everywhere.

use std::{collections::BTreeSet, fs, path::Path};

use crate::house::{CRATES, Crate, root};

/// The rooms of every service; `service` is a file, or a folder when it has grown.
const USUAL: &[&str] = &["lib.rs", "model.rs", "service", "routes.rs", "refusals.rs", "assumptions.rs"];

#[test]
fn a_service_has_the_usual_rooms_and_says_why_it_has_others() {
    let faults: Vec<_> = CRATES.iter().filter(|one| one.is_service()).flat_map(faults_of).collect();
    assert!(
        faults.is_empty(),
        "{}\n\nhelp: a room more or less is said in the manifest: [package.metadata.house.rooms] \"urls.rs\" = \"why\"",
        faults.join("\n")
    );
}

#[test]
fn a_service_has_one_binary_of_integration_tests() {
    let mut faults = Vec::new();
    for one in CRATES.iter().filter(|one| one.is_service()) {
        let tests = root().join(&one.folder).join("tests");
        if !tests.join("it/main.rs").is_file() {
            faults.push(format!("{}/tests/it/main.rs is missing", one.folder));
        }
        for name in names(&tests).into_iter().filter(|name| name != "it") {
            faults.push(format!("{}/tests/{name}: one binary per crate, move it into tests/it/", one.folder));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults_of(one: &Crate) -> Vec<String> {
    let there: BTreeSet<String> = names(&root().join(&one.folder).join("src"))
        .into_iter()
        .map(|name| if name == "service.rs" { "service".to_owned() } else { name })
        .collect();
    let mut faults = Vec::new();
    for room in USUAL {
        if !there.contains(*room) && !one.rooms.contains_key(*room) {
            faults.push(format!("{}/src has no {room}, and does not say why", one.folder));
        }
    }
    for room in &there {
        if !USUAL.contains(&room.as_str()) && !one.rooms.contains_key(room) {
            faults.push(format!("{}/src/{room} is no usual room, and its reason is not given", one.folder));
        }
    }
    for (room, why) in &one.rooms {
        if why.trim().is_empty() {
            faults.push(format!("{}: the reason of room {room} is empty", one.folder));
        }
        if there.contains(room) == USUAL.contains(&room.as_str()) {
            faults.push(format!("{}: what the manifest says of room {room} is no longer so", one.folder));
        }
    }
    faults
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
