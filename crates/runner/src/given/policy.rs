//! The policies of given resources, set after everything is there.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use tokenrig_clock::real;
use tokenrig_scenario::{GivenResource, Span, Template};

use super::{GivenFault, Making, one};
use crate::events::Failure;

/// The version of policies with conditions.
const WITH_CONDITIONS: i64 = 3;
/// The status of a change that was made from a policy which is no longer the present one.
const CONFLICT: u16 = 409;
/// How often a change is made, and the first pause between two times.
const CHANGES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(50);

/// A member of a binding of a given policy, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenMember {
    /// The full name of the resource whose policy it is: `//run.googleapis.com/projects/…`.
    pub resource: String,
    /// The role.
    pub role: String,
    /// The member; it may be none that Google takes.
    pub member: String,
    /// The expression of the binding's condition.
    pub condition: Option<String>,
    /// Where it stands.
    pub at: Span,
}

impl Making<'_> {
    /// The members of all policies, in the order of the document.
    pub(super) fn members(&self) -> Result<Vec<GivenMember>, GivenFault> {
        let mut all = Vec::new();
        for (index, resource) in self.given.resources.iter().enumerate() {
            if let (Some(template), Some(set)) = (&resource.policy, resource.collection.set_iam_policy) {
                let name = self.resources.name(index).unwrap_or_default();
                self.members_of(template, &format!("//{}/{name}", set.host), &mut all)?;
            }
        }
        if let Some(template) = &self.given.organization_policy {
            let id = self.facts.organization.as_deref().unwrap_or_default();
            let name = format!("//cloudresourcemanager.googleapis.com/organizations/{id}");
            self.members_of(template, &name, &mut all)?;
        }
        if let Some(template) = &self.given.project_policy {
            let name = format!("//cloudresourcemanager.googleapis.com/projects/{}", self.facts.project_id);
            self.members_of(template, &name, &mut all)?;
        }
        Ok(all)
    }

    fn members_of(&self, template: &Template, resource: &str, all: &mut Vec<GivenMember>) -> Result<(), GivenFault> {
        let policy = self.env.json(template)?;
        let list = |value: &Json, name: &str| value.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        let item = |list: Option<&Template>, index: usize| list?.items()?.get(index).cloned();
        for (index, binding) in list(&policy, "bindings").iter().enumerate() {
            let written = item(template.get("bindings"), index);
            let role = binding.get("role").and_then(Json::as_str).unwrap_or_default();
            let condition = binding.pointer("/condition/expression").and_then(Json::as_str);
            for (index, member) in list(binding, "members").iter().enumerate() {
                let own = item(written.as_ref().and_then(|written| written.get("members")), index);
                all.push(GivenMember {
                    resource: resource.to_owned(),
                    role: role.to_owned(),
                    member: member.as_str().unwrap_or_default().to_owned(),
                    condition: condition.map(str::to_owned),
                    at: own.or_else(|| written.clone()).map_or(template.span, |place| place.span),
                });
            }
        }
        Ok(())
    }

    pub(super) async fn policy(&mut self, index: usize, resource: &GivenResource) -> Result<(), GivenFault> {
        let Some(template) = &resource.policy else { return Ok(()) };
        let Some(set) = resource.collection.set_iam_policy else {
            let failure = Failure {
                at: Some(template.span),
                ..Failure::new(format!("{} have no policies", resource.collection.name))
            };
            return Err(self.fault(failure));
        };
        let policy = self.written(template)?;
        let mut fields = one("resource", self.resources.name(index).unwrap_or_default());
        fields.insert("policy".to_owned(), Json::Object(policy));
        self.call(set, &fields, template.span).await.map(drop)
    }

    /// The project's policy is added to the one that is there.
    pub(super) async fn project_policy(&mut self) -> Result<(), GivenFault> {
        let Some(template) = &self.given.project_policy else { return Ok(()) };
        let project = self.facts.project_id.clone();
        self.add_policy("cloudresourcemanager.projects", project, template).await
    }

    /// The organization's policy is added to the one that is there.
    pub(super) async fn organization_policy(&mut self) -> Result<(), GivenFault> {
        let Some(template) = &self.given.organization_policy else { return Ok(()) };
        let organization = format!("organizations/{}", self.facts.organization.as_deref().unwrap_or_default());
        self.add_policy("cloudresourcemanager.organizations", organization, template).await
    }

    /// Adds to a policy that others may change at the same time: then it is read again.
    async fn add_policy(&mut self, of: &str, resource: String, template: &Template) -> Result<(), GivenFault> {
        let added = self.written(template)?;
        let span = template.span;
        let get = self.policy_method(&format!("{of}.getIamPolicy"), span)?;
        let set = self.policy_method(&format!("{of}.setIamPolicy"), span)?;
        let mut read = one("resource", resource.clone());
        read.insert("options".to_owned(), json!({ "requestedPolicyVersion": WITH_CONDITIONS }));
        let mut attempt = 0;
        loop {
            attempt += 1;
            let present = self.call(get, &read, span).await?;
            let mut fields = one("resource", resource.clone());
            fields.insert("policy".to_owned(), merged(present, added.clone()));
            let answer = self.send(set, &fields, span).await?;
            match answer.status {
                CONFLICT if attempt < CHANGES => real::pause(PAUSE * attempt).await,
                ..400 => {
                    self.last = None;
                    return Ok(());
                }
                status => {
                    let body = serde_json::from_slice(&answer.body).unwrap_or_default();
                    return Err(self.refused(set, status, &body, span));
                }
            }
        }
    }

    fn policy_method(&mut self, name: &str, span: Span) -> Result<&'static tokenrig_protos::Method, GivenFault> {
        tokenrig_protos::table().by_short(name).ok_or_else(|| {
            let failure = Failure { at: Some(span), ..Failure::new("this policy cannot be given yet") };
            self.fault(failure)
        })
    }

    /// The policy as it is given. One with conditions needs version 3, which people leave out and Google insists on.
    fn written(&self, template: &Template) -> Result<Map<String, Json>, GivenFault> {
        let mut policy = self.env.object(template)?;
        // What gcloud prints has the etag of the project that it was read from.
        policy.shift_remove("etag");
        let bindings = policy.get("bindings").and_then(Json::as_array);
        if bindings.is_some_and(|bindings| bindings.iter().any(|binding| binding.get("condition").is_some())) {
            policy.entry("version").or_insert_with(|| json!(WITH_CONDITIONS));
        }
        Ok(policy)
    }
}

/// The present policy with more bindings: members join a binding of the same role and condition.
fn merged(mut present: Json, added: Map<String, Json>) -> Json {
    if !present.is_object() {
        present = json!({});
    }
    let Some(policy) = present.as_object_mut() else { return present };
    for (key, value) in added {
        let Json::Array(new) = value else {
            policy.insert(key, value);
            continue;
        };
        let Some(list) = policy.entry(key).or_insert_with(|| json!([])).as_array_mut() else { continue };
        for binding in new {
            let same = list.iter_mut().find(|known| {
                known.get("role") == binding.get("role") && known.get("condition") == binding.get("condition")
            });
            let members = |binding: &Json| binding.get("members").and_then(Json::as_array).cloned().unwrap_or_default();
            match same.and_then(|known| known.get_mut("members")).and_then(Json::as_array_mut) {
                Some(known) => {
                    for member in members(&binding) {
                        if !known.contains(&member) {
                            known.push(member);
                        }
                    }
                }
                None => list.push(binding),
            }
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_policy_is_added_to_the_one_that_is_there() {
        let present = json!({ "etag": "e", "bindings": [{ "role": "roles/owner", "members": ["serviceAccount:o"] }] });
        let added = json!({ "bindings": [
            { "role": "roles/owner", "members": ["serviceAccount:o", "user:a"] },
            { "role": "roles/viewer", "members": ["user:b"] },
            { "role": "roles/owner", "members": ["user:c"], "condition": { "expression": "true" } },
        ], "version": 3 });
        assert_eq!(
            merged(present, added.as_object().unwrap().clone()),
            json!({ "etag": "e", "bindings": [
                { "role": "roles/owner", "members": ["serviceAccount:o", "user:a"] },
                { "role": "roles/viewer", "members": ["user:b"] },
                { "role": "roles/owner", "members": ["user:c"], "condition": { "expression": "true" } },
            ], "version": 3 })
        );
    }
}
