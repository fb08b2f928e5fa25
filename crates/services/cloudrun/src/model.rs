//! Services: their rules, names and URLs.

pub(crate) use crate::urls::is_functions_host;
use std::{sync::Arc, time::Duration};

use tokenrig_cloud::Cloud;
use tokenrig_protos::google::cloud::run::v2::{Service, env_var};

use crate::{
    assumptions::Settings,
    urls::{functions_host, hashed_host, numbered_host},
    workload::Contract,
};

/// How long a request may take unless the service says otherwise (<https://cloud.google.com/run/docs/configuring/request-timeout>).
const TIMEOUT: Duration = Duration::from_secs(300);

/// A deployed service with what the front door reads from it.
#[derive(Debug)]
pub(crate) struct Deployed {
    /// The resource as the admin API returns it.
    pub(crate) resource: Service,
    /// Its names in parts.
    pub(crate) name: ServiceName,
    /// Its name with the project's id.
    pub(crate) canonical: String,
    /// The full resource name of its policy.
    pub(crate) policy: String,
    /// The two host names it answers at, the numbered one first.
    pub(crate) hosts: [String; 2],
    /// The audiences that open its door: both URLs, the main one first, and the custom ones.
    pub(crate) audiences: Vec<String>,
    /// What its instances are promised.
    pub(crate) contract: Arc<Contract>,
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

/// `projects/P/locations/L/functions/F`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    /// As written: the project's id or number.
    pub(crate) project: String,
    pub(crate) location: String,
    pub(crate) function: String,
}

impl FunctionName {
    /// Reads a full name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let segments: Vec<&str> = name.split('/').collect();
        let ["projects", project, "locations", location, "functions", function] = segments[..] else { return None };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Self { project: text(project)?, location: text(location)?, function: text(function)? })
    }

    /// The name under which it is kept: with the project's id.
    pub(crate) fn canonical(&self, project_id: &str) -> String {
        format!("projects/{project_id}/locations/{}/functions/{}", self.location, self.function)
    }

    /// Where it answers, without `https://`.
    pub(crate) fn address(&self, project_id: &str) -> String {
        format!("{}/{}", functions_host(&self.location, project_id), self.function)
    }

    /// Whether its last part can name a function: at most 63 characters of `[a-zA-Z0-9_-]`, beginning with a letter, not
    /// ending with `_` or `-`. Source: the Cloud Functions reference, version 1.
    pub(crate) fn is_valid(&self) -> bool {
        let id = &self.function;
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&id.len())
            && id.chars().all(good)
            && id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.ends_with(|c: char| c.is_ascii_alphanumeric())
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
    pub(crate) fn new(resource: Service, name: ServiceName, cloud: &Cloud, settings: &Settings) -> Arc<Self> {
        let hosts = hosts(&name, cloud);
        let urls = hosts.iter().rev().map(|host| format!("https://{host}"));
        let audiences = urls.chain(resource.custom_audiences.iter().cloned()).collect();
        let canonical = name.canonical(&cloud.project().id);
        let contract = Arc::new(contract(&resource, &name, settings));
        Arc::new(Self { policy: policy_name(&canonical), canonical, hosts, audiences, contract, resource, name })
    }

    /// A function of the first generation, in the words of a service.
    pub(crate) fn function(
        resource: Service,
        function: &FunctionName,
        canonical: &str,
        cloud: &Cloud,
        settings: &Settings,
    ) -> Arc<Self> {
        let host = functions_host(&function.location, &cloud.project().id);
        let name = ServiceName {
            project: function.project.clone(),
            location: function.location.clone(),
            service: function.function.clone(),
        };
        Arc::new(Self {
            policy: format!("//cloudfunctions.googleapis.com/{canonical}"),
            canonical: canonical.to_owned(),
            hosts: [host.clone(), host],
            audiences: resource.custom_audiences.clone(),
            contract: Arc::new(contract(&resource, &name, settings)),
            resource,
            name,
        })
    }

    /// Whether it is a function of the first generation.
    pub(crate) fn is_function(&self) -> bool {
        self.hosts.iter().any(|host| is_functions_host(host))
    }

    /// Whether it has a tag of this name, which is a host name of its own in front of the service's.
    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        self.resource.traffic.iter().any(|target| !target.tag.is_empty() && target.tag == tag)
    }
}

/// The two host names of a service, the numbered one first.
pub(crate) fn hosts(name: &ServiceName, cloud: &Cloud) -> [String; 2] {
    [
        numbered_host(&name.service, &cloud.project().number, &name.location),
        hashed_host(&name.service, cloud.run_hash(), &name.location),
    ]
}

fn contract(resource: &Service, name: &ServiceName, settings: &Settings) -> Contract {
    let template = resource.template.clone().unwrap_or_default();
    // The container that takes requests is the one with a port; of one container it may go without saying.
    let container = template.containers.iter().find(|container| !container.ports.is_empty());
    let container = container.or(template.containers.first());
    let port = container.and_then(|container| container.ports.first());
    let variables = container.map(|container| container.env.as_slice()).unwrap_or_default().iter();
    let environment = variables.filter_map(|variable| match &variable.values {
        Some(env_var::Values::Value(value)) => Some((variable.name.clone(), value.clone())),
        // The rig has no secrets to take it from.
        Some(env_var::Values::ValueSource(_)) => None,
        None => Some((variable.name.clone(), String::new())),
    });
    let timeout = template.timeout.and_then(|timeout| Duration::try_from(timeout).ok());
    let revision = resource.latest_ready_revision.rsplit('/').next().unwrap_or_default();
    Contract {
        service: name.service.clone(),
        revision: revision.to_owned(),
        configuration: name.service.clone(),
        service_account: template.service_account,
        port: port.and_then(|port| u16::try_from(port.container_port).ok()).filter(|port| *port > 0).unwrap_or(8080),
        http2: port.is_some_and(|port| port.name == "h2c"),
        command: container.map(|container| container.command.clone()).unwrap_or_default(),
        args: container.map(|container| container.args.clone()).unwrap_or_default(),
        environment: environment.filter(|(name, value)| is_variable(name, value)).collect(),
        start_up: settings.start_up,
        grace: settings.grace,
        timeout: timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(TIMEOUT),
    }
}

/// Whether a process can be given it.
fn is_variable(name: &str, value: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
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

    #[rstest]
    #[case("hello", true)]
    #[case("Hello_World-2", true)]
    #[case("2hello", false)]
    #[case("hello-", false)]
    #[case("hello.world", false)]
    fn a_functions_address_is_that_of_its_region_and_project(#[case] id: &str, #[case] good: bool) {
        let name =
            FunctionName::parse(&format!("projects/1071284184436/locations/europe-west4/functions/{id}")).unwrap();
        assert_eq!(name.is_valid(), good);
        assert_eq!(name.canonical("shop"), format!("projects/shop/locations/europe-west4/functions/{id}"));
        assert_eq!(name.address("shop"), format!("europe-west4-shop.cloudfunctions.net/{id}"));
    }
}
