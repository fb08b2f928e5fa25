//! Functions of both generations, and their admin API, version 2.
//!
//! One of the second generation is a Cloud Run service with one address more. One of the first answers at that address
//! alone, by a policy and a permission of its own.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::{
        cloud::{
            functions::v2::{
                CreateFunctionRequest, DeleteFunctionRequest, Environment, Function, GetFunctionRequest,
                ListFunctionsRequest, ListFunctionsResponse, ServiceConfig, function::State as Stage,
                service_config::IngressSettings,
            },
            run::v2::{Container, EnvVar, IngressTraffic, RevisionTemplate, Service, env_var},
        },
        iam::v1::{
            GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
        },
        longrunning::{GetOperationRequest, Operation},
    },
    pool,
    prost::{Message as _, Name as _},
    prost_reflect::DynamicMessage,
    prost_types::{Duration, Timestamp},
};
use tokenrig_wire::{Api, Call, iam, operation, page, with};

use super::{CloudRun, State};
use crate::{
    model::{Deployed, FunctionName, ServiceName},
    refusals,
};

/// How long a request may take unless the function says otherwise.
const TIMEOUT_SECONDS: i32 = 60;
/// The label of a service that belongs to a function. Assumed: Google sets one, and this is its name as it is remembered.
const MANAGED_BY: (&str, &str) = ("goog-managed-by", "cloudfunctions");
/// What a function has by being there: nobody says it at creation.
const OUTPUTS: [&str; 5] = ["name", "state", "url", "createTime", "updateTime"];
const SERVICE_OUTPUTS: [&str; 3] = ["service", "uri", "revision"];

/// A deployed function.
#[derive(Debug)]
pub(crate) struct DeployedFunction {
    /// The resource as the admin API returns it.
    pub(crate) resource: Function,
    /// `HOST/FUNCTION`: where it answers.
    pub(crate) address: String,
    pub(crate) name: FunctionName,
    pub(crate) backing: Backing,
}

/// A deployed function in short.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSummary {
    /// `projects/P/locations/L/functions/F`.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its location.
    pub location: String,
    /// What was said of it at its creation, as JSON of the REST resource.
    pub told: Map<String, Value>,
    /// Of the second generation the service behind it, `projects/P/locations/L/services/S`.
    pub service: Option<String>,
}

/// What takes the requests of a function.
#[derive(Debug)]
pub(crate) enum Backing {
    /// First generation: itself.
    Own(Arc<Deployed>),
    /// Second generation: the service of this canonical name.
    Service(String),
}

impl DeployedFunction {
    /// The name under which its workload and what it received are kept.
    pub(crate) fn key(&self) -> &str {
        match &self.backing {
            Backing::Own(deployed) => &deployed.canonical,
            Backing::Service(service) => service,
        }
    }
}

pub(super) fn on(api: Api, run: &CloudRun) -> Api {
    api.on("cloudfunctions.projects.locations.functions.create", with(run, CloudRun::create_function))
        .on("cloudfunctions.projects.locations.functions.get", with(run, CloudRun::get_function))
        .on("cloudfunctions.projects.locations.functions.list", with(run, CloudRun::list_functions))
        .on("cloudfunctions.projects.locations.functions.delete", with(run, CloudRun::delete_function))
        .on("cloudfunctions.projects.locations.functions.getIamPolicy", with(run, CloudRun::get_function_policy))
        .on("cloudfunctions.projects.locations.functions.setIamPolicy", with(run, CloudRun::set_function_policy))
        .on("cloudfunctions.projects.locations.functions.testIamPermissions", with(run, CloudRun::test_function))
        .on("cloudfunctions.projects.locations.operations.get", with(run, CloudRun::get_function_operation))
}

impl State {
    /// The function at `HOST` whose name is the path's first part.
    pub(super) fn function_at(&self, host: &str, path: &str) -> Option<&Arc<DeployedFunction>> {
        let name = path.strip_prefix('/')?.split('/').next()?;
        self.functions.get(self.addresses.get(&format!("{host}/{name}"))?)
    }
}

impl DeployedFunction {
    fn summary(&self) -> FunctionSummary {
        FunctionSummary {
            name: self.resource.name.clone(),
            id: self.name.function.clone(),
            location: self.name.location.clone(),
            told: told(&self.resource),
            service: match &self.backing {
                Backing::Own(_) => None,
                Backing::Service(service) => Some(service.clone()),
            },
        }
    }
}

/// A function as its creation would be asked for.
fn told(function: &Function) -> Map<String, Value> {
    let described = pool().get_message_by_name(Function::full_name().as_str());
    let message = described.and_then(|is| DynamicMessage::decode(is, function.encode_to_vec().as_slice()).ok());
    let json = message.and_then(|message| serde_json::to_value(message).ok());
    let Some(Value::Object(mut told)) = json else { return Map::new() };
    told.retain(|name, _| !OUTPUTS.contains(&name.as_str()));
    if let Some(Value::Object(config)) = told.get_mut("serviceConfig") {
        config.retain(|name, _| !SERVICE_OUTPUTS.contains(&name.as_str()));
    }
    told
}

impl CloudRun {
    /// Every deployed function, by name.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionSummary> {
        self.read().functions.values().map(|function| function.summary()).collect()
    }

    /// The service that stands where that of a new function is to be: one that a function has left there, or that was put
    /// there for it, is taken over.
    fn standing(&self, call: &Call, function: &str, service: &str) -> Result<Option<Arc<Deployed>>, Refused> {
        let state = self.read();
        let standing = state.services.get(service).cloned();
        let owned = state.functions.values().any(|other| other.key() == service);
        drop(state);
        let (name, by) = MANAGED_BY;
        let managed = |is: &Arc<Deployed>| is.resource.labels.get(name).is_some_and(|value| value == by);
        let taken = standing.as_ref().is_some_and(|is| owned || !managed(is));
        call.check(free(function, taken))?;
        Ok(standing)
    }

    fn create_function(&self, call: &Call, request: CreateFunctionRequest) -> Result<Operation, Refused> {
        let name = self.function(call, "parent", &format!("{}/functions/{}", request.parent, request.function_id))?;
        let check = Check::named("request")
            .expected("at most 63 characters of [a-zA-Z0-9_-], beginning with a letter")
            .found(request.function_id.as_str())
            .holds(name.is_valid());
        call.check(invalid(check, "function_id", "it is no valid id of a function"))?;
        let parent = format!("//cloudfunctions.googleapis.com/{}", request.parent);
        self.permit_function(call, "cloudfunctions.functions.create", &parent)?;
        let project = self.cloud().project().clone();
        let canonical = name.canonical(&project.id);
        let taken = self.read().functions.contains_key(&canonical);
        call.check(free(&canonical, taken))?;
        let mut told = request.function.unwrap_or_default();
        let first = told.environment() == Environment::Gen1;
        let mut config = told.service_config.take().unwrap_or_default();
        if config.service_account_email.is_empty() {
            config.service_account_email = if first { project.appspot_email() } else { project.compute_email() };
        }
        if config.timeout_seconds <= 0 {
            config.timeout_seconds = TIMEOUT_SECONDS;
        }
        self.act_as_function(call, &config.service_account_email)?;
        let address = name.address(&project.id);
        let service = service(&config, &address);
        let backing = if first {
            let deployed = Deployed::function(service, &name, &canonical, self.cloud(), self.settings());
            config.uri = format!("https://{address}");
            Backing::Own(deployed)
        } else {
            let behind = name.service();
            let service_name = behind.canonical(&project.id);
            let standing = self.standing(call, &canonical, &service_name)?;
            let service = match &standing {
                None => service,
                Some(standing) => taken_over(service, &standing.resource),
            };
            let made = self.told(call, service, &behind, standing.as_deref().map(|standing| &standing.resource))?;
            config.service.clone_from(&service_name);
            config.uri.clone_from(&made.uri);
            config.revision = made.latest_ready_revision.rsplit('/').next().unwrap_or_default().to_owned();
            let operation = self.operation(&made, "create");
            self.deploy(call, made, behind, standing.as_ref(), &operation)?;
            Backing::Service(service_name)
        };
        let now = call.now();
        let time = Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() };
        let resource = Function {
            name: canonical.clone(),
            service_config: Some(config),
            state: Stage::Active.into(),
            environment: if first { Environment::Gen1 } else { Environment::Gen2 }.into(),
            url: format!("https://{address}"),
            create_time: Some(time),
            update_time: Some(time),
            ..told
        };
        let operation = self.function_operation(&resource, "create", &resource);
        let mut state = self.write();
        // Judged once more under the lock: of two at once, the later one finds the other's work.
        call.check(free(&canonical, state.functions.contains_key(&canonical)))?;
        state.addresses.insert(address.clone(), canonical.clone());
        state.remember(&operation);
        state.functions.insert(canonical, Arc::new(DeployedFunction { resource, address, name, backing }));
        Ok(operation)
    }

    fn get_function(&self, call: &Call, request: GetFunctionRequest) -> Result<Function, Refused> {
        let found = self.existing_function(call, "cloudfunctions.functions.get", "name", &request.name)?;
        Ok(found.resource.clone())
    }

    fn list_functions(&self, call: &Call, request: ListFunctionsRequest) -> Result<ListFunctionsResponse, Refused> {
        let parent = self.function(call, "parent", &format!("{}/functions/-", request.parent))?;
        let resource = format!("//cloudfunctions.googleapis.com/{}", request.parent);
        self.permit_function(call, "cloudfunctions.functions.list", &resource)?;
        let check = Check::named("request").expected("no filter: they are not played").found(request.filter.as_str());
        call.check(invalid(check.holds(request.filter.is_empty()), "filter", "filters are not played here"))?;
        let all = self.read().functions.clone();
        let here = all.into_iter().filter(|(_, one)| parent.location == "-" || one.name.location == parent.location);
        let page = page(here, |(name, _)| name, request.page_size, &request.page_token, 100, 1000);
        let check =
            Check::named("request").expected("a page token of this list").found(request.page_token).holds(page.is_ok());
        call.check(invalid(check, "page_token", "it is no token of this list"))?;
        let (functions, next_page_token) = page.map_or_else(
            |_| (Vec::new(), String::new()),
            |page| (page.items.into_iter().map(|(_, one)| one.resource.clone()).collect(), page.next),
        );
        Ok(ListFunctionsResponse { functions, next_page_token, unreachable: Vec::new() })
    }

    fn delete_function(&self, call: &Call, request: DeleteFunctionRequest) -> Result<Operation, Refused> {
        let found = self.existing_function(call, "cloudfunctions.functions.delete", "name", &request.name)?;
        let operation = self.function_operation(&found.resource, "delete", &());
        let mut state = self.write();
        state.functions.remove(&found.resource.name);
        state.addresses.remove(&found.address);
        state.remember(&operation);
        let behind = state.workloads.get(found.key()).map(|(_, behind)| behind.clone());
        drop(state);
        self.cloud().policies().remove(&policy_name(&found.resource.name));
        match &found.backing {
            Backing::Service(service) => self.remove(service),
            Backing::Own(_) => {
                if let Some(behind) = behind {
                    behind.retire();
                }
            }
        }
        Ok(operation)
    }

    fn get_function_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let permission = "cloudfunctions.functions.getIamPolicy";
        let found = self.existing_function(call, permission, "resource", &request.resource)?;
        Ok(iam::get(call, &policy_name(&found.resource.name), &request))
    }

    fn set_function_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let permission = "cloudfunctions.functions.setIamPolicy";
        let found = self.existing_function(call, permission, "resource", &request.resource)?;
        iam::set(call, &policy_name(&found.resource.name), request)
    }

    fn test_function(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let name = self.function(call, "resource", &request.resource)?;
        iam::test(call, &policy_name(&name.canonical(&self.cloud().project().id)), &request)
    }

    fn get_function_operation(&self, call: &Call, request: GetOperationRequest) -> Result<Operation, Refused> {
        let (parent, id) = request.name.rsplit_once("/operations/").unwrap_or((&request.name, ""));
        let parsed = self.function(call, "name", &format!("{parent}/functions/-"))?;
        let resource = format!("//cloudfunctions.googleapis.com/{parent}");
        self.permit_function(call, "cloudfunctions.operations.get", &resource)?;
        let name = format!("projects/{}/locations/{}/operations/{id}", self.cloud().project().id, parsed.location);
        let found = self.read().operations.iter().rev().find(|(known, _)| *known == name).map(|(_, one)| one.clone());
        let missing = || refusals::FUNCTION_OPERATION_NOT_FOUND.refuse("functions-admin-operation-not-found");
        let check = Check::named("resource").expected("an operation of this project").found(name);
        call.check(check.holds(found.is_some()).or_answer(missing))?;
        found.ok_or_else(missing)
    }

    /// A function that must be there, after the caller's permission on it was asked.
    fn existing_function(
        &self,
        call: &Call,
        permission: &str,
        field: &'static str,
        name: &str,
    ) -> Result<Arc<DeployedFunction>, Refused> {
        let canonical = self.function(call, field, name)?.canonical(&self.cloud().project().id);
        self.permit_function(call, permission, &policy_name(&canonical))?;
        let found = self.read().functions.get(&canonical).cloned();
        let missing =
            || refusals::NO_SUCH_FUNCTION.refuse("functions-admin-not-found").with("function", canonical.as_str());
        let check = Check::named("resource").expected("a deployed function").found(canonical.as_str());
        call.check(check.holds(found.is_some()).or_answer(missing))?;
        found.ok_or_else(missing)
    }

    /// A name that must be of this project, or the refusal of the field that holds it.
    fn function(&self, call: &Call, field: &'static str, name: &str) -> Result<FunctionName, Refused> {
        let parsed = FunctionName::parse(name).filter(|parsed| self.cloud().project().is(&parsed.project));
        let check = Check::named("request")
            .expected("projects/PROJECT/locations/LOCATION/functions/FUNCTION of this project")
            .found(name)
            .holds(parsed.is_some());
        call.check(invalid(check, field, "it names no function of this project"))?;
        parsed.ok_or_else(|| {
            refusals::FUNCTION_FIELD_INVALID.refuse("functions-admin-field-invalid").with("field", field)
        })
    }

    fn permit_function(&self, call: &Call, permission: &str, resource: &str) -> Result<(), Refused> {
        let deny = || {
            refusals::FUNCTION_ADMIN_DENIED
                .refuse("functions-admin-permission-denied")
                .with("permission", permission)
                .with("resource", resource.strip_prefix("//cloudfunctions.googleapis.com/").unwrap_or(resource))
        };
        call.permit(permission, resource, deny).map(drop)
    }

    /// Whether the caller may let a function run as `account`, which must be there.
    fn act_as_function(&self, call: &Call, account: &str) -> Result<(), Refused> {
        let deny = || refusals::FUNCTION_ACT_AS_DENIED.refuse("functions-actas-denied").with("account", account);
        let Some(found) = self.cloud().accounts().get(account) else {
            let check = Check::named("permission").expected("a service account that exists").found(account);
            return call.check(
                check.holds(false).or_answer(deny).mend(|| format!("create `{account}`, or name another account")),
            );
        };
        call.permit("iam.serviceAccounts.actAs", &found.resource(), deny).map(drop)
    }

    fn function_operation<Answer>(&self, function: &Function, change: &str, answer: &Answer) -> Operation
    where
        Answer: tokenrig_protos::prost::Name,
    {
        let parent = function.name.rsplit_once("/functions/").map_or("", |(parent, _)| parent);
        let generation = self.read().operations.len();
        let id = self.uid("function operation", &format!("{change} {} {generation}", function.name));
        operation::done(format!("{parent}/operations/{id}"), None, answer)
    }
}

/// The service that runs what a function is told to run.
fn service(config: &ServiceConfig, address: &str) -> Service {
    let environment = config
        .environment_variables
        .iter()
        .map(|(name, value)| EnvVar { name: name.clone(), values: Some(env_var::Values::Value(value.clone())) });
    let container = Container { env: environment.collect(), ..Container::default() };
    let template = RevisionTemplate {
        service_account: config.service_account_email.clone(),
        timeout: Some(Duration { seconds: config.timeout_seconds.into(), nanos: 0 }),
        containers: vec![container],
        ..RevisionTemplate::default()
    };
    let ingress = match config.ingress_settings() {
        IngressSettings::Unspecified | IngressSettings::AllowAll => IngressTraffic::All,
        IngressSettings::AllowInternalOnly => IngressTraffic::InternalOnly,
        IngressSettings::AllowInternalAndGclb => IngressTraffic::InternalLoadBalancer,
    };
    Service {
        template: Some(template),
        ingress: ingress.into(),
        // As Google does: the function's address is one more audience of the service.
        custom_audiences: vec![format!("https://{address}")],
        ..Service::default()
    }
}

/// The service of a function, with what somebody has said of the one that stands there and a function does not say.
fn taken_over(mut service: Service, standing: &Service) -> Service {
    let own = service.custom_audiences.clone();
    service.custom_audiences.extend(standing.custom_audiences.iter().filter(|one| !own.contains(one)).cloned());
    service.invoker_iam_disabled = standing.invoker_iam_disabled;
    service
}

/// The resource name of policies.
fn policy_name(canonical: &str) -> String {
    format!("//cloudfunctions.googleapis.com/{canonical}")
}

/// The check that nothing has this name yet.
fn free(canonical: &str, exists: bool) -> Check {
    Check::named("resource")
        .expected("no function of this name, and no service behind it")
        .found(canonical)
        .holds(!exists)
        .or_refuse(&refusals::FUNCTION_EXISTS, "functions-admin-exists")
        .with("function", canonical)
}

fn invalid(check: Check, field: &str, what: &str) -> Check {
    check
        .or_refuse(&refusals::FUNCTION_FIELD_INVALID, "functions-admin-field-invalid")
        .with("field", field)
        .with("what", what)
        .mend(|| format!("correct `{field}`: {what}"))
}

/// The name of the service behind a function: its own in small letters.
impl FunctionName {
    fn service(&self) -> ServiceName {
        ServiceName {
            project: self.project.clone(),
            location: self.location.clone(),
            service: self.function.to_ascii_lowercase().replace('_', "-"),
        }
    }
}
