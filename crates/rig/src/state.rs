//! What a rig holds, as a given document: what `GET /state` answers.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value, json};
use tokenrig_cloud::{Cloud, GCLOUD_CLIENT_ID, OAuthClient, Project, ServiceAccount};
use tokenrig_jose::Algorithm;
use tokenrig_policy::Policy;

use crate::{aws, pools, rig::Core};

/// The whole document. Private keys are not told; the secrets of OAuth clients, refresh tokens and AWS access keys are, as they were given.
pub(crate) fn document(core: &Core) -> Value {
    let cloud = core.cloud();
    let mut document = Map::new();
    document.insert("project".to_owned(), told_project(core));
    if let Some(organization) = organization(cloud) {
        document.insert("organization".to_owned(), organization);
    }
    document.insert("settings".to_owned(), settings(core));
    let issuers = core.issuers().list().into_iter().map(|issuer| {
        let mut fields = json!({ "issuer": issuer.issuer, "misbehaves": issuer.misbehaves.name() });
        if issuer.algorithm != Algorithm::Rs256 {
            fields["alg"] = json!(issuer.algorithm.name());
        }
        if let Some(flaw) = issuer.flaw {
            fields["flaw"] = json!(flaw.name());
        }
        if let Some(upstream) = issuer.upstream {
            fields["upstream"] = json!(upstream);
        }
        (issuer.id, fields)
    });
    put(&mut document, "issuers", issuers.collect());
    put(&mut document, "oauth2.clients", clients(cloud));
    put(&mut document, "users", users(cloud));
    put(&mut document, "aws.accounts", aws::document(cloud));
    put(&mut document, "iam.workforcePools", pools::of_workforce(cloud));
    put(&mut document, "iam.workloadIdentityPools", pools::of_workloads(cloud));
    put(&mut document, "iam.roles", roles(cloud));
    put(&mut document, "iam.serviceAccounts", accounts(cloud));
    // Before the functions: one of the second generation takes over the service that stands there for it.
    put(&mut document, "run.services", services(core));
    put(&mut document, "cloudfunctions.functions", functions(core));
    put(&mut document, "cloudscheduler.jobs", jobs(core));
    put(&mut document, "cloudtasks.queues", queues(core));
    Value::Object(document)
}

/// Jobs as a client would make them again.
fn jobs(core: &Core) -> Map<String, Value> {
    let told = core.scheduler().jobs().into_iter().map(|job| {
        let mut fields = job.fields;
        fields.insert("location".to_owned(), json!(job.location));
        (job.id, Value::Object(fields))
    });
    told.collect()
}

/// gcloud's own client is known without being told.
fn clients(cloud: &Cloud) -> Map<String, Value> {
    let clients = cloud.users().clients().into_iter().filter(|client| client.client_id != GCLOUD_CLIENT_ID);
    let told = |client: &OAuthClient| json!({ "clientId": client.client_id, "clientSecret": client.secret.reveal() });
    clients.map(|client| (client.name.clone(), told(&client))).collect()
}

fn users(cloud: &Cloud) -> Map<String, Value> {
    let tokens = cloud.users().refresh_tokens();
    let told = |email: &str| {
        let own = tokens.iter().filter(|(_, token)| token.user == email);
        let own = own.map(|(secret, token)| {
            let client = cloud.users().client(&token.client_id);
            let client = client.map_or_else(|| token.client_id.clone(), |client| client.name.clone());
            (secret.reveal().to_owned(), json!({ "client": client, "state": token.state.name() }))
        });
        json!({ "refreshTokens": own.collect::<Map<_, _>>() })
    };
    cloud.users().list().iter().map(|user| (user.email.clone(), told(&user.email))).collect()
}

/// The seed always, or else tokens would mean nothing to the next rig; of the others what is not as by itself.
fn settings(core: &Core) -> Value {
    let settings = core.cloud().settings();
    let mut told = json!({ "seed": settings.seed });
    if !settings.propagation.is_zero() {
        told["propagation"] = json!(format!("{}s", settings.propagation.as_secs()));
    }
    if !settings.quotas.is_empty() {
        told["quotas"] = json!(settings.quotas);
    }
    if !settings.disabled_services.is_empty() {
        told["disabledServices"] = json!(settings.disabled_services);
    }
    for (name, value) in core.service_settings() {
        told[name] = value.clone();
    }
    told
}

pub(crate) fn put(document: &mut Map<String, Value>, name: &str, entries: Map<String, Value>) {
    if !entries.is_empty() {
        document.insert(name.to_owned(), Value::Object(entries));
    }
}

/// A given policy of the project is added to what a rig has by itself, so only what is beyond that is told.
fn told_project(core: &Core) -> Value {
    let cloud = core.cloud();
    let project = cloud.project();
    let agents = core.agents();
    let own = Cloud::new(tokenrig_cloud::Foundation {
        project: project.clone(),
        agents: agents.iter().cloned().collect(),
        ..tokenrig_cloud::Foundation::on(std::sync::Arc::clone(cloud.clock()))
    });
    let own = own.policies().get(&project.resource()).bindings;
    let mut policy = cloud.policies().get(&project.resource());
    policy.bindings.retain(|binding| !own.contains(binding));
    let mut told = json!({
        "projectId": project.id,
        "projectNumber": project.number,
        "location": project.location,
    });
    if !agents.is_empty() {
        told["agents"] = agents.iter().map(|(service, roles)| (service.clone(), json!(roles))).collect();
    }
    if let Some(policy) = told_policy(&policy) {
        told["iamPolicy"] = policy;
    }
    told
}

/// The organization with what its policy has beyond the rig's own.
fn organization(cloud: &Cloud) -> Option<Value> {
    let id = cloud.organization()?;
    let resource = format!("//cloudresourcemanager.googleapis.com/organizations/{id}");
    let own = Cloud::new(tokenrig_cloud::Foundation {
        project: cloud.project().clone(),
        organization: Some(id.to_owned()),
        ..tokenrig_cloud::Foundation::on(std::sync::Arc::clone(cloud.clock()))
    });
    let own = own.policies().get(&resource).bindings;
    let mut policy = cloud.policies().get(&resource);
    policy.bindings.retain(|binding| !own.contains(binding));
    let mut told = json!({ "id": id });
    if let Some(policy) = told_policy(&policy) {
        told["iamPolicy"] = policy;
    }
    Some(told)
}

/// A policy as it is given: without the etag, which would collide; nothing if it has no bindings.
pub(crate) fn told_policy(policy: &Policy) -> Option<Value> {
    let Value::Object(mut told) = policy.to_json() else { return None };
    told.shift_remove("etag");
    told.shift_remove("version");
    told.contains_key("bindings").then_some(Value::Object(told))
}

/// Custom roles of the project.
fn roles(cloud: &Cloud) -> Map<String, Value> {
    let parent = format!("projects/{}", cloud.project().id);
    let roles = cloud.roles();
    let told = roles.custom(&parent).filter(|role| !role.deleted).map(|role| {
        let mut fields = Map::new();
        text(&mut fields, "title", &role.title);
        text(&mut fields, "description", &role.description);
        fields.insert("includedPermissions".to_owned(), json!(role.permissions()));
        (role.name.rsplit('/').next().unwrap_or_default().to_owned(), Value::Object(fields))
    });
    told.collect()
}

/// Accounts that a rig does not have by itself, and those of its own that were given a policy.
fn accounts(cloud: &Cloud) -> Map<String, Value> {
    let project = cloud.project();
    let own = [project.appspot_email(), project.compute_email(), cloud.owner_email()];
    let agents: Vec<String> = Project::agents().iter().map(|agent| agent.email(&project.number)).collect();
    let mut told = Map::new();
    for known in cloud.projects() {
        for account in cloud.accounts().list(&known.id) {
            let is_own = own.contains(&account.email) || agents.contains(&account.email);
            let fields = told_account(cloud, &account, is_own);
            if is_own && fields.is_empty() {
                continue;
            }
            let id = account.email.split('@').next().unwrap_or_default();
            let whole = is_own || known.id != project.id || project.account_email(id) != account.email;
            let key = if whole { account.email.clone() } else { id.to_owned() };
            told.insert(key, Value::Object(fields));
        }
    }
    told
}

fn told_account(cloud: &Cloud, account: &ServiceAccount, is_own: bool) -> Map<String, Value> {
    let mut told = Map::new();
    if !is_own {
        text(&mut told, "displayName", &account.display_name);
        text(&mut told, "description", &account.description);
    }
    if account.disabled {
        told.insert("disabled".to_owned(), json!(true));
    }
    put(&mut told, "keys", keys(cloud, account));
    if let Some(policy) = told_policy(&cloud.policies().get(&account.resource())) {
        told.insert("iamPolicy".to_owned(), policy);
    }
    told
}

/// Public halves only: whoever holds a key file can go on using it.
fn keys(cloud: &Cloud, account: &ServiceAccount) -> Map<String, Value> {
    let keys = cloud.accounts().keys(account);
    let told = keys.iter().map(|key| {
        let mut fields = json!({ "publicKeyData": BASE64_STANDARD.encode(&key.certificate) });
        if key.disabled {
            fields["disabled"] = json!(true);
        }
        (key.id.clone(), fields)
    });
    told.collect()
}

/// Functions of both generations. What answers behind one of the second, and who may invoke it, is its service's.
fn functions(core: &Core) -> Map<String, Value> {
    let cloud = core.cloud();
    let told = core.cloud_run().functions().into_iter().map(|function| {
        let mut fields = Map::new();
        fields.insert("location".to_owned(), json!(function.location));
        fields.extend(function.told);
        if function.service.is_none()
            && let Some(workload) = core.cloud_run().told_workload(&function.name)
        {
            fields.insert("workload".to_owned(), workload);
        }
        let resource = format!("//cloudfunctions.googleapis.com/{}", function.name);
        if let Some(policy) = told_policy(&cloud.policies().get(&resource)) {
            fields.insert("iamPolicy".to_owned(), policy);
        }
        (function.id, Value::Object(fields))
    });
    told.collect()
}

fn services(core: &Core) -> Map<String, Value> {
    let cloud = core.cloud();
    let functions = core.cloud_run().functions();
    let told = core.cloud_run().deployed().into_iter().map(|service| {
        let mut fields = Map::new();
        fields.insert("location".to_owned(), json!(service.location));
        if functions.iter().any(|function| function.service.as_ref() == Some(&service.name)) {
            fields.insert("labels".to_owned(), json!({ "goog-managed-by": "cloudfunctions" }));
        }
        if !service.custom_audiences.is_empty() {
            fields.insert("customAudiences".to_owned(), json!(service.custom_audiences));
        }
        if let Some(ingress) = service.ingress {
            fields.insert("ingress".to_owned(), json!(ingress));
        }
        if service.invoker_iam_disabled {
            fields.insert("invokerIamDisabled".to_owned(), json!(true));
        }
        if let Some(workload) = core.cloud_run().told_workload(&service.name) {
            fields.insert("workload".to_owned(), workload);
        }
        let resource = format!("//run.googleapis.com/{}", service.name);
        if let Some(policy) = told_policy(&cloud.policies().get(&resource)) {
            fields.insert("iamPolicy".to_owned(), policy);
        }
        (service.id, Value::Object(fields))
    });
    told.collect()
}

fn queues(core: &Core) -> Map<String, Value> {
    let told = core.tasks().told().into_iter().map(|queue| {
        let mut fields = queue.fields;
        if let Some(policy) = told_policy(&core.cloud().policies().get(&queue.resource)) {
            fields.insert("iamPolicy".to_owned(), policy);
        }
        put(&mut fields, "tasks", queue.tasks);
        (queue.id, Value::Object(fields))
    });
    told.collect()
}

pub(crate) fn text(told: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        told.insert(name.to_owned(), json!(value));
    }
}
