//! The files that come with the project are right.

use std::path::{Path, PathBuf};

use tokenrig_scenario::{Faults, read_given, read_scenario};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            into.push(path);
        }
    }
}

fn shipped(folder: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), &mut all);
    all.sort();
    assert!(!all.is_empty());
    all
}

fn given(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".given.yaml")
}

#[test]
fn every_shipped_scenario_is_right_and_plays() {
    let mut wrong = String::new();
    for path in shipped("scenarios").iter().filter(|path| !given(path)) {
        match read_scenario(path) {
            Err(faults) => wrong.push_str(&faults.to_string()),
            Ok(scenario) => {
                for case in 0..scenario.cases.len() {
                    assert!(!scenario.play(case).steps.is_empty());
                }
                if !scenario.warnings.is_empty() {
                    wrong.push_str(&Faults { sources: scenario.sources, diagnostics: scenario.warnings }.to_string());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_shipped_given_file_is_right() {
    for path in shipped("scenarios").iter().chain(&shipped("fixtures")).filter(|path| given(path)) {
        if let Err(faults) = read_given(path) {
            panic!("{faults}");
        }
    }
}
