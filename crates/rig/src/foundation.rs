//! From the foundation of a given document to a rig.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tokenrig_cloud::{Project, Settings};
use tokenrig_idp::IssuerSpec;
use tokenrig_runner::Foundation;
use tokenrig_wire::settings::SettingFault;

use crate::builder::{RigBuilder, Time};

/// Settings of the whole cloud; those of single services have dots in their names.
const KNOWN: &[&str] = &["seed", "propagation", "quotas", "disabledServices"];

/// Why a given document makes no rig: the field, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FoundationFault(String);

impl FoundationFault {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl RigBuilder {
    /// Takes all of a given document that is no Google resource: project, organization, agents, issuers, people, accounts of AWS, settings. What it does
    /// not say stays as it was.
    ///
    /// # Errors
    ///
    /// [`FoundationFault`] names the field and what it takes.
    pub fn foundation(mut self, foundation: &Foundation) -> Result<Self, FoundationFault> {
        project(&mut self.project, &foundation.project)?;
        if let Some(id) = foundation.organization.get("id") {
            let id = text(id, "organization.id")?;
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(FoundationFault(format!("`organization.id` is digits, not `{id}`")));
            }
            self.organization = Some(id);
        }
        settings(&mut self.settings, &foundation.settings)?;
        for (name, value) in foundation.settings.iter().filter(|(name, _)| name.contains('.')) {
            let told = |fault| FoundationFault(format!("`settings.{name}`: {fault}"));
            self = self.service_setting(name, value).map_err(told)?;
        }
        for (service, roles) in object(foundation.project.get("agents"), "project.agents")? {
            self = self.agent_roles(service, texts(&roles, "project.agents")?);
        }
        for (id, fields) in &foundation.issuers {
            let fields = object(Some(fields), "issuers")?;
            let spec = IssuerSpec::read(id, &fields);
            self = self.issuer(spec.map_err(|fault| FoundationFault(format!("issuer `{id}`: {fault}")))?);
        }
        self.people.users.extend(foundation.users.clone());
        self.people.clients.extend(foundation.clients.clone());
        self.aws.extend(foundation.aws.clone());
        if let Some(now) = foundation.now {
            self = self.time(Time::RunningFrom(now));
        }
        Ok(self)
    }
}

fn project(project: &mut Project, map: &Map<String, Value>) -> Result<(), FoundationFault> {
    for (name, field) in
        [("projectId", &mut project.id), ("projectNumber", &mut project.number), ("location", &mut project.location)]
    {
        if let Some(value) = map.get(name) {
            *field = text(value, &format!("project.{name}"))?;
        }
    }
    if !project.number.bytes().all(|byte| byte.is_ascii_digit()) || project.number.is_empty() {
        return Err(FoundationFault(format!("`project.projectNumber` is digits, not `{}`", project.number)));
    }
    Ok(())
}

fn settings(settings: &mut Settings, map: &Map<String, Value>) -> Result<(), FoundationFault> {
    for (name, value) in map.iter().filter(|(name, _)| !name.contains('.')) {
        let place = format!("settings.{name}");
        match name.as_str() {
            // One that is all digits may stand without quotes.
            "seed" => {
                settings.seed = value.as_i64().map_or_else(|| text(value, &place), |seed| Ok(seed.to_string()))?
            }
            "propagation" => {
                let told = text(value, &place)?;
                settings.propagation = tokenrig_scenario::duration(&told)
                    .ok_or_else(|| FoundationFault(format!("`{place}` is a duration like `90s`, not `{told}`")))?;
            }
            "quotas" => {
                for (quota, most) in object(Some(value), &place)? {
                    let most = most.as_u64().and_then(|most| u32::try_from(most).ok());
                    let most = most.ok_or_else(|| FoundationFault(format!("`{place}.{quota}` is a whole number")))?;
                    settings.quotas.insert(quota, most);
                }
            }
            "disabledServices" => {
                settings.disabled_services = texts(value, &place)?.into_iter().collect::<BTreeSet<_>>()
            }
            _ => {
                let fault = SettingFault::unknown(name, KNOWN.to_vec());
                return Err(FoundationFault(format!("`{place}`: {fault}")));
            }
        }
    }
    Ok(())
}

pub(crate) fn text(value: &Value, place: &str) -> Result<String, FoundationFault> {
    value.as_str().map(str::to_owned).ok_or_else(|| FoundationFault(format!("`{place}` is a text: quote it")))
}

fn texts(value: &Value, place: &str) -> Result<Vec<String>, FoundationFault> {
    let list = value.as_array().ok_or_else(|| FoundationFault(format!("`{place}` is a list of texts")))?;
    list.iter().map(|item| text(item, place)).collect()
}

pub(crate) fn object(value: Option<&Value>, place: &str) -> Result<Map<String, Value>, FoundationFault> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(FoundationFault(format!("`{place}` is a map"))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn foundation(project: Value, settings: Value) -> Foundation {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        Foundation { project: map(project), settings: map(settings), ..Foundation::default() }
    }

    #[rstest]
    #[case::a_number_that_is_none(json!({ "projectNumber": "shop" }), json!({}), "project.projectNumber")]
    #[case::a_number_without_quotes(json!({ "projectNumber": 7 }), json!({}), "quote it")]
    #[case::an_unknown_setting(json!({}), json!({ "sed": "x" }), "`settings.sed`: it is no setting: did you mean `seed`?")]
    #[case::an_unknown_setting_of_a_service(json!({}), json!({ "sts.skw": "60s" }), "`settings.sts.skw`: it is no setting: did you mean `skew`?")]
    #[case::an_unknown_service(json!({}), json!({ "stss.skew": "60s" }), "did you mean `sts`?")]
    #[case::a_wrong_value_of_a_service(json!({}), json!({ "sts.skew": 60 }), "`settings.sts.skew`: it is a duration like `90s`")]
    #[case::a_wrong_duration(json!({}), json!({ "propagation": "soon" }), "settings.propagation")]
    fn a_wrong_foundation_is_told_by_its_place(#[case] project: Value, #[case] settings: Value, #[case] told: &str) {
        let fault = RigBuilder::default().foundation(&foundation(project, settings)).unwrap_err();
        assert!(fault.to_string().contains(told), "{fault}");
    }
}
