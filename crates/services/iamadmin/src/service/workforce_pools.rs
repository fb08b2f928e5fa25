//! Workforce pools.

use std::sync::Arc;

use tokenrig_clock::{SignedDuration, seconds};
use tokenrig_cloud::{IdentityPool, PoolState, Workforce};
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
    tokenrig::iam::admin::v1::{
        CreateWorkforcePoolRequest, DeleteWorkforcePoolRequest, GetWorkforcePoolRequest, ListWorkforcePoolsRequest,
        ListWorkforcePoolsResponse, UndeleteWorkforcePoolRequest, UpdateWorkforcePoolRequest, WorkforcePool,
        WorkforcePoolOperationMetadata as Metadata,
        workforce_pool::{AccessRestrictions, ServiceConfig, State},
    },
};
use tokenrig_wire::{Api, Call, iam, merge, with};

use super::{
    Admin,
    accounts::named,
    field, need, paged,
    pools::{exists, permit, refused, resource_of, texts, unknown},
    timestamp,
};
use crate::model::{WorkforceName, is_workforce_pool_id, organization_resource};

const ID: &str = "workforce-pool-field-invalid";
/// `sessionDuration` is more than the first and less than the second, in seconds.
const SESSION: (i64, i64) = (900, 43_200);
/// How long sessions are if nothing is said.
const DEFAULT_SESSION: i64 = 3600;

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.locations.workforcePools.create", with(admin, Admin::create_workforce_pool))
        .on("iam.locations.workforcePools.get", with(admin, Admin::get_workforce_pool))
        .on("iam.locations.workforcePools.list", with(admin, Admin::list_workforce_pools))
        .on("iam.locations.workforcePools.patch", with(admin, Admin::patch_workforce_pool))
        .on("iam.locations.workforcePools.delete", with(admin, Admin::delete_workforce_pool))
        .on("iam.locations.workforcePools.undelete", with(admin, Admin::undelete_workforce_pool))
        .on("iam.locations.workforcePools.getIamPolicy", with(admin, Admin::get_workforce_policy))
        .on("iam.locations.workforcePools.setIamPolicy", with(admin, Admin::set_workforce_policy))
        .on("iam.locations.workforcePools.testIamPermissions", with(admin, Admin::test_workforce_permissions))
        .on("iam.locations.workforcePools.operations.get", with(admin, Admin::get_operation))
}

impl Admin {
    fn create_workforce_pool(&self, call: &Call, request: CreateWorkforcePoolRequest) -> Result<Operation, Refused> {
        let told = request.workforce_pool.unwrap_or_default();
        self.organization_of(call, "iam.workforcePools.create", &request.location, &told.parent)?;
        let id = request.workforce_pool_id;
        let rule = "it must have 6 to 63 characters of [a-z0-9-], begin with a letter and with no `gcp-`, and not end \
                    with a hyphen";
        call.check(field(ID, "workforce_pool_id", rule, is_workforce_pool_id(&id)).found(id.as_str()))?;
        rules(call, &told)?;
        let mut new = IdentityPool::named(PoolRef::workforce(id));
        write(&mut new, told);
        let name = new.name();
        let check = |check: Check| exists(check, "workforce-create-exists", &name);
        let made = need(call, self.cloud().pools().create(new).ok(), check, "resource")?;
        Ok(self.done(&name, &Metadata {}, &told_pool(&made)))
    }

    fn get_workforce_pool(&self, call: &Call, request: GetWorkforcePoolRequest) -> Result<WorkforcePool, Refused> {
        self.workforce_pool(call, "iam.workforcePools.get", &request.name).map(|pool| told_pool(&pool))
    }

    fn list_workforce_pools(
        &self,
        call: &Call,
        request: ListWorkforcePoolsRequest,
    ) -> Result<ListWorkforcePoolsResponse, Refused> {
        self.organization_of(call, "iam.workforcePools.list", &request.location, &request.parent)?;
        let all = self.cloud().pools().list_workforce(&request.parent, request.show_deleted);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |pool| pool.id(), asked, (50, 1000))?;
        let workforce_pools = page.items.iter().map(|pool| told_pool(pool)).collect();
        Ok(ListWorkforcePoolsResponse { workforce_pools, next_page_token: page.next })
    }

    fn patch_workforce_pool(&self, call: &Call, request: UpdateWorkforcePoolRequest) -> Result<Operation, Refused> {
        let told = request.workforce_pool.unwrap_or_default();
        let pool = self.workforce_pool(call, "iam.workforcePools.update", &told.name)?;
        let current = told_pool(&pool);
        let merged = merge(&current, &told, request.update_mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a workforce pool" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        let merged = merged.unwrap_or_else(|_| current.clone());
        unchanged(call, &current, &merged)?;
        rules(call, &merged)?;
        let changed = self.cloud().pools().update(&pool.reference, |pool| write(pool, merged));
        let changed = changed.map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&changed.name(), &Metadata {}, &told_pool(&changed)))
    }

    fn delete_workforce_pool(&self, call: &Call, request: DeleteWorkforcePoolRequest) -> Result<Operation, Refused> {
        let pool = self.workforce_pool(call, "iam.workforcePools.delete", &request.name)?;
        let deleted = self.cloud().pools().delete(&pool.reference).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&deleted.name(), &Metadata {}, &told_pool(&deleted)))
    }

    fn undelete_workforce_pool(
        &self,
        call: &Call,
        request: UndeleteWorkforcePoolRequest,
    ) -> Result<Operation, Refused> {
        let pool = self.workforce_pool(call, "iam.workforcePools.undelete", &request.name)?;
        let restored = self.cloud().pools().undelete(&pool.reference).map_err(|fault| refused(call, &fault))?;
        Ok(self.done(&restored.name(), &Metadata {}, &told_pool(&restored)))
    }

    fn get_workforce_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let pool = self.workforce_pool(call, "iam.workforcePools.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &resource_of(&pool.reference), &request))
    }

    fn set_workforce_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let pool = self.workforce_pool(call, "iam.workforcePools.setIamPolicy", &request.resource)?;
        iam::set(call, &resource_of(&pool.reference), request)
    }

    fn test_workforce_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let name = workforce_name(call, &request.resource, false)?;
        if self.cloud().pools().get(&name.pool).is_some() {
            iam::test(call, &name.resource(), &request)
        } else {
            // Of a pool that is not there nobody has any permission, and that is no error.
            Ok(Default::default())
        }
    }

    /// The organization that is to hold or list pools must be the rig's, after the caller's permission on it was asked.
    fn organization_of(&self, call: &Call, permission: &str, location: &str, parent: &str) -> Result<(), Refused> {
        let place = "it must be locations/global: all workforce pools are there";
        call.check(field(ID, "location", place, location == "locations/global").found(location))?;
        let number = parent.strip_prefix("organizations/").unwrap_or_default();
        let good = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        call.check(field(ID, "parent", "it must be organizations/NUMBER", good).found(parent))?;
        permit(call, permission, &organization_resource(parent))?;
        let known = self.is_organization(parent).then_some(());
        need(call, known, |check| unknown(check, parent), "resource")
    }

    /// A pool that must be there, deleted or not, after the caller's permission on it was asked.
    fn workforce_pool(&self, call: &Call, permission: &str, name: &str) -> Result<Arc<IdentityPool>, Refused> {
        let parsed = workforce_name(call, name, false)?;
        permit(call, permission, &parsed.resource())?;
        need(call, self.cloud().pools().get(&parsed.pool), |check| unknown(check, name), "resource")
    }

    /// The name of an operation as it is kept, after the caller's permission to look at its pool or provider was asked.
    pub(super) fn workforce_operation(&self, call: &Call, resource: &str, id: &str) -> Result<String, Refused> {
        let parsed = match WorkforceName::parse(resource) {
            Some(parsed) => parsed,
            None => workforce_name(call, resource, false)?,
        };
        let kind = if parsed.provider.is_some() { "Providers" } else { "s" };
        permit(call, &format!("iam.workforcePool{kind}.get"), &parsed.resource())?;
        Ok(format!("{resource}/operations/{id}"))
    }
}

/// The name of a workforce pool, or of a provider of one.
pub(super) fn workforce_name<'a>(call: &Call, name: &'a str, of_provider: bool) -> Result<WorkforceName<'a>, Refused> {
    let what = if of_provider {
        "it must be locations/global/workforcePools/POOL/providers/PROVIDER"
    } else {
        "it must be locations/global/workforcePools/POOL"
    };
    let parsed = WorkforceName::parse(name).filter(|parsed| parsed.provider.is_some() == of_provider);
    need(call, parsed, |check| named(check, what, name), "request")
}

fn rules(call: &Call, told: &WorkforcePool) -> Result<(), Refused> {
    let asked = told.session_duration.as_ref();
    let good = asked.is_none_or(|asked| asked.seconds > SESSION.0 && asked.seconds < SESSION.1 && asked.nanos == 0);
    let found = asked.map(|asked| format!("{}s", asked.seconds));
    call.check(field(ID, "session_duration", "more than 900 s and less than 43200 s", good).found(found))?;
    texts(call, ID, &told.display_name, &told.description)
}

/// Parent and allowed services stay what they were.
fn unchanged(call: &Call, current: &WorkforcePool, merged: &WorkforcePool) -> Result<(), Refused> {
    let same = current.parent == merged.parent;
    call.check(field(ID, "parent", "it cannot be changed", same).found(merged.parent.as_str()))?;
    let services = |pool: &WorkforcePool| domains(pool.access_restrictions.as_ref());
    let (kept, new) = (services(current), services(merged));
    let place = "access_restrictions.allowed_services";
    call.check(field(ID, place, "it cannot be changed", kept == new).found(new))
}

fn domains(restrictions: Option<&AccessRestrictions>) -> Vec<String> {
    let services = restrictions.map(|restrictions| restrictions.allowed_services.as_slice()).unwrap_or_default();
    services.iter().map(|service| service.domain.clone()).collect()
}

/// What the caller may say of a pool; `rules` has passed it.
fn write(kept: &mut IdentityPool, told: WorkforcePool) {
    kept.workforce = Some(Workforce {
        allowed_services: domains(told.access_restrictions.as_ref()),
        programmatic_sign_in_disabled: told.access_restrictions.is_some_and(|told| told.disable_programmatic_signin),
        parent: told.parent,
    });
    kept.display_name = told.display_name;
    kept.description = told.description;
    kept.disabled = told.disabled;
    kept.session_duration = told.session_duration.map(|session| seconds(session.seconds));
}

/// The pool as Google tells it.
fn told_pool(pool: &IdentityPool) -> WorkforcePool {
    let (state, expire_time) = match pool.state {
        PoolState::Active => (State::Active, None),
        PoolState::Deleted { expires } => (State::Deleted, Some(timestamp(expires))),
    };
    let workforce = pool.workforce.clone().unwrap_or_default();
    let restricted = workforce.programmatic_sign_in_disabled || !workforce.allowed_services.is_empty();
    let session = pool.session_duration.as_ref().map_or(DEFAULT_SESSION, SignedDuration::as_secs);
    WorkforcePool {
        name: pool.name(),
        parent: workforce.parent,
        display_name: pool.display_name.clone(),
        description: pool.description.clone(),
        state: state.into(),
        disabled: pool.disabled,
        session_duration: Some(Duration { seconds: session, nanos: 0 }),
        expire_time,
        access_restrictions: restricted.then(|| AccessRestrictions {
            allowed_services: workforce.allowed_services.into_iter().map(|domain| ServiceConfig { domain }).collect(),
            disable_programmatic_signin: workforce.programmatic_sign_in_disabled,
        }),
    }
}
