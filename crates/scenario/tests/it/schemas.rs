//! The JSON Schemas, as a validator that is not ours reads them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use tokenrig_scenario::{SchemaOf, as_json, schema};

/// Broken files whose fault no schema can tell: names that mean nothing, CEL that is none, cycles, what belongs together,
/// what only the method table's services or the folder know.
const BEYOND: &[&str] = &[
    "cel-habits.yaml",
    "cel-syntax.yaml",
    "comment-in-cel.yaml",
    "functions.yaml",
    "given-cycle.yaml",
    "include-twice.yaml",
    "live.yaml",
    "names.yaml",
    "pasted-and-written.given.yaml",
    "pasted-hole.given.yaml",
    "pasted-projects.given.yaml",
    "pasted-unknown.given.yaml",
    "row-bomb.yaml",
    "row-cycle.yaml",
];

fn validator(of: SchemaOf) -> Validator {
    jsonschema::validator_for(&schema(of)).unwrap_or_else(|fault| panic!("{fault}"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.sort();
    found
}

fn of(path: &Path) -> SchemaOf {
    let is_given = path.to_string_lossy().ends_with(".given.yaml");
    if is_given { SchemaOf::Given } else { SchemaOf::Scenario }
}

fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

#[test]
fn the_schemas_are_schemas() {
    for of in [SchemaOf::Scenario, SchemaOf::Given] {
        let schema = schema(of);
        assert!(jsonschema::meta::is_valid(&schema), "{of:?}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

#[test]
fn every_shipped_file_is_right_by_its_schema() {
    let (scenario, given) = (validator(SchemaOf::Scenario), validator(SchemaOf::Given));
    let mut wrong = String::new();
    let all: Vec<PathBuf> = ["../../scenarios", "../../fixtures", "../rig/tests"].into_iter().flat_map(files).collect();
    assert!(all.len() > 100, "{} files", all.len());
    for path in all {
        let document = as_json(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|| panic!("{}", path.display()));
        let validator = if of(&path) == SchemaOf::Given { &given } else { &scenario };
        for fault in faults(validator, &document) {
            wrong.push_str(&format!("{}: {fault:.300}\n", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_broken_file_is_wrong_by_its_schema_unless_no_schema_can_tell() {
    let (scenario, given) = (validator(SchemaOf::Scenario), validator(SchemaOf::Given));
    let (mut accepted, mut refused) = (BTreeSet::new(), 0);
    for path in files("tests/bad").iter().filter(|path| !path.to_string_lossy().contains("/parts/")) {
        // What is no YAML at all fails in any editor.
        let Some(document) = fs::read_to_string(path).ok().and_then(|text| as_json(&text)) else { continue };
        let validator = if of(path) == SchemaOf::Given { &given } else { &scenario };
        if validator.is_valid(&document) {
            accepted.insert(path.file_name().unwrap().to_string_lossy().into_owned());
        } else {
            refused += 1;
        }
    }
    assert_eq!(accepted, BEYOND.iter().map(|name| (*name).to_owned()).collect());
    assert!(refused > 25, "{refused}");
}

#[test]
fn what_an_editor_shows_comes_with_the_words() {
    let schema = schema(SchemaOf::Scenario);
    let needs = &schema["properties"]["needs"];
    assert!(needs["description"].as_str().is_some_and(|about| about.contains("skipped")), "{needs}");
    assert_eq!(needs["examples"], json!([["python"]]));
    let step = &schema["$defs"]["step"]["properties"];
    assert_eq!(step["advance"]["examples"], json!(["9m59s"]));
    let given = &schema["$defs"]["given"]["properties"];
    assert!(given["run.services"]["description"].as_str().is_some_and(|about| about.contains("Cloud Run service")));
    for (name, key) in schema["properties"].as_object().unwrap() {
        assert!(key["description"].is_string(), "`{name}` has no description");
    }
}

/// A word that is not played is not offered.
#[test]
fn what_is_not_played_is_not_in_the_schema() {
    let schema = schema(SchemaOf::Given);
    let given = schema["$defs"]["given"]["properties"].as_object().unwrap();
    assert!(given.contains_key("iam.serviceAccounts") && !given.contains_key("workspace"));
}
