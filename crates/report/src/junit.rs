//! JUnit's XML, as build servers read it.

use std::{collections::BTreeMap, io, sync::Arc};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tokenrig_runner::{CaseReport, Event, Outcome, Summary, WrongFile};

use crate::{failure::case_failed, paint::Look};

/// Collects a run and writes it as JUnit: a suite per scenario, a test case per case; (classname, name) is unique.
#[derive(Debug, Default)]
pub struct Junit {
    reports: BTreeMap<usize, Arc<CaseReport>>,
    wrong: Vec<WrongFile>,
    summary: Summary,
}

impl Junit {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes files that are wrong: each becomes one test case with an error.
    pub fn files(&mut self, files: &[WrongFile]) {
        self.wrong.extend_from_slice(files);
    }

    /// Notes what happened.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::CaseEnded(report) => _ = self.reports.insert(report.number, report.clone()),
            Event::Ended(summary) => self.summary = summary.clone(),
            Event::Started(_) | Event::CaseStarted(_) => {}
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// What the writer gives.
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        let mut report = Report::new("tokenrig");
        report.set_time(self.summary.took);
        let mut suites: Vec<(String, TestSuite)> = Vec::new();
        for case in self.reports.values() {
            let name = &case.id.scenario;
            if suites.last().is_none_or(|(known, _)| known != name) {
                suites.push((name.clone(), TestSuite::new(name.as_str())));
            }
            if let Some((_, suite)) = suites.last_mut() {
                suite.add_test_case(test_case(case));
            }
        }
        for file in &self.wrong {
            let name = file.file.to_string_lossy();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("the file is wrong and did not run").set_type("wrong-file");
            status.set_description(file.faults.to_string());
            let mut case = TestCase::new("the file can be read", status);
            case.set_classname(name.as_ref());
            let mut suite = TestSuite::new(name.as_ref());
            suite.add_test_case(case);
            suites.push((name.into_owned(), suite));
        }
        for (_, suite) in suites {
            report.add_test_suite(suite);
        }
        report.serialize(out).map_err(io::Error::other)
    }
}

fn test_case(report: &CaseReport) -> TestCase {
    let look = Look::default();
    let status = match &report.outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let message = report.failures().next().map_or_else(String::new, |(_, failure)| failure.message.clone());
            status.set_message(message).set_type("expectation").set_description(case_failed(report, &look));
            status
        }
        Outcome::Broken(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(why.as_str()).set_type("set-up").set_description(case_failed(report, &look));
            status
        }
        Outcome::Skipped(skip) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(skip.to_string());
            status
        }
    };
    let mut case = TestCase::new(report.id.name(), status);
    case.set_classname(report.id.scenario.as_str()).set_time(report.took);
    case
}
