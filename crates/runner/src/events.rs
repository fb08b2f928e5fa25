//! What a run tells while it goes on and when it has ended. All texts are already free of whole tokens and keys.

use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokenrig_decision::Record;
use tokenrig_jose::Opened;
use tokenrig_scenario::{Faults, Sources, Span, WorldName};

use crate::{redact, stop::length, world::word};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The plan stands and the first cases start.
    Started(Started),
    /// A case has started.
    CaseStarted(CaseId),
    /// A case runs for longer than most do: told each time that so much more has passed.
    CaseSlow(CaseId, Duration),
    /// A case has ended. Cases end in any order; [`CaseReport::number`] is their order in the plan.
    CaseEnded(Arc<CaseReport>),
    /// All cases have ended, or the run was cut short: see [`Summary::cut`].
    Ended(Summary),
}

/// The size of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The world.
    pub world: WorldName,
    /// How many scenarios have at least one case in the plan.
    pub scenarios: usize,
    /// How many cases are in the plan.
    pub cases: usize,
    /// How many run at once.
    pub jobs: usize,
}

/// Names a case: (scenario, case, repeat) is unique within a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct CaseId {
    /// Theme and name, for example `federation/cloud-run`.
    pub scenario: String,
    /// The file as it was found, for the command that runs it again.
    pub file: PathBuf,
    /// The scenario's title.
    pub title: String,
    /// The row's name; `None` in a scenario without rows.
    pub case: Option<String>,
    /// Which time it is, in a run that makes each case several times.
    pub repeat: Option<Repeat>,
}

/// One of several times that a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// From 1.
    pub time: usize,
    /// How often in all.
    pub of: usize,
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} of {})", self.time, self.of)
    }
}

impl CaseId {
    /// The row's name, else the scenario's title.
    #[must_use]
    pub fn name(&self) -> &str {
        self.case.as_deref().unwrap_or(&self.title)
    }

    /// The same with the repeat, if there is one: unique within the scenario.
    #[must_use]
    pub fn unique_name(&self) -> Cow<'_, str> {
        match self.repeat {
            Some(repeat) => Cow::Owned(format!("{} {repeat}", self.name())),
            None => Cow::Borrowed(self.name()),
        }
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.case {
            Some(case) => write!(f, "{} › {case}", self.scenario)?,
            None => f.write_str(&self.scenario)?,
        }
        self.repeat.map_or(Ok(()), |repeat| write!(f, " {repeat}"))
    }
}

/// How a case ended, with all that a person needs to understand it.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Its name.
    pub id: CaseId,
    /// Its place in the plan, from 0.
    pub number: usize,
    /// The files that its spans point into.
    pub sources: Sources,
    /// What came of it.
    pub outcome: Outcome,
    /// What happened in `given`, if that went wrong, and in each step up to the last that ran.
    pub steps: Vec<StepReport>,
    /// Real time.
    pub took: Duration,
    /// The folder with what it left, if it failed and [`Options::keep`](crate::Options::keep) asks for that.
    pub kept: Option<PathBuf>,
}

impl CaseReport {
    /// The same without exchanges, tokens, commands and decisions: what a line about a case that passed needs.
    #[must_use]
    pub fn brief(&self) -> Self {
        let steps = self.steps.iter().map(|step| StepReport {
            number: step.number,
            title: step.title.clone(),
            what: step.what.clone(),
            at: step.at,
            not_checked: step.not_checked.clone(),
            took: step.took,
            ..StepReport::default()
        });
        Self {
            id: self.id.clone(),
            number: self.number,
            sources: self.sources.clone(),
            outcome: self.outcome.clone(),
            steps: steps.collect(),
            took: self.took,
            kept: self.kept.clone(),
        }
    }

    /// All failures with the step that each belongs to.
    pub fn failures(&self) -> impl Iterator<Item = (&StepReport, &Failure)> {
        self.steps.iter().flat_map(|step| step.failures.iter().map(move |failure| (step, failure)))
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every expectation held.
    Passed,
    /// At least one did not, or a step could not be made.
    Failed,
    /// The world, or what is `given`, could not be set up.
    Broken(String),
    /// It did not run.
    Skipped(Skip),
}

/// Why a case did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// The scenario needs what this world lacks.
    Need {
        /// The need's word.
        need: String,
        /// Why it is not there.
        why: String,
        /// Whether `--require` makes this an error.
        required: bool,
    },
    /// The scenario does not run in this kind of world.
    World(WorldName),
    /// It was running when the run was asked to end: where it was.
    Stopped(String),
    /// The clock is the real one, and a step would wait for longer than it may.
    Wait {
        /// How long.
        needed: Duration,
        /// How long it may.
        most: Duration,
    },
    /// Anything else, in words.
    Other(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Need { need, why, .. } => write!(f, "needs `{need}`: {why}"),
            Self::World(kind) => write!(f, "does not run {}", word(*kind)),
            Self::Stopped(whereabouts) => write!(f, "was {whereabouts}"),
            Self::Wait { needed, most } => {
                write!(f, "must wait for {}, and `--max-wait` is {}", length(*needed), length(*most))
            }
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// What a step did and what came back.
#[derive(Debug, Clone, Default)]
pub struct StepReport {
    /// Its number from 1; 0 for `given`.
    pub number: usize,
    /// Its title.
    pub title: Option<String>,
    /// What it did, in one line with its holes filled: `GET https://…/hello`, `mint corp`.
    pub what: String,
    /// The line of the file that says so.
    pub at: Option<Span>,
    /// The requests it made, in order.
    pub exchanges: Vec<Exchange>,
    /// The command it ran.
    pub command: Option<CommandReport>,
    /// The decision of the request that it made or received.
    pub decision: Option<Record>,
    /// All decisions that were made during the step, in their order: those of a command's requests among them.
    pub decisions: Vec<Record>,
    /// Tokens that it made itself, opened. Those that were sent and received stand at their [`Exchange`].
    pub tokens: Vec<TokenShown>,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// Expectations that this world cannot check, in words.
    pub not_checked: Vec<String>,
    /// Real time.
    pub took: Duration,
}

/// A request and its answer as they may be shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exchange {
    /// The verb.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// In order.
    pub request_headers: Vec<(String, String)>,
    /// The start of the body, if it is text.
    pub request_body: String,
    /// The answer, or why there was none.
    pub answer: Option<AnswerShown>,
    /// Why there was no answer.
    pub fault: Option<String>,
    /// The tokens that went over the wire, opened, in the order in which they appear.
    pub tokens: Vec<TokenShown>,
}

/// A signed token as it may be shown: what it says, never the whole of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenShown {
    /// Where it stood: `request header authorization`, `answer body`.
    pub place: String,
    /// As it stands in the texts around it: `eyJhbGci…(ID token, aud orders, 1 h left)`.
    pub shortened: String,
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims; tokens among them are shortened.
    pub claims: Map<String, Value>,
}

impl TokenShown {
    /// A token found at `place`, shown as `shortened`.
    #[must_use]
    pub fn new(place: impl Into<String>, shortened: &str, opened: Opened) -> Self {
        let safe = |members: Map<String, Value>| -> Map<String, Value> {
            members.into_iter().map(|(name, value)| (name, redact::json(value))).collect()
        };
        Self {
            place: place.into(),
            shortened: shortened.to_owned(),
            header: safe(opened.header),
            claims: safe(opened.claims),
        }
    }
}

/// An answer as it may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerShown {
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// In order; lower-case names.
    pub headers: Vec<(String, String)>,
    /// The start of the body, if it is text.
    pub body: String,
    /// Real time.
    pub took: Duration,
}

/// A command that a step ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandReport {
    /// The command line.
    pub line: String,
    /// Its exit code; 128+N if signal N ended it.
    pub exit: i64,
    /// Start and end of what it printed.
    pub stdout: String,
    /// Start and end of what it printed to stderr.
    pub stderr: String,
}

/// Something that is not as expected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Failure {
    /// One line, lower case: `expected status 200, found 401`.
    pub message: String,
    /// Where the file says what is expected.
    pub at: Option<Span>,
    /// What to write under that place: `found 401`.
    pub label: String,
    /// The value expected, where there is one; tokens in it are shortened.
    pub expected: Option<Value>,
    /// The value found, where there is one; tokens in it are shortened.
    pub found: Option<Value>,
    /// The values of the parts of a CEL line that did not hold, in source order.
    pub parts: Vec<(String, String)>,
    /// More to know, a line each.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    /// A failure with a message alone.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases for which the world could not be set up.
    pub broken: usize,
    /// Cases that did not run.
    pub skipped: usize,
    /// Of those, how many lack a need that `--require` names.
    pub missing: usize,
    /// Of those, how many would have to wait for longer than [`Options::max_wait`](crate::Options::max_wait).
    pub waiting: usize,
    /// Cases that were running when the run was asked to end.
    pub stopped: usize,
    /// Cases of the plan that had not started when the run was cut short.
    pub not_run: usize,
    /// Why the run ended before all cases had, if it did.
    pub cut: Option<Cut>,
    /// Files that are wrong and did not run.
    pub wrong_files: usize,
    /// Real time.
    pub took: Duration,
}

/// Why a run ended before all its cases had run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A case failed, and the run was to end with the first that does.
    FirstFailure,
    /// Its deadline passed.
    Deadline(Duration),
    /// Somebody asked it to.
    Asked,
}

impl Summary {
    /// All cases that have started.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.passed + self.failed + self.broken + self.skipped + self.stopped
    }

    /// Counts a case that has ended.
    pub fn count(&mut self, report: &CaseReport) {
        match &report.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Broken(_) => self.broken += 1,
            Outcome::Skipped(Skip::Stopped(_)) => self.stopped += 1,
            Outcome::Skipped(skip) => {
                self.skipped += 1;
                self.missing += usize::from(matches!(skip, Skip::Need { required: true, .. }));
                self.waiting += usize::from(matches!(skip, Skip::Wait { .. }));
            }
        }
    }

    /// The exit code: the first that applies of 2 (a file is wrong, nothing matched), 3 (the world could not be set up,
    /// a required need is missing), 1 (a case failed, or the run was cut short), 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.wrong_files > 0 || self.cases() + self.not_run == 0 {
            2
        } else if self.broken > 0 || self.missing > 0 {
            3
        } else {
            u8::from(self.failed > 0 || self.cut.is_some())
        }
    }
}

/// A file that cannot run, with all its faults.
#[derive(Debug, Clone)]
pub struct WrongFile {
    /// The file as it was found.
    pub file: PathBuf,
    /// What is wrong; at least one fault.
    pub faults: Faults,
}
