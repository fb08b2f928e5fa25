//! Services: their rules, names and URLs.

use std::sync::Arc;

use tokenrig_cloud::Cloud;
use tokenrig_protos::google::cloud::run::v2::Service;

use crate::urls::{hashed_host, numbered_host};

/// A deployed service with what the front door reads from it.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// The resource as the admin API returns it.
    pub(crate) resource: Service,
    /// Its names in parts.
    pub(crate) name: ServiceName,
    /// The two host names it answers at, the numbered one first.
    pub(crate) hosts: [String; 2],
}

/// `projects/P/locations/L/services/S`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// As written: the project's id or number.
    pub(crate) project: String,
    pub(crate) location: String,
    pub(crate) service: String,
}

impl ServiceName {
    /// Reads a full name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let segments: Vec<&str> = name.split('/').collect();
        let ["projects", project, "locations", location, "services", service] = segments[..] else { return None };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Self { project: text(project)?, location: text(location)?, service: text(service)? })
    }

    /// The name under which it is kept: with the project's id.
    pub(crate) fn canonical(&self, project_id: &str) -> String {
        format!("projects/{project_id}/locations/{}/services/{}", self.location, self.service)
    }
}

/// The resource name of policies.
pub(crate) fn policy_name(canonical: &str) -> String {
    format!("//run.googleapis.com/{canonical}")
}

/// Whether `id` can name a service: at most 49 characters of `[a-z0-9-]`, beginning with a letter, not ending with `-`.
/// Source: the Cloud Run reference.
pub(crate) fn is_service_id(id: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=49).contains(&id.len())
        && id.chars().all(good)
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && !id.ends_with('-')
}

impl Deployed {
    pub(crate) fn new(resource: Service, name: ServiceName, cloud: &Cloud) -> Arc<Self> {
        let hosts = [
            numbered_host(&name.service, &cloud.project().number, &name.location),
            hashed_host(&name.service, cloud.run_hash(), &name.location),
        ];
        Arc::new(Self { resource, name, hosts })
    }

    /// The audiences that open its door: both URLs and the custom ones.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let urls = self.hosts.iter().rev().map(|host| format!("https://{host}"));
        urls.chain(self.resource.custom_audiences.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("orders", true)]
    #[case("o", true)]
    #[case("Orders", false)]
    #[case("1orders", false)]
    #[case("orders-", false)]
    #[case("", false)]
    fn a_service_id_is_a_short_label(#[case] id: &str, #[case] good: bool) {
        assert_eq!(is_service_id(id), good);
    }

    #[test]
    fn a_name_is_read_in_parts() {
        let name = ServiceName::parse("projects/shop-test/locations/us-central1/services/orders").unwrap();
        assert_eq!(name.canonical("shop-test"), "projects/shop-test/locations/us-central1/services/orders");
        assert_eq!(ServiceName::parse("projects//locations/l/services/s"), None);
    }
}
