//! One step: its holes filled, its verb done, what came back given to expressions.

mod mint;
mod receive;
mod request;
mod rig;
mod run;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tokenrig_cel::Value;
use tokenrig_clock::{SignedDuration, real};
use tokenrig_decision::Record;
use tokenrig_protos::Method;
use tokenrig_scenario::{Moment, Span, Step, Template, Verb, Who as StepWho, duration};

use crate::{
    evaluate::{Env, Fault},
    events::{CommandReport, Exchange, Failure, Skip, StepReport},
    files::named,
    process::{Captured, Printed},
    world::{Received, Site, SiteFault, Who},
};

/// How long a step may take unless it says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same for a command.
const RUN_DEADLINE: Duration = Duration::from_secs(120);

/// What a case carries from step to step.
pub(crate) struct Case<'a> {
    pub(crate) site: &'a dyn Site,
    pub(crate) env: Env,
    /// The scenario's folder.
    pub(crate) folder: PathBuf,
    /// The scenario's needs, for commands.
    pub(crate) needs: Vec<String>,
    /// The number of the last decision that an earlier step has seen.
    pub(crate) decided: u64,
    /// By service: the number of the last received request that an earlier step has seen.
    pub(crate) received: BTreeMap<String, u64>,
    /// What the step's command has printed, as the name of a file ends (`stdout`).
    pub(crate) outputs: Vec<(&'static str, Captured)>,
    /// The command that runs, and what it has printed so far.
    pub(crate) running: Option<(String, Printed)>,
    /// How long a step may wait where the clock is the real one.
    pub(crate) max_wait: Option<Duration>,
}

impl Case<'_> {
    /// What the command had printed that was given up with the case.
    pub(crate) fn given_up(&mut self) -> Option<CommandReport> {
        let (line, printed) = self.running.take()?;
        let ended = printed.given_up();
        let report = command(&line, &ended);
        self.outputs = vec![("stdout", ended.stdout), ("stderr", ended.stderr)];
        Some(report)
    }
}

/// What a verb brought back.
#[derive(Default)]
pub(crate) struct Done {
    /// The names that expressions see, in the order of the reference.
    pub(crate) names: Vec<(&'static str, Value)>,
    /// The HTTP status of the answer, if there was one.
    pub(crate) status: Option<u16>,
    /// The answer as it came, for the comparison with a refusal.
    pub(crate) answer: Option<Seen>,
    /// What reached the service.
    pub(crate) requests: Option<Vec<Received>>,
    /// How the command ended.
    pub(crate) exit: Option<i64>,
    /// Whether the clock was moved: what fell due was decided by itself.
    pub(crate) advanced: bool,
    /// Decisions of received requests, where the world told them.
    pub(crate) decisions: Vec<Record>,
    /// What went wrong beyond what an expectation could say.
    pub(crate) failures: Vec<Failure>,
    /// Remarks for the report.
    pub(crate) notes: Vec<String>,
}

/// An answer as it is compared with a refusal.
pub(crate) struct Seen {
    pub(crate) status: u16,
    /// `None` for gRPC.
    pub(crate) headers: Option<Vec<(String, String)>>,
    pub(crate) body: Vec<u8>,
}

/// Why a verb was not done.
pub(crate) enum Stop {
    /// A value of the file cannot be had.
    Value(Fault),
    /// The site could not do it.
    Site(SiteFault),
    /// This world cannot do it: the case is skipped.
    Skip(Skip),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Value(fault)
    }
}

impl From<SiteFault> for Stop {
    fn from(fault: SiteFault) -> Self {
        match fault {
            SiteFault::Unsupported(why) => Self::Skip(Skip::Other(why)),
            fault => Self::Site(fault),
        }
    }
}

impl Case<'_> {
    /// Does what the step says. What it was is noted in `report` before it is tried.
    pub(crate) async fn act(&mut self, step: &Step, report: &mut StepReport) -> Result<Done, Stop> {
        let limit = self.deadline(step)?;
        report.what = described(step, self);
        match &step.verb {
            Verb::Advance { to } => self.advance(to, report).await,
            Verb::Run { words, env, dir, stdin } => {
                self.run(run::Parts { words, env, dir, stdin }, limit.unwrap_or(RUN_DEADLINE), report).await
            }
            Verb::Receive { service, within } => self.receive(service, within.as_ref(), step, report).await,
            verb => {
                let limit = limit.unwrap_or(DEADLINE);
                // The request has the deadline itself; the margin lets its own message come first.
                let work = self.plain(verb, step, limit, report);
                real::within(limit + Duration::from_secs(1), work)
                    .await
                    .unwrap_or(Err(Stop::Site(SiteFault::Deadline(limit))))
            }
        }
    }

    async fn plain(
        &mut self,
        verb: &Verb,
        step: &Step,
        limit: Duration,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        match verb {
            Verb::Mint(mint) => self.mint(mint, report).await,
            Verb::Exchange { token, at, with } => {
                self.exchange(token, at.as_ref(), with.as_ref(), step, limit, report).await
            }
            Verb::Call { method, with, over } => self.call(method, with.as_ref(), *over, step, limit, report).await,
            Verb::Http { method, target, headers, query, body } => {
                let parts = request::Parts { method, target, headers: headers.as_ref(), query: query.as_ref(), body };
                self.http(parts, step, limit, report).await
            }
            Verb::Rig { call, with } => self.rig(*call, with.as_ref(), step.verb_span).await,
            Verb::Advance { .. } | Verb::Run { .. } | Verb::Receive { .. } => Ok(Done::default()),
        }
    }

    fn deadline(&self, step: &Step) -> Result<Option<Duration>, Fault> {
        step.deadline.as_ref().map(|template| self.length(template)).transpose()
    }

    /// A duration of real time.
    fn length(&self, template: &Template) -> Result<Duration, Fault> {
        let text = self.env.text(template)?;
        let length = duration(&text).and_then(|length| Duration::try_from(length).ok());
        length.ok_or_else(|| Fault::new(template.span, format!("`{text}` is no duration; write `90s` or `9m59s`")))
    }

    async fn advance(&mut self, to: &Template, report: &mut StepReport) -> Result<Done, Stop> {
        let moment = match self.env.value(to)? {
            Value::Timestamp(at) => Moment::At(at),
            Value::Duration(length) => Moment::After(length),
            value => {
                let text = value.to_text().unwrap_or_default();
                Moment::parse(&text).map_err(|why| Fault::new(to.span, format!("`{text}`: {why}")))?
            }
        };
        let now = self.site.now();
        let at = match moment {
            Moment::At(at) => at,
            Moment::After(length) => {
                now.checked_add(length).map_err(|_| Fault::new(to.span, "this lies beyond the calendar"))?
            }
        };
        report.what = format!("advance to {at}");
        if at.duration_since(now) < SignedDuration::ZERO {
            return Err(Fault::new(to.span, format!("it is {now} already; the clock goes forward only")).into());
        }
        if let Some(skip) = self.max_wait.and_then(|most| waits(at.duration_since(now), most)) {
            return Err(Stop::Skip(skip));
        }
        let advanced = self.site.advance(at).await?;
        Ok(Done {
            advanced: true,
            notes: advanced.in_flight.iter().map(|what| format!("still in flight: {what}")).collect(),
            ..Done::default()
        })
    }

    /// The credential of whoever calls, as an authorization header's value; `None` for nobody.
    async fn credential(&mut self, who: Option<&StepWho>, default: Option<Who>) -> Result<Option<String>, Stop> {
        let who = match who {
            None => default,
            Some(StepWho::Nobody) => None,
            Some(StepWho::Owner) => Some(Who::Owner),
            Some(StepWho::Account(id)) => Some(Who::Account(self.account(&id.text, id.span)?)),
            Some(StepWho::Token(template)) => {
                let token = match self.env.value(template)? {
                    Value::Absent => return Ok(None),
                    value => {
                        value.to_text().ok_or_else(|| Fault::new(template.span, "`as` is a token here, a text"))?
                    }
                };
                return Ok(Some(format!("Bearer {token}")));
            }
        };
        match who {
            None => Ok(None),
            Some(who) => Ok(Some(format!("Bearer {}", self.site.credentials(who).await?))),
        }
    }

    /// The e-mail of a given account.
    fn account(&self, id: &str, span: Span) -> Result<String, Fault> {
        if id.contains('@') {
            return Ok(id.to_owned());
        }
        self.given("iam.serviceAccounts", id)
            .and_then(|account| named(&account, "email"))
            .ok_or_else(|| Fault::new(span, format!("`{id}` is no given service account")))
    }

    /// A given resource.
    fn given(&self, collection: &str, id: &str) -> Option<Value> {
        self.env.scope.get("given")?.get(collection)?.get(id).cloned()
    }

    /// The decisions since the last step, which they are from now on counted as seen by.
    pub(crate) async fn decisions(&mut self) -> Option<Vec<Record>> {
        let records = self.site.decisions(self.decided).await?;
        self.decided = records.iter().map(|record| record.seq).max().unwrap_or(self.decided).max(self.decided);
        Some(records)
    }
}

/// A step in one line, before its holes are filled.
fn described(step: &Step, case: &Case<'_>) -> String {
    match &step.verb {
        Verb::Mint(mint) => format!("mint {}", mint.issuer.text),
        Verb::Exchange { .. } => "exchange a token".to_owned(),
        Verb::Call { method, .. } => method.short.to_owned(),
        Verb::Rig { call, .. } => call.word().to_owned(),
        Verb::Http { method, target, .. } => {
            let text = |template| case.env.text(template).unwrap_or_default();
            format!("{} {}", text(method), crate::redact::text(&text(target)))
        }
        Verb::Run { .. } => "run".to_owned(),
        Verb::Advance { .. } => "advance".to_owned(),
        Verb::Receive { service, .. } => format!("receive {}", service.text),
    }
}

/// A received request as expressions see it.
pub(crate) use receive::value as received;

/// Why a case is skipped that would have to wait for `length`, if that is too long.
pub(crate) fn waits(length: SignedDuration, most: Duration) -> Option<Skip> {
    let needed = Duration::try_from(length).ok()?;
    (needed > most).then_some(Skip::Wait { needed, most })
}

/// Whether a step of this verb fails by itself on an answer of 400 or more.
pub(crate) fn fails_on_error(verb: &Verb) -> bool {
    matches!(verb, Verb::Exchange { .. } | Verb::Call { .. } | Verb::Rig { .. })
}

/// A method's id and the request it became.
fn request_line(method: Option<&Method>, exchange: &Exchange) -> String {
    match method {
        Some(method) => format!("{}: {} {}", method.short, exchange.method, exchange.url),
        None => format!("{} {}", exchange.method, exchange.url),
    }
}

/// The command that a step ran, as it may be shown.
fn command(line: &str, ended: &crate::process::Ended) -> CommandReport {
    let shown = |captured: &Captured| {
        let text = crate::redact::text(&captured.text);
        let end = crate::redact::text(&captured.end);
        crate::evaluate::both_ends(&text, &end, captured.dropped)
    };
    CommandReport {
        line: crate::redact::text(line).into_owned(),
        exit: ended.exit,
        stdout: shown(&ended.stdout),
        stderr: shown(&ended.stderr),
    }
}
