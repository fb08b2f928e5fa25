//! Roles: Google's and custom ones.

use std::{collections::BTreeMap, sync::Arc};

use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::{Role as Held, Roles, Stage};
use tokenrig_protos::google::iam::admin::v1::{
    CreateRoleRequest, DeleteRoleRequest, GetRoleRequest, ListRolesRequest, ListRolesResponse, Role, RoleView,
    UndeleteRoleRequest, UpdateRoleRequest, role::RoleLaunchStage,
};
use tokenrig_wire::{Api, Call, merge, with};

use super::{Admin, accounts::permit, field, need, paged, refuse};
use crate::{
    model::{is_permission, is_role_id, project_of, project_resource, role_name, role_parent},
    refusals,
};

const ID: &str = "iam-role-field-invalid";

/// A role's id is free again 37 days after it was deleted: 7 in which it can be undeleted, 30 in which it is removed.
const PURGE: SignedDuration = SignedDuration::from_hours(37 * 24);
/// How long it can be undeleted.
const UNDELETE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the cloud does not keep of custom roles, by name.
pub(super) type Histories = BTreeMap<String, History>;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct History {
    changes: u64,
    deleted: Option<Timestamp>,
}

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.projects.roles.create", with(admin, Admin::create_role))
        .on("iam.projects.roles.get", with(admin, Admin::get_role))
        .on("iam.projects.roles.list", with(admin, Admin::list_roles))
        .on("iam.projects.roles.patch", with(admin, Admin::update_role))
        .on("iam.projects.roles.delete", with(admin, Admin::delete_role))
        .on("iam.projects.roles.undelete", with(admin, Admin::undelete_role))
}

impl Admin {
    fn create_role(&self, call: &Call, request: CreateRoleRequest) -> Result<Role, Refused> {
        let parent = self.role_parent(call, &request.parent)?;
        permit(call, "iam.roles.create", &resource_of(&parent))?;
        let id = request.role_id.as_str();
        let check = Check::named("request").expected("3 to 64 characters of [a-zA-Z0-9_.]").found(id);
        call.check(
            check
                .holds(is_role_id(id))
                .or_refuse(&refusals::ROLE_NAME, "iam-role-name-invalid")
                .mend(|| "give `roleId` 3 to 64 letters, digits, underscores or dots".to_owned()),
        )?;
        let told = request.role.unwrap_or_default();
        let check = Check::named("request").expected("no `role.name`: it follows from `roleId`");
        call.check(
            check
                .found(told.name.as_str())
                .holds(told.name.is_empty())
                .or_refuse(&refusals::ROLE_NAME_GIVEN, "iam-role-create-name-given")
                .mend(|| "leave `role.name` out".to_owned()),
        )?;
        rules(call, &told)?;
        let name = format!("{parent}/roles/{id}");
        let before = self.role(&name);
        if let Some(before) = before.filter(|before| !before.deleted || !self.purged(&name, call.now())) {
            let check = Check::named("resource").expected("no role of this id").found(name.as_str()).holds(false);
            let check = if before.deleted {
                check.or_refuse(&refusals::ROLE_DELETED, "iam-role-create-deleted")
            } else {
                check.or_refuse(&refusals::ROLE_EXISTS, "iam-role-create-exists").with("parent", &parent)
            };
            return Err(refuse(call, check.with("id", id).mend(|| "choose another `roleId`".to_owned())));
        }
        Ok(self.put_role(&name, &told, None))
    }

    fn get_role(&self, call: &Call, request: GetRoleRequest) -> Result<Role, Refused> {
        if let Some(role) = self.cloud().roles().get(&request.name).filter(|role| role.name.starts_with("roles/")) {
            return Ok(self.told_role(role, RoleView::Full));
        }
        self.existing_role(call, "iam.roles.get", &request.name).map(|role| self.told_role(&role, RoleView::Full))
    }

    fn list_roles(&self, call: &Call, request: ListRolesRequest) -> Result<ListRolesResponse, Refused> {
        let view = request.view();
        let roles: Vec<Arc<Held>> = if request.parent.is_empty() {
            Roles::predefined().cloned().collect()
        } else {
            let parent = self.role_parent(call, &request.parent)?;
            permit(call, "iam.roles.list", &resource_of(&parent))?;
            let roles = self.cloud().roles();
            let shown =
                |role: &&Arc<Held>| !role.deleted || (request.show_deleted && !self.purged(&role.name, call.now()));
            roles.custom(&parent).filter(shown).cloned().collect()
        };
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, roles, |role| role.name.as_str(), asked, (300, 1000))?;
        let roles = page.items.iter().map(|role| self.told_role(role, view)).collect();
        Ok(ListRolesResponse { roles, next_page_token: page.next })
    }

    fn update_role(&self, call: &Call, request: UpdateRoleRequest) -> Result<Role, Refused> {
        let role = self.existing_role(call, "iam.roles.update", &request.name)?;
        let told = request.role.unwrap_or_default();
        self.unchanged(call, &role, &told.etag)?;
        let current = self.told_role(&role, RoleView::Full);
        let merged = merge(&current, &told, request.update_mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a role" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        let merged = merged.unwrap_or(current);
        rules(call, &merged)?;
        Ok(self.put_role(&role.name, &merged, Some(&role)))
    }

    fn delete_role(&self, call: &Call, request: DeleteRoleRequest) -> Result<Role, Refused> {
        let role = self.existing_role(call, "iam.roles.delete", &request.name)?;
        self.unchanged(call, &role, &request.etag)?;
        let mut deleted = (*role).clone();
        deleted.deleted = true;
        let now = call.now();
        self.cloud().change_roles(|roles| roles.put(deleted.clone()));
        self.history(&role.name, |history| history.deleted = Some(history.deleted.unwrap_or(now)));
        Ok(self.told_role(&deleted, RoleView::Full))
    }

    fn undelete_role(&self, call: &Call, request: UndeleteRoleRequest) -> Result<Role, Refused> {
        let role = self.existing_role(call, "iam.roles.undelete", &request.name)?;
        self.unchanged(call, &role, &request.etag)?;
        let deleted = self.histories().get(&role.name).and_then(|history| history.deleted);
        let in_time = deleted.is_none_or(|deleted| call.now().duration_since(deleted) <= UNDELETE);
        call.check(
            Check::named("resource")
                .expected("a role that was deleted within 7 days")
                .found(role.name.as_str())
                .holds(role.deleted && in_time)
                .or_refuse(&refusals::PRECONDITION, "iam-role-not-deleted")
                .mend(|| "undelete only what was deleted within 7 days".to_owned()),
        )?;
        let mut restored = (*role).clone();
        restored.deleted = false;
        self.cloud().change_roles(|roles| roles.put(restored.clone()));
        self.history(&role.name, |history| history.deleted = None);
        Ok(self.told_role(&restored, RoleView::Full))
    }

    /// The parent with its project's id.
    fn role_parent(&self, call: &Call, parent: &str) -> Result<String, Refused> {
        let what = "it must be projects/PROJECT or organizations/NUMBER";
        call.check(field(ID, "parent", what, role_parent(parent)).found(parent))?;
        Ok(self.canonical_parent(parent))
    }

    fn canonical_parent(&self, parent: &str) -> String {
        let known = project_of(parent).and_then(|project| self.cloud().find_project(project));
        known.map_or_else(|| parent.to_owned(), |project| format!("projects/{}", project.id))
    }

    /// A custom role that must be there, deleted or not, after the caller's permission was asked.
    fn existing_role(&self, call: &Call, permission: &str, name: &str) -> Result<Arc<Held>, Refused> {
        if name.starts_with("roles/") {
            let check = Check::named("resource").holds(false);
            return Err(refuse(call, unknown(check, name)));
        }
        let check = |check: Check| {
            check
                .expected("projects/PROJECT/roles/ROLE or organizations/NUMBER/roles/ROLE")
                .found(name)
                .or_refuse(&refusals::ROLE_NAME, "iam-role-name-invalid")
                .mend(|| "name a role by its full name".to_owned())
        };
        let (parent, id) = need(call, role_name(name), check, "request")?;
        let parent = self.canonical_parent(parent);
        permit(call, permission, &resource_of(&parent))?;
        let name = format!("{parent}/roles/{id}");
        let found = self.role(&name).filter(|role| !role.deleted || !self.purged(&name, call.now()));
        need(call, found, |check| unknown(check, &name), "resource")
    }

    fn role(&self, name: &str) -> Option<Arc<Held>> {
        self.cloud().roles().get(name).cloned()
    }

    fn purged(&self, name: &str, now: Timestamp) -> bool {
        let deleted = self.histories().get(name).and_then(|history| history.deleted);
        deleted.is_some_and(|deleted| now.duration_since(deleted) > PURGE)
    }

    fn history(&self, name: &str, change: impl FnOnce(&mut History)) {
        let mut histories = self.histories();
        let history = histories.entry(name.to_owned()).or_default();
        history.changes += 1;
        change(history);
    }

    fn etag(&self, name: &str) -> Vec<u8> {
        let changes = self.histories().get(name).map_or(0, |history| history.changes);
        let hex = self.cloud().derived_hex("role", &format!("{name} {changes}"));
        let pairs = (0..16).step_by(2).filter_map(|at| hex.get(at..at + 2));
        pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
    }

    fn unchanged(&self, call: &Call, role: &Held, etag: &[u8]) -> Result<(), Refused> {
        let present = self.etag(&role.name);
        call.check(
            Check::named("resource")
                .expected("the present etag, or none")
                .found(role.name.as_str())
                .holds(etag.is_empty() || etag == present)
                .or_refuse(&refusals::ACCOUNT_CHANGED, "iam-etag-stale")
                .mend(|| "read the role again and send its present `etag`".to_owned()),
        )
    }

    fn put_role(&self, name: &str, told: &Role, before: Option<&Held>) -> Role {
        let mut role = Held::custom(name, told.included_permissions.iter().cloned());
        role.title = told.title.clone();
        role.description = told.description.clone();
        role.stage = stage(told.stage());
        role.deleted = before.is_some_and(|before| before.deleted);
        self.cloud().change_roles(|roles| roles.put(role.clone()));
        self.history(name, |history| {
            if before.is_none() {
                history.deleted = None;
            }
        });
        self.told_role(&role, RoleView::Full)
    }

    fn told_role(&self, role: &Held, view: RoleView) -> Role {
        Role {
            name: role.name.clone(),
            title: role.title.clone(),
            description: role.description.clone(),
            included_permissions: if view == RoleView::Full { role.permissions().to_vec() } else { Vec::new() },
            stage: launch_stage(role.stage).into(),
            etag: self.etag(&role.name),
            deleted: role.deleted,
        }
    }
}

fn unknown(check: Check, name: &str) -> Check {
    check
        .expected("a role that exists")
        .found(name)
        .or_refuse(&refusals::ROLE_UNKNOWN, "iam-role-unknown")
        .with("name", name)
        .mend(|| "create the role first, or correct its name".to_owned())
}

/// The full resource name of a role's parent.
fn resource_of(parent: &str) -> String {
    project_of(parent).map_or_else(|| format!("//cloudresourcemanager.googleapis.com/{parent}"), project_resource)
}

fn rules(call: &Call, role: &Role) -> Result<(), Refused> {
    let (title, text) = (role.title.chars().count(), role.description.chars().count());
    call.check(field(ID, "role.title", "at most 100 characters", title <= 100).found(title))?;
    call.check(field(ID, "role.description", "at most 300 characters", text <= 300).found(text))?;
    let count = role.included_permissions.len();
    call.check(field(ID, "role.included_permissions", "at most 3000 permissions", count <= 3000).found(count))?;
    let wrong = role.included_permissions.iter().find(|permission| !is_permission(permission)).map(String::as_str);
    let what = "permissions are of the form SERVICE.RESOURCE.VERB";
    call.check(field(ID, "role.included_permissions", what, wrong.is_none()).found(wrong))
}

fn stage(stage: RoleLaunchStage) -> Stage {
    match stage {
        RoleLaunchStage::Alpha => Stage::Alpha,
        RoleLaunchStage::Beta => Stage::Beta,
        RoleLaunchStage::Ga => Stage::Ga,
        RoleLaunchStage::Deprecated => Stage::Deprecated,
        RoleLaunchStage::Disabled => Stage::Disabled,
        RoleLaunchStage::Eap => Stage::Eap,
    }
}

fn launch_stage(stage: Stage) -> RoleLaunchStage {
    match stage {
        Stage::Alpha => RoleLaunchStage::Alpha,
        Stage::Beta => RoleLaunchStage::Beta,
        Stage::Ga => RoleLaunchStage::Ga,
        Stage::Deprecated => RoleLaunchStage::Deprecated,
        Stage::Disabled => RoleLaunchStage::Disabled,
        Stage::Eap => RoleLaunchStage::Eap,
    }
}
