//! Jobs as they run: starts of the schedule, forced runs, retries.

use std::{borrow::Cow, sync::Arc};

use tokenrig_clock::Timestamp;
use tokenrig_decision::Code;
use tokenrig_delivery::{Due, Follows, Header, Order, Outcome, Source, Target};
use tokenrig_protos::google::rpc::Status;

use super::{HOST, Scheduler, State, agenda::Item, kept::Kept, log::Entry};
use crate::model::Aim;

/// The sequence of a start of the schedule.
const START: u32 = 0;

/// One execution of a job: an attempt, and its retries.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    /// Its number among those of its job.
    ticket: u32,
    /// The time of the schedule that it stands for.
    scheduled: Timestamp,
    /// When its first attempt began.
    first: Timestamp,
    /// Attempts that count.
    made: u32,
    /// When its next attempt is due; `None` while one is in flight.
    pub(super) due: Option<Timestamp>,
    /// Whether somebody asked for it.
    forced: bool,
}

/// What an attempt is known by: its job's number, and that of its execution.
fn ticket_of(job: u32, execution: u32) -> u64 {
    u64::from(job) << 32 | u64::from(execution)
}

/// The same in two.
fn parts_of(ticket: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the execution")]
    ((ticket >> 32) as u32, ticket as u32)
}

impl Kept {
    fn item(&self, job: u32, sequence: u32) -> Item {
        Item { name: Arc::clone(self.name()), sequence, job }
    }

    /// An execution that begins at an instant; its number.
    fn begin(&mut self, scheduled: Timestamp, at: Timestamp, forced: bool) -> u32 {
        self.tickets += 1;
        let ticket = self.tickets;
        self.executions.push(Execution { ticket, scheduled, first: at, made: 0, due: Some(at), forced });
        ticket
    }

    /// What follows beyond an execution that is over.
    fn follows(&self, given_up: bool) -> Follows {
        match self.next {
            Some(next) => Follows::Schedule(next),
            None if given_up => Follows::GivenUp,
            None => Follows::Done,
        }
    }
}

impl State {
    /// The next start of a job's schedule, strictly after an instant.
    pub(super) fn schedule(&mut self, job: u32, after: Timestamp) {
        let Some(kept) = self.jobs.at_mut(job) else { return };
        if let Some(next) = kept.next.take() {
            self.due.remove(next, &kept.item(job, START));
        }
        if kept.paused {
            return;
        }
        kept.next = kept.plan.schedule.next(&mut kept.plan.zone, after);
        if let Some(at) = kept.next {
            self.due.insert(at, kept.item(job, START));
        }
    }

    /// Begins an execution at an instant.
    pub(super) fn execute(&mut self, job: u32, scheduled: Timestamp, at: Timestamp, forced: bool) {
        let Some(kept) = self.jobs.at_mut(job) else { return };
        let ticket = kept.begin(scheduled, at, forced);
        self.due.insert(at, kept.item(job, ticket));
    }

    /// Gives up what waits: retries, and what fell due meanwhile.
    pub(super) fn give_up(&mut self, job: u32) {
        let Some(kept) = self.jobs.at_mut(job) else { return };
        kept.delayed = None;
        for execution in std::mem::take(&mut kept.executions) {
            match execution.due {
                None => kept.executions.push(execution),
                Some(at) => self.due.remove(at, &kept.item(job, execution.ticket)),
            }
        }
    }

    /// A start of the schedule has fallen due. The execution that is to be made at once, if one is.
    fn start(&mut self, job: u32, at: Timestamp, enabled: bool, overtakes: bool) -> Option<u32> {
        // It is taken off the agenda already.
        self.jobs.at_mut(job)?.next = None;
        self.schedule(job, at);
        if !enabled {
            return None;
        }
        let kept = self.jobs.at_mut(job)?;
        if let Some(place) = kept.executions.iter().position(|execution| !execution.forced) {
            let running = kept.executions.get(place)?;
            match running.due {
                // One attempt at a time: this start waits for the end of the one in flight.
                None => {
                    kept.delayed = Some(at);
                    return None;
                }
                Some(_) if overtakes => return None,
                Some(due) => {
                    let retry = kept.item(job, running.ticket);
                    kept.executions.remove(place);
                    self.due.remove(due, &retry);
                }
            }
        }
        Some(kept.begin(at, at, false))
    }

    /// The header that tells the time of the schedule.
    fn header(&mut self, scheduled: Timestamp) -> Arc<[Header]> {
        if let Some((_, header)) = self.header.as_ref().filter(|(at, _)| *at == scheduled) {
            return Arc::clone(header);
        }
        let told = self.header_zone.rfc3339(scheduled);
        let header: Arc<[Header]> = Arc::new([(Cow::Borrowed("X-CloudScheduler-ScheduleTime"), told.into())]);
        self.header = Some((scheduled, Arc::clone(&header)));
        header
    }
}

impl Scheduler {
    /// The attempt of an execution that is due.
    fn attempt(&self, state: &mut State, job: u32, ticket: u32, now: Timestamp) -> Option<Order> {
        let kept = state.jobs.at_mut(job)?;
        let execution = kept.executions.iter_mut().find(|execution| execution.ticket == ticket)?;
        execution.due = None;
        execution.made += 1;
        if execution.made == 1 {
            execution.first = now;
        }
        let scheduled = execution.scheduled;
        kept.last_attempt = Some(now);
        let entry = Entry { job: Arc::clone(&kept.told), scheduled, ended: None };
        self.cloud().audit().record_task(move || entry.told());
        let target = match &kept.plan.aim {
            Aim::Topic(message) => Target::Topic(message.clone()),
            Aim::Http { request, .. } => Target::Http(request.clone()),
        };
        let mut order = Order {
            resource: Arc::clone(kept.name()),
            ticket: ticket_of(job, ticket),
            target,
            token: kept.plan.token.clone(),
            deadline: kept.plan.deadline,
            redirects: u8::try_from(self.settings().redirects).unwrap_or(u8::MAX),
        };
        if let Target::Http(request) = &mut order.target
            && kept.plan.schedule.is_cron()
        {
            request.headers = request.headers.and(state.header(scheduled));
        }
        Some(order)
    }
}

impl Source for Scheduler {
    fn service(&self) -> &'static str {
        "cloudscheduler"
    }

    fn next(&self) -> Option<Due> {
        let state = self.state();
        let (at, item) = state.due.first()?;
        Some(Due { at, name: Arc::clone(&item.name), sequence: item.sequence.into() })
    }

    fn take(&self, now: Timestamp) -> Option<Order> {
        let mut guard = self.state();
        let state = &mut *guard;
        let (at, Item { job, sequence, .. }) = state.due.pop(now)?;
        let ticket = if sequence == START {
            let enabled = self.cloud().service_enabled(HOST);
            state.start(job, at, enabled, self.settings().retries_overtake)?
        } else {
            sequence
        };
        self.attempt(state, job, ticket, now)
    }

    fn ended(&self, order: &Order, outcome: &Outcome, now: Timestamp) -> Follows {
        let mut guard = self.state();
        let state = &mut *guard;
        let (job, ticket) = parts_of(order.ticket);
        // The job may be gone.
        let Some(kept) = state.jobs.at_mut(job) else { return Follows::Done };
        let Some(at) = kept.executions.iter().position(|execution| execution.ticket == ticket) else {
            return Follows::Done;
        };
        let code = outcome.code();
        kept.status = Some(status(outcome, code));
        let mut execution = kept.executions.swap_remove(at);
        let entry = Entry {
            job: Arc::clone(&kept.told),
            scheduled: execution.scheduled,
            ended: Some((outcome.status(), code)),
        };
        self.cloud().audit().record_task(move || entry.told());
        if code.is_some() && !kept.paused {
            // Documented of App Engine: 503 is a fault of the system, tried again whatever is configured and not counted.
            let uncounted =
                matches!(kept.plan.aim, Aim::Http { app_engine: true, .. }) && outcome.status() == Some(503);
            let next = if uncounted {
                let wait = kept.plan.retry.backoff.interval(execution.made);
                execution.made -= 1;
                now.checked_add(wait).ok()
            } else {
                kept.plan.retry.after(execution.made, execution.first, now)
            };
            if let Some(next) = next {
                // A start that fell due meanwhile was overtaken.
                kept.delayed = None;
                execution.due = Some(next);
                kept.executions.push(execution);
                state.due.insert(next, kept.item(job, ticket));
                return Follows::Retry(next);
            }
        }
        let delayed = if execution.forced { None } else { kept.delayed.take() };
        let follows = kept.follows(code.is_some());
        match delayed {
            Some(scheduled) => {
                state.execute(job, scheduled, now, false);
                Follows::Schedule(now)
            }
            None => follows,
        }
    }
}

/// The job's status: nothing in it after success, else a code, and words where no answer came.
fn status(outcome: &Outcome, code: Option<Code>) -> Status {
    match code {
        None => Status::default(),
        Some(code) => Status { code: code.grpc(), message: outcome.why().unwrap_or_default(), details: Vec::new() },
    }
}
