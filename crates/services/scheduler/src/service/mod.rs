//! Jobs as clients see them, and as they run.

mod jobs;
mod locations;
mod log;
mod runs;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refused};
use tokenrig_delivery::{Bell, Deliveries, Due};
use tokenrig_protos::google::{
    cloud::scheduler::v1::{Job, job::State as JobState},
    rpc::Status,
};
use tokenrig_wire::{Api, Call, refusals as common, to_json};

use self::{log::Named, runs::Execution};
use crate::{
    assumptions::Settings,
    model::{Plan, user_part},
    schedule::Zone,
};

/// The host, and the name under which it is enabled in a project.
const HOST: &str = "cloudscheduler.googleapis.com";

/// The Cloud Scheduler of one rig. A clone is the same one.
#[derive(Clone)]
pub struct Scheduler(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    settings: Settings,
    bell: Bell,
    state: Mutex<State>,
}

struct State {
    /// By name, with the project's id.
    jobs: BTreeMap<Arc<str>, Kept>,
    /// What falls due: a start of the schedule has sequence 0, an execution the number of its ticket.
    due: BTreeSet<Due>,
    tickets: u64,
    /// Jobs that got a name of the service's.
    named: u64,
    /// Of the header that tells the time of the schedule.
    header_zone: Zone,
}

/// A job as it is kept.
struct Kept {
    /// What the user says, completed; nothing that only the service says.
    job: Job,
    plan: Plan,
    paused: bool,
    updated: Timestamp,
    /// The next start of the schedule; `None` while it is paused, or if there is none any more.
    next: Option<Timestamp>,
    last_attempt: Option<Timestamp>,
    /// How the last attempt ended; `None` before the first one.
    status: Option<Status>,
    executions: Vec<Execution>,
    /// A start that fell due while an attempt was in flight.
    delayed: Option<Timestamp>,
    /// What the log says of it.
    told: Arc<Named>,
}

/// A job in short, to be made again.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldJob {
    /// Its id.
    pub id: String,
    /// Its location.
    pub location: String,
    /// Its fields as a client would send them; `state` if it is paused.
    pub fields: Map<String, Value>,
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").field("jobs", &self.state().jobs.keys()).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A Cloud Scheduler without jobs, which delivers by `deliveries`.
    #[must_use]
    pub fn new(cloud: &Cloud, deliveries: &Deliveries, settings: Settings) -> Self {
        let header_zone = Zone::named(&settings.header_zone).unwrap_or_default();
        let state = State { jobs: BTreeMap::new(), due: BTreeSet::new(), tickets: 0, named: 0, header_zone };
        let inner = Inner { cloud: cloud.clone(), settings, bell: deliveries.bell(), state: Mutex::new(state) };
        let scheduler = Self(Arc::new(inner));
        deliveries.add(Arc::new(scheduler.clone()));
        scheduler
    }

    /// Every job, by name.
    #[must_use]
    pub fn jobs(&self) -> Vec<ToldJob> {
        let state = self.state();
        let told = state.jobs.values().map(|kept| {
            let Value::Object(mut fields) = to_json(&kept.job) else { return None };
            fields.shift_remove("name");
            if kept.paused {
                fields.insert("state".to_owned(), json!("PAUSED"));
            }
            let (id, location) = (kept.told.id.clone(), kept.told.location.clone());
            Some(ToldJob { id, location, fields })
        });
        told.flatten().collect()
    }

    fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The job as a client is told of it.
    fn told(&self) -> Job {
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
}

/// The methods that are played.
pub(crate) fn api(scheduler: &Scheduler) -> Api {
    locations::methods(jobs::methods(Api::new(), scheduler), scheduler)
}

fn timestamp(time: Timestamp) -> tokenrig_protos::prost_types::Timestamp {
    tokenrig_protos::prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// Adds a check that failed and gives its answer.
fn refuse(call: &Call, check: Check) -> Refused {
    let answer = check.refused().cloned();
    let given = call.check(check.holds(false)).err();
    given.or(answer).unwrap_or_else(|| common::INTERNAL.refuse("api-internal"))
}
