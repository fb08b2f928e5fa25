//! The admin API, version 2: services and their policies.

mod revisions;
mod told;

use std::sync::Arc;

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::{
    cloud::run::v2::{
        CreateServiceRequest, DeleteServiceRequest, GetServiceRequest, ListServicesRequest, ListServicesResponse,
        Service, UpdateServiceRequest,
    },
    iam::v1::{
        GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
    },
    longrunning::Operation,
};
use tokenrig_wire::{Api, Call, iam, merge, operation, page, with};

use super::{CloudRun, OPERATIONS, functions};
use crate::{
    model::{Deployed, ServiceName, is_service_id, policy_name},
    refusals,
};

/// Characters of `customAudiences` as JSON. Source: <https://cloud.google.com/run/docs/configuring/custom-audiences>.
const LONGEST_AUDIENCES: usize = 32_768;

pub(crate) fn api(run: &CloudRun) -> Api {
    let api = Api::new()
        .on("run.projects.locations.services.create", with(run, CloudRun::create))
        .on("run.projects.locations.services.get", with(run, CloudRun::get))
        .on("run.projects.locations.services.list", with(run, CloudRun::list))
        .on("run.projects.locations.services.patch", with(run, CloudRun::patch))
        .on("run.projects.locations.services.delete", with(run, CloudRun::delete))
        .on("run.projects.locations.services.getIamPolicy", with(run, CloudRun::get_iam_policy))
        .on("run.projects.locations.services.setIamPolicy", with(run, CloudRun::set_iam_policy))
        .on("run.projects.locations.services.testIamPermissions", with(run, CloudRun::test_iam_permissions))
        .on("run.projects.locations.services.revisions.get", with(run, CloudRun::get_revision))
        .on("run.projects.locations.services.revisions.list", with(run, CloudRun::list_revisions))
        .on("run.projects.locations.operations.get", with(run, CloudRun::get_operation));
    functions::on(api, run)
}

impl CloudRun {
    fn create(&self, call: &Call, request: CreateServiceRequest) -> Result<Operation, Refused> {
        let name = format!("{}/services/{}", request.parent, request.service_id);
        let parsed = self.named(call, "parent", &name)?;
        let check = Check::named("request")
            .expected("at most 49 characters of [a-z0-9-], beginning with a letter")
            .found(request.service_id.as_str())
            .holds(is_service_id(&request.service_id));
        call.check(invalid(check, "service_id", "it is no valid id of a service"))?;
        self.permit(call, "run.services.create", &format!("//run.googleapis.com/{}", request.parent))?;
        let canonical = parsed.canonical(&self.cloud().project().id);
        let exists = self.read().services.contains_key(&canonical);
        call.check(free(&canonical, &parsed, exists))?;
        let told = request.service.unwrap_or_default();
        self.change(call, told, parsed, None, request.validate_only)
    }

    fn get(&self, call: &Call, request: GetServiceRequest) -> Result<Service, Refused> {
        let (_, deployed) = self.existing(call, "run.services.get", "name", &request.name)?;
        Ok(deployed.resource.clone())
    }

    fn list(&self, call: &Call, request: ListServicesRequest) -> Result<ListServicesResponse, Refused> {
        let parent = self.named(call, "parent", &format!("{}/services/-", request.parent))?;
        self.permit(call, "run.services.list", &format!("//run.googleapis.com/{}", request.parent))?;
        let all = self.read().services.clone();
        let here = all.into_iter().filter(|(_, one)| parent.location == "-" || one.name.location == parent.location);
        let page = page(here, |(name, _)| name, request.page_size, &request.page_token, 100, 1000);
        let check =
            Check::named("request").expected("a page token of this list").found(request.page_token).holds(page.is_ok());
        call.check(invalid(check, "page_token", "it is no token of this list"))?;
        let (services, next_page_token) = page.map_or_else(
            |_| (Vec::new(), String::new()),
            |page| (page.items.into_iter().map(|(_, one)| one.resource.clone()).collect(), page.next),
        );
        Ok(ListServicesResponse { services, next_page_token, unreachable: Vec::new() })
    }

    fn patch(&self, call: &Call, request: UpdateServiceRequest) -> Result<Operation, Refused> {
        let told = request.service.unwrap_or_default();
        if request.allow_missing {
            let parsed = self.named(call, "service.name", &told.name)?;
            let canonical = parsed.canonical(&self.cloud().project().id);
            if !self.read().services.contains_key(&canonical) {
                let (parent, id) = canonical.rsplit_once("/services/").unwrap_or_default();
                let (parent, service_id) = (parent.to_owned(), id.to_owned());
                let validate_only = request.validate_only;
                let create = CreateServiceRequest { parent, service_id, service: Some(told), validate_only };
                return self.create(call, create);
            }
        }
        let (_, deployed) = self.existing(call, "run.services.update", "service.name", &told.name)?;
        current(call, &deployed, &told.etag)?;
        let merged = merge(&deployed.resource, &told, request.update_mask.as_ref());
        let check = Check::named("request").expected("fields of a service").holds(merged.is_ok());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        call.check(invalid(check.found(fault.as_str()), "update_mask", &fault))?;
        let merged = merged.unwrap_or_default();
        self.change(call, merged, deployed.name.clone(), Some(&deployed), request.validate_only)
    }

    /// Makes a service of what was told, or changes it.
    fn change(
        &self,
        call: &Call,
        told: Service,
        name: ServiceName,
        before: Option<&Arc<Deployed>>,
        validate_only: bool,
    ) -> Result<Operation, Refused> {
        let length = serde_json::json!(told.custom_audiences).to_string().len();
        let check = Check::named("request")
            .expected(format!("`customAudiences` of at most {LONGEST_AUDIENCES} characters as JSON"))
            .found(length)
            .holds(length <= LONGEST_AUDIENCES);
        call.check(invalid(check, "custom_audiences", "it is too long"))?;
        let made = self.told(call, told, &name, before.map(|before| &before.resource))?;
        self.act_as(call, made.template.as_ref().map_or("", |template| &template.service_account))?;
        let operation = self.operation(&made, if before.is_some() { "update" } else { "create" });
        if !validate_only {
            self.deploy(call, made, name, before, &operation)?;
        }
        Ok(operation)
    }

    /// Puts a service in its place.
    pub(super) fn deploy(
        &self,
        call: &Call,
        made: Service,
        name: ServiceName,
        before: Option<&Arc<Deployed>>,
        operation: &Operation,
    ) -> Result<(), Refused> {
        let canonical = made.name.clone();
        let revision = self.revision_of(&made, &name);
        let deployed = Deployed::new(made, name.clone(), self.cloud(), self.settings());
        let most = self.settings().revisions.max(1);
        let mut state = self.write();
        // Judged once more under the lock: of two at once, the later one finds the other's work.
        let now = state.services.get(&canonical);
        match before {
            None => call.check(free(&canonical, &name, now.is_some()))?,
            Some(before) if now.is_some_and(|now| now.resource.etag == before.resource.etag) => {}
            Some(before) => current(call, now.unwrap_or(before), &before.resource.etag)?,
        }
        for host in &deployed.hosts {
            state.hosts.insert(host.clone(), canonical.clone());
        }
        let revisions = state.revisions.entry(canonical.clone()).or_default();
        if revisions.back().is_none_or(|last| last.name != revision.name) {
            revisions.push_back(Arc::new(revision));
            while revisions.len() > most {
                revisions.pop_front();
            }
        }
        state.remember(operation);
        state.services.insert(canonical, deployed);
        Ok(())
    }

    fn delete(&self, call: &Call, request: DeleteServiceRequest) -> Result<Operation, Refused> {
        let (canonical, deployed) = self.existing(call, "run.services.delete", "name", &request.name)?;
        current(call, &deployed, &request.etag)?;
        let operation = self.operation(&deployed.resource, "delete");
        if request.validate_only {
            return Ok(operation);
        }
        self.write().remember(&operation);
        self.remove(&canonical);
        Ok(operation)
    }

    /// Takes a service away, with its policy.
    pub(super) fn remove(&self, canonical: &str) {
        let mut state = self.write();
        let deployed = state.services.remove(canonical);
        state.revisions.remove(canonical);
        for host in deployed.iter().flat_map(|deployed| &deployed.hosts) {
            state.hosts.remove(host);
        }
        // What was told of the workload stays for a service of this name that is deployed later.
        let behind = state.workloads.get(canonical).map(|(_, behind)| behind.clone());
        drop(state);
        self.cloud().policies().remove(&policy_name(canonical));
        if let Some(behind) = behind {
            behind.retire();
        }
    }

    fn get_iam_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let (canonical, _) = self.existing(call, "run.services.getIamPolicy", "resource", &request.resource)?;
        Ok(iam::get(call, &policy_name(&canonical), &request))
    }

    fn set_iam_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let (canonical, _) = self.existing(call, "run.services.setIamPolicy", "resource", &request.resource)?;
        iam::set(call, &policy_name(&canonical), request)
    }

    fn test_iam_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let parsed = self.named(call, "resource", &request.resource)?;
        let canonical = parsed.canonical(&self.cloud().project().id);
        iam::test(call, &policy_name(&canonical), &request)
    }

    /// A service that must be there, after the caller's permission on it was asked.
    fn existing(
        &self,
        call: &Call,
        permission: &str,
        field: &'static str,
        name: &str,
    ) -> Result<(String, Arc<Deployed>), Refused> {
        let parsed = self.named(call, field, name)?;
        let canonical = parsed.canonical(&self.cloud().project().id);
        self.permit(call, permission, &policy_name(&canonical))?;
        let found = self.read().services.get(&canonical).cloned();
        let check = Check::named("resource")
            .expected("a deployed service")
            .found(canonical.as_str())
            .holds(found.is_some())
            .or_refuse(&refusals::SERVICE_NOT_FOUND, "run-admin-service-not-found")
            .with("service", &parsed.service)
            .with("location", &parsed.location)
            .with("project", &parsed.project);
        call.check(check)?;
        found.map(|found| (canonical, found)).ok_or_else(|| {
            refusals::SERVICE_NOT_FOUND.refuse("run-admin-service-not-found").with("service", &parsed.service)
        })
    }

    /// A name that must be of this project, or the refusal of the field that holds it.
    fn named(&self, call: &Call, field: &'static str, name: &str) -> Result<ServiceName, Refused> {
        let parsed = ServiceName::parse(name).filter(|parsed| self.cloud().project().is(&parsed.project));
        let check = Check::named("request")
            .expected("projects/PROJECT/locations/LOCATION/services/SERVICE of this project")
            .found(name)
            .holds(parsed.is_some());
        call.check(invalid(check, field, "it names no service of this project"))?;
        parsed.ok_or_else(|| refusals::FIELD_INVALID.refuse("run-admin-field-invalid").with("field", field))
    }

    fn permit(&self, call: &Call, permission: &str, resource: &str) -> Result<(), Refused> {
        let deny = || {
            refusals::ADMIN_DENIED
                .refuse("run-admin-permission-denied")
                .with("permission", permission)
                .with("resource", resource.strip_prefix("//run.googleapis.com/").unwrap_or(resource))
        };
        call.permit(permission, resource, deny).map(drop)
    }

    /// The operation of a change (`create`, `update`, `delete`), done at once.
    pub(super) fn operation(&self, service: &Service, change: &str) -> Operation {
        let parent = service.name.rsplit_once("/services/").map_or("", |(parent, _)| parent);
        let id = self.uid("run operation", &format!("{change} {} {}", service.name, service.etag));
        operation::done(format!("{parent}/operations/{id}"), Some(operation::pack(service)), service)
    }

    /// Whether the caller may let a service run as `account`, which must be there.
    fn act_as(&self, call: &Call, account: &str) -> Result<(), Refused> {
        let deny = || refusals::ACT_AS_DENIED.refuse("run-admin-actas-denied").with("account", account);
        let Some(found) = self.cloud().accounts().get(account) else {
            let check = Check::named("permission").expected("a service account that exists").found(account);
            return call.check(
                check.holds(false).or_answer(deny).mend(|| format!("create `{account}`, or name another account")),
            );
        };
        call.permit("iam.serviceAccounts.actAs", &found.resource(), deny).map(drop)
    }
}

impl super::State {
    pub(super) fn remember(&mut self, operation: &Operation) {
        if self.operations.len() >= OPERATIONS {
            self.operations.pop_front();
        }
        self.operations.push_back((operation.name.clone(), operation.clone()));
    }
}

/// The check that no service has this name yet.
fn free(canonical: &str, name: &ServiceName, exists: bool) -> Check {
    Check::named("resource")
        .expected("no service of this name")
        .found(canonical)
        .holds(!exists)
        .or_refuse(&refusals::SERVICE_EXISTS, "run-admin-service-exists")
        .with("service", &name.service)
}

/// The check that the caller speaks of the service as it is now, if it says of which.
fn current(call: &Call, deployed: &Deployed, sent: &str) -> Result<(), Refused> {
    let present = &deployed.resource.etag;
    if sent.is_empty() {
        return Ok(());
    }
    call.check(
        Check::named("resource")
            .expected(serde_json::json!({ "etag": present }))
            .found(serde_json::json!({ "etag": sent }))
            .holds(sent == present)
            .or_refuse(&refusals::ETAG_STALE, "run-admin-etag-stale")
            .with("service", &deployed.name.service)
            .with("sent", sent)
            .with("present", present)
            .mend(|| "read the service again and send the `etag` that it has now".to_owned()),
    )
}

fn invalid(check: Check, field: &str, what: &str) -> Check {
    check
        .or_refuse(&refusals::FIELD_INVALID, "run-admin-field-invalid")
        .with("field", field)
        .with("what", what)
        .mend(|| format!("correct `{field}`: {what}"))
}
