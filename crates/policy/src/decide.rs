//! The decision.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    attach::{Attached, Place},
    attributes::Attributes,
    deny::DenyPolicy,
    directory::Directory,
    document::{Binding, Condition},
    identity::Identity,
    miss::{self, Miss},
    roles::Roles,
};

/// The question: may this identity do this here?
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub identity: &'a Identity,
    /// For example `run.routes.invoke`; the longer form `iam.googleapis.com/roles.list` is the same as `iam.roles.list`.
    pub permission: &'a str,
    /// The full name of the resource that it is asked for.
    pub resource: &'a str,
    /// The policies that reach the resource: its own, then its containers', outwards.
    pub policies: &'a [Arc<Attached>],
    /// The deny policies of its containers.
    pub denials: &'a [Arc<DenyPolicy>],
    /// Groups.
    pub directory: &'a Directory,
    /// What conditions read.
    pub attributes: &'a Attributes,
    /// Policies of other resources, where a denial looks for a grant that was put in the wrong place.
    pub elsewhere: Option<&'a dyn Fn() -> Vec<Arc<Attached>>>,
}

/// The answer.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Yes, by this binding.
    Granted(Grant),
    /// No.
    Denied(Box<Denial>),
}

/// The binding that granted.
#[derive(Debug, Clone)]
pub struct Grant {
    policy: Arc<Attached>,
    place: Place,
}

/// Why nothing granted.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// The full name of the resource.
    pub resource: String,
    /// The deny policy that decided, before any grant was looked at: its name, and the principal that it names.
    pub denied_by: Option<(String, String)>,
    /// The binding that came nearest to granting.
    pub nearest: Option<Miss>,
    /// The predefined role that gives the permission and little else.
    pub role: Option<&'static str>,
}

impl Grant {
    /// The role that holds the permission.
    #[must_use]
    pub fn role(&self) -> &str {
        self.binding().map_or("", |binding| &binding.role)
    }

    /// The member that names the identity, as it is written.
    #[must_use]
    pub fn member(&self) -> &str {
        self.binding().and_then(|binding| binding.members.get(self.place.member)).map_or("", String::as_str)
    }

    /// The full name of the resource whose policy has the binding: the one asked for, or one of its containers.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.policy.resource()
    }

    /// The condition of the binding; it held.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.binding()?.condition.as_ref()
    }

    fn binding(&self) -> Option<&Binding> {
        self.policy.binding(self.place)
    }
}

impl Verdict {
    /// Whether the permission is there.
    #[must_use]
    pub fn granted(&self) -> bool {
        matches!(self, Self::Granted(_))
    }
}

/// Decides. Deny policies are asked first. Bindings without condition are preferred to those with one, near policies
/// to far ones.
#[must_use]
pub fn decide(request: &Request<'_>, roles: &Roles) -> Verdict {
    let denied_by = request.denials.iter().find_map(|policy| policy.denies(request));
    if denied_by.is_none()
        && let Some(grant) = grant(request, roles)
    {
        return Verdict::Granted(grant);
    }
    let nearest = if denied_by.is_none() { miss::nearest(request, roles) } else { None };
    let role = roles.smallest_with(request.permission, request.identity);
    Verdict::Denied(Box::new(Denial { resource: request.resource.to_owned(), denied_by, nearest, role }))
}

/// Whether the permission is there, without reasons: for `testIamPermissions`.
#[must_use]
pub fn test(request: &Request<'_>, roles: &Roles) -> bool {
    !request.denials.iter().any(|policy| policy.denies(request).is_some()) && grant(request, roles).is_some()
}

pub(crate) fn grant(request: &Request<'_>, roles: &Roles) -> Option<Grant> {
    let permission = roles.permission(request.permission);
    let mut conditional: Vec<(&Arc<Attached>, Place)> = Vec::new();
    for policy in request.policies {
        let mut see = |place: Place| {
            let Some(binding) = policy.binding(place).filter(|binding| roles.holds(&binding.role, &permission)) else {
                return ControlFlow::Continue(());
            };
            if binding.condition.is_none() {
                return ControlFlow::Break(Grant { policy: Arc::clone(policy), place });
            }
            conditional.push((policy, place));
            ControlFlow::Continue(())
        };
        if let ControlFlow::Break(grant) = policy.visit(request.identity, request.directory, &mut see) {
            return Some(grant);
        }
        for (place, role) in policy.project_roles() {
            if has_project_role(request, role)
                && let ControlFlow::Break(grant) = see(*place)
            {
                return Some(grant);
            }
        }
    }
    if conditional.is_empty() {
        return None;
    }
    let scope = request.attributes.scope(request.resource);
    let (policy, place) = conditional
        .into_iter()
        .find(|(policy, place)| policy.condition(*place).is_some_and(|condition| condition.holds(&scope)))?;
    Some(Grant { policy: Arc::clone(policy), place })
}

/// Whether the policy of the project itself gives the identity a basic role.
fn has_project_role(request: &Request<'_>, role: &str) -> bool {
    request.policies.iter().filter(|policy| policy.resource().starts_with(PROJECTS)).any(|policy| {
        let is_it = |place| match policy.binding(place) {
            Some(binding) if binding.role == role && binding.condition.is_none() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        policy.visit(request.identity, request.directory, is_it).is_break()
    })
}

const PROJECTS: &str = "//cloudresourcemanager.googleapis.com/projects/";
