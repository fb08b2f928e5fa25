//! Deny policies: asked before any grant.

use crate::{condition::Compiled, decide::Request, document::Condition, identity::Identity, member::Member};

/// A deny policy, attached to a project, folder or organisation.
#[derive(Debug, Clone)]
pub struct DenyPolicy {
    /// Its resource name.
    pub name: String,
    /// Its rules.
    pub rules: Vec<DenyRule>,
}

/// One rule of a deny policy. Principals have their v2 forms, permissions the long one
/// (`iam.googleapis.com/roles.list`; `iam.googleapis.com/roles.*` is all of a resource type).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenyRule {
    /// Who is denied.
    pub denied_principals: Vec<String>,
    /// Who of them is not.
    pub exception_principals: Vec<String>,
    /// What is denied.
    pub denied_permissions: Vec<String>,
    /// What of that is not.
    pub exception_permissions: Vec<String>,
    /// When it is denied; always, without one.
    pub denial_condition: Option<Condition>,
}

impl DenyPolicy {
    /// The name of the policy and the principal by which it denies the request, if it does.
    pub(crate) fn denies(&self, request: &Request<'_>) -> Option<(String, String)> {
        let permission = long(request.permission);
        self.rules.iter().find_map(|rule| {
            let covers = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, &permission));
            if !covers(&rule.denied_permissions) || covers(&rule.exception_permissions) {
                return None;
            }
            let names = |principals: &[String]| -> Option<String> {
                let named = |text: &&String| Member::parse_deny(text).is_ok_and(|member| is(request, &member));
                principals.iter().find(named).cloned()
            };
            let principal = names(&rule.denied_principals)?;
            if names(&rule.exception_principals).is_some() {
                return None;
            }
            let applies = rule
                .denial_condition
                .as_ref()
                .is_none_or(|condition| Compiled::new(&condition.expression).holds(&request.scope()));
            applies.then(|| (self.name.clone(), principal))
        })
    }
}

fn is(request: &Request<'_>, member: &Member) -> bool {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match (member, request.identity) {
        (Member::AllUsers, _) => true,
        (Member::User(email), Identity::User { email: own, .. })
        | (Member::ServiceAccount(email), Identity::ServiceAccount { email: own, .. }) => same(email, own),
        (Member::Group(group), identity) => {
            identity.email().is_some_and(|email| request.directory.groups(email).iter().any(|own| same(own, group)))
        }
        (member, identity) => identity.members().contains(member),
    }
}

/// `iam.roles.list` as `iam.googleapis.com/roles.list`.
fn long(permission: &str) -> String {
    match permission.split_once('.') {
        Some((service, rest)) if !rest.starts_with("googleapis.com/") => {
            let host = if service == "resourcemanager" { "cloudresourcemanager" } else { service };
            format!("{host}.googleapis.com/{rest}")
        }
        _ => permission.to_owned(),
    }
}

fn matches(pattern: &str, permission: &str) -> bool {
    pattern == permission || pattern.strip_suffix('*').is_some_and(|prefix| permission.starts_with(prefix))
}
