//! Where queues can be.

use std::collections::BTreeMap;

use tokenrig_decision::Refused;
use tokenrig_protos::google::cloud::location::{
    GetLocationRequest, ListLocationsRequest, ListLocationsResponse, Location,
};
use tokenrig_wire::{Api, Call, with};

use super::Tasks;

pub(super) fn on(api: Api, tasks: &Tasks) -> Api {
    api.on("cloudtasks.projects.locations.list", with(tasks, Tasks::list_locations))
        .on("cloudtasks.projects.locations.get", with(tasks, Tasks::get_location))
}

impl Tasks {
    fn list_locations(&self, call: &Call, request: ListLocationsRequest) -> Result<ListLocationsResponse, Refused> {
        self.project(call, &request.name)?;
        let project = self.cloud().project().clone();
        self.permit(call, "cloudtasks.locations.list", &format!("projects/{}", project.id))?;
        let own = told(&project.id, &project.location);
        Ok(ListLocationsResponse { locations: vec![own], next_page_token: String::new() })
    }

    fn get_location(&self, call: &Call, request: GetLocationRequest) -> Result<Location, Refused> {
        let name = self.location(call, &request.name)?;
        self.permit(call, "cloudtasks.locations.get", &name)?;
        Ok(told(&self.cloud().project().id, name.rsplit('/').next().unwrap_or_default()))
    }
}

fn told(project: &str, location: &str) -> Location {
    Location {
        name: format!("projects/{project}/locations/{location}"),
        labels: BTreeMap::from([("cloud.googleapis.com/region".to_owned(), location.to_owned())]),
        metadata: None,
        location_id: location.to_owned(),
        display_name: String::new(),
    }
}
