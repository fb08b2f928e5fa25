//! The methods, and what all of them ask first: is the API there, whose project is it, may the caller, is there such a thing.

mod beta;
mod buffer;
mod dispatch;
mod locations;
mod queues;
mod rules;
mod target;
mod tasks;
mod told;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refusal, Refused};
use tokenrig_delivery::{Bell, Source};
use tokenrig_wire::{Api, Call};

pub use self::told::ToldQueue;
use crate::{
    assumptions::Settings,
    model::{QueueName, is_location, place, project_of},
    refusals,
    store::Store,
};

/// The host, and the name under which it is enabled in a project.
const HOST: &str = "cloudtasks.googleapis.com";

/// Cloud Tasks of one rig. A clone is the same one.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    bell: Bell,
    settings: Settings,
    store: Mutex<Store>,
}

/// The methods that are played.
pub(crate) fn api(tasks: &Tasks) -> Api {
    let api = queues::on(Api::new(), tasks);
    let api = tasks::on(api, tasks);
    let api = locations::on(api, tasks);
    let api = buffer::on(api, tasks);
    beta::on(api, tasks)
}

impl Tasks {
    /// Cloud Tasks on a cloud. It rings `bell` whenever something else may fall due.
    #[must_use]
    pub fn new(cloud: &Cloud, bell: Bell, settings: Settings) -> Self {
        Self(Arc::new(Inner { cloud: cloud.clone(), bell, settings, store: Mutex::default() }))
    }

    /// What it has to deliver.
    #[must_use]
    pub fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.clone())
    }

    fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A step that panicked has left whole queues behind: each is changed in one piece.
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has changed: the deliveries look again.
    fn ring(&self) {
        self.0.bell.ring();
    }

    /// Whether the API is enabled in this project, which must be the one that is spoken of.
    fn project(&self, call: &Call, name: &str) -> Result<(), Refused> {
        let project = self.cloud().project();
        if !project.is(project_of(name)) {
            return call.check(
                Check::named("request")
                    .expected(format!("a name in project {}", project.id))
                    .found(name)
                    .holds(false)
                    .or_refuse(&refusals::PROJECT_DENIED, "tasks-project-denied")
                    .with("project", project_of(name))
                    .mend(|| format!("begin the name with `projects/{}`", project.id)),
            );
        }
        if self.cloud().service_enabled(HOST) {
            return Ok(());
        }
        call.check(
            Check::named("request")
                .expected(format!("{HOST} enabled in project {}", project.id))
                .found("disabled")
                .holds(false)
                .or_refuse(&refusals::API_DISABLED, "tasks-api-disabled")
                .with("project", &project.number)
                .mend(|| format!("enable {HOST} in project {}", project.id)),
        )
    }

    /// A location's name in its one form.
    fn location(&self, call: &Call, name: &str) -> Result<String, Refused> {
        self.project(call, name)?;
        let location = place(name).map(|(_, location)| location).filter(|location| is_location(location));
        let check = Check::named("request")
            .expected("projects/PROJECT/locations/LOCATION")
            .found(name)
            .holds(location.is_some())
            .or_refuse(&refusals::LOCATION_NOT_FOUND, "tasks-location-not-found")
            .with("location", place(name).map_or(name, |(_, location)| location))
            .mend(|| format!("name a location, for example `{}`", self.cloud().project().location));
        call.check(check)?;
        Ok(format!("projects/{}/locations/{}", self.cloud().project().id, location.unwrap_or_default()))
    }

    /// A queue's name in its one form.
    fn named(&self, call: &Call, name: &str) -> Result<String, Refused> {
        self.project(call, name)?;
        let parsed = QueueName::parse(name);
        let check = Check::named("request")
            .expected("projects/PROJECT/locations/LOCATION/queues/QUEUE")
            .found(name)
            .holds(parsed.is_some())
            .or_refuse(&refusals::QUEUE_NAME, "tasks-queue-name-malformed")
            .mend(|| "name a queue in full; its id has at most 100 letters, digits and hyphens".to_owned());
        call.check(check)?;
        Ok(parsed.map(|parsed| parsed.canonical(&self.cloud().project().id)).unwrap_or_default())
    }

    /// The name of a queue that the caller may do this to. Whether there is such a queue is not looked at yet.
    fn permitted(&self, call: &Call, permission: &str, name: &str) -> Result<String, Refused> {
        let name = self.named(call, name)?;
        self.permit(call, permission, &name)?;
        Ok(name)
    }

    /// The name of a queue that is there and that the caller may do this to.
    fn existing(&self, call: &Call, permission: &str, name: &str) -> Result<String, Refused> {
        let name = self.permitted(call, permission, name)?;
        let found = self.store().queue(&name).is_some();
        call.check(queue_there(&name, found))?;
        Ok(name)
    }

    /// Whether the caller has a permission on a queue or a location.
    fn permit(&self, call: &Call, permission: &str, name: &str) -> Result<(), Refused> {
        let id =
            if permission == "cloudtasks.tasks.create" { "tasks-create-denied" } else { "tasks-permission-denied" };
        let deny = || refusals::PERMISSION_DENIED.refuse(id).with("permission", permission).with("resource", name);
        call.permit(permission, &resource(name), deny).map(drop)
    }

    /// Whether the caller may let tokens of `account` go along, which must be an account of this project.
    fn act_as(&self, call: &Call, account: &str) -> Result<(), Refused> {
        const ACT_AS: &str = "iam.serviceAccounts.actAs";
        let found = self.cloud().accounts().get(account);
        let named = format!("//iam.googleapis.com/projects/-/serviceAccounts/{account}");
        let deny = || {
            refusals::PERMISSION_DENIED
                .refuse("tasks-actas-denied")
                .with("permission", ACT_AS)
                .with("resource", account)
        };
        call.permit(ACT_AS, &found.as_ref().map_or(named, |found| found.resource()), deny)?;
        call.check(
            Check::named("resource")
                .expected("a service account that exists")
                .found(account)
                .holds(found.is_some())
                .or_refuse(&refusals::ACCOUNT_NOT_FOUND, "tasks-account-not-found")
                .mend(|| format!("create `{account}`, or name another account")),
        )?;
        let project = &self.cloud().project().id;
        let own = found.is_none_or(|found| found.project_id == *project);
        let what = format!("The service account {account} must be in the project of the queue, {project}.");
        demand(call, own, "tasks-account-other-project", format!("an account of project {project}"), account, what)
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// The full resource name.
fn resource(name: &str) -> String {
    format!("//{HOST}/{name}")
}

/// The check that a queue is there.
fn queue_there(name: &str, found: bool) -> Check {
    Check::named("resource")
        .expected("a queue that exists")
        .found(name)
        .holds(found)
        .or_refuse(&refusals::QUEUE_NOT_FOUND, "tasks-queue-not-found")
        .mend(|| format!("create the queue `{name}`"))
}

/// The check `request` of a rule of the reference whose words are not known: `what` are ours.
fn demand(
    call: &Call,
    holds: bool,
    id: &'static str,
    expected: impl Into<serde_json::Value>,
    found: impl Into<serde_json::Value>,
    what: impl Into<String>,
) -> Result<(), Refused> {
    let what = what.into();
    let check = Check::named("request").expected(expected).found(found).holds(holds);
    call.check(check.or_refuse(&refusals::FIELD_INVALID, id).with("what", &what).mend(|| what.clone()))
}

/// The check `request` of a rule whose words are known.
fn rule(
    call: &Call,
    holds: bool,
    (refusal, id): (&'static Refusal, &'static str),
    expected: impl Into<serde_json::Value>,
    found: impl Into<serde_json::Value>,
    with: &[(&'static str, &str)],
) -> Result<(), Refused> {
    let expected = expected.into();
    let mend = format!("send {}", expected.as_str().map_or_else(|| expected.to_string(), str::to_owned));
    let check = Check::named("request").expected(expected).found(found).holds(holds).or_refuse(refusal, id);
    let check = with.iter().fold(check, |check, (name, value)| check.with(name, *value));
    call.check(check.mend(|| mend))
}
