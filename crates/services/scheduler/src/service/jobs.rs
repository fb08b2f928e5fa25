//! The methods of jobs.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_decision::{Check, Refused};
use tokenrig_delivery::TokenOrder;
use tokenrig_protos::google::cloud::scheduler::v1::{
    CreateJobRequest, DeleteJobRequest, GetJobRequest, Job, ListJobsRequest, ListJobsResponse, PauseJobRequest,
    ResumeJobRequest, RunJobRequest, UpdateJobRequest,
};
use tokenrig_wire::{Api, Call, merge, page, with};

use super::{HOST, Scheduler, State, kept::Kept, log::Named, refuse};
use crate::{
    model::{Fault, JobName, Plan, complete, parse_parent, plan},
    refusals,
};

/// The most jobs of a page.
const PAGE: usize = 500;

pub(super) fn methods(api: Api, scheduler: &Scheduler) -> Api {
    api.on("cloudscheduler.projects.locations.jobs.create", with(scheduler, Scheduler::create_job))
        .on("cloudscheduler.projects.locations.jobs.get", with(scheduler, Scheduler::get_job))
        .on("cloudscheduler.projects.locations.jobs.list", with(scheduler, Scheduler::list_jobs))
        .on("cloudscheduler.projects.locations.jobs.patch", with(scheduler, Scheduler::update_job))
        .on("cloudscheduler.projects.locations.jobs.delete", with(scheduler, Scheduler::delete_job))
        .on("cloudscheduler.projects.locations.jobs.pause", with(scheduler, Scheduler::pause_job))
        .on("cloudscheduler.projects.locations.jobs.resume", with(scheduler, Scheduler::resume_job))
        .on("cloudscheduler.projects.locations.jobs.run", with(scheduler, Scheduler::run_job))
}

/// A method's permission, and the id under which its refusal is known.
type Needs = (&'static str, &'static str);

/// A job's name and where it is.
struct Place {
    /// With the project's id.
    name: Arc<str>,
    project: String,
    location: String,
}

impl Scheduler {
    fn create_job(&self, call: &Call, request: CreateJobRequest) -> Result<Job, Refused> {
        const NEEDS: Needs = ("cloudscheduler.jobs.create", "scheduler-create-denied");
        let (project, location) = self.parent(call, &request.parent, NEEDS)?;
        let mut told = request.job.unwrap_or_default();
        let parent = format!("projects/{project}/locations/{location}");
        let name = self.name_of(call, &told.name, &project, &location, &parent)?;
        told.name = name.to_string();
        let job = complete(told, &project);
        let plan = planned(call, plan(&job, &project))?;
        self.act_as(call, plan.token.as_deref(), &project)?;
        let mut guard = self.state();
        let state = &mut *guard;
        let exists = state.jobs.number(&name).is_some();
        call.check(
            Check::named("resource")
                .expected("no job of this name")
                .found(if exists { json!(&*name) } else { Value::Null })
                .holds(!exists)
                .or_refuse(&refusals::JOB_EXISTS, "scheduler-job-exists")
                .with("job", &*name)
                .mend(|| "choose another name, or patch the job that is there".to_owned()),
        )?;
        let prefix = format!("{parent}/jobs/");
        let there = state.jobs.within(&prefix).count();
        let most = self.settings().most_jobs;
        if there >= most {
            let check = Check::named("resource").expected(format!("fewer than {most} jobs in {location}")).found(there);
            let check = check.holds(false).or_refuse(&refusals::TOO_MANY, "scheduler-too-many-jobs");
            return Err(refuse(call, check.mend(|| "delete jobs that are not needed".to_owned())));
        }
        let now = self.cloud().now();
        let told = named(&name, &project, &location, &plan);
        let kept = Kept {
            job,
            plan,
            paused: false,
            updated: now,
            next: None,
            last_attempt: None,
            status: None,
            executions: Vec::new(),
            tickets: 0,
            delayed: None,
            told,
        };
        let job = state.jobs.insert(kept);
        state.schedule(job, now);
        let mut told = state.jobs.at(job).map(Kept::told).unwrap_or_default();
        // The answer to a create says nothing of attempts.
        told.status = None;
        self.0.bell.ring();
        Ok(told)
    }

    fn get_job(&self, call: &Call, request: GetJobRequest) -> Result<Job, Refused> {
        let place = self.place(call, &request.name, ("cloudscheduler.jobs.get", "scheduler-get-denied"))?;
        self.with_job(call, &place, |_, kept| Ok(kept.told()))
    }

    fn list_jobs(&self, call: &Call, request: ListJobsRequest) -> Result<ListJobsResponse, Refused> {
        let needs = ("cloudscheduler.jobs.list", "scheduler-list-denied");
        let (project, location) = self.parent(call, &request.parent, needs)?;
        let prefix = format!("projects/{project}/locations/{location}/jobs/");
        let jobs: Vec<Job> = {
            let state = self.state();
            state.jobs.within(&prefix).map(Kept::told).collect()
        };
        let cut = page(jobs, |job| &job.name, request.page_size, &request.page_token, PAGE, PAGE);
        let check = Check::named("request").expected("a page token of this list").found(request.page_token.as_str());
        let check = check
            .holds(cut.is_ok())
            .or_refuse(&refusals::FIELD_INVALID, "scheduler-page-token-invalid")
            .with("what", "The page token is invalid.")
            .mend(|| "send the `nextPageToken` of the page before as it came".to_owned());
        match cut {
            Ok(cut) => Ok(ListJobsResponse { jobs: cut.items, next_page_token: cut.next }),
            Err(_) => Err(refuse(call, check)),
        }
    }

    fn update_job(&self, call: &Call, request: UpdateJobRequest) -> Result<Job, Refused> {
        const NEEDS: Needs = ("cloudscheduler.jobs.update", "scheduler-update-denied");
        let told = request.job.unwrap_or_default();
        let place = self.place(call, &told.name, NEEDS)?;
        let current = self.with_job(call, &place, |_, kept| Ok(kept.job.clone()))?;
        let mask = request.update_mask.as_ref();
        let merged = merge(&current, &told, mask);
        let unknown = merged.as_ref().err().map(|unknown| unknown.0.clone());
        let merged = match merged {
            Ok(merged) => merged,
            Err(_) => {
                let path = unknown.unwrap_or_default();
                let check = Check::named("request").expected("fields of a job in the mask").found(path.as_str());
                let check = check.holds(false).or_refuse(&refusals::MASK_INVALID, "scheduler-mask-invalid");
                return Err(refuse(
                    call,
                    check.with("path", path).mend(|| "name fields as the proto does: `time_zone`".to_owned()),
                ));
            }
        };
        let job = complete(Job { name: place.name.to_string(), ..merged }, &place.project);
        let plan = planned(call, plan(&job, &place.project))?;
        self.act_as(call, plan.token.as_deref(), &place.project)?;
        let now = self.cloud().now();
        let mut guard = self.state();
        let state = &mut *guard;
        let (job_number, kept) = found(call, state, &place.name)?;
        kept.told = named(&place.name, &place.project, &place.location, &plan);
        (kept.job, kept.plan, kept.updated) = (job, plan, now);
        state.schedule(job_number, now);
        let told = state.jobs.at(job_number).map(Kept::told).unwrap_or_default();
        self.0.bell.ring();
        Ok(told)
    }

    fn delete_job(&self, call: &Call, request: DeleteJobRequest) -> Result<(), Refused> {
        let place = self.place(call, &request.name, ("cloudscheduler.jobs.delete", "scheduler-delete-denied"))?;
        let mut guard = self.state();
        let state = &mut *guard;
        let (job, kept) = found(call, state, &place.name)?;
        kept.paused = true;
        state.give_up(job);
        // A paused job has no next start.
        let now = self.cloud().now();
        state.schedule(job, now);
        state.jobs.remove(&place.name);
        Ok(())
    }

    fn pause_job(&self, call: &Call, request: PauseJobRequest) -> Result<Job, Refused> {
        let place = self.place(call, &request.name, ("cloudscheduler.jobs.pause", "scheduler-pause-denied"))?;
        self.change_state(call, &place, true)
    }

    fn resume_job(&self, call: &Call, request: ResumeJobRequest) -> Result<Job, Refused> {
        let place = self.place(call, &request.name, ("cloudscheduler.jobs.enable", "scheduler-resume-denied"))?;
        self.change_state(call, &place, false)
    }

    fn change_state(&self, call: &Call, place: &Place, pause: bool) -> Result<Job, Refused> {
        let now = self.cloud().now();
        let mut guard = self.state();
        let state = &mut *guard;
        let (job, kept) = found(call, state, &place.name)?;
        let (expected, id, what) = if pause {
            ("ENABLED", "scheduler-pause-not-enabled", "Job must be ENABLED to be paused.")
        } else {
            ("PAUSED", "scheduler-resume-not-paused", "Job must be PAUSED to be resumed.")
        };
        let is = if kept.paused { "PAUSED" } else { "ENABLED" };
        call.check(
            Check::named("resource")
                .expected(expected)
                .found(is)
                .holds(expected == is)
                .or_refuse(&refusals::STATE, id)
                .with("what", what)
                .mend(|| format!("the job is {is} already")),
        )?;
        kept.paused = pause;
        if pause {
            state.give_up(job);
        }
        state.schedule(job, now);
        let told = state.jobs.at(job).map(Kept::told).unwrap_or_default();
        self.0.bell.ring();
        Ok(told)
    }

    fn run_job(&self, call: &Call, request: RunJobRequest) -> Result<Job, Refused> {
        let place = self.place(call, &request.name, ("cloudscheduler.jobs.run", "scheduler-run-denied"))?;
        let now = self.cloud().now();
        let mut guard = self.state();
        let state = &mut *guard;
        let (job, kept) = found(call, state, &place.name)?;
        // Recorded: a forced run bears the time of the next start. A paused job has none.
        let next = kept.next.or_else(|| kept.plan.schedule.next(&mut kept.plan.zone, now));
        let told = kept.told();
        state.execute(job, next.unwrap_or(now), now, true);
        self.0.bell.ring();
        Ok(told)
    }

    /// The project and location of a request for jobs of a place, by whoever may.
    fn parent(&self, call: &Call, parent: &str, (permission, denied): Needs) -> Result<(String, String), Refused> {
        let Some((project, location)) = parse_parent(parent) else {
            return Err(field(call, "scheduler-parent-invalid", parent, "projects/PROJECT_ID/locations/LOCATION_ID"));
        };
        let id = self.project_id(project);
        let resource = format!("//{HOST}/projects/{id}/locations/{location}");
        permit(call, permission, denied, &resource)?;
        self.enabled(call, &id)?;
        self.located(call, location)?;
        Ok((id, location.to_owned()))
    }

    /// The job that a request names, for whoever may; whether it is there is still to be looked at.
    fn place(&self, call: &Call, name: &str, (permission, denied): Needs) -> Result<Place, Refused> {
        let form = "projects/PROJECT_ID/locations/LOCATION_ID/jobs/JOB_ID";
        let Some(parsed) = JobName::parse(name).filter(JobName::is_well_formed) else {
            return Err(field(call, "scheduler-job-name-invalid", name, form));
        };
        let project = self.project_id(parsed.project);
        let name = format!("projects/{project}/locations/{}/jobs/{}", parsed.location, parsed.job);
        permit(call, permission, denied, &format!("//{HOST}/{name}"))?;
        self.enabled(call, &project)?;
        Ok(Place { name: name.into(), project, location: parsed.location.to_owned() })
    }

    /// The name of a job that is to be made: its own, or one that nobody has.
    fn name_of(
        &self,
        call: &Call,
        told: &str,
        project: &str,
        location: &str,
        parent: &str,
    ) -> Result<Arc<str>, Refused> {
        if told.is_empty() {
            let mut state = self.state();
            state.named += 1;
            let hex = self.cloud().derived_hex("scheduler job", &format!("{parent} {}", state.named));
            let number = u64::from_str_radix(hex.get(..16).unwrap_or_default(), 16).unwrap_or_default();
            return Ok(format!("{parent}/jobs/{number:020}").into());
        }
        let parsed = JobName::parse(told).filter(JobName::is_well_formed);
        let parsed = parsed.filter(|name| self.project_id(name.project) == project && name.location == location);
        match parsed {
            Some(name) => Ok(format!("{parent}/jobs/{}", name.job).into()),
            None => Err(field(call, "scheduler-job-name-invalid", told, &format!("{parent}/jobs/JOB_ID"))),
        }
    }

    fn project_id(&self, name: &str) -> String {
        self.cloud().find_project(name).map_or_else(|| name.to_owned(), |project| project.id)
    }

    /// Whether the API is enabled where the job is. Told only if it is not.
    pub(super) fn enabled(&self, call: &Call, project: &str) -> Result<(), Refused> {
        let own = self.cloud().project();
        if !own.is(project) || self.cloud().service_enabled(HOST) {
            return Ok(());
        }
        let check = Check::named("resource").expected(format!("{HOST} enabled in {project}")).found("it is disabled");
        let check = check.holds(false).or_refuse(&refusals::API_DISABLED, "scheduler-api-disabled");
        Err(refuse(call, check.with("project", &own.number).mend(|| format!("enable {HOST} in the project"))))
    }

    /// Whether a location has jobs. Told only if it has none.
    pub(super) fn located(&self, call: &Call, location: &str) -> Result<(), Refused> {
        let known = &self.settings().locations;
        let has = if known.is_empty() { is_region(location) } else { known.iter().any(|known| known == location) };
        if has {
            return Ok(());
        }
        let check = Check::named("request").expected("a location that has Cloud Scheduler").found(location);
        let check = check.holds(false).or_refuse(&refusals::LOCATION_INVALID, "scheduler-location-invalid");
        Err(refuse(call, check.with("location", location).mend(|| "name a region, like us-central1".to_owned())))
    }

    /// May the caller let the job act as the account of its token?
    fn act_as(&self, call: &Call, token: Option<&TokenOrder>, project: &str) -> Result<(), Refused> {
        let Some(token) = token else { return Ok(()) };
        let account = self.cloud().accounts().get(&token.account);
        let wildcard = || format!("//iam.googleapis.com/projects/-/serviceAccounts/{}", token.account);
        let resource = account.as_ref().map_or_else(wildcard, |account| account.resource());
        call.permit("iam.serviceAccounts.actAs", &resource, || {
            refusals::ACT_AS_DENIED.refuse("scheduler-actas-denied").with("account", &token.account)
        })?;
        let found = account.as_ref().map(|account| account.email.clone());
        call.check(
            Check::named("resource")
                .expected("a service account that exists")
                .found(found)
                .holds(account.is_some())
                .or_refuse(&refusals::ACCOUNT_NOT_FOUND, "scheduler-account-not-found")
                .mend(|| format!("create the service account {}", token.account)),
        )?;
        let of = account.map(|account| account.project_id.clone()).unwrap_or_default();
        if of == project {
            return Ok(());
        }
        let what = "The service account must be within the same project as the job.";
        let check = Check::named("request").expected(project).found(of).holds(false);
        let check = check.or_refuse(&refusals::FIELD_INVALID, "scheduler-token-invalid").with("what", what);
        Err(refuse(call, check.mend(|| format!("name a service account of {project}"))))
    }

    fn with_job<T>(
        &self,
        call: &Call,
        place: &Place,
        act: impl FnOnce(&Call, &Kept) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let state = self.state();
        match state.jobs.get(&place.name) {
            Some(kept) => act(call, kept),
            None => Err(missing(call, &place.name)),
        }
    }
}

fn permit(call: &Call, permission: &'static str, denied: &'static str, resource: &str) -> Result<(), Refused> {
    let told = resource.strip_prefix("//").and_then(|rest| rest.split_once('/')).map_or(resource, |(_, name)| name);
    let refused = || refusals::PERMISSION_DENIED.refuse(denied).with("permission", permission).with("resource", told);
    call.permit(permission, resource, refused).map(drop)
}

/// The job that is to be changed, and its number.
fn found<'s>(call: &Call, state: &'s mut State, name: &str) -> Result<(u32, &'s mut Kept), Refused> {
    let number = state.jobs.number(name);
    let kept = number.and_then(|number| Some((number, state.jobs.at_mut(number)?)));
    kept.ok_or_else(|| missing(call, name))
}

/// That there is no such job.
fn missing(call: &Call, name: &str) -> Refused {
    let check = Check::named("resource").expected("a job that exists").found(Value::Null).holds(false);
    let check = check.or_refuse(&refusals::JOB_NOT_FOUND, "scheduler-job-not-found");
    refuse(call, check.mend(|| format!("create {name}")))
}

/// That a name has not the form it must have.
fn field(call: &Call, id: &'static str, found: &str, form: &str) -> Refused {
    let what = format!("The name must be formatted: \"{form}\".");
    let check = Check::named("request").expected(form).found(found).holds(false);
    let check = check.or_refuse(&refusals::FIELD_INVALID, id).with("what", what);
    refuse(call, check.mend(|| format!("write {form}; an id has letters, digits, - and _")))
}

/// A plan, or the refusal of what stands in its way.
fn planned(call: &Call, plan: Result<Plan, Fault>) -> Result<Plan, Refused> {
    let fault = match plan {
        Ok(plan) => return Ok(plan),
        Err(fault) => fault,
    };
    let check = Check::named("request");
    let check = match fault {
        Fault::Schedule(why) => check
            .expected("a schedule in unix-cron or in words")
            .found(why)
            .holds(false)
            .or_refuse(&refusals::SCHEDULE_INVALID, "scheduler-schedule-invalid")
            .mend(|| "write five fields, like `*/5 * * * *`, or words, like `every 5 minutes`".to_owned()),
        Fault::Zone(zone) => check
            .expected("a name of the time zone database")
            .found(zone)
            .holds(false)
            .or_refuse(&refusals::SCHEDULE_INVALID, "scheduler-time-zone-invalid")
            .mend(|| "write a name like `Europe/Berlin`".to_owned()),
        Fault::RetryCount(count) => check
            .expected("retryCount from 0 to 5")
            .found(count)
            .holds(false)
            .or_refuse(&refusals::RETRY_COUNT, "scheduler-retry-count-invalid")
            .mend(|| "set `retryConfig.retryCount` to 5 at most".to_owned()),
        Fault::RetryNanos => check
            .expected("whole seconds")
            .found("maxRetryDuration with a fraction")
            .holds(false)
            .or_refuse(&refusals::RETRY_NANOS, "scheduler-max-retry-duration-fraction")
            .mend(|| "set `retryConfig.maxRetryDuration` to whole seconds".to_owned()),
        Fault::Field(id, what) => check
            .expected("what the reference allows")
            .found(what.as_str())
            .holds(false)
            .or_refuse(&refusals::FIELD_INVALID, id)
            .with("what", what.as_str())
            .mend(|| what.clone()),
    };
    Err(refuse(call, check))
}

fn named(name: &Arc<str>, project: &str, location: &str, plan: &Plan) -> Arc<Named> {
    Arc::new(Named {
        project: project.to_owned(),
        location: location.to_owned(),
        id: name.rsplit('/').next().unwrap_or_default().to_owned(),
        name: Arc::clone(name),
        url: Arc::clone(plan.aim.url()),
        target: plan.aim.word(),
    })
}

/// Whether a location is named like a region: `us-central1`.
fn is_region(location: &str) -> bool {
    let Some((area, place)) = location.split_once('-') else { return false };
    let letters = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = place.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let name = place.get(..place.len() - number.len()).unwrap_or_default();
    letters(area) && letters(name) && (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("us-central1", true)]
    #[case("northamerica-northeast2", true)]
    #[case("global", false)]
    #[case("us-central", false)]
    #[case("us-central1-a", false)]
    #[case("US-CENTRAL1", false)]
    #[case("", false)]
    fn a_region_is_named_by_area_place_and_number(#[case] location: &str, #[case] is: bool) {
        assert_eq!(is_region(location), is);
    }
}
