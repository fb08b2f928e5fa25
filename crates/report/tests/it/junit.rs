//! The report of a run as JUnit.

use tokenrig_report::Junit;
use tokenrig_runner::WrongFile;
use tokenrig_scenario::{Diagnostic, Faults, Span};

use crate::sample;

#[test]
fn every_case_is_one_test_case_with_its_outcome() {
    let mut junit = Junit::new();
    let diagnostics = vec![Diagnostic::error("file::empty", Span::default(), "the file is empty")];
    let faults = Faults { sources: sample::sources(), diagnostics };
    junit.files(&[WrongFile { file: "scenarios/empty.yaml".into(), faults }]);
    for event in sample::events() {
        junit.event(&event);
    }
    let mut out = Vec::new();
    junit.write(&mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
