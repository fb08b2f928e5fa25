//! The nearest miss: which binding would have granted, but for one thing.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    attach::{Attached, Place},
    decide::{Request, grant},
    document::Binding,
    identity::Identity,
    member::{Member, PoolSet},
    roles::Roles,
};

/// A binding that nearly granted.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// What it was that kept it from granting.
    pub near: Near,
    /// The role of the binding.
    pub role: String,
    /// The member of the binding, as it is written.
    pub member: String,
    /// The member that would have matched in its place, where the member is what is wrong.
    pub meant: Option<String>,
    /// The full name of the resource whose policy it is.
    pub resource: String,
    /// The condition that did not hold, where that is what is wrong.
    pub condition: Option<FailedCondition>,
}

/// A condition that did not hold, with the values that it read.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedCondition {
    /// The expression.
    pub expression: String,
    /// The title.
    pub title: String,
    /// What it gave, or why it gave nothing.
    pub value: Result<Value, String>,
    /// Each sub-expression and what it gave, in the order of the text.
    pub parts: Vec<(String, Result<Value, String>)>,
}

/// What kept a binding from granting; the nearer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// Its condition did not hold.
    ConditionFalse,
    /// The member differs only in the case of letters, and case matters there.
    LetterCase,
    /// There is a space at an end of the member.
    Space,
    /// The member has the project's id where its number belongs.
    ProjectIdForNumber,
    /// The member is written `principal://` where it is a set, or the reverse.
    PrincipalForSet,
    /// The member names a provider of the pool: principals belong to pools.
    ProviderNamed,
    /// The member has an attribute's value where its name belongs, and the reverse.
    KeyValueSwapped,
    /// The member has another kind (`user:` for `serviceAccount:`).
    Kind,
    /// The member has the unique id of the account in place of its e-mail address.
    UniqueIdForEmail,
    /// The member was deleted; who has its name now is somebody else.
    Deleted,
    /// `allAuthenticatedUsers` has no federated identity in it.
    FederatedNotAuthenticated,
    /// No credential was shown, and the binding is for those who have one.
    NotAuthenticated,
    /// The identity has a role on the very resource, but it lacks the permission.
    RoleLacksPermission,
    /// The identity has a role on the very resource, but no such role exists.
    RoleUnknown,
    /// It is granted on another resource.
    OtherResource,
    /// The member names an attribute, or a group, and the identity has none of that name: its provider maps none.
    AttributeNotMapped,
    /// The member is of another pool, with the same value.
    OtherPool,
    /// The member is of the same pool, with another value of the same attribute.
    OtherValue,
    /// The identity has a role on a container of the resource, but it lacks the permission.
    RoleOfContainerLacksPermission,
    /// Somebody else has it here.
    OtherMember,
}

impl Near {
    /// The word for it in decisions.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ConditionFalse => "condition-false",
            Self::LetterCase => "letter-case",
            Self::Space => "space",
            Self::ProjectIdForNumber => "project-id-for-number",
            Self::PrincipalForSet => "principal-for-set",
            Self::ProviderNamed => "provider-in-principal",
            Self::KeyValueSwapped => "key-value-swapped",
            Self::Kind => "member-kind",
            Self::UniqueIdForEmail => "unique-id-for-email",
            Self::Deleted => "deleted-member",
            Self::FederatedNotAuthenticated => "federated-not-authenticated",
            Self::NotAuthenticated => "not-authenticated",
            Self::RoleLacksPermission | Self::RoleOfContainerLacksPermission => "role-lacks-permission",
            Self::RoleUnknown => "role-unknown",
            Self::OtherResource => "other-resource",
            Self::AttributeNotMapped => "attribute-not-mapped",
            Self::OtherPool => "other-pool",
            Self::OtherValue => "other-value",
            Self::OtherMember => "other-member",
        }
    }
}

/// The nearest miss among all policies that reach the resource, then among the others. Of equally near ones the first.
pub(crate) fn nearest(request: &Request<'_>, roles: &Roles) -> Option<Miss> {
    let own: Vec<Member> = request.identity.members();
    let own: Vec<(String, &Member)> = own.iter().map(|member| (member.to_string(), member)).collect();
    let mut best: Option<Miss> = None;
    let mut offer = |miss: Miss| {
        if best.as_ref().is_none_or(|best| miss.near < best.near) {
            best = Some(miss);
        }
    };
    let permission = roles.permission(request.permission);
    for (distance, policy) in request.policies.iter().enumerate() {
        for (i, binding) in policy.policy().bindings.iter().enumerate() {
            let holds = roles.holds(&binding.role, &permission);
            for (j, member) in binding.members.iter().enumerate() {
                let place = Place { binding: i, member: j };
                let miss = |near, meant| Miss {
                    near,
                    role: binding.role.clone(),
                    member: member.clone(),
                    meant,
                    resource: policy.resource().to_string(),
                    condition: None,
                };
                if names(request, policy, place) {
                    offer(named(request, roles, policy, place, binding, holds, distance == 0, &miss));
                } else if holds && let Some((near, meant)) = nearly(member, request.identity, &own) {
                    offer(miss(near, meant));
                }
            }
        }
    }
    if best.as_ref().is_none_or(|best| best.near > Near::OtherResource)
        && let Some(grant) = elsewhere(request, roles)
    {
        best = Some(grant);
    }
    best
}

/// The binding names the identity and yet did not grant.
#[expect(clippy::too_many_arguments, reason = "all of it is what one binding is judged by")]
fn named(
    request: &Request<'_>,
    roles: &Roles,
    policy: &Attached,
    place: Place,
    binding: &Binding,
    holds: bool,
    on_the_resource: bool,
    miss: &dyn Fn(Near, Option<String>) -> Miss,
) -> Miss {
    if holds && let (Some(compiled), Some(condition)) = (policy.condition(place), &binding.condition) {
        let scope = request.scope();
        return Miss { condition: Some(compiled.explain(condition, &scope)), ..miss(Near::ConditionFalse, None) };
    }
    let near = match (roles.get(&binding.role), on_the_resource) {
        (None, true) => Near::RoleUnknown,
        (Some(_), true) => Near::RoleLacksPermission,
        (_, false) => Near::RoleOfContainerLacksPermission,
    };
    miss(near, None)
}

fn names(request: &Request<'_>, policy: &Attached, place: Place) -> bool {
    use std::ops::ControlFlow::{Break, Continue};
    let is_it = |seen: Place| if seen == place { Break(()) } else { Continue(()) };
    policy.visit(request.identity, request.directory, is_it).is_break()
}

/// How a text in the place of a member nearly names an identity that it does not name, and what it would have to be. It
/// may be no member at all.
///
/// ```
/// use tokenrig_policy::{Identity, Near, near};
///
/// let alice = Identity::User { email: "alice@shop.example".into(), id: "1".into() };
/// let (near, meant) = near("serviceAccount:alice@shop.example", &alice).unwrap();
/// assert_eq!((near, meant.as_deref()), (Near::Kind, Some("user:alice@shop.example")));
/// ```
#[must_use]
pub fn near(member: &str, identity: &Identity) -> Option<(Near, Option<String>)> {
    let own: Vec<Member> = identity.members();
    let own: Vec<(String, &Member)> = own.iter().map(|member| (member.to_string(), member)).collect();
    nearly(member, identity, &own)
}

/// How a member that does not name the identity nearly does, and what it would have to be.
fn nearly(member: &str, identity: &Identity, own: &[(String, &Member)]) -> Option<(Near, Option<String>)> {
    let rest = |text: &str| text.split_once("://").map(|(_, rest)| rest.to_owned());
    let value = |text: &str| text.split_once(':').map(|(_, value)| value.to_owned());
    let by = |near: Near, same: &dyn Fn(&str, &Member) -> bool| {
        let found = own.iter().find(|(text, known)| same(text, known))?;
        Some((near, Some(found.0.clone())))
    };
    let parsed = Member::parse(member).ok();
    if let Some(Member::Deleted { was, .. }) = &parsed {
        return by(Near::Deleted, &|text, _| text.eq_ignore_ascii_case(was));
    }
    if let Some(found) = by(Near::LetterCase, &|text, _| text.eq_ignore_ascii_case(member))
        .or_else(|| by(Near::Space, &|text, _| text == member.trim() && member.trim() != member))
        .or_else(|| by(Near::PrincipalForSet, &|text, _| rest(text).is_some() && rest(text) == rest(member)))
        .or_else(|| by(Near::ProjectIdForNumber, &|_, known| parsed.as_ref().is_some_and(|m| by_project_id(m, known))))
        .or_else(|| {
            let bare = without_provider(member)?;
            by(Near::ProviderNamed, &|text, _| text == bare)
        })
        .or_else(|| by(Near::KeyValueSwapped, &|_, known| parsed.as_ref().is_some_and(|m| swapped(m, known))))
        .or_else(|| {
            let kinds = ["user:", "serviceAccount:", "group:"];
            let kind = |text: &str| kinds.iter().any(|kind| text.starts_with(kind));
            by(Near::Kind, &|text, _| kind(text) && kind(member) && value(text) == value(member))
        })
    {
        return Some(found);
    }
    match (&parsed, identity) {
        (Some(Member::ServiceAccount(id)), Identity::ServiceAccount { unique_id, .. }) if id == unique_id => {
            return Some((Near::UniqueIdForEmail, Some(identity.member().to_string())));
        }
        (Some(Member::AllAuthenticatedUsers), Identity::Federated { .. }) => {
            return Some((Near::FederatedNotAuthenticated, Some(identity.member().to_string())));
        }
        (Some(_), Identity::Anonymous) => return Some((Near::NotAuthenticated, None)),
        _ => {}
    }
    let parsed = parsed?;
    if let Some(found) = not_mapped(&parsed, own) {
        return Some(found);
    }
    by(Near::OtherPool, &|_, known| match (&parsed, known) {
        (Member::Subject(pool, value), Member::Subject(other, own)) => pool != other && value == own,
        (Member::Set(pool, set), Member::Set(other, own)) => pool != other && set == own && *set != PoolSet::All,
        _ => false,
    })
    .or_else(|| {
        by(Near::OtherValue, &|_, known| match (&parsed, known) {
            (Member::Subject(pool, _), Member::Subject(other, _)) => pool == other,
            (Member::Set(pool, PoolSet::Group(_)), Member::Set(other, PoolSet::Group(_))) => pool == other,
            (
                Member::Set(pool, PoolSet::Attribute { name, .. }),
                Member::Set(other, PoolSet::Attribute { name: own, .. }),
            ) => pool == other && name == own,
            _ => false,
        })
    })
    .or(Some((Near::OtherMember, Some(identity.member().to_string()))))
}

/// Whether `member` is `own` but for a project id where the number belongs.
fn by_project_id(member: &Member, own: &Member) -> bool {
    let (pool, other) = match (member, own) {
        (Member::Subject(pool, value), Member::Subject(other, own)) if value == own => (pool, other),
        (Member::Set(pool, set), Member::Set(other, own)) if set == own => (pool, other),
        _ => return false,
    };
    let is_id = |project: &str| project.bytes().any(|byte| !byte.is_ascii_digit());
    pool.id() == other.id() && pool.project().is_some_and(is_id) && other.project().is_some()
}

/// The principal without the provider that stands after its pool, if one does.
fn without_provider(member: &str) -> Option<String> {
    let (pool, rest) = member.split_once("/providers/")?;
    let (_, rest) = rest.split_once('/')?;
    Some(format!("{pool}/{rest}"))
}

/// Whether `member` is `own` with the attribute's name and value in each other's place.
fn swapped(member: &Member, own: &Member) -> bool {
    let (
        Member::Set(pool, PoolSet::Attribute { name, value }),
        Member::Set(other, PoolSet::Attribute { name: n, value: v }),
    ) = (member, own)
    else {
        return false;
    };
    // A value may hold slashes, and then the name does not end where it seems to.
    pool == other && (name, value) != (n, v) && format!("{name}/{value}") == format!("{v}/{n}")
}

/// Whether `member` names an attribute or a group that the identity has none of; `meant` is what it has the value under.
fn not_mapped(member: &Member, own: &[(String, &Member)]) -> Option<(Near, Option<String>)> {
    let Member::Set(pool, set) = member else { return None };
    let of_pool = || {
        own.iter().filter_map(move |(text, known)| match known {
            Member::Set(other, set) if other == pool => Some((text, set)),
            _ => None,
        })
    };
    of_pool().next()?;
    let value = match set {
        PoolSet::All => return None,
        PoolSet::Group(value) if of_pool().all(|(_, set)| !matches!(set, PoolSet::Group(_))) => value,
        PoolSet::Attribute { name, value }
            if of_pool().all(|(_, set)| !matches!(set, PoolSet::Attribute { name: own, .. } if own == name)) =>
        {
            value
        }
        _ => return None,
    };
    let meant = of_pool().find(|(_, set)| match set {
        PoolSet::Group(own) | PoolSet::Attribute { value: own, .. } => own == value,
        PoolSet::All => false,
    });
    Some((Near::AttributeNotMapped, meant.map(|(text, _)| text.clone())))
}

/// A grant of the same permission to the same identity on a resource that is not this one nor above it.
fn elsewhere(request: &Request<'_>, roles: &Roles) -> Option<Miss> {
    let others = request.elsewhere?();
    others.iter().filter(|other| request.policies.iter().all(|own| own.resource() != other.resource())).find_map(
        |other| {
            let there = [Arc::clone(other)];
            let grant = grant(&Request { policies: &there, resource: other.resource(), ..*request }, roles)?;
            // What is open to everybody says nothing about this identity.
            if grant.member().starts_with("all") {
                return None;
            }
            Some(Miss {
                near: Near::OtherResource,
                role: grant.role().to_owned(),
                member: grant.member().to_owned(),
                meant: None,
                resource: grant.resource().to_owned(),
                condition: None,
            })
        },
    )
}
