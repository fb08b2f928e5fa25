//! Reports that are files, and the one of them that programs read.

use std::{fs, path::Path, sync::Arc};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;
use tokenrig_report::{FileReport, Format, Head, JSON_SCHEMA, JSON_VERSION, Look};
use tokenrig_runner::{Event, WrongFile};
use tokenrig_scenario::{Diagnostic, Faults, Span};

use crate::sample;

pub(crate) fn head() -> Head {
    let at = "2026-02-03T04:05:06Z".parse().unwrap();
    Head { look: Look { program: "cargo xtask".to_owned(), ..Look::default() }, version: "0.1.0".to_owned(), at }
}

fn wrong() -> WrongFile {
    let diagnostics = vec![Diagnostic::error("file::empty", Span::default(), "the file is empty")];
    WrongFile { file: "scenarios/empty.yaml".into(), faults: Faults { sources: sample::sources(), diagnostics } }
}

/// What a report of these events holds.
pub(crate) fn of(format: Format, wrong: &[WrongFile], events: &[Event]) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report");
    let mut report = FileReport::create(format, &path, &head()).unwrap();
    report.files(wrong);
    events.iter().for_each(|event| report.event(event));
    report.finish().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the report");
    fs::read_to_string(path).unwrap()
}

/// The sample run.
pub(crate) fn written(format: Format) -> String {
    of(format, &[wrong()], &sample::events())
}

fn faults_of(report: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator.iter_errors(report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

#[test]
fn the_json_report_is_as_its_schema_says_and_holds_everything() {
    let report: Value = serde_json::from_str(&written(Format::Json)).unwrap();
    assert_eq!(faults_of(&report), Vec::<String>::new());
    assert_eq!(report["version"], JSON_VERSION);
    assert_eq!(report["complete"], true);
    assert_eq!(report["summary"]["failed"], 2);
    assert_eq!(report["files"][0]["diagnostics"][0]["code"], "file::empty");
    let cases = report["cases"].as_array().unwrap();
    let outcomes: Vec<&str> = cases.iter().map(|case| case["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["passed", "failed", "skipped", "failed", "broken"]);
    let step = &cases[1]["steps"][0];
    assert_eq!(step["exchanges"][0]["answer"]["status"], 401);
    assert_eq!(step["exchanges"][0]["tokens"][0]["claims"]["aud"], "orders");
    assert_eq!(step["decisions"][0]["checks"][2]["name"], "audience");
    assert_eq!(step["failures"][0]["place"]["line"], 6);
    assert_eq!(cases[3]["steps"][0]["command"]["exit"], 1);
}

#[test]
fn the_schema_refuses_what_is_another_form() {
    let mut report: Value = serde_json::from_str(&written(Format::Json)).unwrap();
    report["version"] = 2.into();
    report["cases"][0]["outcome"] = "maybe".into();
    report["cases"][1]["steps"][0]["decisions"][0]["checks"][0].as_object_mut().unwrap().remove("ok");
    assert_eq!(faults_of(&report).len(), 3, "{:?}", faults_of(&report));
}

#[test]
fn a_run_that_was_cut_short_says_so() {
    let events = sample::events();
    let report: Value = serde_json::from_str(&of(Format::Json, &[], &events[..5])).unwrap();
    assert_eq!(faults_of(&report), Vec::<String>::new());
    assert_eq!((&report["complete"], &report["planned"]), (&false.into(), &5.into()));
    assert_eq!(report["summary"]["cases"], 2);

    let nothing: Value = serde_json::from_str(&of(Format::Json, &[], &[])).unwrap();
    assert_eq!(faults_of(&nothing), Vec::<String>::new());
    assert_eq!(nothing["cases"].as_array().unwrap().len(), 0);
}

#[rstest]
fn a_report_takes_the_place_of_the_last_one_only_when_it_is_whole(
    #[values(Format::Junit, Format::Json, Format::Html)] format: Format,
) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report");
    fs::write(&path, "the last one").unwrap();
    let begun = || {
        let mut report = FileReport::create(format, &path, &head()).unwrap();
        sample::events().iter().for_each(|event| report.event(event));
        report
    };
    drop(begun());
    assert_eq!(fs::read_to_string(&path).unwrap(), "the last one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    begun().finish().unwrap();
    assert!(fs::read_to_string(&path).unwrap().len() > 500);
}

#[rstest]
fn a_full_disk_is_an_error(#[values(Format::Junit, Format::Json, Format::Html)] format: Format) {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let mut report = FileReport::create(format, full, &head()).unwrap();
    for number in 0..100 {
        report.event(&Event::CaseEnded(Arc::new(tokenrig_runner::CaseReport { number, ..sample::failed() })));
    }
    assert_eq!(report.finish().unwrap_err().kind(), std::io::ErrorKind::StorageFull);
}

#[rstest]
#[case::no_folder("no/such/folder/report")]
#[case::a_folder(".")]
#[case::nothing("")]
fn a_place_where_nothing_can_be_written_is_told_before_the_run(#[case] path: &str) {
    assert!(FileReport::create(Format::Json, Path::new(path), &head()).is_err());
}

#[test]
fn a_link_stays_a_link() {
    let folder = TempDir::new().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    FileReport::create(Format::Json, &link, &head()).unwrap().finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_ne!(fs::read_to_string(&real).unwrap(), "old");
}
