//! Workload identity pools.

use std::{ops::RangeInclusive, sync::Arc};

use tokenrig_clock::{SignedDuration, seconds};
use tokenrig_cloud::{IdentityPool as Kept, PoolFault, PoolState};
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::PoolRef;
use tokenrig_protos::{
    google::{
        iam::v1::{
            GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
        },
        longrunning::Operation,
    },
    prost_types::Duration,
    tokenrig::iam::v1::{
        CreateWorkloadIdentityPoolRequest, DeleteWorkloadIdentityPoolRequest, GetWorkloadIdentityPoolRequest,
        ListWorkloadIdentityPoolsRequest, ListWorkloadIdentityPoolsResponse, UndeleteWorkloadIdentityPoolRequest,
        UpdateWorkloadIdentityPoolRequest, WorkloadIdentityPool, WorkloadIdentityPoolOperationMetadata as Metadata,
        workload_identity_pool::{Mode, State},
    },
};
use tokenrig_wire::{Api, Call, iam, merge, with};

use super::{Admin, accounts::named, field, need, paged, refuse, timestamp, unplayed};
use crate::{
    model::{PoolName, is_pool_id, project_of_global},
    refusals,
};

const ID: &str = "wif-pool-field-invalid";
/// The documented limits of `sessionDuration`, in seconds.
const SESSION: RangeInclusive<i64> = 120..=43_200;

/// What an id of a pool or provider may be.
pub(super) const ID_RULE: &str =
    "it must have 4 to 32 characters of [a-z0-9-] and not begin with `gcp-`, which Google keeps for itself";

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.projects.locations.workloadIdentityPools.create", with(admin, Admin::create_pool))
        .on("iam.projects.locations.workloadIdentityPools.get", with(admin, Admin::get_pool))
        .on("iam.projects.locations.workloadIdentityPools.list", with(admin, Admin::list_pools))
        .on("iam.projects.locations.workloadIdentityPools.patch", with(admin, Admin::patch_pool))
        .on("iam.projects.locations.workloadIdentityPools.delete", with(admin, Admin::delete_pool))
        .on("iam.projects.locations.workloadIdentityPools.undelete", with(admin, Admin::undelete_pool))
        .on("iam.projects.locations.workloadIdentityPools.getIamPolicy", with(admin, Admin::get_pool_policy))
        .on("iam.projects.locations.workloadIdentityPools.setIamPolicy", with(admin, Admin::set_pool_policy))
        .on(
            "iam.projects.locations.workloadIdentityPools.testIamPermissions",
            with(admin, Admin::test_pool_permissions),
        )
        .on("iam.projects.locations.workloadIdentityPools.operations.get", with(admin, Admin::get_operation))
}

impl Admin {
    fn create_pool(&self, call: &Call, request: CreateWorkloadIdentityPoolRequest) -> Result<Operation, Refused> {
        let project_number = self.pools_project(call, "iam.workloadIdentityPools.create", &request.parent)?;
        let id = request.workload_identity_pool_id;
        call.check(field(ID, "workload_identity_pool_id", ID_RULE, is_pool_id(&id)).found(id.as_str()))?;
        let told = request.workload_identity_pool.unwrap_or_default();
        rules(call, &told)?;
        let session_duration = session(&told);
        let new = Kept {
            display_name: told.display_name,
            description: told.description,
            disabled: told.disabled,
            session_duration,
            ..Kept::named(PoolRef::workload(project_number, id))
        };
        let name = new.name();
        let check = |check: Check| exists(check, "wif-pool-create-exists", &name);
        let made = need(call, self.cloud().pools().create(new).ok(), check, "resource")?;
        Ok(self.done(&name, &Metadata {}, &told_pool(&made)))
    }

    fn get_pool(&self, call: &Call, request: GetWorkloadIdentityPoolRequest) -> Result<WorkloadIdentityPool, Refused> {
        self.pool(call, "iam.workloadIdentityPools.get", &request.name).map(|pool| told_pool(&pool))
    }

    fn list_pools(
        &self,
        call: &Call,
        request: ListWorkloadIdentityPoolsRequest,
    ) -> Result<ListWorkloadIdentityPoolsResponse, Refused> {
        let number = self.pools_project(call, "iam.workloadIdentityPools.list", &request.parent)?;
        let all = self.cloud().pools().list(&number, request.show_deleted);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |pool| pool.id(), asked, (50, 1000))?;
        let workload_identity_pools = page.items.iter().map(|pool| told_pool(pool)).collect();
        Ok(ListWorkloadIdentityPoolsResponse { workload_identity_pools, next_page_token: page.next })
    }

    fn patch_pool(&self, call: &Call, request: UpdateWorkloadIdentityPoolRequest) -> Result<Operation, Refused> {
        let told = request.workload_identity_pool.unwrap_or_default();
        let pool = self.pool(call, "iam.workloadIdentityPools.update", &told.name)?;
        let current = told_pool(&pool);
        let merged = merge(&current, &told, request.update_mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a pool" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        let merged = merged.unwrap_or(current);
        rules(call, &merged)?;
        let session_duration = session(&merged);
        let changed = self.cloud().pools().update(&pool.reference, |pool| {
            pool.display_name = merged.display_name;
            pool.description = merged.description;
            pool.disabled = merged.disabled;
            pool.session_duration = session_duration;
        });
        let changed = changed.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&changed.name(), &Metadata {}, &told_pool(&changed)))
    }

    fn delete_pool(&self, call: &Call, request: DeleteWorkloadIdentityPoolRequest) -> Result<Operation, Refused> {
        let pool = self.pool(call, "iam.workloadIdentityPools.delete", &request.name)?;
        let deleted = self.cloud().pools().delete(&pool.reference).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&deleted.name(), &Metadata {}, &told_pool(&deleted)))
    }

    fn undelete_pool(&self, call: &Call, request: UndeleteWorkloadIdentityPoolRequest) -> Result<Operation, Refused> {
        let pool = self.pool(call, "iam.workloadIdentityPools.undelete", &request.name)?;
        let restored = self.cloud().pools().undelete(&pool.reference).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&restored.name(), &Metadata {}, &told_pool(&restored)))
    }

    fn get_pool_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let pool = self.pool(call, "iam.workloadIdentityPools.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &resource_of(&pool.reference), &request))
    }

    fn set_pool_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let pool = self.pool(call, "iam.workloadIdentityPools.setIamPolicy", &request.resource)?;
        iam::set(call, &resource_of(&pool.reference), request)
    }

    fn test_pool_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let name = pool_name(call, &request.resource, false)?;
        // Of a pool that is not there nobody has any permission, and that is no error.
        let pool = name.reference(self.cloud()).filter(|pool| self.cloud().pools().get(pool).is_some());
        pool.map_or_else(|| Ok(Default::default()), |pool| iam::test(call, &resource_of(&pool), &request))
    }

    /// The number of the project that is to hold or list pools, after the caller's permission was asked.
    fn pools_project(&self, call: &Call, permission: &str, parent: &str) -> Result<String, Refused> {
        let what = "it must be projects/PROJECT/locations/global: all pools are there";
        let check = |check: Check| {
            check
                .expected(what)
                .found(parent)
                .or_refuse(&refusals::FIELD_INVALID, ID)
                .with("field", "parent")
                .with("what", what)
                .mend(|| "name the location `global`".to_owned())
        };
        let project = need(call, project_of_global(parent), check, "request")?;
        permit(call, permission, &format!("//iam.googleapis.com/{parent}"))?;
        let known = self.cloud().find_project(project).map(|project| project.number);
        need(call, known, |check| unknown(check, parent), "resource")
    }

    /// A pool that must be there, deleted or not, after the caller's permission on it was asked.
    fn pool(&self, call: &Call, permission: &str, name: &str) -> Result<Arc<Kept>, Refused> {
        let parsed = pool_name(call, name, false)?;
        permit(call, permission, &parsed.resource())?;
        let found = parsed.reference(self.cloud()).and_then(|pool| self.cloud().pools().get(&pool));
        need(call, found, |check| unknown(check, name), "resource")
    }

    /// The name of an operation as it is kept, after the caller's permission to look at its pool or provider was asked.
    pub(super) fn existing_name(&self, call: &Call, resource: &str, id: &str) -> Result<String, Refused> {
        let parsed = match PoolName::parse(resource) {
            Some(parsed) => parsed,
            None => pool_name(call, resource, false)?,
        };
        let kind = if parsed.provider.is_some() { "Providers" } else { "s" };
        permit(call, &format!("iam.workloadIdentityPool{kind}.get"), &parsed.resource())?;
        let pool = parsed.reference(self.cloud()).map(|pool| pool.to_string()).unwrap_or_default();
        let below = parsed.provider.map(|provider| format!("/providers/{provider}")).unwrap_or_default();
        Ok(format!("{pool}{below}/operations/{id}"))
    }
}

/// The name of a pool, or of a provider.
pub(super) fn pool_name<'a>(call: &Call, name: &'a str, of_provider: bool) -> Result<PoolName<'a>, Refused> {
    let what = if of_provider {
        "it must be projects/PROJECT/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
    } else {
        "it must be projects/PROJECT/locations/global/workloadIdentityPools/POOL"
    };
    let parsed = PoolName::parse(name).filter(|parsed| parsed.provider.is_some() == of_provider);
    need(call, parsed, |check| named(check, what, name), "request")
}

/// Asks for a permission on a pool of either kind, a provider, or where pools are; also for one on organization policies.
pub(super) fn permit(call: &Call, permission: &str, resource: &str) -> Result<(), Refused> {
    let id = match permission {
        "iam.workloadIdentityPools.create" => "wif-pool-create-denied",
        permission if permission.starts_with("orgpolicy.") => "orgpolicy-permission-denied",
        permission if permission.starts_with("iam.workforcePool") => "workforce-permission-denied",
        _ => "wif-permission-denied",
    };
    let deny = || refusals::DENIED_ON.refuse(id).with("permission", permission).with("resource", resource);
    call.permit(permission, resource, deny).map(drop)
}

pub(super) fn unknown(check: Check, name: &str) -> Check {
    let of_policy = name.starts_with("organizations/") || name.contains("/policies/");
    let id = if of_policy {
        "orgpolicy-unknown"
    } else if name.starts_with("locations/") {
        "workforce-unknown"
    } else {
        "wif-unknown"
    };
    check
        .expected("something that exists")
        .found(name)
        .or_refuse(&refusals::ENTITY_UNKNOWN, id)
        .mend(|| format!("create `{name}` first, or correct the name"))
}

pub(super) fn exists(check: Check, id: &'static str, name: &str) -> Check {
    check
        .expected("an id that is free")
        .found(name)
        .or_refuse(&refusals::ENTITY_EXISTS, id)
        .mend(|| "choose another id, or undelete the one that was deleted within 30 days".to_owned())
}

pub(super) fn refused(call: &Call, fault: &PoolFault) -> Refused {
    let check = Check::named("resource").found(fault.to_string()).holds(false);
    let check = match fault {
        PoolFault::Unknown(name) => unknown(check, name),
        PoolFault::Exists(name) if name.starts_with("locations/") => exists(check, "workforce-create-exists", name),
        PoolFault::Exists(name) => exists(check, "wif-provider-create-exists", name),
        PoolFault::Deleted(_) => check
            .expected("state ACTIVE, of the pool too")
            .or_refuse(&refusals::PRECONDITION, "wif-deleted")
            .mend(|| "undelete it first".to_owned()),
        PoolFault::NotDeleted(_) => check
            .expected("state DELETED")
            .or_refuse(&refusals::PRECONDITION, "wif-not-deleted")
            .mend(|| "there is nothing to do: it is there".to_owned()),
    };
    refuse(call, check)
}

/// The full resource name of a pool's policy.
pub(super) fn resource_of(pool: &PoolRef) -> String {
    format!("//iam.googleapis.com/{pool}")
}

fn rules(call: &Call, told: &WorkloadIdentityPool) -> Result<(), Refused> {
    if !matches!(told.mode(), Mode::Unspecified | Mode::FederationOnly) {
        return Err(unplayed(call, "pools of managed workload identities"));
    }
    let asked = told.session_duration.as_ref();
    let good = asked.is_none() || session(told).is_some();
    let found = asked.map(|asked| format!("{}s", asked.seconds));
    call.check(field(ID, "session_duration", "120 s to 43200 s", good).found(found))?;
    texts(call, ID, &told.display_name, &told.description)
}

/// How long federated tokens of the pool live, if it says so and within the limits.
fn session(told: &WorkloadIdentityPool) -> Option<SignedDuration> {
    let asked = told.session_duration.as_ref()?;
    (SESSION.contains(&asked.seconds) && asked.nanos == 0).then(|| seconds(asked.seconds))
}

/// The limits of the texts that pools and providers have.
pub(super) fn texts(call: &Call, id: &'static str, name: &str, description: &str) -> Result<(), Refused> {
    let (name, text) = (name.chars().count(), description.chars().count());
    call.check(field(id, "display_name", "at most 32 characters", name <= 32).found(name))?;
    call.check(field(id, "description", "at most 256 characters", text <= 256).found(text))
}

/// The pool as Google tells it.
fn told_pool(pool: &Kept) -> WorkloadIdentityPool {
    let (state, expire_time) = match pool.state {
        PoolState::Active => (State::Active, None),
        PoolState::Deleted { expires } => (State::Deleted, Some(timestamp(expires))),
    };
    WorkloadIdentityPool {
        name: pool.name(),
        display_name: pool.display_name.clone(),
        description: pool.description.clone(),
        state: state.into(),
        disabled: pool.disabled,
        expire_time,
        mode: Mode::FederationOnly.into(),
        session_duration: pool.session_duration.map(|session| Duration { seconds: session.as_secs(), nanos: 0 }),
    }
}
