//! App Engine, as far as others ask for it: whether a project has an application, and where.

use tokenrig_decision::Refused;
use tokenrig_protos::google::appengine::v1::{Application, GetApplicationRequest, application::ServingStatus};
use tokenrig_wire::{Api, Call, with};

use super::Admin;
use crate::{model::project_resource, refusals};

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("appengine.apps.get", with(admin, Admin::get_application))
}

impl Admin {
    /// Each project has an application: its account is one of those that a project begins with.
    fn get_application(&self, call: &Call, request: GetApplicationRequest) -> Result<Application, Refused> {
        let id = request.name.strip_prefix("apps/").unwrap_or(&request.name);
        let deny = || refusals::PROJECT_NOT_VISIBLE.refuse("appengine-app-not-visible");
        call.permit("appengine.applications.get", &project_resource(id), deny)?;
        // One that does not exist is nobody's.
        let project = self.cloud().find_project(id).ok_or_else(deny)?;
        // Two locations are older than the numbers of regions.
        let location = match project.location.as_str() {
            "us-central1" => "us-central",
            "europe-west1" => "europe-west",
            other => other,
        };
        Ok(Application {
            name: format!("apps/{}", project.id),
            auth_domain: "gmail.com".to_owned(),
            location_id: location.to_owned(),
            serving_status: ServingStatus::Serving.into(),
            default_hostname: format!("{}.appspot.com", project.id),
            service_account: project.appspot_email(),
            id: project.id,
        })
    }
}
