//! Names and limits of the resources.

use tokenrig_cloud::{Cloud, ServiceAccount};
use tokenrig_policy::PoolRef;

/// `projects/PROJECT/serviceAccounts/ACCOUNT`, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountName<'a> {
    /// Id or number of a project, or `-`.
    pub(crate) project: &'a str,
    /// E-mail address or unique id.
    pub(crate) account: &'a str,
}

impl<'a> AccountName<'a> {
    /// Reads a whole name.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let ["projects", project, "serviceAccounts", account] = parts(name)? else { return None };
        Some(Self { project, account })
    }

    /// Reads `…/keys/KEY` too.
    pub(crate) fn parse_key(name: &'a str) -> Option<(Self, &'a str)> {
        let ["projects", project, "serviceAccounts", account, "keys", key] = parts(name)? else { return None };
        Some((Self { project, account }, key))
    }

    /// The account, if it is there and in the project that the name says.
    pub(crate) fn find(&self, cloud: &Cloud) -> Option<std::sync::Arc<ServiceAccount>> {
        cloud.accounts().get(self.account).filter(|account| self.is_in(&account.project_id, &account.project_number))
    }

    /// Whether the name's project is this one, or any.
    pub(crate) fn is_in(&self, id: &str, number: &str) -> bool {
        ["-", id, number].contains(&self.project)
    }

    /// Whether the name says no project, so that it must not tell whether the account exists.
    pub(crate) fn is_anywhere(&self) -> bool {
        self.project == "-"
    }

    /// The full resource name of policies.
    pub(crate) fn resource(&self) -> String {
        format!("//iam.googleapis.com/projects/{}/serviceAccounts/{}", self.project, self.account)
    }
}

/// `projects/PROJECT/locations/global/workloadIdentityPools/POOL[/providers/PROVIDER]`, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolName<'a> {
    /// Id or number.
    pub(crate) project: &'a str,
    /// The pool's id.
    pub(crate) pool: &'a str,
    /// The provider's id.
    pub(crate) provider: Option<&'a str>,
}

impl<'a> PoolName<'a> {
    /// Reads a pool's or provider's whole name.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (project, pool, provider) = match parts::<8>(name) {
            Some(
                ["projects", project, "locations", "global", "workloadIdentityPools", pool, "providers", provider],
            ) => (project, pool, Some(provider)),
            Some(_) => return None,
            None => match parts(name)? {
                ["projects", project, "locations", "global", "workloadIdentityPools", pool] => (project, pool, None),
                _ => return None,
            },
        };
        Some(Self { project, pool, provider })
    }

    /// What names the pool in the cloud, if its project is known.
    pub(crate) fn reference(&self, cloud: &Cloud) -> Option<PoolRef> {
        cloud.find_project(self.project).map(|project| PoolRef::workload(project.number, self.pool))
    }

    /// The full resource name, with the project as it was written.
    pub(crate) fn resource(&self) -> String {
        let Self { project, pool, .. } = self;
        let below = self.provider.map(|provider| format!("/providers/{provider}")).unwrap_or_default();
        format!("//iam.googleapis.com/projects/{project}/locations/global/workloadIdentityPools/{pool}{below}")
    }
}

/// `locations/global/workforcePools/POOL[/providers/PROVIDER]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkforceName<'a> {
    /// What names the pool in the cloud.
    pub(crate) pool: PoolRef,
    /// The provider's id.
    pub(crate) provider: Option<&'a str>,
}

impl<'a> WorkforceName<'a> {
    /// Reads a pool's or provider's whole name.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (pool, provider) = match parts::<6>(name) {
            Some(["locations", "global", "workforcePools", pool, "providers", provider]) => (pool, Some(provider)),
            Some(_) => return None,
            None => match parts(name)? {
                ["locations", "global", "workforcePools", pool] => (pool, None),
                _ => return None,
            },
        };
        Some(Self { pool: PoolRef::workforce(pool), provider })
    }

    /// The full resource name.
    pub(crate) fn resource(&self) -> String {
        let below = self.provider.map(|provider| format!("/providers/{provider}")).unwrap_or_default();
        format!("//iam.googleapis.com/{}{below}", self.pool)
    }
}

/// The project of `projects/PROJECT`.
pub(crate) fn project_of(name: &str) -> Option<&str> {
    let ["projects", project] = parts(name)? else { return None };
    Some(project)
}

/// The project of `projects/PROJECT/locations/global`, where all pools are.
pub(crate) fn project_of_global(name: &str) -> Option<&str> {
    let ["projects", project, "locations", "global"] = parts(name)? else { return None };
    Some(project)
}

/// `PARENT` and `ID` of `PARENT/roles/ID`, where the parent is a project or an organisation.
pub(crate) fn role_name(name: &str) -> Option<(&str, &str)> {
    let (parent, id) = name.rsplit_once("/roles/")?;
    (role_parent(parent) && is_role_id(id)).then_some((parent, id))
}

/// Whether custom roles can be below it.
pub(crate) fn role_parent(parent: &str) -> bool {
    matches!(parts(parent), Some(["projects" | "organizations", _]))
}

/// The full resource name of `organizations/NUMBER`.
pub(crate) fn organization_resource(name: &str) -> String {
    format!("//cloudresourcemanager.googleapis.com/{name}")
}

/// The full resource name of a project.
pub(crate) fn project_resource(project: &str) -> String {
    format!("//cloudresourcemanager.googleapis.com/projects/{project}")
}

/// Whether `id` can be that of a service account, its length aside: `[a-z]([-a-z0-9]*[a-z0-9])`.
pub(crate) fn is_account_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.ends_with('-') && id.chars().all(is_id_char)
}

/// Whether `id` can be that of a project: an account's form.
pub(crate) fn is_project_id(id: &str) -> bool {
    (6..=30).contains(&id.len()) && is_account_id(id)
}

/// Whether `id` can be that of a pool or provider: 4 to 32 of `[a-z0-9-]`, without the prefix that Google keeps.
pub(crate) fn is_pool_id(id: &str) -> bool {
    (4..=32).contains(&id.len()) && id.chars().all(is_id_char) && !id.starts_with("gcp-")
}

/// Whether `id` can be that of a workforce pool: 6 to 63 of `[a-z0-9-]`, a letter first, no hyphen last, without the prefix
/// that Google keeps.
pub(crate) fn is_workforce_pool_id(id: &str) -> bool {
    (6..=63).contains(&id.len()) && is_account_id(id) && !id.starts_with("gcp-")
}

/// Whether `id` can be that of a custom role: 3 to 64 of `[a-zA-Z0-9_.]`.
pub(crate) fn is_role_id(id: &str) -> bool {
    (3..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

/// Whether `text` has the form of a permission, `SERVICE.RESOURCE.VERB` or `SERVICE.googleapis.com/RESOURCE.VERB`. Google
/// has many more than the rig plays, so that any of this form is taken.
pub(crate) fn is_permission(text: &str) -> bool {
    let words = text.split_once(".googleapis.com/").map_or(text.split('.').count(), |(service, rest)| {
        if service.is_empty() || service.contains('.') { 0 } else { 1 + rest.split('.').count() }
    });
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    words >= 3 && text.len() <= 256 && text.chars().all(good) && !text.split(['.', '/']).any(str::is_empty)
}

fn is_id_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Exactly so many segments, none of them empty.
fn parts<const N: usize>(name: &str) -> Option<[&str; N]> {
    let segments: Vec<&str> = name.split('/').take(N + 1).collect();
    let segments: [&str; N] = segments.try_into().ok()?;
    segments.iter().all(|segment| !segment.is_empty()).then_some(segments)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn names_are_read_whole_or_not_at_all() {
        let account = AccountName { project: "-", account: "a@p.iam.gserviceaccount.com" };
        assert_eq!(AccountName::parse("projects/-/serviceAccounts/a@p.iam.gserviceaccount.com"), Some(account));
        assert_eq!(
            AccountName::parse_key("projects/-/serviceAccounts/a@p.iam.gserviceaccount.com/keys/0f"),
            Some((account, "0f"))
        );
        for wrong in ["", "projects//serviceAccounts/a", "projects/p/serviceAccounts/a/", "projects/p/serviceAccounts"]
        {
            assert_eq!(AccountName::parse(wrong), None, "{wrong}");
        }
        let pool = "projects/p/locations/global/workloadIdentityPools/partners";
        let provider = format!("{pool}/providers/corp");
        assert_eq!(PoolName::parse(pool), Some(PoolName { project: "p", pool: "partners", provider: None }));
        assert_eq!(
            PoolName::parse(&provider),
            Some(PoolName { project: "p", pool: "partners", provider: Some("corp") })
        );
        assert_eq!(PoolName::parse("projects/p/locations/europe/workloadIdentityPools/partners"), None);
        assert_eq!(PoolName::parse(&format!("{provider}/operations/1")), None);
    }

    #[rstest]
    #[case("partners", true)]
    #[case("abc", false)]
    #[case(&"a".repeat(33), false)]
    #[case("gcp-partners", false)]
    #[case("Partners", false)]
    #[case("part_ners", false)]
    fn a_pool_has_an_id_of_its_form(#[case] id: &str, #[case] good: bool) {
        assert_eq!(is_pool_id(id), good);
    }

    #[rstest]
    #[case("employees", true)]
    #[case("staff", false)]
    #[case("1employees", false)]
    #[case("employees-", false)]
    #[case("gcp-employees", false)]
    #[case(&"a".repeat(63), true)]
    #[case(&"a".repeat(64), false)]
    fn a_workforce_pool_has_an_id_of_its_form(#[case] id: &str, #[case] good: bool) {
        assert_eq!(is_workforce_pool_id(id), good);
    }

    #[test]
    fn a_workforce_pool_is_named_without_a_project() {
        let pool = "locations/global/workforcePools/employees";
        let named = |provider| Some(WorkforceName { pool: PoolRef::workforce("employees"), provider });
        assert_eq!(WorkforceName::parse(pool), named(None));
        assert_eq!(WorkforceName::parse(&format!("{pool}/providers/corp")), named(Some("corp")));
        for wrong in ["locations/eu/workforcePools/p", "locations/global/workforcePools/", "locations/global/p/p/x/y"] {
            assert_eq!(WorkforceName::parse(wrong), None, "{wrong}");
        }
    }

    #[rstest]
    #[case("iam.roles.list", true)]
    #[case("iam.googleapis.com/workloadIdentityPools.create", true)]
    #[case("bigquery.tables.getData", true)]
    #[case("iam.roles", false)]
    #[case("iam..list", false)]
    #[case("iam.roles.*", false)]
    fn a_permission_has_a_form(#[case] permission: &str, #[case] good: bool) {
        assert_eq!(is_permission(permission), good);
    }

    #[rstest]
    #[case("projects/p/roles/tokenMinter", Some(("projects/p", "tokenMinter")))]
    #[case("organizations/1/roles/token.Minter_2", Some(("organizations/1", "token.Minter_2")))]
    #[case("roles/viewer", None)]
    #[case("projects/p/roles/token-minter", None)]
    fn a_custom_role_is_below_a_project_or_organisation(#[case] name: &str, #[case] parts: Option<(&str, &str)>) {
        assert_eq!(role_name(name), parts);
    }
}
