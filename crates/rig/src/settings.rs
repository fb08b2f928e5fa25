//! Settings of single services, by dotted names: `sts.skew`.

use std::collections::BTreeMap;

use serde_json::Value;
use tokenrig_wire::settings::{Named, SettingFault};

/// The settings of all services, and what was set of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceSettings {
    pub(crate) accounts: tokenrig_accounts::Settings,
    pub(crate) aws: tokenrig_aws::Settings,
    pub(crate) cloudrun: tokenrig_cloudrun::Settings,
    pub(crate) delivery: tokenrig_delivery::Settings,
    pub(crate) iamadmin: tokenrig_iamadmin::Settings,
    pub(crate) iamcredentials: tokenrig_iamcredentials::Settings,
    pub(crate) idp: tokenrig_idp::Settings,
    pub(crate) metadata: tokenrig_metadata::Settings,
    pub(crate) scheduler: tokenrig_scheduler::Settings,
    pub(crate) sts: tokenrig_sts::Settings,
    pub(crate) tasks: tokenrig_tasks::Settings,
    told: BTreeMap<String, Value>,
}

/// Services with settings.
const SERVICES: &[&str] = &[
    "accounts",
    "aws",
    "cloudrun",
    "delivery",
    "iamadmin",
    "iamcredentials",
    "idp",
    "metadata",
    "scheduler",
    "sts",
    "tasks",
];

impl ServiceSettings {
    /// Sets `SERVICE.NAME`.
    pub(crate) fn set(&mut self, key: &str, value: &Value) -> Result<(), SettingFault> {
        let (service, name) = key.split_once('.').unwrap_or((key, ""));
        match service {
            "accounts" => self.accounts.set(name, value),
            "aws" => self.aws.set(name, value),
            "cloudrun" => self.cloudrun.set(name, value),
            "delivery" => self.delivery.set(name, value),
            "iamadmin" => self.iamadmin.set(name, value),
            "iamcredentials" => self.iamcredentials.set(name, value),
            "idp" => self.idp.set(name, value),
            "metadata" => self.metadata.set(name, value),
            "scheduler" => self.scheduler.set(name, value),
            "sts" => self.sts.set(name, value),
            "tasks" => self.tasks.set(name, value),
            _ => Err(SettingFault::unknown(service, SERVICES.to_vec())),
        }?;
        self.told.insert(key.to_owned(), value.clone());
        Ok(())
    }

    /// What was set, by name.
    pub(crate) fn told(&self) -> &BTreeMap<String, Value> {
        &self.told
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("sts.skew", json!("2m"))]
    #[case("sts.one_second_left_fails", json!(true))]
    #[case("cloudrun.trailing_slash", json!(false))]
    #[case("cloudrun.inside", json!("everybody"))]
    #[case("cloudrun.user_without_invoker", json!("unauthorized"))]
    #[case("metadata.platform", json!("serverless"))]
    #[case("metadata.zone", json!("b"))]
    #[case("iamcredentials.allowed_locations", json!({ "locations": ["us-central1"], "encodedLocations": "0x1" }))]
    #[case("iamadmin.multi_tenant_issuers", json!([]))]
    #[case("accounts.lifetime", json!("30m"))]
    #[case("delivery.patience", json!("100ms"))]
    #[case("scheduler.header_zone", json!("Etc/UTC"))]
    #[case("idp.slow", json!("100ms"))]
    #[case("tasks.name_window", json!("1h"))]
    fn a_service_is_set_by_its_name(#[case] key: &str, #[case] value: Value) {
        let mut settings = ServiceSettings::default();
        settings.set(key, &value).unwrap();
        assert_eq!(settings.told().get(key), Some(&value));
        assert_ne!(format!("{settings:?}"), format!("{:?}", ServiceSettings::default()));
    }

    #[rstest]
    #[case("stss.skew", "it is no setting: did you mean `sts`?")]
    #[case("sts.skw", "it is no setting: did you mean `skew`?")]
    #[case("cloudrun.inside", "it is `nobody` or `everybody`")]
    fn a_wrong_setting_is_told_and_not_kept(#[case] key: &str, #[case] told: &str) {
        let mut settings = ServiceSettings::default();
        assert_eq!(settings.set(key, &json!(7)).unwrap_err().to_string(), told);
        assert!(settings.told().is_empty());
    }

    /// The names of an assumption and of a field of the service's settings are one name.
    #[test]
    fn every_assumption_that_is_a_setting_can_be_set() {
        let mut settable = 0;
        for (service, assumptions) in crate::assumptions() {
            for assumption in assumptions {
                // No setting takes null: what is known says so, what is not is unknown.
                let fault = ServiceSettings::default().set(&format!("{service}.{}", assumption.name), &Value::Null);
                let is_field = format!("{:?}", ServiceSettings::default()).contains(&format!(" {}: ", assumption.name));
                match fault.unwrap_err() {
                    SettingFault::Wrong { .. } => settable += 1,
                    SettingFault::Unknown { known, .. } => {
                        assert_ne!(known, SERVICES, "`{service}` cannot be set");
                        let elsewhere = ["skew", "scopes", "lifetime", "locations"];
                        assert!(!is_field || elsewhere.contains(&assumption.name), "{service}.{}", assumption.name);
                    }
                }
            }
        }
        assert!(settable > 30, "{settable}");
    }
}
