//! From the foundation of a given document to a rig.

use std::{collections::BTreeSet, net::SocketAddr};

use serde_json::{Map, Value};
use tokenrig::{IssuerSpec, Project, Rig, RigBuilder, SettingFault, Settings, StartFault, Time};
use tokenrig_clock::Timestamp;
use tokenrig_runner::{Foundation, WorldFault};

use crate::people;

/// Where a scenario's clock stands at first, unless it says otherwise.
const FIRST: &str = "2026-01-15T09:00:00Z";

/// Settings of the whole cloud; those of single services have dots in their names.
const KNOWN: &[&str] = &["seed", "propagation", "quotas", "disabledServices"];

/// What kind of rig is opened: it decides the clock and the address.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A case of a scenario: the clock stands still, unless a step runs a real client and no instant is told.
    Case,
    /// `exec` or `serve`: the clock runs.
    Standing {
        /// Where the gateway listens.
        listen: SocketAddr,
    },
}

/// Why a foundation makes no rig.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FoundationFault(String);

impl FoundationFault {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl From<FoundationFault> for WorldFault {
    fn from(fault: FoundationFault) -> Self {
        Self::Foundation(fault.0)
    }
}

/// Builds and starts a rig on a foundation.
///
/// # Errors
///
/// [`WorldFault::Foundation`] if the given document says something that cannot be, [`WorldFault::Unavailable`] if the rig
/// does not start.
pub async fn open(foundation: &Foundation, place: Place) -> Result<Rig, WorldFault> {
    let rig = builder(foundation, place)?.try_start().await.map_err(|fault| match fault {
        StartFault::Given(why) => WorldFault::Foundation(why),
        other => WorldFault::Unavailable(other.to_string()),
    })?;
    people::enter(rig.core().cloud(), foundation)?;
    Ok(rig)
}

/// The rig that a foundation describes, without its people: those are made known by [`open`].
///
/// # Errors
///
/// [`FoundationFault`] names the field and what it takes.
pub fn builder(foundation: &Foundation, place: Place) -> Result<RigBuilder, FoundationFault> {
    let mut builder =
        Rig::builder().project(project(&foundation.project)?).settings(settings(&foundation.settings, place)?);
    for (name, value) in foundation.settings.iter().filter(|(name, _)| name.contains('.')) {
        let told = |fault| FoundationFault(format!("`settings.{name}`: {fault}"));
        builder = builder.service_setting(name, value).map_err(told)?;
    }
    builder = builder.time(time(foundation, place));
    if let Place::Standing { listen } = place {
        builder = builder.listen(listen);
    }
    for (service, roles) in object(foundation.project.get("agents"), "project.agents")? {
        let roles = texts(&roles, "project.agents")?;
        builder = builder.agent_roles(service, roles);
    }
    for (id, fields) in &foundation.issuers {
        let fields = object(Some(fields), "issuers")?;
        let spec = IssuerSpec::read(id, &fields).map_err(|fault| FoundationFault(format!("issuer `{id}`: {fault}")))?;
        builder = builder.issuer(spec);
    }
    Ok(builder)
}

fn time(foundation: &Foundation, place: Place) -> Time {
    match (place, foundation.now) {
        (Place::Standing { .. }, Some(now)) => Time::RunningFrom(now),
        (Place::Standing { .. }, None) => Time::System,
        // Real clients look at their own clock, which nobody can stop.
        (Place::Case, None) if foundation.has_run_step => Time::System,
        (Place::Case, now) => Time::StandingAt(now.unwrap_or_else(|| FIRST.parse().unwrap_or(Timestamp::UNIX_EPOCH))),
    }
}

fn project(map: &Map<String, Value>) -> Result<Project, FoundationFault> {
    let mut project = Project::default();
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
    Ok(project)
}

/// The seed of a case is always the same, so that a report can be compared with the last one; what stands for a while has
/// one of its own, so that no other rig knows its tokens.
fn settings(map: &Map<String, Value>, place: Place) -> Result<Settings, FoundationFault> {
    let mut settings = Settings::default();
    if let Place::Standing { .. } = place {
        settings.seed = tokenrig::fresh_seed();
    }
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
    Ok(settings)
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
        let fault = builder(&foundation(project, settings), Place::Case).unwrap_err();
        assert!(fault.to_string().contains(told), "{fault}");
    }

    #[test]
    fn a_scenarios_clock_stands_still_unless_a_real_client_looks_at_its_own() {
        let still = Foundation::default();
        assert!(matches!(time(&still, Place::Case), Time::StandingAt(at) if at.to_string() == FIRST));
        let runs = Foundation { has_run_step: true, ..Foundation::default() };
        assert_eq!(time(&runs, Place::Case), Time::System);
        let told = Foundation { has_run_step: true, now: Some(Timestamp::UNIX_EPOCH), ..Foundation::default() };
        assert_eq!(time(&told, Place::Case), Time::StandingAt(Timestamp::UNIX_EPOCH));
    }
}
