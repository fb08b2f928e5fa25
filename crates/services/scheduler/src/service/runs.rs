//! Jobs as they run: starts of the schedule, forced runs, retries.

use std::{borrow::Cow, sync::Arc};

use tokenrig_clock::Timestamp;
use tokenrig_decision::Code;
use tokenrig_delivery::{Due, Follows, Order, Outcome, Source, Target};
use tokenrig_protos::google::rpc::Status;

use super::{HOST, Kept, Scheduler, State, log::Entry};
use crate::model::Aim;

/// The sequence of a start of the schedule: it comes before executions of the same instant.
const START: u64 = 0;

/// One execution of a job: an attempt, and its retries.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    ticket: u64,
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

impl State {
    /// The next start of a job's schedule, strictly after an instant.
    pub(super) fn schedule(&mut self, name: &Arc<str>, after: Timestamp) {
        let Some(kept) = self.jobs.get_mut(name) else { return };
        if let Some(next) = kept.next.take() {
            self.due.remove(&Due { at: next, name: Arc::clone(name), sequence: START });
        }
        if kept.paused {
            return;
        }
        kept.next = kept.plan.schedule.next(&mut kept.plan.zone, after);
        if let Some(at) = kept.next {
            self.due.insert(Due { at, name: Arc::clone(name), sequence: START });
        }
    }

    /// Begins an execution at an instant.
    pub(super) fn execute(&mut self, name: &Arc<str>, scheduled: Timestamp, at: Timestamp, forced: bool) {
        self.tickets += 1;
        let ticket = self.tickets;
        let Some(kept) = self.jobs.get_mut(name) else { return };
        kept.executions.push(Execution { ticket, scheduled, first: at, made: 0, due: Some(at), forced });
        self.due.insert(Due { at, name: Arc::clone(name), sequence: ticket });
    }

    /// Gives up what waits: retries, and what fell due meanwhile.
    pub(super) fn give_up(&mut self, name: &Arc<str>) {
        let Some(kept) = self.jobs.get_mut(name) else { return };
        kept.delayed = None;
        let due = &mut self.due;
        kept.executions.retain(|execution| match execution.due {
            None => true,
            Some(at) => {
                due.remove(&Due { at, name: Arc::clone(name), sequence: execution.ticket });
                false
            }
        });
    }

    /// A start of the schedule has fallen due. The execution that is to be made at once, if one is.
    fn start(&mut self, name: &Arc<str>, at: Timestamp, enabled: bool, overtakes: bool) -> Option<u64> {
        self.schedule(name, at);
        if !enabled {
            return None;
        }
        let kept = self.jobs.get_mut(name)?;
        if let Some(running) = kept.executions.iter().find(|execution| !execution.forced) {
            match running.due {
                // One attempt at a time: this start waits for the end of the one in flight.
                None => {
                    kept.delayed = Some(at);
                    return None;
                }
                Some(_) if overtakes => return None,
                Some(due) => {
                    let sequence = running.ticket;
                    kept.executions.retain(|execution| execution.ticket != sequence);
                    self.due.remove(&Due { at: due, name: Arc::clone(name), sequence });
                }
            }
        }
        self.tickets += 1;
        let ticket = self.tickets;
        let kept = self.jobs.get_mut(name)?;
        kept.executions.push(Execution { ticket, scheduled: at, first: at, made: 0, due: Some(at), forced: false });
        Some(ticket)
    }
}

impl Scheduler {
    /// The attempt of an execution that is due.
    fn attempt(&self, state: &mut State, name: &Arc<str>, ticket: u64, now: Timestamp) -> Option<Order> {
        let kept = state.jobs.get_mut(name)?;
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
            Aim::Http { request, .. } => {
                let mut request = request.clone();
                if kept.plan.schedule.is_cron() {
                    let told = state.header_zone.rfc3339(scheduled);
                    request.headers.push((Cow::Borrowed("X-CloudScheduler-ScheduleTime"), told.into()));
                }
                Target::Http(request)
            }
        };
        Some(Order {
            resource: Arc::clone(name),
            ticket,
            target,
            token: kept.plan.token.clone(),
            deadline: kept.plan.deadline,
            redirects: u8::try_from(self.settings().redirects).unwrap_or(u8::MAX),
        })
    }
}

impl Kept {
    /// What follows beyond an execution that is over.
    fn follows(&self, given_up: bool) -> Follows {
        match self.next {
            Some(next) => Follows::Schedule(next),
            None if given_up => Follows::GivenUp,
            None => Follows::Done,
        }
    }
}

impl Source for Scheduler {
    fn service(&self) -> &'static str {
        "cloudscheduler"
    }

    fn next(&self) -> Option<Due> {
        self.state().due.first().cloned()
    }

    fn take(&self, now: Timestamp) -> Option<Order> {
        let mut guard = self.state();
        let state = &mut *guard;
        let due = state.due.first().filter(|due| due.at <= now)?.clone();
        state.due.remove(&due);
        let ticket = if due.sequence == START {
            let enabled = self.cloud().service_enabled(HOST);
            state.start(&due.name, due.at, enabled, self.settings().retries_overtake)?
        } else {
            due.sequence
        };
        self.attempt(state, &due.name, ticket, now)
    }

    fn ended(&self, order: &Order, outcome: &Outcome, now: Timestamp) -> Follows {
        let mut guard = self.state();
        let state = &mut *guard;
        let name = &order.resource;
        // The job may be gone, or another one of its name be there.
        let Some(kept) = state.jobs.get_mut(name) else { return Follows::Done };
        let Some(at) = kept.executions.iter().position(|execution| execution.ticket == order.ticket) else {
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
                let sequence = execution.ticket;
                kept.executions.push(execution);
                state.due.insert(Due { at: next, name: Arc::clone(name), sequence });
                return Follows::Retry(next);
            }
        }
        let delayed = if execution.forced { None } else { kept.delayed.take() };
        let follows = kept.follows(code.is_some());
        match delayed {
            Some(scheduled) => {
                state.execute(name, scheduled, now, false);
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
