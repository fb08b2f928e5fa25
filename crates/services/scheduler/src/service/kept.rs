//! Jobs as they are kept: by name for clients, by number for what falls due.

use std::{collections::BTreeMap, sync::Arc};

use tokenrig_clock::Timestamp;
use tokenrig_protos::google::{
    cloud::scheduler::v1::{Job, job::State as JobState},
    rpc::Status,
};

use super::{log::Named, runs::Execution, timestamp};
use crate::model::{Plan, user_part};

/// A job as it is kept.
pub(super) struct Kept {
    /// What the user says, completed; nothing that only the service says.
    pub(super) job: Job,
    pub(super) plan: Plan,
    pub(super) paused: bool,
    pub(super) updated: Timestamp,
    /// The next start of the schedule; `None` while it is paused, or if there is none any more.
    pub(super) next: Option<Timestamp>,
    pub(super) last_attempt: Option<Timestamp>,
    /// How the last attempt ended; `None` before the first one.
    pub(super) status: Option<Status>,
    pub(super) executions: Vec<Execution>,
    /// The number of the last execution.
    pub(super) tickets: u32,
    /// A start that fell due while an attempt was in flight.
    pub(super) delayed: Option<Timestamp>,
    /// What the log says of it.
    pub(super) told: Arc<Named>,
}

impl Kept {
    /// The job as a client is told of it.
    pub(super) fn told(&self) -> Job {
        let mut job = user_part(self.job.clone());
        job.set_state(if self.paused { JobState::Paused } else { JobState::Enabled });
        let retry = self.executions.iter().filter_map(|execution| execution.due).min();
        let next = [self.next, retry].into_iter().flatten().min();
        job.user_update_time = Some(timestamp(self.updated));
        job.schedule_time = next.map(timestamp);
        job.last_attempt_time = self.last_attempt.map(timestamp);
        job.status = Some(self.status.clone().unwrap_or_else(|| Status { code: -1, ..Status::default() }));
        job
    }

    /// With the project's id.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.told.name
    }
}

/// All jobs of a rig.
#[derive(Default)]
pub(super) struct Jobs {
    numbers: BTreeMap<Arc<str>, u32>,
    /// By number. One is given once: what is left of a job that is gone cannot be taken for another's.
    kept: Vec<Option<Box<Kept>>>,
}

impl Jobs {
    /// The number of a job.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Kept> {
        self.at(self.number(name)?)
    }

    pub(super) fn at(&self, number: u32) -> Option<&Kept> {
        self.kept.get(usize::try_from(number).ok()?)?.as_deref()
    }

    pub(super) fn at_mut(&mut self, number: u32) -> Option<&mut Kept> {
        self.kept.get_mut(usize::try_from(number).ok()?)?.as_deref_mut()
    }

    /// Keeps a job under its name, and gives its number.
    pub(super) fn insert(&mut self, kept: Kept) -> u32 {
        let number = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        self.numbers.insert(Arc::clone(kept.name()), number);
        self.kept.push(Some(Box::new(kept)));
        number
    }

    pub(super) fn remove(&mut self, name: &str) {
        let number = self.numbers.remove(name).and_then(|number| usize::try_from(number).ok());
        if let Some(place) = number.and_then(|number| self.kept.get_mut(number)) {
            *place = None;
        }
    }

    /// All jobs, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Kept)> {
        self.numbers.iter().filter_map(|(name, number)| Some((name, self.at(*number)?)))
    }

    /// The jobs whose names begin with `prefix`, by name.
    pub(super) fn within(&self, prefix: &str) -> impl Iterator<Item = &Kept> {
        let first: Arc<str> = prefix.into();
        let of = self.numbers.range(first..).take_while(move |(name, _)| name.starts_with(prefix));
        of.filter_map(|(_, number)| self.at(*number))
    }
}
