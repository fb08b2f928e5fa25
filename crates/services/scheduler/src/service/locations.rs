//! Where there are jobs.

use std::collections::BTreeMap;

use tokenrig_decision::Refused;
use tokenrig_protos::google::cloud::location::{
    GetLocationRequest, ListLocationsRequest, ListLocationsResponse, Location,
};
use tokenrig_wire::{Api, Call, with};

use super::Scheduler;
use crate::refusals;

pub(super) fn methods(api: Api, scheduler: &Scheduler) -> Api {
    api.on("cloudscheduler.projects.locations.list", with(scheduler, Scheduler::list_locations))
        .on("cloudscheduler.projects.locations.get", with(scheduler, Scheduler::get_location))
}

impl Scheduler {
    fn list_locations(&self, call: &Call, request: ListLocationsRequest) -> Result<ListLocationsResponse, Refused> {
        let project = request.name.strip_prefix("projects/").unwrap_or(&request.name);
        self.may_locate(call, "cloudscheduler.locations.list", project)?;
        let told = &self.settings().locations;
        let own = std::slice::from_ref(&self.cloud().project().location);
        let all = if told.is_empty() { own } else { told.as_slice() };
        // There are few: one page has them all.
        let locations = all.iter().map(|location| told_location(project, location)).collect();
        Ok(ListLocationsResponse { locations, next_page_token: String::new() })
    }

    fn get_location(&self, call: &Call, request: GetLocationRequest) -> Result<Location, Refused> {
        let (project, location) = crate::model::parse_parent(&request.name).unwrap_or((&request.name, ""));
        self.may_locate(call, "cloudscheduler.locations.get", project)?;
        self.located(call, location)?;
        Ok(told_location(project, location))
    }

    fn may_locate(&self, call: &Call, permission: &'static str, project: &str) -> Result<(), Refused> {
        let id = self.cloud().find_project(project).map_or_else(|| project.to_owned(), |project| project.id);
        let resource = format!("//cloudscheduler.googleapis.com/projects/{id}");
        call.permit(permission, &resource, || {
            let denied = refusals::PERMISSION_DENIED.refuse("scheduler-locations-denied");
            denied.with("permission", permission).with("resource", format!("projects/{project}"))
        })?;
        self.enabled(call, project)
    }
}

/// gcloud reads the location out of the label.
fn told_location(project: &str, location: &str) -> Location {
    Location {
        name: format!("projects/{project}/locations/{location}"),
        location_id: location.to_owned(),
        display_name: String::new(),
        labels: BTreeMap::from([("cloud.googleapis.com/region".to_owned(), location.to_owned())]),
        metadata: None,
    }
}
