//! A verdict as a check of a decision: what was expected, what was found, what would mend it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokenrig_decision::Check;

use crate::{
    decide::{Denial, Grant, Verdict},
    identity::Identity,
    miss::{FailedCondition, Miss, Near},
};

/// A verdict in values and words.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The permission, the resource, and the identity as a policy member.
    pub expected: Value,
    /// The binding that granted, or the one that came nearest; null if none came near.
    pub found: Value,
    /// What would have made it pass, in one sentence; none if it passed.
    pub mend: Option<String>,
}

impl Verdict {
    /// The verdict as the check `permission`, without the refusal: that is the service's to give.
    #[must_use]
    pub fn check(&self, identity: &Identity, permission: &str) -> Check {
        self.check_as(identity.as_member().into(), permission)
    }

    /// As [`check`](Self::check), for who is `member` in policies.
    #[must_use]
    pub fn check_as(&self, member: Arc<str>, permission: &str) -> Check {
        match self {
            Self::Granted(grant) => grant.check(member, permission),
            Self::Denied(denial) => {
                let Explanation { expected, found, mend } = denial.explain(&member, permission);
                Check::named("permission")
                    .expected(expected)
                    .found(found)
                    .holds(false)
                    .mend(|| mend.unwrap_or_default())
            }
        }
    }

    /// The verdict in values and words.
    #[must_use]
    pub fn explain(&self, identity: &Identity, permission: &str) -> Explanation {
        let member = identity.as_member();
        match self {
            Self::Granted(grant) => Explanation {
                expected: expected(permission, grant.asked(), &member),
                found: granted(grant),
                mend: None,
            },
            Self::Denied(denial) => denial.explain(&member, permission),
        }
    }
}

impl Grant {
    /// The grant as the check `permission`, which holds, for who is `member` in policies.
    #[must_use]
    pub fn check(&self, member: Arc<str>, permission: &str) -> Check {
        let (asked, by, permission) = (self.clone(), self.clone(), Box::<str>::from(permission));
        Check::named("permission")
            .expects(move || expected(&permission, asked.asked(), &member))
            .finds(move || granted(&by))
    }
}

impl Denial {
    fn explain(&self, member: &str, permission: &str) -> Explanation {
        Explanation {
            expected: expected(permission, &self.resource, member),
            found: denied(self),
            mend: Some(mend(self, permission, member)),
        }
    }
}

fn expected(permission: &str, resource: &str, member: &str) -> Value {
    json!({ "permission": permission, "resource": resource, "member": member })
}

fn granted(grant: &Grant) -> Value {
    let mut found = binding(grant.role(), grant.member(), grant.resource());
    if let Some(condition) = grant.condition() {
        found.insert("condition".into(), condition.to_json());
    }
    Value::Object(found)
}

fn binding(role: &str, member: &str, resource: &str) -> Map<String, Value> {
    let fields = [("role", role), ("member", member), ("resource", resource)];
    fields.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect()
}

fn denied(denial: &Denial) -> Value {
    let own = ungranted(denial);
    match (&denial.outside, own) {
        (None, own) => own,
        (Some(outside), Value::Object(mut own)) => {
            if let Value::Object(boundary) = outside.found() {
                own.extend(boundary);
            }
            Value::Object(own)
        }
        (Some(outside), _) => outside.found(),
    }
}

fn ungranted(denial: &Denial) -> Value {
    if let Some((policy, principal)) = &denial.denied_by {
        return json!({ "denyPolicy": policy, "principal": principal });
    }
    let Some(miss) = &denial.nearest else { return Value::Null };
    let mut found = Map::from_iter([("miss".to_owned(), json!(miss.near.word()))]);
    found.extend(binding(&miss.role, &miss.member, &miss.resource));
    if let Some(condition) = &miss.condition {
        found.insert("condition".into(), failed(condition));
    }
    Value::Object(found)
}

pub(crate) fn failed(condition: &FailedCondition) -> Value {
    let given = |object: &mut Map<String, Value>, value: &Result<Value, String>| match value {
        Ok(value) => object.insert("value".into(), value.clone()),
        Err(error) => object.insert("error".into(), json!(error)),
    };
    let mut all = Map::from_iter([("expression".to_owned(), json!(condition.expression))]);
    if !condition.title.is_empty() {
        all.insert("title".into(), json!(condition.title));
    }
    given(&mut all, &condition.value);
    let parts = condition.parts.iter().map(|(text, value)| {
        let mut part = Map::from_iter([("expression".to_owned(), json!(text))]);
        given(&mut part, value);
        Value::Object(part)
    });
    all.insert("parts".into(), parts.collect());
    Value::Object(all)
}

fn mend(denial: &Denial, permission: &str, member: &str) -> String {
    let Some(outside) = &denial.outside else { return mend_grant(denial, permission, member) };
    let boundary = outside.mend(permission, &denial.resource, denial.role);
    if outside.granted { boundary } else { format!("{}; and {boundary}", mend_grant(denial, permission, member)) }
}

fn mend_grant(denial: &Denial, permission: &str, member: &str) -> String {
    let resource = &denial.resource;
    if let Some((policy, principal)) = &denial.denied_by {
        return format!(
            "take {permission} or `{principal}` out of the deny policy `{policy}`, or name the caller in its `exceptionPrincipals`"
        );
    }
    let grant = || match denial.role {
        Some(role) => format!("grant {role} on {resource} to `{member}`"),
        None => format!("grant a role that holds {permission} on {resource} to `{member}`"),
    };
    let Some(miss) = &denial.nearest else { return grant() };
    let Miss { near, role, member: written, resource: at, meant, .. } = miss;
    let meant = meant.as_deref().unwrap_or(member);
    let rewrite = || format!("write `{meant}` in place of `{written}` in the binding of {role} on {at}");
    match near {
        Near::LetterCase => format!("{}: the case of letters matters", rewrite()),
        Near::Space => format!("{}: there is a space too many", rewrite()),
        Near::ProjectIdForNumber => {
            format!("{}: a principal names the project by its number, not by its id", rewrite())
        }
        Near::PrincipalForSet => {
            format!(
                "{}: one subject is `principal://`, groups, attributes and whole pools are `principalSet://`",
                rewrite()
            )
        }
        Near::ProviderNamed => format!("{}: a principal belongs to a pool, whichever provider it came by", rewrite()),
        Near::KeyValueSwapped => {
            format!("{}: it is `attribute.NAME/VALUE`, the value comes last", rewrite())
        }
        Near::Kind => format!("{}: the kind before the colon is wrong", rewrite()),
        Near::UniqueIdForEmail => format!("{}: a service account is named by its e-mail address", rewrite()),
        Near::Deleted => format!(
            "remove `{written}` from the binding of {role} on {at} and add `{meant}`: a grant to a deleted principal does not pass to a new one of the same name"
        ),
        Near::FederatedNotAuthenticated => format!(
            "add `{meant}` to the binding of {role} on {at}: `allAuthenticatedUsers` leaves out all federated identities"
        ),
        Near::NotAuthenticated => {
            format!("call with a credential of `{written}`, which has {role} on {at}, or grant the role to `allUsers`")
        }
        Near::ConditionFalse => {
            let condition = miss.condition.as_ref().map_or("", |condition| &condition.expression);
            format!(
                "change the condition `{condition}` of the binding of {role} to `{written}` on {at}, or make a request for which it is true"
            )
        }
        Near::RoleLacksPermission | Near::RoleOfContainerLacksPermission => {
            format!("{}: {role}, which it has on {at}, does not hold {permission}", grant())
        }
        Near::RoleUnknown => format!("{}: there is no role {role}", grant()),
        Near::OtherResource => {
            let role = denial.role.filter(|_| role.starts_with("roles/owner")).unwrap_or(role);
            format!("grant {role} on {resource} to `{written}`: it has the role on {at} only")
        }
        Near::AttributeNotMapped if miss.meant.is_some() => {
            format!("{}: the token has the value under that name", rewrite())
        }
        Near::AttributeNotMapped => format!(
            "map what `{written}` names in the provider's `attributeMapping`, or add `{meant}` to the binding of {role} on {at}"
        ),
        Near::OtherPool => format!("{}: the pool is another", rewrite()),
        Near::OtherValue => format!("add `{meant}` to the binding of {role} on {at}: it names `{written}` only"),
        Near::OtherMember => grant(),
    }
}
