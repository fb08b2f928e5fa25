//! getAllowedLocations: from where a principal may be used.

use tokenrig_cloud::PoolState;
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::{Identity, PoolRef};
use tokenrig_protos::tokenrig::iamcredentials::v1::{
    GetAllowedLocationsRequest, ServiceAccountAllowedLocations, WorkforcePoolAllowedLocations,
    WorkloadIdentityPoolAllowedLocations,
};
use tokenrig_wire::Call;

use super::{IamCredentials, chain::Needs};
use crate::refusals;

const DENIED: &str = "iamcredentials-allowed-locations-denied";
const GET_ACCOUNT: Needs = Needs { permission: "iam.serviceAccounts.get", denied: DENIED };
const GET_POOL: &str = "iam.workloadIdentityPools.get";
const GET_WORKFORCE_POOL: &str = "iam.workforcePools.get";

impl IamCredentials {
    pub(super) fn allowed_locations_of_account(
        &self,
        call: &Call,
        request: GetAllowedLocationsRequest,
    ) -> Result<ServiceAccountAllowedLocations, Refused> {
        let way = Self::way(call, &request.name, &[])?;
        let name = request.name.rsplit('/').next().unwrap_or_default();
        let own = match &call.caller().identity {
            Identity::ServiceAccount { email, unique_id, .. } => email.eq_ignore_ascii_case(name) || unique_id == name,
            _ => false,
        };
        if own && self.settings.own_locations {
            call.note(Check::named("permission").expected("one's own locations").found(name));
        } else {
            self.act_as(call, &way, &GET_ACCOUNT)?;
        }
        let answer = &self.settings.allowed_locations;
        Ok(ServiceAccountAllowedLocations {
            locations: answer.locations.clone(),
            encoded_locations: answer.encoded.clone(),
        })
    }

    pub(super) fn allowed_locations_of_pool(
        &self,
        call: &Call,
        request: GetAllowedLocationsRequest,
    ) -> Result<WorkloadIdentityPoolAllowedLocations, Refused> {
        self.pool_checked(call, &request.name, GET_POOL)?;
        let answer = &self.settings.allowed_locations;
        Ok(WorkloadIdentityPoolAllowedLocations {
            locations: answer.locations.clone(),
            encoded_locations: answer.encoded.clone(),
        })
    }

    pub(super) fn allowed_locations_of_workforce_pool(
        &self,
        call: &Call,
        request: GetAllowedLocationsRequest,
    ) -> Result<WorkforcePoolAllowedLocations, Refused> {
        self.pool_checked(call, &request.name, GET_WORKFORCE_POOL)?;
        let answer = &self.settings.allowed_locations;
        Ok(WorkforcePoolAllowedLocations {
            locations: answer.locations.clone(),
            encoded_locations: answer.encoded.clone(),
        })
    }

    /// The caller's permission on a pool, and whether the pool is there.
    fn pool_checked(&self, call: &Call, name: &str, permission: &'static str) -> Result<(), Refused> {
        let asked = PoolRef::parse(name);
        let own = match (&call.caller().identity, &asked) {
            (Identity::Federated { pool, .. }, Some(asked)) => pool == asked,
            _ => false,
        };
        if own && self.settings.own_locations {
            call.note(Check::named("permission").expected("one's own locations").found(name));
        } else {
            let resource = format!("//iam.googleapis.com/{name}");
            call.permit(permission, &resource, || {
                refusals::PERMISSION_DENIED.refuse(DENIED).with("permission", permission)
            })?;
        }
        let pool = asked.and_then(|asked| self.cloud.pools().get(&asked));
        call.check(
            Check::named("resource")
                .expected("an identity pool that exists")
                .found(pool.as_ref().map(|pool| pool.name()))
                .holds(pool.is_some_and(|pool| pool.state == PoolState::Active))
                .or_refuse(&refusals::POOL_NOT_FOUND, "iamcredentials-pool-not-found")
                .mend(|| format!("create {name}")),
        )
    }
}
