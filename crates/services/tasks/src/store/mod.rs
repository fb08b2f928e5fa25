//! What is kept of all queues, and what falls due first.
//!
//! Each queue knows its own next step; one ordered set over all queues holds those, so that asking for the next costs the same
//! however many queues and tasks there are.

mod queue;
mod task;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use tokenrig_clock::Timestamp;
use tokenrig_delivery::Due;

pub(crate) use self::{
    queue::{Queue, Step},
    task::{AppEngine, Attempted, Auth, Http, Payload, Task},
};

/// Everything that one rig's Cloud Tasks keeps.
#[derive(Debug, Default)]
pub(crate) struct Store {
    queues: BTreeMap<Arc<str>, Queue>,
    /// Queues that are gone, and when they went.
    gone: BTreeMap<Arc<str>, Timestamp>,
    /// The next step of each queue that has one.
    ready: BTreeSet<(Timestamp, Arc<str>, u64)>,
    /// Attempts in flight, by ticket.
    flights: HashMap<u64, Flight>,
    /// The last number given to a queue, a task or an attempt.
    last: u64,
}

/// An attempt in flight.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    /// The queue's name and its number: another one of the same name is another queue.
    pub(crate) queue: (Arc<str>, u64),
    /// The task's number.
    pub(crate) task: u64,
    pub(crate) scheduled: Timestamp,
    pub(crate) dispatched: Timestamp,
    /// Whether somebody asked for it, whatever the queue's limits.
    pub(crate) forced: bool,
}

impl Store {
    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    pub(crate) fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values()
    }

    /// When a queue of this name went, if that is known.
    pub(crate) fn went(&self, name: &str) -> Option<Timestamp> {
        self.gone.get(name).copied()
    }

    pub(crate) fn insert(&mut self, queue: Queue) {
        let name = Arc::clone(&queue.name);
        self.gone.remove(&name);
        self.queues.insert(Arc::clone(&name), queue);
        self.arrange(&name);
    }

    /// Deletes a queue with all that is in it.
    pub(crate) fn remove(&mut self, name: &str, now: Timestamp) -> bool {
        let Some((name, queue)) = self.queues.remove_entry(name) else { return false };
        if let Some((at, number)) = queue.placed {
            self.ready.remove(&(at, Arc::clone(&name), number));
        }
        self.gone.insert(name, now);
        true
    }

    /// Changes a queue, and puts its next step where it belongs then.
    pub(crate) fn change<T>(&mut self, name: &str, act: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        let queue = self.queues.get_mut(name)?;
        let done = act(queue);
        let name = Arc::clone(&queue.name);
        self.arrange(&name);
        Some(done)
    }

    /// What falls due first.
    pub(crate) fn first(&self) -> Option<Due> {
        self.ready.first().map(|(at, name, number)| Due { at: *at, name: Arc::clone(name), sequence: *number })
    }

    /// The queue whose step is due at `now`.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Arc<str>> {
        self.ready.first().filter(|(at, ..)| *at <= now).map(|(_, name, _)| Arc::clone(name))
    }

    pub(crate) fn take_off(&mut self, ticket: u64, flight: Flight) {
        self.flights.insert(ticket, flight);
    }

    pub(crate) fn land(&mut self, ticket: u64) -> Option<Flight> {
        self.flights.remove(&ticket)
    }

    fn arrange(&mut self, name: &Arc<str>) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let next = queue.next().map(|(at, number, _)| (at, number));
        if next == queue.placed {
            return;
        }
        if let Some((at, number)) = queue.placed {
            self.ready.remove(&(at, Arc::clone(name), number));
        }
        if let Some((at, number)) = next {
            self.ready.insert((at, Arc::clone(name), number));
        }
        queue.placed = next;
    }
}
