//! Putting in place what a given document holds: Google's own admin calls, in the order in which they can be made.
//!
//! All creates come first, each after those it refers to; then what answers behind services; then all policies, so that
//! a policy may name any resource. The same code serves `run`, `exec` and `serve`.

mod policy;
mod values;

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokenrig_cel::Value;
use tokenrig_clock::real;
use tokenrig_protos::{Collection, Method, Segment};
use tokenrig_scenario::{Given, GivenResource, Span};

pub use self::{policy::GivenMember, values::Resources};
use crate::{
    evaluate::{Env, Fault},
    events::{Exchange, Failure, StepReport},
    exchange::Sent,
    method_call,
    world::{Answer, Facts, Foundation, Request, Site, SiteFault, Who},
};

const DEADLINE: Duration = Duration::from_secs(30);
/// How often a long-running operation is asked whether it is done, and how long between two times.
const OPERATION_LOOKS: usize = 120;
const OPERATION_PAUSE: Duration = Duration::from_secs(1);

/// A given document that could not be put in place.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.failures.first().map_or("the given resources could not be put in place", |failure| &failure.message))]
pub struct GivenFault(Box<StepReport>, Option<String>);

impl GivenFault {
    /// What was being done, the exchange with the API, and what is wrong, as of step 0 of a case.
    #[must_use]
    pub fn into_report(self) -> StepReport {
        *self.0
    }

    /// See [`into_report`](Self::into_report).
    #[must_use]
    pub fn report(&self) -> &StepReport {
        &self.0
    }

    /// Why this kind of world cannot have it, if that is the reason: then a case is skipped.
    #[must_use]
    pub fn unsupported(&self) -> Option<&str> {
        self.1.as_deref()
    }

    pub(crate) fn new(failure: Failure, exchanges: Vec<Exchange>) -> Self {
        let report = Box::new(StepReport {
            title: Some("given".to_owned()),
            at: failure.at,
            exchanges,
            failures: vec![failure],
            ..StepReport::default()
        });
        Self(report, None)
    }
}

impl From<Fault> for GivenFault {
    fn from(fault: Fault) -> Self {
        Self::new(fault.into(), Vec::new())
    }
}

/// What a site must know before it stands, of a given document without rows.
///
/// # Errors
///
/// A value that has none.
pub fn foundation(given: &Given) -> Result<Foundation, GivenFault> {
    foundation_in(given, &Env::default())
}

pub(crate) fn foundation_in(given: &Given, env: &Env) -> Result<Foundation, GivenFault> {
    let map = |template: &Option<_>| template.as_ref().map_or(Ok(Map::new()), |template| env.object(template));
    let maps = |entries: &[(tokenrig_scenario::Key, tokenrig_scenario::Template)]| {
        entries
            .iter()
            .map(|(key, template)| Ok((key.text.to_string(), env.json(template)?)))
            .collect::<Result<Map<_, _>, Fault>>()
    };
    Ok(Foundation {
        project: map(&given.project)?,
        organization: map(&given.organization)?,
        issuers: maps(&given.issuers)?,
        users: maps(&given.users)?,
        clients: maps(&given.clients)?,
        aws: maps(&given.aws)?,
        settings: map(&given.settings)?,
        ..Foundation::default()
    })
}

/// Puts everything in place, for a document without rows.
///
/// # Errors
///
/// The first thing that could not be made, with the answer that said so.
pub async fn apply(site: &dyn Site, given: &Given) -> Result<Resources, GivenFault> {
    apply_in(site, given, Env::default()).await.map(|(resources, _)| resources)
}

/// As [`apply`], but no policy is set: their members are given as they are written, those that Google would refuse among
/// them.
///
/// # Errors
///
/// As [`apply`].
pub async fn apply_without_policies(
    site: &dyn Site,
    given: &Given,
) -> Result<(Resources, Vec<GivenMember>), GivenFault> {
    let making = Making::new(site, given, Env::default()).resources(false).await?;
    let members = making.members()?;
    Ok((making.resources, members))
}

/// As [`apply`], with what a case's row and `vars` mean; also gives all names for the steps.
pub(crate) async fn apply_in(site: &dyn Site, given: &Given, env: Env) -> Result<(Resources, Env), GivenFault> {
    let making = Making::new(site, given, env).resources(true).await?;
    Ok((making.resources, making.env))
}

struct Making<'a> {
    site: &'a dyn Site,
    given: &'a Given,
    facts: Facts,
    resources: Resources,
    env: Env,
    /// The owner's access token.
    token: Option<String>,
    /// The id that a key is to have which is being uploaded.
    key_id: Option<String>,
    /// The last exchange; only one that failed is shown.
    last: Option<(Sent, Result<Answer, SiteFault>)>,
}

impl<'a> Making<'a> {
    fn new(site: &'a dyn Site, given: &'a Given, env: Env) -> Self {
        let facts = site.facts();
        let resources = Resources::of(&facts, given);
        Self { site, given, facts, resources, env, token: None, key_id: None, last: None }
    }

    /// Makes everything, with or without the policies.
    async fn resources(mut self, policies: bool) -> Result<Self, GivenFault> {
        self.see();
        let given = self.given;
        let ordered = given.order.iter().filter_map(|index| Some((*index, given.resources.get(*index)?)));
        // Tasks act by themselves: they come when all that they may reach is there.
        let (acting, standing): (Vec<_>, Vec<_>) =
            ordered.partition(|(_, resource)| resource.collection.name == "cloudtasks.queues.tasks");
        for (index, resource) in standing {
            self.create(index, resource).await?;
        }
        for (index, resource) in given.resources.iter().enumerate() {
            self.workload(index, resource).await?;
        }
        if policies {
            for (index, resource) in given.resources.iter().enumerate() {
                self.policy(index, resource).await?;
            }
            self.organization_policy().await?;
            self.project_policy().await?;
            for (index, resource) in acting {
                self.create(index, resource).await?;
            }
        }
        Ok(self)
    }

    /// Lets expressions see what is there now.
    fn see(&mut self) {
        self.resources.enter(&mut self.env.scope);
        self.env.scope.set("now", self.site.now());
    }

    fn fault(&mut self, failure: Failure) -> GivenFault {
        // The last exchange is the one that failed; the others went well.
        let now = self.site.now();
        let last = self.last.take().map(|(sent, result)| sent.shown(&result, now));
        GivenFault::new(failure, last.into_iter().collect())
    }

    fn site_fault(&mut self, span: Span, what: &str, fault: &SiteFault) -> GivenFault {
        let failure = Failure { at: Some(span), ..Failure::new(format!("{what}: {fault}")) };
        let unsupported = match fault {
            SiteFault::Unsupported(why) => Some(why.clone()),
            _ => None,
        };
        GivenFault(self.fault(failure).0, unsupported)
    }

    async fn create(&mut self, index: usize, resource: &GivenResource) -> Result<(), GivenFault> {
        let collection = resource.collection;
        let body = self.env.object(&resource.body)?;
        let paused = body.get("state").and_then(Json::as_str) == Some("PAUSED");
        let whole_email = collection.name == "iam.serviceAccounts" && resource.id.text.contains('@');
        let made = if whole_email {
            self.account_by_email(resource, body).await?
        } else {
            let parent = self.parent(resource)?;
            let body = self.completed(resource, body)?;
            let placed = match self.site.placed(collection.name, &resource.id.text, body) {
                Ok(placed) => placed,
                Err(fault) => return Err(self.site_fault(resource.id.span, collection.name, &fault)),
            };
            let fields = create_fields(collection, &parent, &placed.id, placed.fields);
            self.call(collection.create, &fields, resource.id.span).await?
        };
        self.resources.put(index, made);
        self.see();
        for (key_id, key) in &resource.keys {
            self.key(index, &key_id.text, key).await?;
        }
        if let Some(disabled) = &resource.disabled
            && self.env.value(disabled)? == Value::Bool(true)
            && let Some(disable) = collection.disable
        {
            let name = self.resources.name(index).unwrap_or_default();
            self.call(disable, &one("name", name), disabled.span).await?;
        }
        // That something is paused is no field of its create call.
        if let Some(pause) = collection.pause
            && paused
        {
            let name = self.resources.name(index).unwrap_or_default();
            let made = self.call(pause, &one("name", name), resource.id.span).await?;
            self.resources.put(index, made);
            self.see();
        }
        Ok(())
    }

    /// An account that is named by its whole e-mail: a default account, which exists, or one of another project.
    async fn account_by_email(
        &mut self,
        resource: &GivenResource,
        body: Map<String, Json>,
    ) -> Result<Json, GivenFault> {
        let email = resource.id.text.to_string();
        let span = resource.id.span;
        if let Some(get) = resource.collection.get {
            let name = format!("projects/-/serviceAccounts/{email}");
            let answer = self.send(get, &one("name", name), span).await?;
            if answer.status == 200 {
                self.last = None;
                let account: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
                return match resource.collection.patch {
                    Some(patch) if !body.is_empty() => {
                        let mask = body.keys().cloned().collect::<Vec<_>>().join(",");
                        let mut body = body;
                        body.insert("name".to_owned(), account.get("name").cloned().unwrap_or_default());
                        let mut fields = one("serviceAccount", Json::Object(body));
                        fields.insert("updateMask".to_owned(), json!(mask));
                        self.call(patch, &fields, span).await
                    }
                    _ => Ok(account),
                };
            }
        }
        let other = email.split_once('@').and_then(|(id, domain)| {
            Some((id.to_owned(), domain.strip_suffix(".iam.gserviceaccount.com")?.to_owned()))
        });
        let Some((id, project)) = other else {
            let failure = Failure {
                at: Some(span),
                label: "no such account".to_owned(),
                help: Some("a user-managed account is `ID@PROJECT.iam.gserviceaccount.com`".to_owned()),
                ..Failure::new(format!(
                    "`{email}` is no default account of this project and no account that can be made"
                ))
            };
            return Err(self.fault(failure));
        };
        let fields = create_fields(resource.collection, &format!("projects/{project}"), &id, body);
        self.call(resource.collection.create, &fields, span).await
    }

    /// Uploads the public half of a key.
    async fn key(&mut self, account: usize, id: &str, key: &tokenrig_scenario::Template) -> Result<(), GivenFault> {
        let mut fields = self.env.object(key)?;
        let upload = tokenrig_protos::table().by_short("iam.serviceAccounts.keys.upload");
        let Some(upload) = upload else {
            let failure = Failure { at: Some(key.span), ..Failure::new("keys of accounts cannot be given yet") };
            return Err(self.fault(failure));
        };
        let disabled = fields.shift_remove("disabled") == Some(json!(true));
        fields.insert("name".to_owned(), json!(self.resources.name(account).unwrap_or_default()));
        self.key_id = Some(id.to_owned());
        let made = self.call(upload, &fields, key.span).await;
        self.key_id = None;
        let made = made?;
        let got = made.get("name").and_then(Json::as_str).and_then(|name| name.rsplit('/').next()).unwrap_or_default();
        if got != id {
            let failure = Failure {
                at: Some(key.span),
                label: format!("is key {got}"),
                ..Failure::new(format!("this public key has the id {got}, not {id}"))
            };
            return Err(self.fault(failure));
        }
        if disabled && let Some(disable) = tokenrig_protos::table().by_short("iam.serviceAccounts.keys.disable") {
            let name = made.get("name").cloned().unwrap_or_default();
            self.call(disable, &one("name", name), key.span).await?;
        }
        Ok(())
    }

    async fn workload(&mut self, index: usize, resource: &GivenResource) -> Result<(), GivenFault> {
        let Some(template) = &resource.workload else { return Ok(()) };
        let workload = self.env.json(template)?;
        let name = self.resources.name(index).unwrap_or_default();
        match self.site.set_workload(&name, &workload).await {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.site_fault(template.span, "the workload cannot be set", &fault)),
        }
    }

    /// The resource that this one is in, as the create call wants it.
    fn parent(&mut self, resource: &GivenResource) -> Result<String, GivenFault> {
        if let Some(parent) = resource.parent {
            return Ok(self.resources.name(parent).unwrap_or_default());
        }
        let location = match &resource.location {
            Some(location) => self.env.text(location)?,
            // Everything of IAM lives in the one location `global`.
            None if resource.collection.name.starts_with("iam.") => "global".to_owned(),
            None => self.facts.location.clone(),
        };
        let rule = resource.collection.create.rules.first();
        let segments = rule.and_then(|rule| {
            let variable = rule.template.variables().first()?;
            rule.template.segments().get(variable.start..variable.end)
        });
        let has = |literal: &str| {
            let mut segments = segments.into_iter().flatten();
            segments.any(|segment| matches!(segment, Segment::Literal(text) if text == literal))
        };
        let project = &self.facts.project_id;
        Ok(match (has("projects"), has("locations")) {
            (false, true) => format!("locations/{location}"),
            (_, true) => format!("projects/{project}/locations/{location}"),
            (_, false) => format!("projects/{project}"),
        })
    }

    /// The fields of a resource with what goes without saying: the organization of a workforce pool, and how people sign in
    /// with a browser at a provider of one, which Google wants told and no exchange depends on.
    fn completed(
        &mut self,
        resource: &GivenResource,
        mut body: Map<String, Json>,
    ) -> Result<Map<String, Json>, GivenFault> {
        match resource.collection.name {
            "iam.workforcePools" if !body.contains_key("parent") => {
                let Some(organization) = &self.facts.organization else {
                    let failure = Failure {
                        at: Some(resource.id.span),
                        label: "belongs to none".to_owned(),
                        help: Some("give one: `organization: { id: \"123456789012\" }`".to_owned()),
                        ..Failure::new("a workforce pool belongs to an organization")
                    };
                    return Err(self.fault(failure));
                };
                body.insert("parent".to_owned(), json!(format!("organizations/{organization}")));
            }
            "iam.workforcePools.providers" => {
                if let Some(oidc) = body.get_mut("oidc").and_then(Json::as_object_mut) {
                    oidc.entry("webSsoConfig").or_insert_with(
                        || json!({ "responseType": "ID_TOKEN", "assertionClaimsBehavior": "ONLY_ID_TOKEN_CLAIMS" }),
                    );
                }
            }
            _ => {}
        }
        Ok(body)
    }

    /// Calls a method as the owner; an answer of 400 or more is a fault. Operations are waited for and unwrapped.
    async fn call(&mut self, method: &Method, fields: &Map<String, Json>, span: Span) -> Result<Json, GivenFault> {
        let answer = self.send(method, fields, span).await?;
        let body: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status >= 400 {
            return Err(self.refused(method, answer.status, &body, span));
        }
        let body = if method.output.full_name() == "google.longrunning.Operation" {
            self.finished(method, body, span).await?
        } else {
            body
        };
        self.last = None;
        Ok(body)
    }

    /// What a long-running operation made, once it is done.
    async fn finished(&mut self, method: &Method, mut operation: Json, span: Span) -> Result<Json, GivenFault> {
        for _ in 0..OPERATION_LOOKS {
            if operation.get("done") == Some(&Json::Bool(true)) {
                break;
            }
            let Some(name) = operation.get("name").and_then(Json::as_str) else { break };
            real::pause(OPERATION_PAUSE).await;
            let url = format!("https://{}/{}/{name}", method.host, method.version);
            let answer = self.get(&url, span).await?;
            operation = serde_json::from_slice(&answer.body).unwrap_or_default();
        }
        if let Some(error) = operation.get("error") {
            let status = error.get("code").and_then(Json::as_u64).unwrap_or_default();
            return Err(self.refused(method, u16::try_from(status).unwrap_or_default(), &operation, span));
        }
        let mut response = operation.get("response").cloned().unwrap_or_default();
        if let Some(response) = response.as_object_mut() {
            response.shift_remove("@type");
        }
        Ok(response)
    }

    fn refused(&mut self, method: &Method, status: u16, body: &Json, span: Span) -> GivenFault {
        let message = body.pointer("/error/message").and_then(Json::as_str).unwrap_or("no reason given");
        let message = crate::redact::text(message).into_owned();
        let failure = Failure {
            at: Some(span),
            label: message.clone(),
            ..Failure::new(format!("{} refused what is given with {status}: {message}", method.short))
        };
        self.fault(failure)
    }

    async fn send(&mut self, method: &Method, fields: &Map<String, Json>, span: Span) -> Result<Answer, GivenFault> {
        let mut request = match method_call::rest(method, fields, DEADLINE) {
            Ok(request) => request,
            Err(fault) => {
                let failure = Failure { at: Some(span), ..Failure::new(format!("{}: {fault}", method.short)) };
                return Err(self.fault(failure));
            }
        };
        request.headers.push(("authorization".to_owned(), self.bearer(span).await?));
        // A rig gives an uploaded key this id. Google makes one up; then what is given does not fit, and that is said.
        request.headers.extend(self.key_id.clone().map(|id| ("x-tokenrig-key-id".to_owned(), id)));
        self.place(request).await.map_err(|fault| self.site_fault(span, method.short, &fault))
    }

    async fn get(&mut self, url: &str, span: Span) -> Result<Answer, GivenFault> {
        let request = Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: vec![("authorization".to_owned(), self.bearer(span).await?)],
            body: Vec::new(),
            protocol: crate::world::Protocol::Any,
            deadline: DEADLINE,
        };
        self.place(request).await.map_err(|fault| self.site_fault(span, url, &fault))
    }

    async fn place(&mut self, request: Request) -> Result<Answer, SiteFault> {
        let sent = Sent { request: request.clone(), at: self.site.now() };
        let result = self.site.place(request).await;
        self.last = Some((sent, result.clone()));
        result
    }

    async fn bearer(&mut self, span: Span) -> Result<String, GivenFault> {
        if self.token.is_none() {
            match self.site.credentials(Who::Owner).await {
                Ok(token) => self.token = Some(token),
                Err(fault) => return Err(self.site_fault(span, "the owner's credentials cannot be had", &fault)),
            }
        }
        Ok(format!("Bearer {}", self.token.as_deref().unwrap_or_default()))
    }
}

fn one(name: &str, value: impl Into<Json>) -> Map<String, Json> {
    Map::from_iter([(name.to_owned(), value.into())])
}

/// The fields of a create call.
fn create_fields(collection: &Collection, parent: &str, id: &str, mut body: Map<String, Json>) -> Map<String, Json> {
    let mut fields = one(collection.parent.json_name(), parent);
    match &collection.id {
        Some(field) => _ = fields.insert(field.json_name().to_owned(), json!(id)),
        // Where the create call takes no id, the resource's own name has it.
        None => {
            let last = collection.name.rsplit('.').next().unwrap_or_default();
            body.entry("name").or_insert_with(|| json!(format!("{parent}/{last}/{id}")));
        }
    }
    match &collection.resource {
        Some(field) => _ = fields.insert(field.json_name().to_owned(), Json::Object(body)),
        None => fields.extend(body),
    }
    fields
}
