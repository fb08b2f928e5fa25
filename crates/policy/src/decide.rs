//! The decision.

use std::{ops::ControlFlow, sync::Arc};

use tokenrig_cel::{Scope, Value};

use crate::{
    attach::{Attached, Place, Told},
    attributes::{Attributes, about},
    boundary::Outside,
    deny::DenyPolicy,
    directory::Directory,
    document::Condition,
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
    asked: Arc<str>,
    told: Arc<Told>,
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
    /// The access boundary of the token, if it leaves the permission out, whoever granted it.
    pub outside: Option<Box<Outside>>,
}

impl Request<'_> {
    /// What conditions read. The part about the resource is that of its own policy, where it has one.
    pub(crate) fn scope(&self) -> Scope {
        let own = self.policies.first().filter(|own| **own.resource() == *self.resource);
        let resource = own.map_or_else(|| about(self.resource), |own| own.about().clone());
        scope_of(self.attributes, resource)
    }
}

/// What conditions read of a request for a resource.
pub(crate) fn scope(attributes: &Attributes, resource: &str) -> Scope {
    scope_of(attributes, about(resource))
}

fn scope_of(attributes: &Attributes, resource: Value) -> Scope {
    Scope::new().with("request", attributes.request()).with("resource", resource)
}

impl Grant {
    /// The full name of the resource that was asked for.
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// The role that holds the permission.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.told.role
    }

    /// The member that names the identity, as it is written.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.told.member
    }

    /// The full name of the resource whose policy has the binding: the one asked for, or one of its containers.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.told.resource
    }

    /// The condition of the binding; it held.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.told.condition.as_ref()
    }

    /// `None` for a place that is not of this policy.
    fn of(request: &Request<'_>, policy: &Arc<Attached>, place: Place) -> Option<Self> {
        // Most policies are the resource's own: its name is shared then.
        let own = policy.resource();
        let asked = if **own == *request.resource { Arc::clone(own) } else { request.resource.into() };
        Some(Self { asked, told: Arc::clone(policy.told(place)?) })
    }
}

impl Verdict {
    /// Whether the permission is there.
    #[must_use]
    pub fn granted(&self) -> bool {
        matches!(self, Self::Granted(_))
    }

    /// The same for a token with an access boundary that leaves the permission out; `permission` names the role that
    /// would hold it.
    #[must_use]
    pub fn outside(self, mut boundary: Box<Outside>, identity: &Identity, permission: &str, roles: &Roles) -> Self {
        boundary.granted = self.granted();
        let outside = Some(boundary);
        Self::Denied(match self {
            Self::Denied(denial) => Box::new(Denial { outside, ..*denial }),
            Self::Granted(grant) => Box::new(Denial {
                resource: grant.asked().to_owned(),
                denied_by: None,
                nearest: None,
                role: roles.smallest_with(permission, identity),
                outside,
            }),
        })
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
    Verdict::Denied(Box::new(Denial { resource: request.resource.to_owned(), denied_by, nearest, role, outside: None }))
}

/// The binding that grants, if one does: as [`decide`], for who does not ask why none does.
#[must_use]
pub fn granted(request: &Request<'_>, roles: &Roles) -> Option<Grant> {
    let denied = request.denials.iter().any(|policy| policy.denies(request).is_some());
    if denied { None } else { grant(request, roles) }
}

/// Whether the permission is there, without reasons: for `testIamPermissions`.
#[must_use]
pub fn test(request: &Request<'_>, roles: &Roles) -> bool {
    granted(request, roles).is_some()
}

pub(crate) fn grant(request: &Request<'_>, roles: &Roles) -> Option<Grant> {
    let permission = roles.permission(request.permission);
    // Where something is conditional, it mostly is one thing.
    let mut conditional: Option<(&Arc<Attached>, Place)> = None;
    let mut more = Vec::new();
    for policy in request.policies {
        let mut see = |place: Place| {
            if !policy.holds(place, &permission, roles) {
                return ControlFlow::Continue(());
            }
            if policy.condition(place).is_none() {
                return ControlFlow::Break(Grant::of(request, policy, place));
            }
            match conditional {
                None => conditional = Some((policy, place)),
                Some(_) => more.push((policy, place)),
            }
            ControlFlow::Continue(())
        };
        if let ControlFlow::Break(grant) = policy.visit(request.identity, request.directory, &mut see) {
            return grant;
        }
        for (place, role) in policy.project_roles() {
            if has_project_role(request, role)
                && let ControlFlow::Break(grant) = see(*place)
            {
                return grant;
            }
        }
    }
    let conditional = conditional?;
    let scope = request.scope();
    let (policy, place) = std::iter::once(conditional)
        .chain(more)
        .find(|(policy, place)| policy.condition(*place).is_some_and(|condition| condition.holds(&scope)))?;
    Grant::of(request, policy, place)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{Binding, Policy, Role, deny::DenyRule, miss::Near, pool::PoolRef};

    const PROJECT: &str = "//cloudresourcemanager.googleapis.com/projects/shop-test";
    const ORDERS: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";
    const BILLING: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/billing";
    const INVOKE: &str = "run.routes.invoke";
    const POOL: &str = "iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/partners";

    fn user(email: &str) -> Identity {
        Identity::User { email: email.into(), id: "11".into() }
    }

    fn account(id: &str) -> Identity {
        Identity::ServiceAccount {
            email: format!("{id}@shop-test.iam.gserviceaccount.com"),
            unique_id: "107145139691231222712".into(),
            project_number: "7".into(),
        }
    }

    fn federated(subject: &str) -> Identity {
        Identity::Federated {
            pool: PoolRef::workload("7", "partners"),
            subject: subject.into(),
            groups: vec!["sales".into()],
            attributes: BTreeMap::from([("repository".into(), "org/name".into())]),
            provider: "projects/7/locations/global/workloadIdentityPools/partners/providers/corp".into(),
        }
    }

    /// Policies by resource; the first ones reach `ORDERS`, those of other resources do not.
    struct World {
        policies: Vec<Arc<Attached>>,
        others: Vec<Arc<Attached>>,
        roles: Roles,
        directory: Directory,
        denials: Vec<Arc<DenyPolicy>>,
        attributes: Attributes,
    }

    fn world<'a>(policies: impl IntoIterator<Item = (&'a str, Binding)>) -> World {
        let mut by_resource: Vec<(&str, Vec<Binding>)> = vec![(ORDERS, vec![])];
        for (resource, binding) in policies {
            match by_resource.iter_mut().find(|(known, _)| *known == resource) {
                Some((_, bindings)) => bindings.push(binding),
                None => by_resource.push((resource, vec![binding])),
            }
        }
        let all = by_resource.into_iter().map(|(name, bindings)| Arc::new(Attached::new(name, Policy::of(bindings))));
        let (policies, others) = all.partition(|policy| [ORDERS, PROJECT].contains(&&**policy.resource()));
        let attributes = Attributes::at("2026-01-15T09:00:00Z".parse().unwrap());
        World {
            policies,
            others,
            attributes,
            roles: Roles::default(),
            directory: Directory::default(),
            denials: vec![],
        }
    }

    impl World {
        fn asks(&self, identity: &Identity, permission: &str) -> Verdict {
            let elsewhere = || self.others.clone();
            let request = Request {
                identity,
                permission,
                resource: ORDERS,
                policies: &self.policies,
                denials: &self.denials,
                directory: &self.directory,
                attributes: &self.attributes,
                elsewhere: Some(&elsewhere),
            };
            let verdict = decide(&request, &self.roles);
            assert_eq!(test(&request, &self.roles), verdict.granted(), "test and decide agree");
            verdict
        }

        fn miss(&self, identity: &Identity) -> Miss {
            match self.asks(identity, INVOKE) {
                Verdict::Denied(denial) => denial.nearest.expect("a nearest miss"),
                Verdict::Granted(grant) => panic!("granted: {grant:?}"),
            }
        }
    }

    fn invokers(member: &str) -> (&'static str, Binding) {
        (ORDERS, Binding::of("roles/run.invoker", [member]))
    }

    #[rstest]
    #[case::user("user:Alice@Shop.example", user("alice@shop.example"))]
    #[case::domain("domain:shop.example", user("alice@shop.example"))]
    #[case::authenticated("allAuthenticatedUsers", user("alice@shop.example"))]
    #[case::everybody("allUsers", Identity::Anonymous)]
    #[case::everybody_federated("allUsers", federated("alice"))]
    #[case::account("serviceAccount:caller@shop-test.iam.gserviceaccount.com", account("caller"))]
    #[case::accounts_of_project(
        "principalSet://cloudresourcemanager.googleapis.com/projects/7/type/ServiceAccount",
        account("caller")
    )]
    #[case::subject(&format!("principal://{POOL}/subject/repo:org/name:ref"), federated("repo:org/name:ref"))]
    #[case::pool_group(&format!("principalSet://{POOL}/group/sales"), federated("alice"))]
    #[case::attribute(&format!("principalSet://{POOL}/attribute.repository/org/name"), federated("alice"))]
    #[case::whole_pool(&format!("principalSet://{POOL}/*"), federated("alice"))]
    fn a_member_names_the_identity_that_it_means(#[case] member: &str, #[case] identity: Identity) {
        let Verdict::Granted(grant) = world([invokers(member)]).asks(&identity, INVOKE) else { panic!("denied") };
        assert_eq!((grant.role(), grant.member(), grant.resource()), ("roles/run.invoker", member, ORDERS));
    }

    #[rstest]
    #[case::whole_pool(&format!("principalSet://{POOL}/*"))]
    #[case::pool_group(&format!("principalSet://{POOL}/group/sales"))]
    #[case::attribute(&format!("principalSet://{POOL}/attribute.repository/org/name"))]
    #[case::subject(&format!("principal://{POOL}/subject/alice"))]
    fn a_member_of_one_pool_names_nobody_of_another_nor_of_google(#[case] member: &str) {
        let world = world([invokers(member), invokers("allAuthenticatedUsers")]);
        let others = [
            PoolRef::workload("8", "partners"),
            PoolRef::workload("7", "partner"),
            PoolRef::workload("7", "Partners"),
            PoolRef::workforce("partners"),
        ];
        let mut alice = federated("alice");
        assert!(world.asks(&alice, INVOKE).granted());
        for other in others {
            let Identity::Federated { pool, .. } = &mut alice else { unreachable!() };
            *pool = other;
            assert!(!world.asks(&alice, INVOKE).granted(), "{alice:?}");
        }
        assert!(!world.asks(&Identity::Anonymous, INVOKE).granted());
    }

    #[test]
    fn all_authenticated_users_leaves_out_a_federated_identity_whose_pool_is_named_too() {
        let others = invokers(&format!("principal://{POOL}/subject/bob")).1;
        let world = world([invokers("allAuthenticatedUsers"), (ORDERS, others)]);
        assert!(!world.asks(&federated("alice"), INVOKE).granted());
    }

    #[rstest]
    #[case::letter_case(&format!("principal://{POOL}/subject/Alice"), federated("alice"), Near::LetterCase)]
    #[case::project_id(
        "principal://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/partners/subject/alice",
        federated("alice"),
        Near::ProjectIdForNumber
    )]
    #[case::principal_for_set(&format!("principal://{POOL}/group/sales"), federated("alice"), Near::PrincipalForSet)]
    #[case::set_for_principal(&format!("principalSet://{POOL}/subject/alice"), federated("alice"), Near::PrincipalForSet)]
    #[case::federated_is_not_authenticated(
        "allAuthenticatedUsers",
        federated("alice"),
        Near::FederatedNotAuthenticated
    )]
    #[case::provider(&format!("principal://{POOL}/providers/corp/subject/alice"), federated("alice"), Near::ProviderNamed)]
    #[case::swapped(&format!("principalSet://{POOL}/attribute.org/name/repository"), federated("alice"), Near::KeyValueSwapped)]
    #[case::not_mapped(&format!("principalSet://{POOL}/attribute.role/admin"), federated("alice"), Near::AttributeNotMapped)]
    #[case::other_value(&format!("principal://{POOL}/subject/bob"), federated("alice"), Near::OtherValue)]
    #[case::other_pool(
        "principal://iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/others/subject/alice",
        federated("alice"),
        Near::OtherPool
    )]
    #[case::deleted(
        "deleted:serviceAccount:caller@shop-test.iam.gserviceaccount.com?uid=107145139691231222711",
        account("caller"),
        Near::Deleted
    )]
    #[case::kind("user:caller@shop-test.iam.gserviceaccount.com", account("caller"), Near::Kind)]
    #[case::unique_id("serviceAccount:107145139691231222712", account("caller"), Near::UniqueIdForEmail)]
    #[case::space("user:alice@shop.example ", user("alice@shop.example"), Near::Space)]
    #[case::nobody("user:alice@shop.example", Identity::Anonymous, Near::NotAuthenticated)]
    #[case::somebody_else("user:bob@shop.example", user("alice@shop.example"), Near::OtherMember)]
    fn a_member_that_nearly_names_the_identity_is_the_nearest_miss(
        #[case] member: &str,
        #[case] identity: Identity,
        #[case] near: Near,
    ) {
        let world = world([invokers(member), invokers("user:someone.else@shop.example")]);
        let miss = world.miss(&identity);
        assert_eq!((miss.near, &*miss.member), (near, member));
    }

    #[test]
    fn an_identity_is_not_let_in_by_a_value_that_only_begins_like_its_own() {
        let world = world([invokers(&format!("principal://{POOL}/subject/alice"))]);
        for subject in ["alice/x", "alice ", "al", "*", "alice/../alice", "ALICE"] {
            assert!(!world.asks(&federated(subject), INVOKE).granted(), "{subject}");
        }
    }

    #[test]
    fn what_the_project_grants_reaches_what_is_in_it() {
        let world = world([(PROJECT, Binding::of("roles/owner", ["user:alice@shop.example"]))]);
        let Verdict::Granted(grant) = world.asks(&user("alice@shop.example"), "run.services.delete") else { panic!() };
        assert_eq!((grant.asked(), grant.resource()), (ORDERS, PROJECT));
    }

    #[test]
    fn a_role_that_lacks_the_permission_is_told_with_one_that_has_it() {
        let world = world([(ORDERS, Binding::of("roles/run.viewer", ["user:alice@shop.example"]))]);
        let alice = user("alice@shop.example");
        let check = world.asks(&alice, INVOKE).check(&alice, INVOKE);
        assert_eq!(check.finding()["miss"], "role-lacks-permission");
        let mend = check.mending().unwrap();
        assert!(
            mend.starts_with(&format!("grant roles/run.invoker on {ORDERS} to `user:alice@shop.example`")),
            "{mend}"
        );
        assert!(mend.contains("roles/run.viewer"), "{mend}");
    }

    #[test]
    fn a_grant_on_another_resource_is_told() {
        let world = world([(BILLING, Binding::of("roles/run.invoker", ["user:alice@shop.example"]))]);
        let miss = world.miss(&user("alice@shop.example"));
        assert_eq!((miss.near, &*miss.resource), (Near::OtherResource, BILLING));
    }

    #[test]
    fn a_role_that_does_not_exist_gives_nothing() {
        let world = world([(ORDERS, Binding::of("roles/run.invokers", ["user:alice@shop.example"]))]);
        assert_eq!(world.miss(&user("alice@shop.example")).near, Near::RoleUnknown);
    }

    #[test]
    fn without_any_policy_the_mend_names_role_member_and_resource() {
        let alice = user("alice@shop.example");
        let check = world([]).asks(&alice, INVOKE).check(&alice, INVOKE);
        assert_eq!(
            check.expectation(),
            &json!({ "permission": INVOKE, "resource": ORDERS, "member": "user:alice@shop.example" })
        );
        assert_eq!(check.finding(), &serde_json::Value::Null);
        assert_eq!(
            check.mending(),
            Some(&*format!("grant roles/run.invoker on {ORDERS} to `user:alice@shop.example`"))
        );
    }

    #[test]
    fn a_condition_that_holds_grants_and_a_false_one_tells_its_values() {
        let until = |year: &str| {
            let expression =
                format!("request.time < timestamp('{year}-01-01T00:00:00Z') && request.path.startsWith('/v1/')");
            (ORDERS, Binding::of("roles/run.invoker", ["user:alice@shop.example"]).when(expression))
        };
        let alice = user("alice@shop.example");
        let mut this_year = world([until("2027")]);
        this_year.attributes.path = Some("/v1/orders".into());
        let Verdict::Granted(grant) = this_year.asks(&alice, INVOKE) else { panic!("denied") };
        assert!(grant.condition().is_some());

        let mut last_year = world([until("2026")]);
        last_year.attributes.path = Some("/v1/orders".into());
        let check = last_year.asks(&alice, INVOKE).check(&alice, INVOKE);
        assert_eq!(check.finding()["miss"], "condition-false");
        assert_eq!(check.finding()["condition"]["value"], false);
        let parts = check.finding()["condition"]["parts"].as_array().unwrap();
        assert!(parts.contains(&json!({ "expression": "request.time", "value": "2026-01-15T09:00:00Z" })), "{parts:?}");
    }

    #[test]
    fn a_condition_that_reads_what_is_not_there_or_cannot_be_read_does_not_grant() {
        for expression in ["request.path == '/'", "request.time <", "1 + 1", "resource.labels.env == 'x'"] {
            let binding = Binding::of("roles/run.invoker", ["user:alice@shop.example"]).when(expression);
            let miss = world([(ORDERS, binding)]).miss(&user("alice@shop.example"));
            assert_eq!(miss.near, Near::ConditionFalse, "{expression}");
        }
    }

    #[test]
    fn a_condition_sees_the_resource_that_is_asked_for() {
        let expression = "resource.type == 'run.googleapis.com/Service' && resource.service == 'run.googleapis.com' \
                          && resource.name.endsWith('/services/orders')";
        let binding = Binding::of("roles/run.invoker", ["user:alice@shop.example"]).when(expression);
        assert!(world([(PROJECT, binding)]).asks(&user("alice@shop.example"), INVOKE).granted());
    }

    #[test]
    fn a_group_counts_for_its_members() {
        let mut world = world([invokers("group:Sales@shop.example")]);
        assert!(!world.asks(&user("alice@shop.example"), INVOKE).granted());
        world.directory.join("sales@shop.example", "alice@shop.example");
        assert!(world.asks(&user("alice@shop.example"), INVOKE).granted());
    }

    #[test]
    fn a_custom_role_counts_as_googles_do() {
        let mut world = world([(ORDERS, Binding::of("projects/shop-test/roles/caller", ["user:alice@shop.example"]))]);
        world.roles.put(Role::custom("projects/shop-test/roles/caller", [INVOKE]));
        assert!(world.asks(&user("alice@shop.example"), INVOKE).granted());
    }

    #[test]
    fn a_convenience_member_means_who_has_the_role_on_the_project() {
        let world = world([
            (ORDERS, Binding::of("roles/run.invoker", ["projectViewer:shop-test"])),
            (PROJECT, Binding::of("roles/viewer", ["user:alice@shop.example"])),
        ]);
        assert!(world.asks(&user("alice@shop.example"), INVOKE).granted());
        assert!(!world.asks(&user("bob@shop.example"), INVOKE).granted());
    }

    #[rstest]
    #[case::by_name(DenyRule { denied_principals: vec!["principal://goog/subject/alice@shop.example".into()], denied_permissions: vec!["run.googleapis.com/routes.invoke".into()], ..DenyRule::default() }, false)]
    #[case::everybody(DenyRule { denied_principals: vec!["principalSet://goog/public:all".into()], denied_permissions: vec!["run.googleapis.com/routes.*".into()], ..DenyRule::default() }, false)]
    #[case::excepted(DenyRule { denied_principals: vec!["principalSet://goog/public:all".into()], exception_principals: vec!["principal://goog/subject/alice@shop.example".into()], denied_permissions: vec!["run.googleapis.com/routes.invoke".into()], ..DenyRule::default() }, true)]
    #[case::other_permission(DenyRule { denied_principals: vec!["principalSet://goog/public:all".into()], denied_permissions: vec!["run.googleapis.com/services.get".into()], ..DenyRule::default() }, true)]
    fn a_deny_policy_comes_before_any_grant(#[case] rule: DenyRule, #[case] granted: bool) {
        let mut world = world([invokers("user:alice@shop.example")]);
        world.denials = vec![Arc::new(DenyPolicy { name: "policies/x".into(), rules: vec![rule] })];
        let alice = user("alice@shop.example");
        let verdict = world.asks(&alice, INVOKE);
        assert_eq!(verdict.granted(), granted);
        if !granted {
            assert_eq!(verdict.check(&alice, INVOKE).finding()["denyPolicy"], "policies/x");
        }
    }

    #[test]
    fn any_text_may_stand_as_a_member_and_never_lets_anybody_in_by_itself() {
        let odd = [
            "",
            ":",
            "user:",
            "principal://",
            "principalSet://iam.googleapis.com/",
            "*",
            "allusers",
            "deleted:",
            "?uid=1",
        ];
        let world = world(odd.map(invokers));
        for identity in [Identity::Anonymous, user(""), user("a@b"), federated(""), federated("*")] {
            assert!(!world.asks(&identity, INVOKE).granted(), "{identity:?}");
        }
    }
}
