//! JUnit's XML, as build servers read it.

use std::{collections::BTreeMap, io};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tokenrig_runner::{CaseReport, Event, Outcome, Summary, WrongFile};

use crate::{failure::case_failed, paint::Look};

/// What the descriptions of all failed cases may take whole; later ones are their first lines.
const ROOM: usize = 32 << 20;
/// The most that is said of a case after that.
const SHORT: usize = 2_000;

/// Collects a run and writes it as JUnit: a suite per scenario, a test case per case; (classname, name) is unique.
///
/// Only what will be written is kept: a run may have many cases.
#[derive(Debug, Default)]
pub(crate) struct Junit {
    /// By their place in the plan: the scenario, and its case.
    cases: BTreeMap<usize, (String, TestCase)>,
    described: usize,
    wrong: Vec<WrongFile>,
    summary: Summary,
}

impl Junit {
    /// Nothing yet.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes files that are wrong: each becomes one test case with an error.
    pub(crate) fn files(&mut self, files: &[WrongFile]) {
        self.wrong.extend_from_slice(files);
    }

    /// Notes what happened.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::CaseEnded(report) => {
                let case = self.test_case(report);
                self.cases.insert(report.number, (report.id.scenario.clone(), case));
            }
            Event::Ended(summary) => self.summary = summary.clone(),
            _ => {}
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// What the writer gives.
    pub(crate) fn write(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut report = Report::new("tokenrig");
        report.set_time(self.summary.took);
        let mut suite: Option<TestSuite> = None;
        for (scenario, case) in std::mem::take(&mut self.cases).into_values() {
            if let Some(done) = suite.take_if(|suite| suite.name.as_str() != scenario) {
                report.add_test_suite(done);
            }
            suite.get_or_insert_with(|| TestSuite::new(scenario.as_str())).add_test_case(case);
        }
        report.add_test_suites(suite);
        for file in &self.wrong {
            let name = file.file.to_string_lossy();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("the file is wrong and did not run").set_type("wrong-file");
            status.set_description(file.faults.to_string());
            let mut case = TestCase::new("the file can be read", status);
            case.set_classname(name.as_ref());
            let mut suite = TestSuite::new(name.as_ref());
            suite.add_test_case(case);
            report.add_test_suite(suite);
        }
        // Its own errors hide what the system said.
        let text = report.to_string().map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }

    /// What is said of a failed case.
    fn description(&mut self, report: &CaseReport) -> String {
        let text = case_failed(report, &Look::default());
        self.described += text.len();
        if self.described <= ROOM || text.len() <= SHORT {
            return text;
        }
        let end = text.floor_char_boundary(SHORT);
        format!("{}\n… run this case alone to see all\n", text.get(..end).unwrap_or_default())
    }

    fn test_case(&mut self, report: &CaseReport) -> TestCase {
        let status = match &report.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Failed => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let message = report.failures().next().map_or_else(String::new, |(_, failure)| failure.message.clone());
                status.set_message(message).set_type("expectation").set_description(self.description(report));
                status
            }
            Outcome::Broken(why) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(why.as_str()).set_type("set-up").set_description(self.description(report));
                status
            }
            Outcome::Skipped(skip) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(skip.to_string());
                status
            }
        };
        let mut case = TestCase::new(report.id.unique_name().as_ref(), status);
        case.set_classname(report.id.scenario.as_str()).set_time(report.took);
        case
    }
}

impl crate::file::Report for Junit {
    fn files(&mut self, files: &[WrongFile]) {
        Self::files(self, files);
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        Self::event(self, event);
        Ok(())
    }

    fn write(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        Self::write(self, out)
    }
}
