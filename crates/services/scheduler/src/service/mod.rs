//! Jobs as clients see them, and as they run.

mod agenda;
mod jobs;
mod kept;
mod locations;
mod log;
mod runs;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refused};
use tokenrig_delivery::{Bell, Deliveries, Header};
use tokenrig_wire::{Api, Call, refusals as common, to_json};

use self::{agenda::Agenda, kept::Jobs};
use crate::{assumptions::Settings, schedule::Zone};

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
    jobs: Jobs,
    due: Agenda,
    /// Jobs that got a name of the service's.
    named: u64,
    /// Of the header that tells the time of the schedule.
    header_zone: Zone,
    /// That header for the instant that was last told: all jobs of an instant share it.
    header: Option<(Timestamp, Arc<[Header]>)>,
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
        f.debug_struct("Scheduler")
            .field("jobs", &self.state().jobs.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    /// A Cloud Scheduler without jobs, which delivers by `deliveries`.
    #[must_use]
    pub fn new(cloud: &Cloud, deliveries: &Deliveries, settings: Settings) -> Self {
        let header_zone = Zone::named(&settings.header_zone).unwrap_or_default();
        let state = State { jobs: Jobs::default(), due: Agenda::default(), named: 0, header_zone, header: None };
        let inner = Inner { cloud: cloud.clone(), settings, bell: deliveries.bell(), state: Mutex::new(state) };
        let scheduler = Self(Arc::new(inner));
        deliveries.add(Arc::new(scheduler.clone()));
        scheduler
    }

    /// Every job, by name.
    #[must_use]
    pub fn jobs(&self) -> Vec<ToldJob> {
        let state = self.state();
        let told = state.jobs.iter().map(|(_, kept)| {
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
