//! Queues.

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::{
        cloud::tasks::v2::{
            self, CreateQueueRequest, DeleteQueueRequest, GetQueueRequest, ListQueuesRequest, ListQueuesResponse,
            PauseQueueRequest, PurgeQueueRequest, ResumeQueueRequest, UpdateQueueRequest, queue::State,
        },
        iam::v1::{
            GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
        },
    },
    prost_types::FieldMask,
};
use tokenrig_wire::{Api, Call, iam, merge, page, with};

use super::{Tasks, demand, resource};
use crate::{model, refusals, store::Queue};

/// Queues on a page, at most and by default.
const MOST_QUEUES: usize = 9_800;

pub(super) fn on(api: Api, tasks: &Tasks) -> Api {
    api.on("cloudtasks.projects.locations.queues.create", with(tasks, Tasks::create_queue))
        .on("cloudtasks.projects.locations.queues.get", with(tasks, Tasks::get_queue))
        .on("cloudtasks.projects.locations.queues.list", with(tasks, Tasks::list_queues))
        .on("cloudtasks.projects.locations.queues.patch", with(tasks, Tasks::update_queue))
        .on("cloudtasks.projects.locations.queues.delete", with(tasks, Tasks::delete_queue))
        .on("cloudtasks.projects.locations.queues.purge", with(tasks, Tasks::purge_queue))
        .on("cloudtasks.projects.locations.queues.pause", with(tasks, Tasks::pause_queue))
        .on("cloudtasks.projects.locations.queues.resume", with(tasks, Tasks::resume_queue))
        .on("cloudtasks.projects.locations.queues.getIamPolicy", with(tasks, Tasks::get_iam_policy))
        .on("cloudtasks.projects.locations.queues.setIamPolicy", with(tasks, Tasks::set_iam_policy))
        .on("cloudtasks.projects.locations.queues.testIamPermissions", with(tasks, Tasks::test_iam_permissions))
}

impl Tasks {
    pub(super) fn create_queue(&self, call: &Call, request: CreateQueueRequest) -> Result<v2::Queue, Refused> {
        let parent = self.location(call, &request.parent)?;
        let told = request.queue.unwrap_or_default();
        let name = self.named(call, &told.name)?;
        // A queue of another location cannot be made here.
        let here = name.strip_prefix(&parent).is_some_and(|rest| rest.starts_with("/queues/"));
        let check = Check::named("request").expected(format!("{parent}/queues/QUEUE")).found(told.name.as_str());
        call.check(check.holds(here).or_refuse(&refusals::QUEUE_NAME, "tasks-queue-name-malformed"))?;
        self.permit(call, "cloudtasks.queues.create", &parent)?;
        self.judge_queue(call, &told)?;
        self.make_queue(call, name, &told)
    }

    /// Makes a queue that may be made.
    fn make_queue(&self, call: &Call, name: String, told: &v2::Queue) -> Result<v2::Queue, Refused> {
        let now = call.now();
        let mut store = self.store();
        call.check(
            Check::named("resource")
                .expected("no queue of this name")
                .found(name.as_str())
                .holds(store.queue(&name).is_none())
                .or_refuse(&refusals::QUEUE_EXISTS, "tasks-queue-create-exists")
                .mend(|| "take another name, or change the queue that is there".to_owned()),
        )?;
        let free = store.went(&name).and_then(|went| went.checked_add(self.settings().queue_window).ok());
        call.check(
            Check::named("resource")
                .expected("no queue of this name that was deleted lately")
                .found(free.map_or_else(|| name.clone(), |free| format!("free again at {free}")))
                .holds(free.is_none_or(|free| free <= now))
                .or_refuse(&refusals::QUEUE_TOMBSTONE, "tasks-queue-create-tombstone")
                .mend(|| "take another name, or wait until this one is free again".to_owned()),
        )?;
        let queue = v2::Queue {
            name,
            rate_limits: Some(model::rate_limits(told.rate_limits.as_ref(), self.settings())),
            retry_config: Some(model::retry_config(told.retry_config.as_ref(), false)),
            state: State::Running.into(),
            purge_time: None,
            ..told.clone()
        };
        let number = store.number();
        store.insert(Queue::new(queue.clone(), number, self.settings(), now));
        drop(store);
        self.ring();
        // Recorded: only a queue that is read tells its state.
        Ok(v2::Queue { state: State::Unspecified.into(), ..queue })
    }

    pub(super) fn get_queue(&self, call: &Call, request: GetQueueRequest) -> Result<v2::Queue, Refused> {
        let name = self.existing(call, "cloudtasks.queues.get", &request.name)?;
        self.read_queue(call, &name)
    }

    /// The queue as it is. It may have gone since it was looked for.
    fn read_queue(&self, call: &Call, name: &str) -> Result<v2::Queue, Refused> {
        let queue = self.store().queue(name).map(|queue| queue.told().clone());
        call.check(super::queue_there(name, queue.is_some()))?;
        Ok(queue.unwrap_or_default())
    }

    pub(super) fn list_queues(&self, call: &Call, request: ListQueuesRequest) -> Result<ListQueuesResponse, Refused> {
        let parent = self.location(call, &request.parent)?;
        self.permit(call, "cloudtasks.queues.list", &parent)?;
        let state = state_filter(&request.filter);
        let what = "Invalid filter. Filters of the form `state: RUNNING` are played here.";
        demand(call, state.is_some(), "tasks-filter-invalid", "`state: WORD`", request.filter.as_str(), what)?;
        let wanted = state.flatten();
        let prefix = format!("{parent}/queues/");
        let store = self.store();
        let here = store.queues().map(Queue::told).filter(|queue| queue.name.starts_with(&prefix));
        let here = here.filter(|queue| wanted.is_none_or(|state| queue.state == i32::from(state)));
        let page = page(here, |queue| &queue.name, request.page_size, &request.page_token, MOST_QUEUES, MOST_QUEUES);
        let page = page.map(|page| (page.items.into_iter().cloned().collect::<Vec<_>>(), page.next));
        drop(store);
        page_of(call, &request.page_token, page.is_ok())?;
        let (queues, next_page_token) = page.unwrap_or_default();
        Ok(ListQueuesResponse { queues, next_page_token })
    }

    pub(super) fn update_queue(&self, call: &Call, request: UpdateQueueRequest) -> Result<v2::Queue, Refused> {
        let told = request.queue.unwrap_or_default();
        let name = self.permitted(call, "cloudtasks.queues.update", &told.name)?;
        let Some(before) = self.store().queue(&name).map(|queue| queue.told().clone()) else {
            // Documented: what is not there is made.
            let parent = name.split_once("/queues/").map_or("", |(parent, _)| parent);
            self.permit(call, "cloudtasks.queues.create", parent)?;
            self.judge_queue(call, &told)?;
            return self.make_queue(call, name, &told);
        };
        let mask = request.update_mask.filter(|mask| !mask.paths.is_empty());
        let all = FieldMask { paths: vec!["*".to_owned()] };
        let merged = merge(&before, &told, Some(mask.as_ref().unwrap_or(&all)));
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = format!("Invalid update mask: {fault}.");
        demand(call, merged.is_ok(), "tasks-field-mask-invalid", "fields of a queue", fault, what)?;
        let merged = merged.unwrap_or_default();
        self.judge_queue(call, &merged)?;
        // With a mask a 0 is a wish, without one nobody has said anything.
        let no_doublings = mask.is_some();
        let queue = v2::Queue {
            name: before.name,
            rate_limits: Some(model::rate_limits(merged.rate_limits.as_ref(), self.settings())),
            retry_config: Some(model::retry_config(merged.retry_config.as_ref(), no_doublings)),
            state: before.state,
            purge_time: before.purge_time,
            ..merged
        };
        self.change(call, &name, |kept| kept.set(queue, call.now()))
    }

    pub(super) fn delete_queue(&self, call: &Call, request: DeleteQueueRequest) -> Result<(), Refused> {
        let name = self.permitted(call, "cloudtasks.queues.delete", &request.name)?;
        let removed = self.store().remove(&name, call.now());
        call.check(
            Check::named("resource")
                .expected("a queue that exists")
                .found(name.as_str())
                .holds(removed)
                .or_refuse(&refusals::NOT_FOUND, "tasks-queue-delete-not-found"),
        )?;
        self.cloud().policies().remove(&resource(&name));
        self.ring();
        Ok(())
    }

    pub(super) fn purge_queue(&self, call: &Call, request: PurgeQueueRequest) -> Result<v2::Queue, Refused> {
        let name = self.existing(call, "cloudtasks.queues.purge", &request.name)?;
        let window = self.settings().name_window;
        self.change(call, &name, |queue| queue.purge(call.now(), window))
    }

    pub(super) fn pause_queue(&self, call: &Call, request: PauseQueueRequest) -> Result<v2::Queue, Refused> {
        let name = self.existing(call, "cloudtasks.queues.pause", &request.name)?;
        self.change(call, &name, |queue| queue.set_state(State::Paused))
    }

    pub(super) fn resume_queue(&self, call: &Call, request: ResumeQueueRequest) -> Result<v2::Queue, Refused> {
        let name = self.existing(call, "cloudtasks.queues.resume", &request.name)?;
        self.change(call, &name, |queue| queue.set_state(State::Running))
    }

    fn change(&self, call: &Call, name: &str, act: impl FnOnce(&mut Queue)) -> Result<v2::Queue, Refused> {
        self.store().change(name, act);
        self.ring();
        self.read_queue(call, name)
    }

    pub(super) fn get_iam_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let name = self.existing(call, "cloudtasks.queues.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &resource(&name), &request))
    }

    pub(super) fn set_iam_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let name = self.existing(call, "cloudtasks.queues.setIamPolicy", &request.resource)?;
        iam::set(call, &resource(&name), request)
    }

    /// A queue that is not there is no error: nobody has a permission on it then.
    pub(super) fn test_iam_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let name = self.named(call, &request.resource)?;
        if self.store().queue(&name).is_none() {
            return Ok(TestIamPermissionsResponse::default());
        }
        iam::test(call, &resource(&name), &request)
    }
}

/// The check of a page token.
pub(super) fn page_of(call: &Call, token: &str, known: bool) -> Result<(), Refused> {
    demand(call, known, "tasks-page-token-invalid", "a page token of this list", token, "Invalid page token.")
}

/// The state that a filter asks for. `None`: it is no filter that is played.
fn state_filter(filter: &str) -> Option<Option<State>> {
    if filter.trim().is_empty() {
        return Some(None);
    }
    let (field, word) = filter.split_once([':', '='])?;
    let word = word.trim().trim_matches('"');
    (field.trim() == "state").then(|| State::from_str_name(word)).flatten().map(Some)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Some(None))]
    #[case("state: PAUSED", Some(Some(State::Paused)))]
    #[case("state=\"RUNNING\"", Some(Some(State::Running)))]
    #[case("state: nonsense", None)]
    #[case("name: x", None)]
    #[case("x", None)]
    fn queues_are_filtered_by_their_state(#[case] filter: &str, #[case] meant: Option<Option<State>>) {
        assert_eq!(state_filter(filter), meant);
    }
}
