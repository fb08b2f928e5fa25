//! Roles: what a binding gives.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use crate::{
    catalogue::{ROLES, expand},
    identity::Identity,
    permissions::{NOT_OWNERS, PERMISSIONS, SERVICES},
};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `roles/NAME`, `projects/P/roles/NAME` or `organizations/N/roles/NAME`.
    pub name: String,
    /// A short name.
    pub title: String,
    /// More words.
    pub description: String,
    /// How finished it is; `DISABLED` holds nothing.
    pub stage: Stage,
    /// A deleted custom role holds nothing. It can be undeleted.
    pub deleted: bool,
    /// Sorted.
    permissions: Vec<String>,
}

/// The launch stage of a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of google.iam.admin.v1.Role.RoleLaunchStage")]
pub enum Stage {
    Alpha,
    Beta,
    #[default]
    Ga,
    Deprecated,
    Disabled,
    Eap,
}

impl Role {
    /// A custom role of these permissions.
    #[must_use]
    pub fn custom<P: Into<String>>(name: impl Into<String>, permissions: impl IntoIterator<Item = P>) -> Self {
        let mut role = Self {
            name: name.into(),
            title: String::new(),
            description: String::new(),
            stage: Stage::default(),
            deleted: false,
            permissions: Vec::new(),
        };
        role.set_permissions(permissions);
        role
    }

    /// Replaces what it holds.
    pub fn set_permissions<P: Into<String>>(&mut self, permissions: impl IntoIterator<Item = P>) {
        self.permissions = permissions.into_iter().map(|permission| short(&permission.into()).into_owned()).collect();
        self.permissions.sort_unstable();
        self.permissions.dedup();
    }

    /// `includedPermissions`, sorted, in the short form (`iam.roles.list`).
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.permissions
    }

    /// Whether it holds a permission in its short form.
    pub(crate) fn holds(&self, permission: &str) -> bool {
        !self.deleted
            && self.stage != Stage::Disabled
            && (self.permissions.binary_search_by(|held| held.as_str().cmp(permission)).is_ok()
                || self.name == "roles/owner" && owner_holds(permission))
    }
}

/// All roles of a rig: Google's, shared by all rigs of a process, and its own.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    custom: BTreeMap<String, Arc<Role>>,
}

static PREDEFINED: LazyLock<BTreeMap<&'static str, Arc<Role>>> = LazyLock::new(|| {
    let role = |name: &str, title: &str, permissions: Vec<String>| {
        let title = title.to_owned();
        Arc::new(Role { title, ..Role::custom(name, permissions) })
    };
    let mut roles: BTreeMap<&str, Arc<Role>> = ROLES
        .iter()
        .map(|(name, title, lines)| (*name, role(name, title, lines.iter().flat_map(|line| expand(line)).collect())))
        .collect();
    let some = |which: fn(&str) -> bool| KNOWN.iter().filter(|permission| which(permission)).cloned().collect();
    roles.insert("roles/owner", role("roles/owner", "Owner", some(owner_holds)));
    roles.insert("roles/editor", role("roles/editor", "Editor", some(editor_holds)));
    roles.insert("roles/viewer", role("roles/viewer", "Viewer", some(viewer_holds)));
    roles
});

/// The same for look-ups, which are many.
static BY_NAME: LazyLock<HashMap<&'static str, Arc<Role>>> =
    LazyLock::new(|| PREDEFINED.iter().map(|(name, role)| (*name, Arc::clone(role))).collect());

static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut all: Vec<String> = PERMISSIONS.iter().flat_map(|line| expand(line)).collect();
    all.sort_unstable();
    all.dedup();
    all
});

impl Roles {
    /// A role by its name, also a deleted one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Role>> {
        BY_NAME.get(name).or_else(|| self.custom.get(name))
    }

    /// Adds a custom role or replaces one.
    pub fn put(&mut self, role: Role) {
        self.custom.insert(role.name.clone(), Arc::new(role));
    }

    /// Forgets a custom role.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Role>> {
        self.custom.remove(name)
    }

    /// The custom roles of a parent (`projects/P`), by name; deleted ones too.
    pub fn custom<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a Arc<Role>> {
        let below = move |name: &str| name.strip_prefix(parent).is_some_and(|rest| rest.starts_with("/roles/"));
        self.custom.iter().filter(move |(name, _)| below(name)).map(|(_, role)| role)
    }

    /// A role of Google's by its name. No rig can change it.
    pub(crate) fn of_google(name: &str) -> Option<&'static Role> {
        BY_NAME.get(name).map(|role| &**role)
    }

    /// Google's roles, by name.
    pub fn predefined() -> impl Iterator<Item = &'static Arc<Role>> {
        PREDEFINED.values()
    }

    /// Every permission that the rig knows, sorted.
    #[must_use]
    pub fn permissions() -> &'static [String] {
        &KNOWN
    }

    /// Whether the rig knows a permission, in either form.
    #[must_use]
    pub fn knows(permission: &str) -> bool {
        KNOWN.binary_search_by(|known| known.as_str().cmp(&short(permission))).is_ok()
    }

    /// A permission in its short form: `iam.roles.list` for `iam.googleapis.com/roles.list`.
    #[must_use]
    pub fn permission<'a>(&self, permission: &'a str) -> Cow<'a, str> {
        short(permission)
    }

    /// Whether a role, by name, holds a permission in its short form. A role that does not exist holds nothing.
    #[must_use]
    pub fn holds(&self, role: &str, permission: &str) -> bool {
        self.get(role).is_some_and(|role| role.holds(permission))
    }

    /// The predefined role to recommend for a permission: the usual one where there is one, else the smallest that is
    /// neither basic nor a service agent's.
    #[must_use]
    pub fn smallest_with(&self, permission: &str, identity: &Identity) -> Option<&'static str> {
        let permission = short(permission);
        match &*permission {
            "run.routes.invoke" => return Some("roles/run.invoker"),
            "iam.serviceAccounts.getAccessToken" | "iam.serviceAccounts.getOpenIdToken"
                if matches!(identity, Identity::Federated { .. }) =>
            {
                return Some("roles/iam.workloadIdentityUser");
            }
            "iam.serviceAccounts.getAccessToken" => return Some("roles/iam.serviceAccountTokenCreator"),
            "iam.serviceAccounts.actAs" => return Some("roles/iam.serviceAccountUser"),
            _ => {}
        }
        let fits = |role: &&Arc<Role>| {
            role.name.contains('.') && !role.name.ends_with(".serviceAgent") && role.holds(&permission)
        };
        let smallest = PREDEFINED.iter().filter(|(_, role)| fits(role)).min_by_key(|(_, role)| role.permissions.len());
        smallest.map(|(name, _)| *name).or_else(|| owner_holds(&permission).then_some("roles/owner"))
    }
}

fn short(permission: &str) -> Cow<'_, str> {
    // Nearly all are short already, which one byte tells sooner than a search for the host.
    if !permission.as_bytes().contains(&b'/') {
        return Cow::Borrowed(permission);
    }
    match permission.split_once(".googleapis.com/") {
        Some((host, rest)) => {
            let service = if host == "cloudresourcemanager" { "resourcemanager" } else { host };
            Cow::Owned(format!("{service}.{rest}"))
        }
        None => Cow::Borrowed(permission),
    }
}

/// roles/owner holds every permission of the played APIs but a few, those that no list here names too.
fn owner_holds(permission: &str) -> bool {
    let mut words = permission.split('.');
    let known = words.next().is_some_and(|service| SERVICES.contains(&service));
    known && words.clone().count() == 2 && words.all(|word| !word.is_empty()) && !NOT_OWNERS.contains(&permission)
}

fn editor_holds(permission: &str) -> bool {
    let administration = permission.ends_with(".setIamPolicy")
        || [
            "iam.roles.",
            "iam.workloadIdentity",
            "iam.workforce",
            "iam.oauthClient",
            "iam.denypolicies.",
            "orgpolicy.",
        ]
        .iter()
        .any(|prefix| permission.starts_with(prefix) && !viewer_holds(permission))
        || ["iap.", "storage.objects.", "storage.folders.", "storage.managedFolders.", "storage.multipartUploads."]
            .iter()
            .any(|prefix| permission.starts_with(prefix))
        || ["resourcemanager.folders.", "resourcemanager.organizations."]
            .iter()
            .any(|prefix| permission.starts_with(prefix))
        || matches!(permission, "resourcemanager.projects.create" | "resourcemanager.projects.delete")
        || matches!(permission, "resourcemanager.projects.move" | "resourcemanager.projects.undelete");
    owner_holds(permission) && !administration
}

fn viewer_holds(permission: &str) -> bool {
    let reads = [".get", ".list", ".getIamPolicy", ".fullView"].iter().any(|verb| permission.ends_with(verb));
    let apart = ["iam.denypolicies.", "iap.", "storage.objects.", "storage.folders.", "storage.managedFolders."]
        .iter()
        .any(|prefix| permission.starts_with(prefix));
    owner_holds(permission) && reads && !apart
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_permission_of_a_role_is_a_permission_of_a_played_api() {
        let unknown: Vec<_> = Roles::predefined()
            .flat_map(|role| role.permissions().iter().map(move |permission| (&role.name, permission)))
            .filter(|(_, permission)| !Roles::knows(permission))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[rstest]
    #[case::workload_identity_user("roles/iam.workloadIdentityUser", &["get", "getAccessToken", "getOpenIdToken", "list"])]
    #[case::open_id("roles/iam.serviceAccountOpenIdTokenCreator", &["getOpenIdToken"])]
    #[case::user("roles/iam.serviceAccountUser", &["actAs", "get", "list"])]
    #[case::token_creator(
        "roles/iam.serviceAccountTokenCreator",
        &["get", "getAccessToken", "getOpenIdToken", "implicitDelegation", "list", "signBlob", "signJwt"]
    )]
    fn a_role_holds_exactly_these_of_service_accounts(#[case] role: &str, #[case] expected: &[&str]) {
        let roles = Roles::default();
        let held = roles.get(role).unwrap().permissions().iter();
        let held: Vec<_> = held.filter_map(|permission| permission.strip_prefix("iam.serviceAccounts.")).collect();
        assert_eq!(held, expected);
    }

    #[test]
    fn an_owner_may_do_everything_but_act_by_the_credentials_of_an_account() {
        let roles = Roles::default();
        for permission in Roles::permissions() {
            assert_eq!(
                roles.holds("roles/owner", permission),
                !NOT_OWNERS.contains(&permission.as_str()),
                "{permission}"
            );
        }
        assert!(!roles.holds("roles/owner", "bigquery.tables.get"));
        assert!(!roles.holds("roles/owner", "run.services"));
    }

    #[test]
    fn an_editor_changes_things_but_not_policies_and_a_viewer_only_reads() {
        let roles = Roles::default();
        assert!(roles.holds("roles/editor", "run.services.create"));
        assert!(roles.holds("roles/editor", "iam.serviceAccounts.actAs"));
        assert!(!roles.holds("roles/editor", "run.services.setIamPolicy"));
        assert!(!roles.holds("roles/editor", "iam.workloadIdentityPools.create"));
        assert!(!roles.holds("roles/editor", "iam.serviceAccounts.getOpenIdToken"));
        assert!(roles.holds("roles/viewer", "run.services.get"));
        assert!(!roles.holds("roles/viewer", "run.services.update"));
    }

    #[test]
    fn both_forms_of_a_permission_are_the_same() {
        let mut roles = Roles::default();
        roles.put(Role::custom("projects/p/roles/pools", ["iam.googleapis.com/workloadIdentityPools.create"]));
        assert!(roles.holds("projects/p/roles/pools", &short("iam.workloadIdentityPools.create")));
        assert!(roles.holds("roles/owner", &short("cloudresourcemanager.googleapis.com/projects.get")));
    }

    #[test]
    fn a_deleted_or_disabled_custom_role_holds_nothing() {
        let mut roles = Roles::default();
        let role = Role::custom("projects/p/roles/minter", ["iam.serviceAccounts.getOpenIdToken"]);
        roles.put(role.clone());
        assert!(roles.holds(&role.name, "iam.serviceAccounts.getOpenIdToken"));
        roles.put(Role { deleted: true, ..role.clone() });
        assert!(!roles.holds(&role.name, "iam.serviceAccounts.getOpenIdToken"));
        roles.put(Role { stage: Stage::Disabled, ..role.clone() });
        assert!(!roles.holds(&role.name, "iam.serviceAccounts.getOpenIdToken"));
        assert_eq!(roles.custom("projects/p").count(), 1);
        assert_eq!(roles.custom("projects/pp").count(), 0);
    }

    #[rstest]
    #[case("run.routes.invoke", "roles/run.invoker")]
    #[case("iam.serviceAccounts.getOpenIdToken", "roles/iam.serviceAccountOpenIdTokenCreator")]
    #[case("iam.serviceAccounts.signBlob", "roles/iam.serviceAccountTokenCreator")]
    #[case("pubsub.topics.publish", "roles/pubsub.publisher")]
    #[case("cloudtasks.tasks.create", "roles/cloudtasks.enqueuer")]
    fn the_recommended_role_is_the_smallest(#[case] permission: &str, #[case] role: &str) {
        assert_eq!(Roles::default().smallest_with(permission, &Identity::Anonymous), Some(role));
    }
}
