//! The methods: who may act as an account, and what is made for whom.

mod chain;
mod locations;
mod sign;
mod tokens;

use std::sync::Arc;

use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::Identity;
use tokenrig_wire::{Api, Call};

use crate::{assumptions::Settings, refusals};

/// The host, and the name under which it is enabled in a project.
const HOST: &str = "iamcredentials.googleapis.com";

/// IAM Credentials of one rig.
#[derive(Debug, Clone)]
pub(crate) struct IamCredentials {
    cloud: Cloud,
    settings: Arc<Settings>,
}

/// The methods that are played.
pub(crate) fn api(service: &IamCredentials) -> Api {
    Api::new()
        .on(
            "iamcredentials.projects.serviceAccounts.generateAccessToken",
            with(service, IamCredentials::generate_access_token),
        )
        .on("iamcredentials.projects.serviceAccounts.generateIdToken", with(service, IamCredentials::generate_id_token))
        .on("iamcredentials.projects.serviceAccounts.signBlob", with(service, IamCredentials::sign_blob))
        .on("iamcredentials.projects.serviceAccounts.signJwt", with(service, IamCredentials::sign_jwt))
        .on(
            "iamcredentials.projects.serviceAccounts.getAllowedLocations",
            with(service, IamCredentials::allowed_locations_of_account),
        )
        .on(
            "iamcredentials.projects.locations.workloadIdentityPools.getAllowedLocations",
            with(service, IamCredentials::allowed_locations_of_pool),
        )
        .on(
            "iamcredentials.locations.workforcePools.getAllowedLocations",
            with(service, IamCredentials::allowed_locations_of_workforce_pool),
        )
}

/// Nothing here waits, so a method is a plain function of the service.
fn with<Request, Response>(
    service: &IamCredentials,
    method: fn(&IamCredentials, &Call, Request) -> Result<Response, Refused>,
) -> impl Fn(Call, Request) -> std::future::Ready<Result<Response, Refused>> + Send + Sync + 'static
where
    Request: 'static,
    Response: 'static,
{
    let service = service.clone();
    move |call, request| std::future::ready(service.enabled(&call).and_then(|()| method(&service, &call, request)))
}

impl IamCredentials {
    pub(crate) fn new(cloud: Cloud, settings: Settings) -> Self {
        Self { cloud, settings: Arc::new(settings) }
    }

    /// Whether the API is enabled where the caller belongs. It is looked at before anything of the request, and told only
    /// if it is not.
    fn enabled(&self, call: &Call) -> Result<(), Refused> {
        let project = self.cloud.project();
        let consumer = match &call.caller().identity {
            Identity::ServiceAccount { project_number, .. } => project_number,
            Identity::Federated { pool, .. } => pool.project().unwrap_or(&project.number),
            Identity::User { .. } | Identity::Anonymous => &project.number,
        };
        if !project.is(consumer) || self.cloud.service_enabled(HOST) {
            return Ok(());
        }
        call.check(
            Check::named("request")
                .expected(format!("{HOST} enabled in project {}", project.id))
                .found("disabled")
                .holds(false)
                .or_refuse(&refusals::API_DISABLED, "iamcredentials-api-disabled")
                .with("project", &project.number)
                .mend(|| format!("enable {HOST} in project {}", project.id)),
        )
    }
}

/// The check `request` of something that the reference demands.
fn demand(holds: bool, id: &'static str, expected: &str, found: impl Into<serde_json::Value>) -> Check {
    Check::named("request")
        .expected(expected)
        .found(found)
        .holds(holds)
        .or_refuse(&refusals::REQUEST_INVALID, id)
        .mend(|| format!("send {expected}"))
}
