//! Organization policies: constraints that are set on the project or on its organisation.

use std::collections::BTreeMap;

use tokenrig_clock::Timestamp;

use crate::{
    cloud::Cloud,
    sync::{read, write},
};

const MANAGER: &str = "//cloudresourcemanager.googleapis.com/";

/// How one constraint is set on one project or organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgPolicy {
    /// The rules.
    pub rules: Vec<OrgRule>,
    /// Whether the rules of what the resource is inside of hold too. Only list constraints inherit.
    pub inherit: bool,
    /// Whether the constraint's default holds, whatever stands above.
    pub reset: bool,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Another one after each change.
    pub etag: String,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrgRule {
    /// A constraint of yes or no holds, or does not.
    Enforce(bool),
    /// All values are allowed.
    AllowAll,
    /// All values are denied.
    DenyAll,
    /// Values of a list constraint; a leading `is:` says nothing more.
    Values {
        /// If there are any, only these are allowed.
        allowed: Vec<String>,
        /// These are denied, whatever is allowed.
        denied: Vec<String>,
    },
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// By resource and constraint.
    policies: BTreeMap<(String, String), OrgPolicy>,
    changes: u64,
}

/// The organization policies of a cloud, by full resource name (in any form) and constraint without `constraints/`.
#[derive(Clone, Copy)]
pub struct OrgPolicies<'a>(pub(crate) &'a Cloud);

impl OrgPolicies<'_> {
    /// The policy that is set on a resource itself.
    #[must_use]
    pub fn get(&self, resource: &str, constraint: &str) -> Option<OrgPolicy> {
        let key = (self.0.canonical(resource), constraint.to_owned());
        read(&self.0.inner().org_policies).policies.get(&key).cloned()
    }

    /// The constraints that are set on a resource itself, in order.
    #[must_use]
    pub fn list(&self, resource: &str) -> Vec<(String, OrgPolicy)> {
        let resource = self.0.canonical(resource);
        let state = read(&self.0.inner().org_policies);
        let own = state.policies.iter().filter(|((of, _), _)| *of == resource);
        own.map(|((_, constraint), policy)| (constraint.clone(), policy.clone())).collect()
    }

    /// Sets a constraint on a resource, in place of what was set; gives it with its new etag.
    pub fn set(&self, resource: &str, constraint: &str, rules: Vec<OrgRule>, inherit: bool, reset: bool) -> OrgPolicy {
        let resource = self.0.canonical(resource);
        let mut state = write(&self.0.inner().org_policies);
        state.changes += 1;
        let etag = self.0.derive().etag(&format!("{resource} {constraint}"), state.changes);
        let policy = OrgPolicy { rules, inherit, reset, updated: self.0.now(), etag };
        state.policies.insert((resource, constraint.to_owned()), policy.clone());
        policy
    }

    /// Forgets what is set on a resource; whether there was anything.
    pub fn remove(&self, resource: &str, constraint: &str) -> bool {
        let key = (self.0.canonical(resource), constraint.to_owned());
        write(&self.0.inner().org_policies).policies.remove(&key).is_some()
    }

    /// Whether a constraint of yes or no holds for a resource: what is nearest decides.
    #[must_use]
    pub fn enforced(&self, resource: &str, constraint: &str) -> bool {
        self.nearest(resource, constraint).first().is_some_and(|policy| policy.rules.contains(&OrgRule::Enforce(true)))
    }

    /// The rules of a list constraint that hold for a resource; none where nobody set it.
    #[must_use]
    pub fn rules(&self, resource: &str, constraint: &str) -> Vec<OrgRule> {
        let mut rules = Vec::new();
        for policy in self.nearest(resource, constraint) {
            if policy.reset {
                break;
            }
            rules.extend(policy.rules);
            if !policy.inherit {
                break;
            }
        }
        rules
    }

    /// Whether a list constraint allows a value for a resource. A constraint that nobody set allows everything.
    #[must_use]
    pub fn allows(&self, resource: &str, constraint: &str, value: &str) -> bool {
        let rules = self.rules(resource, constraint);
        let named = |values: &[String]| values.iter().any(|one| one.strip_prefix("is:").unwrap_or(one) == value);
        let denied = rules.iter().any(|rule| match rule {
            OrgRule::DenyAll => true,
            OrgRule::Values { denied, .. } => named(denied),
            OrgRule::AllowAll | OrgRule::Enforce(_) => false,
        });
        let mut lists = rules.iter().filter_map(|rule| match rule {
            OrgRule::Values { allowed, .. } if !allowed.is_empty() => Some(allowed),
            _ => None,
        });
        let open = rules.contains(&OrgRule::AllowAll) || lists.clone().next().is_none();
        !denied && (open || lists.any(|allowed| named(allowed)))
    }

    /// What is set on a resource's project and organisation, the project's first.
    fn nearest(&self, resource: &str, constraint: &str) -> Vec<OrgPolicy> {
        let chain = self.0.chain(&self.0.canonical(resource));
        let containers = chain.into_iter().filter(|name| name.starts_with(MANAGER));
        containers.filter_map(|name| self.get(&name, constraint)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::tests::cloud_with;

    const ISSUERS: &str = "iam.workloadIdentityPoolProviders";
    const ORGANIZATION: &str = "//cloudresourcemanager.googleapis.com/organizations/123456789012";

    fn cloud() -> Cloud {
        cloud_with(|foundation| foundation.organization = Some("123456789012".into())).0
    }

    fn values(allowed: &[&str], denied: &[&str]) -> Vec<OrgRule> {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        vec![OrgRule::Values { allowed: owned(allowed), denied: owned(denied) }]
    }

    #[test]
    fn a_constraint_reaches_downwards_and_the_nearest_decides() {
        let cloud = cloud();
        let (policies, key) = (cloud.org_policies(), "iam.disableServiceAccountKeyCreation");
        let account = cloud.owner().resource();
        assert!(!policies.enforced(&account, key));
        policies.set(ORGANIZATION, key, vec![OrgRule::Enforce(true)], false, false);
        assert!(policies.enforced(&account, key));
        policies.set(&cloud.project().resource(), key, vec![OrgRule::Enforce(false)], false, false);
        assert!(!policies.enforced(&account, key));
        assert!(policies.remove(&cloud.project().resource(), key));
        assert!(policies.enforced(&account, key));
    }

    #[test]
    fn a_list_allows_what_it_names_and_denies_before_it_allows() {
        let cloud = cloud();
        let (policies, project) = (cloud.org_policies(), cloud.project().resource());
        assert!(policies.allows(&project, ISSUERS, "https://a.example"));
        policies.set(&project, ISSUERS, values(&["is:https://a.example", "https://b.example"], &[]), false, false);
        assert!(policies.allows(&project, ISSUERS, "https://a.example"));
        assert!(!policies.allows(&project, ISSUERS, "https://c.example"));
        policies.set(&project, ISSUERS, values(&[], &["https://c.example"]), false, false);
        assert!(policies.allows(&project, ISSUERS, "https://a.example"));
        assert!(!policies.allows(&project, ISSUERS, "https://c.example"));
        policies.set(&project, ISSUERS, vec![OrgRule::DenyAll], false, false);
        assert!(!policies.allows(&project, ISSUERS, "https://a.example"));
    }

    #[test]
    fn a_project_adds_to_its_organisation_only_if_it_inherits_and_may_reset() {
        let cloud = cloud();
        let (policies, project) = (cloud.org_policies(), cloud.project().resource());
        policies.set(ORGANIZATION, ISSUERS, values(&["https://a.example"], &[]), false, false);
        policies.set(&project, ISSUERS, values(&["https://b.example"], &[]), true, false);
        assert!(policies.allows(&project, ISSUERS, "https://a.example"));
        policies.set(&project, ISSUERS, values(&["https://b.example"], &[]), false, false);
        assert!(!policies.allows(&project, ISSUERS, "https://a.example"));
        policies.set(&project, ISSUERS, vec![], false, true);
        assert!(policies.allows(&project, ISSUERS, "https://c.example"));
    }
}
