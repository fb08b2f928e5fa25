//! The report of a run as JUnit.

use tokenrig_report::Format;

use crate::files::written;

#[test]
fn every_case_is_one_test_case_with_its_outcome() {
    insta::assert_snapshot!(written(Format::Junit));
}
