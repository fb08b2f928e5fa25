//! One queue: its tasks, their names, and its pace.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_delivery::Bucket;
use tokenrig_protos::google::cloud::tasks::v2::{self, queue::State};

use super::task::{Auth, Task};
use crate::{
    assumptions::{RECOVERY, SLOWED_ONCE_IN, SLOWEST, Settings},
    model,
};

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The full name.
    pub(crate) name: Arc<str>,
    /// The last part of the name.
    pub(crate) id: Arc<str>,
    /// No other queue has it.
    pub(crate) number: u64,
    /// The resource, in whole.
    told: v2::Queue,
    tasks: BTreeMap<u64, Box<Task>>,
    ids: BTreeMap<Arc<str>, u64>,
    /// When each task is attempted that is not in flight.
    due: BTreeSet<(Timestamp, u64)>,
    /// What somebody wants attempted, whatever the limits.
    forced: BTreeSet<(Timestamp, u64)>,
    in_flight: i32,
    bucket: Bucket,
    slow: Slow,
    names: Gone,
    life: SignedDuration,
    /// Where the store has put its next step.
    pub(super) placed: Option<(Timestamp, u64)>,
    /// The token that the last task with one ordered: most of a queue order the same.
    last_auth: Option<Arc<Auth>>,
}

/// What a queue does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Attempts a task because somebody asked for it.
    Forced,
    /// Attempts a task.
    Attempt,
    /// Deletes a task that is too old.
    Expire,
}

/// Names that are not free yet, and until when.
#[derive(Debug, Default)]
struct Gone {
    until: HashMap<Arc<str>, Timestamp>,
    order: VecDeque<(Timestamp, Arc<str>)>,
}

/// What is left of the rate after targets asked for less.
#[derive(Debug, Clone, Copy)]
struct Slow {
    share: f64,
    changed: Timestamp,
}

impl Gone {
    fn put(&mut self, id: Arc<str>, now: Timestamp, window: SignedDuration) {
        self.forget(now);
        let until = now.checked_add(window).unwrap_or(Timestamp::MAX);
        if until > now {
            self.order.push_back((until, Arc::clone(&id)));
            self.until.insert(id, until);
        }
    }

    fn has(&self, id: &str, now: Timestamp) -> bool {
        self.until.get(id).is_some_and(|until| *until > now)
    }

    /// Names come in the order in which they are free again.
    fn forget(&mut self, now: Timestamp) {
        while let Some((until, _)) = self.order.front()
            && *until <= now
        {
            if let Some((until, id)) = self.order.pop_front()
                && self.until.get(&id) == Some(&until)
            {
                self.until.remove(&id);
            }
        }
    }
}

impl Queue {
    pub(crate) fn new(told: v2::Queue, number: u64, settings: &Settings, now: Timestamp) -> Self {
        let limits = told.rate_limits.unwrap_or_default();
        let name: Arc<str> = told.name.as_str().into();
        Self {
            id: name.rsplit('/').next().unwrap_or_default().into(),
            name,
            number,
            bucket: Bucket::full(limits.max_burst_size.unsigned_abs(), limits.max_dispatches_per_second),
            told,
            tasks: BTreeMap::new(),
            ids: BTreeMap::new(),
            due: BTreeSet::new(),
            forced: BTreeSet::new(),
            in_flight: 0,
            slow: Slow { share: 1.0, changed: now },
            names: Gone::default(),
            life: settings.task_life,
            placed: None,
            last_auth: None,
        }
    }

    /// The resource.
    pub(crate) fn told(&self) -> &v2::Queue {
        &self.told
    }

    /// Replaces the resource; the bucket keeps its level.
    pub(crate) fn set(&mut self, told: v2::Queue, now: Timestamp) {
        self.told = told;
        self.pace(now);
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.told.state = state.into();
    }

    pub(crate) fn runs(&self) -> bool {
        self.told.state == i32::from(State::Running)
    }

    fn pace(&mut self, now: Timestamp) {
        let limits = self.told.rate_limits.unwrap_or_default();
        let rate = limits.max_dispatches_per_second * self.slow.share;
        self.bucket.change(now, limits.max_burst_size.unsigned_abs(), rate);
    }

    pub(crate) fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.get(self.ids.get(id)?).map(|task| &**task)
    }

    pub(crate) fn task_mut(&mut self, number: u64) -> Option<&mut Task> {
        self.tasks.get_mut(&number).map(|task| &mut **task)
    }

    /// All tasks, in the order of their ids.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.ids.values().filter_map(|number| self.tasks.get(number)).map(|task| &**task)
    }

    /// Whether a task of this id was here lately.
    pub(crate) fn was_here(&self, id: &str, now: Timestamp) -> bool {
        self.names.has(id, now)
    }

    /// The token order of a task, shared with the last one of the queue if that is the same.
    pub(crate) fn share(&mut self, auth: Auth) -> Arc<Auth> {
        match &self.last_auth {
            Some(last) if **last == auth => Arc::clone(last),
            _ => Arc::clone(self.last_auth.insert(Arc::new(auth))),
        }
    }

    pub(crate) fn put(&mut self, number: u64, task: Task) {
        self.due.insert((task.at, number));
        self.ids.insert(Arc::clone(&task.id), number);
        self.tasks.insert(number, Box::new(task));
    }

    /// Takes a task away; its name is not free for `window`.
    pub(crate) fn remove(&mut self, id: &str, now: Timestamp, window: SignedDuration) -> Option<Box<Task>> {
        let number = *self.ids.get(id)?;
        self.remove_number(number, now, window)
    }

    pub(crate) fn remove_number(&mut self, number: u64, now: Timestamp, window: SignedDuration) -> Option<Box<Task>> {
        let task = self.tasks.remove(&number)?;
        self.ids.remove(&task.id);
        self.due.remove(&(task.at, number));
        self.forced.retain(|(_, other)| *other != number);
        self.names.put(Arc::clone(&task.id), now, window);
        Some(task)
    }

    /// Deletes all tasks.
    pub(crate) fn purge(&mut self, now: Timestamp, window: SignedDuration) {
        for (id, _) in std::mem::take(&mut self.ids) {
            self.names.put(id, now, window);
        }
        self.tasks.clear();
        self.due.clear();
        self.forced.clear();
        self.told.purge_time = Some(model::told_instant(now));
    }

    /// Wants a task attempted now, whatever the limits.
    pub(crate) fn force(&mut self, id: &str, now: Timestamp) -> Option<&Task> {
        let number = *self.ids.get(id)?;
        let task = self.tasks.get(&number)?;
        self.due.remove(&(task.at, number));
        self.forced.insert((now, number));
        Some(task)
    }

    /// The task's next attempt is at `at`.
    pub(crate) fn schedule(&mut self, number: u64, at: Timestamp) {
        let Some(task) = self.tasks.get_mut(&number) else { return };
        self.due.remove(&(task.at, number));
        task.at = at;
        self.due.insert((at, number));
    }

    /// What it does next, and when. Within a queue it is first come, first served by the time for which a task is scheduled.
    pub(super) fn next(&self) -> Option<(Timestamp, u64, Step)> {
        let forced = self.forced.first().map(|(at, number)| (*at, *number, Step::Forced));
        let most = self.told.rate_limits.map_or(0, |limits| limits.max_concurrent_dispatches);
        let due = self.due.first().filter(|_| self.runs() && self.in_flight < most);
        let due = due.and_then(|(at, number)| Some((self.bucket.ready_at(*at)?, *number, Step::Attempt)));
        let oldest = self.tasks.first_key_value().map(|(number, task)| {
            (task.created.checked_add(self.life).unwrap_or(Timestamp::MAX), *number, Step::Expire)
        });
        [forced, due, oldest].into_iter().flatten().min_by_key(|(at, ..)| *at)
    }

    /// Does the bookkeeping of its next step, if that is due: the task's number and what is to be done with it.
    pub(crate) fn step(&mut self, now: Timestamp) -> Option<(u64, Step)> {
        let (_, number, step) = self.next().filter(|(at, ..)| *at <= now)?;
        match step {
            Step::Forced => {
                self.forced.pop_first();
            }
            Step::Attempt => {
                if !self.bucket.take(now) {
                    return None;
                }
                self.due.pop_first();
                self.in_flight += 1;
            }
            Step::Expire => {}
        }
        Some((number, step))
    }

    /// An attempt that counted against its limits has ended.
    pub(crate) fn landed(&mut self) {
        self.in_flight -= 1;
    }

    /// A target asked for less, or answered well: the pace follows.
    pub(crate) fn felt(&mut self, overloaded: bool, now: Timestamp) {
        let since = now.duration_since(self.slow.changed);
        let share = if overloaded {
            if self.slow.share < 1.0 && since < SLOWED_ONCE_IN {
                return;
            }
            (self.slow.share / 2.0).max(SLOWEST)
        } else {
            if self.slow.share >= 1.0 || since < SLOWED_ONCE_IN {
                return;
            }
            (self.slow.share + RECOVERY * since.as_secs_f64()).min(1.0)
        };
        self.slow = Slow { share, changed: now };
        self.pace(now);
    }
}
