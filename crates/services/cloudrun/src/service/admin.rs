//! The admin API, version 2: services, their policies, operations.

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::{
        cloud::run::v2::{
            Condition, CreateServiceRequest, DeleteServiceRequest, GetServiceRequest, IngressTraffic,
            ListServicesRequest, ListServicesResponse, RevisionTemplate, Service, TrafficTarget,
            TrafficTargetAllocationType, TrafficTargetStatus, UpdateServiceRequest, condition,
        },
        iam::v1::{
            GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
        },
        longrunning::Operation,
    },
    prost_types::Timestamp,
};
use tokenrig_wire::{Api, Call, iam, merge, operation, page};

use super::CloudRun;
use crate::{
    model::{Deployed, ServiceName, is_service_id, policy_name},
    refusals,
};

pub(crate) fn api(run: &CloudRun) -> Api {
    Api::new()
        .on("run.projects.locations.services.create", with(run, CloudRun::create))
        .on("run.projects.locations.services.get", with(run, CloudRun::get))
        .on("run.projects.locations.services.list", with(run, CloudRun::list))
        .on("run.projects.locations.services.patch", with(run, CloudRun::patch))
        .on("run.projects.locations.services.delete", with(run, CloudRun::delete))
        .on("run.projects.locations.services.getIamPolicy", with(run, CloudRun::get_iam_policy))
        .on("run.projects.locations.services.setIamPolicy", with(run, CloudRun::set_iam_policy))
        .on("run.projects.locations.services.testIamPermissions", with(run, CloudRun::test_iam_permissions))
}

/// Nothing of the admin API waits, so a method is a plain function of the service.
fn with<Request, Response>(
    run: &CloudRun,
    method: fn(&CloudRun, &Call, Request) -> Result<Response, Refused>,
) -> impl Fn(Call, Request) -> std::future::Ready<Result<Response, Refused>> + Send + Sync + 'static
where
    Request: 'static,
    Response: 'static,
{
    let run = run.clone();
    move |call, request| std::future::ready(method(&run, &call, request))
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
        call.check(
            Check::named("resource")
                .expected("no service of this name")
                .found(canonical.as_str())
                .holds(!exists)
                .or_refuse(&refusals::SERVICE_EXISTS, "run-admin-service-exists")
                .with("service", &parsed.service),
        )?;
        let told = request.service.unwrap_or_default();
        let made = self.output(call, told, &parsed, None);
        if !request.validate_only {
            self.put(&canonical, parsed, made.clone());
        }
        Ok(self.operation(&made))
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
        let (canonical, deployed) = self.existing(call, "run.services.update", "service.name", &told.name)?;
        let merged = merge(&deployed.resource, &told, request.update_mask.as_ref());
        let check = Check::named("request").expected("fields of a service").holds(merged.is_ok());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        call.check(invalid(check.found(fault.as_str()), "update_mask", &fault))?;
        let made = self.output(call, merged.unwrap_or_default(), &deployed.name, Some(&deployed.resource));
        if !request.validate_only {
            self.put(&canonical, deployed.name.clone(), made.clone());
        }
        Ok(self.operation(&made))
    }

    fn delete(&self, call: &Call, request: DeleteServiceRequest) -> Result<Operation, Refused> {
        let (canonical, deployed) = self.existing(call, "run.services.delete", "name", &request.name)?;
        if !request.validate_only {
            let mut state = self.write();
            state.services.remove(&canonical);
            for host in &deployed.hosts {
                state.hosts.remove(host);
            }
            drop(state);
            self.cloud().policies().remove(&policy_name(&canonical));
        }
        Ok(self.operation(&deployed.resource))
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
        Ok(iam::test(call, &policy_name(&canonical), &request))
    }

    /// A service that must be there, after the caller's permission on it was asked.
    fn existing(
        &self,
        call: &Call,
        permission: &str,
        field: &'static str,
        name: &str,
    ) -> Result<(String, std::sync::Arc<Deployed>), Refused> {
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

    fn put(&self, canonical: &str, name: ServiceName, resource: Service) {
        let deployed = Deployed::new(resource, name, self.cloud());
        let mut state = self.write();
        for host in &deployed.hosts {
            state.hosts.insert(host.clone(), canonical.to_owned());
        }
        state.services.insert(canonical.to_owned(), deployed);
    }

    /// The operation of a change, done at once.
    fn operation(&self, service: &Service) -> Operation {
        let parent = service.name.rsplit_once("/services/").map_or("", |(parent, _)| parent);
        let id = service.etag.trim_matches('"');
        operation::done(format!("{parent}/operations/{id}"), Some(operation::pack(service)), service)
    }

    /// The service as Google tells it: what the caller may say, and what only the server says.
    fn output(&self, call: &Call, told: Service, name: &ServiceName, before: Option<&Service>) -> Service {
        let now = call.now();
        let time = Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() };
        let canonical = name.canonical(&self.cloud().project().id);
        let generation = before.map_or(1, |before| before.generation + 1);
        let revision = format!("{canonical}/revisions/{}-{generation:05}-rig", name.service);
        let who = call.caller().identity.email().unwrap_or_default().to_owned();
        let hosts = [
            crate::urls::numbered_host(&name.service, &self.cloud().project().number, &name.location),
            crate::urls::hashed_host(&name.service, self.cloud().run_hash(), &name.location),
        ];
        let ready = |kind: &str| Condition {
            r#type: kind.to_owned(),
            state: condition::State::ConditionSucceeded.into(),
            last_transition_time: Some(time),
            ..Condition::default()
        };
        let latest = TrafficTargetAllocationType::Latest.into();
        let traffic = if told.traffic.is_empty() {
            vec![TrafficTarget { r#type: latest, percent: 100, ..TrafficTarget::default() }]
        } else {
            told.traffic.clone()
        };
        let mut template = told.template.clone().unwrap_or_default();
        if template.service_account.is_empty() {
            template.service_account = self.cloud().project().compute_email();
        }
        let template = RevisionTemplate { revision: String::new(), ..template };
        let ingress = match told.ingress() {
            IngressTraffic::Unspecified => IngressTraffic::All.into(),
            _ => told.ingress,
        };
        Service {
            uid: before.map_or_else(|| self.uid(&canonical), |before| before.uid.clone()),
            name: canonical,
            generation,
            observed_generation: generation,
            create_time: before.map_or(Some(time), |before| before.create_time),
            update_time: Some(time),
            creator: before.map_or_else(|| who.clone(), |before| before.creator.clone()),
            last_modifier: who,
            ingress,
            template: Some(template),
            traffic,
            traffic_statuses: vec![TrafficTargetStatus {
                r#type: latest,
                percent: 100,
                ..TrafficTargetStatus::default()
            }],
            terminal_condition: Some(ready("Ready")),
            conditions: vec![ready("RoutesReady"), ready("ConfigurationsReady")],
            latest_ready_revision: revision.clone(),
            latest_created_revision: revision,
            uri: format!("https://{}", hosts[1]),
            urls: hosts.iter().map(|host| format!("https://{host}")).collect(),
            reconciling: false,
            etag: format!("\"{}-{generation}\"", now.as_microsecond()),
            delete_time: None,
            expire_time: None,
            ..told
        }
    }

    /// A uid in the usual form, the same for the same service of the same rig.
    fn uid(&self, canonical: &str) -> String {
        let hex = self.cloud().derived_hex("run service", canonical);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }
}

fn invalid(check: Check, field: &str, what: &str) -> Check {
    check
        .or_refuse(&refusals::FIELD_INVALID, "run-admin-field-invalid")
        .with("field", field)
        .with("what", what)
        .mend(|| format!("correct `{field}`: {what}"))
}
