//! Services of a project: which APIs are switched on.

use std::collections::BTreeSet;

use tokenrig_cloud::Project;
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::{
    api::serviceusage::v1::{
        BatchEnableServicesRequest, BatchEnableServicesResponse, DisableServiceRequest, DisableServiceResponse,
        EnableServiceRequest, EnableServiceResponse, GetServiceRequest, ListServicesRequest, ListServicesResponse,
        OperationMetadata, Service, ServiceConfig, State,
    },
    longrunning::Operation,
};
use tokenrig_wire::{Api, Call, operation, with};

use super::{Admin, field, need, paged, unplayed};
use crate::{model::project_resource, refusals};

const ID: &str = "serviceusage-field-invalid";

/// Google's name for an operation of Service Usage that has nothing more to do.
const DONE: &str = "operations/noop.DONE_OPERATION";

/// Most services of one batch.
const MOST: usize = 20;

/// The APIs that the seeds and gcloud name, with Google's titles.
const TITLES: &[(&str, &str)] = &[
    ("appengine.googleapis.com", "App Engine Admin API"),
    ("cloudfunctions.googleapis.com", "Cloud Functions API"),
    ("cloudresourcemanager.googleapis.com", "Cloud Resource Manager API"),
    ("cloudscheduler.googleapis.com", "Cloud Scheduler API"),
    ("cloudtasks.googleapis.com", "Cloud Tasks API"),
    ("iam.googleapis.com", "Identity and Access Management (IAM) API"),
    ("iamcredentials.googleapis.com", "IAM Service Account Credentials API"),
    ("iap.googleapis.com", "Cloud Identity-Aware Proxy API"),
    ("orgpolicy.googleapis.com", "Organization Policy API"),
    ("pubsub.googleapis.com", "Cloud Pub/Sub API"),
    ("run.googleapis.com", "Cloud Run Admin API"),
    ("serviceusage.googleapis.com", "Service Usage API"),
    ("storage.googleapis.com", "Cloud Storage API"),
    ("sts.googleapis.com", "Security Token Service API"),
    ("workflows.googleapis.com", "Workflows API"),
];

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("serviceusage.services.get", with(admin, Admin::get_service))
        .on("serviceusage.services.list", with(admin, Admin::list_services))
        .on("serviceusage.services.enable", with(admin, Admin::enable_service))
        .on("serviceusage.services.disable", with(admin, Admin::disable_service))
        .on("serviceusage.services.batchEnable", with(admin, Admin::batch_enable_services))
}

impl Admin {
    fn get_service(&self, call: &Call, request: GetServiceRequest) -> Result<Service, Refused> {
        let (project, service) = service_name(call, &request.name)?;
        let what = format!("get service [{service}]");
        let project = self.permit_services(call, "serviceusage.services.get", project, &what)?;
        Ok(self.told_service(&project, service))
    }

    fn list_services(&self, call: &Call, request: ListServicesRequest) -> Result<ListServicesResponse, Refused> {
        let project = parent(call, &request.parent)?;
        let what = format!("list services for consumer container [{}]", request.parent);
        let project = self.permit_services(call, "serviceusage.services.list", project, &what)?;
        let wanted = match request.filter.replace(' ', "").as_str() {
            "" => None,
            "state:ENABLED" => Some(State::Enabled),
            "state:DISABLED" => Some(State::Disabled),
            other => return Err(unplayed(call, &format!("the filter `{other}` of services"))),
        };
        let disabled = &self.cloud().settings().disabled_services;
        let names: BTreeSet<&str> =
            TITLES.iter().map(|(name, _)| *name).chain(disabled.iter().map(String::as_str)).collect();
        let all = names.into_iter().map(|name| self.told_service(&project, name));
        let all = all.filter(|service| wanted.is_none_or(|wanted| service.state() == wanted));
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |service| service.name.as_str(), asked, (50, 200))?;
        Ok(ListServicesResponse { services: page.items, next_page_token: page.next })
    }

    fn enable_service(&self, call: &Call, request: EnableServiceRequest) -> Result<Operation, Refused> {
        let (project, service) = service_name(call, &request.name)?;
        let what = format!("enable service [{service}]");
        let project = self.permit_services(call, "serviceusage.services.enable", project, &what)?;
        self.switch(call, &project, service, true)?;
        let service = self.told_service(&project, service);
        let metadata = OperationMetadata { resource_names: vec![service.name.clone()] };
        let response = EnableServiceResponse { service: Some(service) };
        Ok(operation::done(DONE, Some(operation::pack(&metadata)), &response))
    }

    fn disable_service(&self, call: &Call, request: DisableServiceRequest) -> Result<Operation, Refused> {
        let (project, service) = service_name(call, &request.name)?;
        let what = format!("disable service [{service}]");
        let project = self.permit_services(call, "serviceusage.services.disable", project, &what)?;
        self.switch(call, &project, service, false)?;
        let service = self.told_service(&project, service);
        let metadata = OperationMetadata { resource_names: vec![service.name.clone()] };
        let response = DisableServiceResponse { service: Some(service) };
        Ok(operation::done(DONE, Some(operation::pack(&metadata)), &response))
    }

    fn batch_enable_services(&self, call: &Call, request: BatchEnableServicesRequest) -> Result<Operation, Refused> {
        let project = parent(call, &request.parent)?;
        let named = request.service_ids.join(", ");
        let what = format!("enable service [{named}]");
        let project = self.permit_services(call, "serviceusage.services.enable", project, &what)?;
        let count = request.service_ids.len();
        call.check(field(ID, "service_ids", "1 to 20 services", (1..=MOST).contains(&count)).found(count))?;
        let wrong = request.service_ids.iter().find(|service| !is_service(service)).map(String::as_str);
        call.check(field(ID, "service_ids", "names like run.googleapis.com", wrong.is_none()).found(wrong))?;
        for service in &request.service_ids {
            self.switch(call, &project, service, true)?;
        }
        let services: Vec<Service> =
            request.service_ids.iter().map(|service| self.told_service(&project, service)).collect();
        let metadata =
            OperationMetadata { resource_names: services.iter().map(|service| service.name.clone()).collect() };
        let response = BatchEnableServicesResponse { services, failures: Vec::new() };
        Ok(operation::done(DONE, Some(operation::pack(&metadata)), &response))
    }

    /// The project, after the caller's permission on it was asked. One that does not exist is nobody's.
    fn permit_services(&self, call: &Call, permission: &str, project: &str, what: &str) -> Result<Project, Refused> {
        let deny = || refusals::SERVICES_DENIED.refuse("serviceusage-permission-denied").with("what", what);
        call.permit(permission, &project_resource(project), deny)?;
        self.cloud().find_project(project).ok_or_else(deny)
    }

    /// The cloud keeps what is switched off for its own project only; of others all is on.
    fn switch(&self, call: &Call, project: &Project, service: &str, on: bool) -> Result<(), Refused> {
        if project.id == self.cloud().project().id {
            self.cloud().enable_service(service, on);
        } else if !on {
            return Err(unplayed(call, "services that are switched off in another project than the rig's own"));
        }
        Ok(())
    }

    fn told_service(&self, project: &Project, service: &str) -> Service {
        let on = project.id != self.cloud().project().id || self.cloud().service_enabled(service);
        let title = TITLES.iter().find(|(name, _)| *name == service).map_or("", |(_, title)| title);
        let parent = format!("projects/{}", project.number);
        Service {
            name: format!("{parent}/services/{service}"),
            parent,
            config: Some(ServiceConfig { name: service.to_owned(), title: title.to_owned() }),
            state: if on { State::Enabled } else { State::Disabled }.into(),
        }
    }
}

fn service_name<'a>(call: &Call, name: &'a str) -> Result<(&'a str, &'a str), Refused> {
    let what = "it must be projects/PROJECT/services/SERVICE";
    let parsed = name.strip_prefix("projects/").and_then(|rest| rest.split_once("/services/"));
    let parsed = parsed.filter(|(project, service)| !project.contains('/') && is_service(service));
    need(call, parsed, |check| named(check, "name", what, name), "request")
}

fn parent<'a>(call: &Call, name: &'a str) -> Result<&'a str, Refused> {
    let what = "it must be projects/PROJECT";
    let parsed = name.strip_prefix("projects/").filter(|project| !project.is_empty() && !project.contains('/'));
    need(call, parsed, |check| named(check, "parent", what, name), "request")
}

fn named(check: Check, field: &str, what: &str, found: &str) -> Check {
    check
        .expected(what)
        .found(found)
        .or_refuse(&refusals::FIELD_INVALID, ID)
        .with("field", field)
        .with("what", what)
        .mend(|| format!("correct `{field}`: {what}"))
}

/// A host name of at most 253 characters with a dot in it.
fn is_service(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    name.len() <= 253 && name.contains('.') && name.chars().all(good)
}
