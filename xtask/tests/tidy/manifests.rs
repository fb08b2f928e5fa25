//! Manifests say nothing twice.

use std::fs;

use crate::house::{CRATES, root};

#[test]
fn versions_and_lints_stand_in_the_workspace_manifest_alone() {
    let mut faults = Vec::new();
    for one in CRATES.iter() {
        let path = root().join(&one.folder).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, dependency) in manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                if dependency.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    faults.push(format!("{}: [{section}] {name} is not `{name}.workspace = true`", one.folder));
                }
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if lints != Some(true) {
            faults.push(format!("{}: no `[lints] workspace = true`", one.folder));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
