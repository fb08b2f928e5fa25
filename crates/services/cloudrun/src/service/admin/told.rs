//! A service as Google tells it: what the caller may say, and what only the server says.

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::cloud::run::v2::{
        Condition, Container, ContainerPort, IngressTraffic, Revision, RevisionTemplate, Service, TrafficTarget,
        TrafficTargetAllocationType, TrafficTargetStatus, condition,
    },
    prost_types::Timestamp,
};
use tokenrig_wire::Call;

use super::{CloudRun, invalid};
use crate::model::{ServiceName, hosts};

/// Google's own sample image: what a service that is given without a container says it runs.
const PLACEHOLDER_IMAGE: &str = "us-docker.pkg.dev/cloudrun/container/hello";

impl CloudRun {
    /// The service that `told` makes of the one that was there `before`.
    pub(in crate::service) fn told(
        &self,
        call: &Call,
        told: Service,
        name: &ServiceName,
        before: Option<&Service>,
    ) -> Result<Service, Refused> {
        let now = call.now();
        let time = Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond() };
        let canonical = name.canonical(&self.cloud().project().id);
        let generation = before.map_or(1, |before| before.generation + 1);
        let who = call.caller().identity.email().unwrap_or_default().to_owned();
        let mut template = told.template.clone().unwrap_or_default();
        if template.service_account.is_empty() {
            template.service_account = self.cloud().project().compute_email();
        }
        // Every service has a container; clients look at the first one. Who gives none means whatever answers here.
        if template.containers.is_empty() {
            template.containers.push(Container {
                image: PLACEHOLDER_IMAGE.to_owned(),
                ports: vec![ContainerPort { name: "http1".to_owned(), container_port: 8080 }],
                ..Container::default()
            });
        }
        let asked = std::mem::take(&mut template.revision);
        let revision = self.revision_name(call, name, &template, &asked, generation, before)?;
        let latest = TrafficTargetAllocationType::Latest.into();
        let traffic = if told.traffic.is_empty() {
            vec![TrafficTarget { r#type: latest, percent: 100, ..TrafficTarget::default() }]
        } else {
            told.traffic.clone()
        };
        let ingress = match told.ingress() {
            IngressTraffic::Unspecified => IngressTraffic::All.into(),
            _ => told.ingress,
        };
        let hosts = hosts(name, self.cloud());
        let [_, main] = &hosts;
        let statuses = traffic.iter().map(|target| TrafficTargetStatus {
            r#type: target.r#type,
            revision: target.revision.clone(),
            percent: target.percent,
            tag: target.tag.clone(),
            uri: if target.tag.is_empty() { String::new() } else { format!("https://{}---{main}", target.tag) },
        });
        let resource = Service {
            uid: before.map_or_else(|| self.uid("run service", &canonical), |before| before.uid.clone()),
            name: canonical,
            generation,
            observed_generation: generation,
            create_time: before.map_or(Some(time), |before| before.create_time),
            update_time: Some(time),
            creator: before.map_or_else(|| who.clone(), |before| before.creator.clone()),
            last_modifier: who,
            ingress,
            template: Some(template),
            traffic_statuses: statuses.collect(),
            traffic,
            terminal_condition: Some(ready("Ready", time)),
            conditions: vec![ready("RoutesReady", time), ready("ConfigurationsReady", time)],
            latest_ready_revision: revision.clone(),
            latest_created_revision: revision,
            uri: format!("https://{main}"),
            urls: hosts.iter().map(|host| format!("https://{host}")).collect(),
            reconciling: false,
            etag: format!("\"{}-{generation}\"", now.as_microsecond()),
            delete_time: None,
            expire_time: None,
            ..told
        };
        Ok(resource)
    }

    /// The full name of the revision that `template` makes: the one before if nothing of it has changed.
    fn revision_name(
        &self,
        call: &Call,
        name: &ServiceName,
        template: &RevisionTemplate,
        asked: &str,
        generation: i64,
        before: Option<&Service>,
    ) -> Result<String, Refused> {
        let canonical = name.canonical(&self.cloud().project().id);
        let full = |id: &str| format!("{canonical}/revisions/{id}");
        if let Some(before) = before
            && before.template.as_ref() == Some(template)
            && (asked.is_empty() || before.latest_created_revision == full(asked))
        {
            return Ok(before.latest_created_revision.clone());
        }
        if asked.is_empty() {
            let letters: String = self
                .cloud()
                .derived_hex("run revision", &format!("{canonical} {generation}"))
                .bytes()
                .filter_map(|digit| char::from(digit).to_digit(16))
                .filter_map(|digit| char::from_u32(u32::from('a') + digit))
                .take(3)
                .collect();
            return Ok(full(&format!("{}-{generation:05}-{letters}", name.service)));
        }
        let rest = asked.strip_prefix(name.service.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = asked.len() <= 63 && rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(good));
        let check = Check::named("request")
            .expected(format!("at most 63 characters of [a-z0-9-], beginning with `{}-`", name.service))
            .found(asked)
            .holds(fits && !asked.ends_with('-'));
        call.check(invalid(check, "service.template.revision", "it is no valid id of a revision of this service"))?;
        let taken =
            self.read().revisions.get(&canonical).is_some_and(|all| all.iter().any(|one| one.name == full(asked)));
        let check = Check::named("request").expected("no revision of this name").found(asked).holds(!taken);
        call.check(invalid(check, "service.template.revision", "a revision of this name exists"))?;
        Ok(full(asked))
    }

    /// The latest revision of a service.
    pub(super) fn revision_of(&self, service: &Service, name: &ServiceName) -> Revision {
        let template = service.template.clone().unwrap_or_default();
        let time = service.update_time.unwrap_or_default();
        Revision {
            uid: self.uid("run revision", &service.latest_created_revision),
            name: service.latest_created_revision.clone(),
            generation: 1,
            observed_generation: 1,
            labels: template.labels,
            annotations: template.annotations,
            create_time: Some(time),
            update_time: Some(time),
            launch_stage: service.launch_stage,
            service: name.service.clone(),
            scaling: template.scaling,
            vpc_access: template.vpc_access,
            max_instance_request_concurrency: template.max_instance_request_concurrency,
            timeout: template.timeout,
            service_account: template.service_account,
            containers: template.containers,
            volumes: template.volumes,
            execution_environment: template.execution_environment,
            conditions: vec![ready("Ready", time)],
            creator: service.last_modifier.clone(),
            etag: service.etag.clone(),
            ..Revision::default()
        }
    }

    /// A uid in the usual form, the same for the same thing of the same rig.
    pub(in crate::service) fn uid(&self, kind: &str, name: &str) -> String {
        let hex = self.cloud().derived_hex(kind, name);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }
}

fn ready(kind: &str, time: Timestamp) -> Condition {
    Condition {
        r#type: kind.to_owned(),
        state: condition::State::ConditionSucceeded.into(),
        last_transition_time: Some(time),
        ..Condition::default()
    }
}
