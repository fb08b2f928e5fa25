//! Allow and deny policies, by full resource name.

use std::{collections::BTreeMap, sync::Arc};

use tokenrig_clock::Timestamp;
use tokenrig_policy::{
    Attached, Attributes, Binding, DenyPolicy, Directory, Grant, Identity, Policy, Request, Verdict, decide, granted,
    test,
};

use crate::{
    accounts::ServiceAccount,
    cloud::Cloud,
    derive::hex,
    sync::{read, write},
};

/// The etag of a policy that was never set: Google answers it for resources without a policy.
const NEVER_SET: &str = "ACAB";

/// The etag that was sent is not that of the present policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy of {resource} has etag {present}, not {sent}")]
pub struct EtagStale {
    /// The full name of the resource.
    pub resource: String,
    /// The etag of the stored policy.
    pub present: String,
    /// The one that was sent.
    pub sent: String,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    slots: BTreeMap<String, Slot>,
    denials: BTreeMap<String, Vec<Arc<DenyPolicy>>>,
    changes: u64,
}

/// A resource's policy, and the older ones that count until the newer have spread.
#[derive(Debug)]
struct Slot {
    latest: Arc<Attached>,
    since: Timestamp,
    before: Vec<(Timestamp, Arc<Attached>)>,
}

/// The policies of a cloud. Resources are named as in [`Cloud::canonical`]; any form is taken.
#[derive(Clone, Copy)]
pub struct Policies<'a>(pub(crate) &'a Cloud);

impl Policies<'_> {
    /// The policy of a resource as it was set; an empty one if none was.
    #[must_use]
    pub fn get(&self, resource: &str) -> Policy {
        let resource = self.0.canonical(resource);
        let state = read(&self.0.inner().policies);
        state
            .slots
            .get(&resource)
            .map_or_else(|| Policy { etag: NEVER_SET.into(), ..Policy::default() }, |slot| slot.latest.policy().clone())
    }

    /// The policy as one sees it who asked for a version below 3: conditions do not show, their bindings have a role
    /// with `_withcond_` and a hash instead.
    #[must_use]
    pub fn get_without_conditions(&self, resource: &str) -> Policy {
        let mut policy = self.get(resource);
        for binding in &mut policy.bindings {
            if let Some(condition) = binding.condition.take() {
                let parts = [condition.expression.as_bytes(), condition.title.as_bytes()];
                let hash = hex(&self.0.derive().bytes("withcond", &parts));
                binding.role = format!("{}_withcond_{}", binding.role, hash.get(..20).unwrap_or_default());
            }
        }
        policy
    }

    /// Replaces the policy of a resource and gives it with its new etag. Without an etag whatever was there is
    /// replaced. `auditConfigs` that were not sent stay.
    ///
    /// # Errors
    ///
    /// [`EtagStale`] if an etag was sent and is not the present one.
    pub fn set(&self, resource: &str, mut policy: Policy) -> Result<Policy, EtagStale> {
        let resource = self.0.canonical(resource);
        let mut state = write(&self.0.inner().policies);
        let old = state.slots.get(&resource).map(|slot| slot.latest.policy());
        let present = old.map_or(NEVER_SET, |old| old.etag.as_str());
        if !policy.etag.is_empty() && policy.etag != present {
            return Err(EtagStale { resource, present: present.to_owned(), sent: policy.etag });
        }
        if policy.audit_configs.is_none() {
            policy.audit_configs = old.and_then(|old| old.audit_configs.clone());
        }
        Ok(self.store(&mut state, &resource, policy))
    }

    /// Adds bindings to the policy of a resource.
    pub fn add(&self, resource: &str, bindings: impl IntoIterator<Item = Binding>) -> Policy {
        let resource = self.0.canonical(resource);
        let mut state = write(&self.0.inner().policies);
        let mut policy = state.slots.get(&resource).map(|slot| slot.latest.policy().clone()).unwrap_or_default();
        policy.bindings.extend(bindings);
        self.store(&mut state, &resource, policy)
    }

    /// Forgets the policy of a resource that is no more.
    pub fn remove(&self, resource: &str) {
        let resource = self.0.canonical(resource);
        write(&self.0.inner().policies).slots.remove(&resource);
    }

    /// Lets every policy count from now on, however long it takes to spread: for what is there before a rig answers
    /// anybody.
    pub fn settle(&self) {
        let now = self.0.now();
        for slot in write(&self.0.inner().policies).slots.values_mut() {
            slot.since = slot.since.min(now);
            slot.before.clear();
        }
    }

    /// Replaces the deny policies that are attached to a project, folder or organisation.
    pub fn set_denials(&self, resource: &str, denials: impl IntoIterator<Item = DenyPolicy>) {
        let resource = self.0.canonical(resource);
        let denials = denials.into_iter().map(Arc::new).collect();
        write(&self.0.inner().policies).denials.insert(resource, denials);
    }

    /// Those of `permissions` that the identity has on a resource, in their order. On an unknown resource it has those
    /// that the project gives.
    pub(crate) fn test<'p>(&self, identity: &Identity, permissions: &[&'p str], resource: &str) -> Vec<&'p str> {
        let reaching = self.reaching(self.0.canonical(resource));
        let roles = self.0.roles();
        let attributes = Attributes::at(self.0.now());
        let has = |permission: &&&str| test(&reaching.request(identity, permission, &attributes), &roles);
        permissions.iter().filter(has).copied().collect()
    }

    pub(crate) fn decide(&self, identity: &Identity, permission: &str, resource: &str, with: &Attributes) -> Verdict {
        self.reached(resource).decide(identity, permission, with)
    }

    /// What decides about a resource now, for who asks several things of it.
    pub(crate) fn reached(&self, resource: &str) -> Reached {
        Reached { cloud: self.0.clone(), by: self.reaching(self.0.canonical(resource)) }
    }

    /// Bindings that name a deleted account name a deleted one from now on.
    pub(crate) fn account_deleted(&self, account: &ServiceAccount) {
        let (is, was) = member_forms(account);
        self.rename(&is, &was);
    }

    pub(crate) fn account_undeleted(&self, account: &ServiceAccount) {
        let (is, was) = member_forms(account);
        self.rename(&was, &is);
    }

    fn rename(&self, from: &str, to: &str) {
        let mut state = write(&self.0.inner().policies);
        let naming = |binding: &Binding| binding.members.iter().any(|member| member.eq_ignore_ascii_case(from));
        let slots = state.slots.iter();
        let touched = slots.filter(|(_, slot)| slot.latest.policy().bindings.iter().any(naming));
        let touched: Vec<_> = touched.map(|(name, slot)| (name.clone(), slot.latest.policy().clone())).collect();
        for (resource, mut policy) in touched {
            let members = policy.bindings.iter_mut().flat_map(|binding| &mut binding.members);
            members.filter(|member| member.eq_ignore_ascii_case(from)).for_each(|member| to.clone_into(member));
            self.store(&mut state, &resource, policy);
        }
    }

    fn store(&self, state: &mut State, resource: &str, mut policy: Policy) -> Policy {
        state.changes += 1;
        policy.etag = self.0.derive().etag(resource, state.changes);
        let stored = policy.clone();
        let attached = Arc::new(Attached::new(resource, policy));
        let now = self.0.now();
        let propagation = self.0.settings().propagation;
        let since = now.checked_add(propagation).unwrap_or(now);
        let slot = Slot { latest: attached, since, before: Vec::new() };
        if let Some(old) = state.slots.insert(resource.to_owned(), slot)
            && !propagation.is_zero()
            && let Some(new) = state.slots.get_mut(resource)
        {
            new.before = old.before;
            new.before.push((old.since, old.latest));
            // Of those that have spread only the newest still counts.
            let spread = new.before.iter().rposition(|(since, _)| *since <= now).unwrap_or(0);
            new.before.drain(..spread);
        }
        stored
    }

    /// What reaches a resource, by its canonical name, and has spread.
    fn reaching(&self, resource: String) -> Reaching {
        let chain = self.0.chain(&resource);
        let state = read(&self.0.inner().policies);
        // Not before the state is read: on a clock that runs, a policy that was set meanwhile would lie in the future.
        let now = self.0.now();
        let policies = chain.iter().filter_map(|name| state.slots.get(name)?.at(now)).collect();
        let denials = chain.iter().filter_map(|name| state.denials.get(name)).flatten().cloned().collect();
        Reaching { resource, policies, denials, directory: self.0.directory() }
    }

    fn all(&self) -> Vec<Arc<Attached>> {
        read(&self.0.inner().policies).slots.values().map(|slot| Arc::clone(&slot.latest)).collect()
    }
}

/// The policies that reach a resource, found once for several questions about it.
#[derive(Debug)]
pub struct Reached {
    cloud: Cloud,
    by: Reaching,
}

impl Reached {
    /// Whether an identity has a permission, as [`Cloud::permit_identity`] says it.
    #[must_use]
    pub fn decide(&self, identity: &Identity, permission: &str, attributes: &Attributes) -> Verdict {
        let others = || self.cloud.policies().all();
        let request = Request { elsewhere: Some(&others), ..self.by.request(identity, permission, attributes) };
        decide(&request, &self.cloud.roles())
    }

    /// The binding that gives an identity a permission, if one does: as [`decide`](Self::decide), for who does not ask why
    /// none does.
    #[must_use]
    pub fn granted(&self, identity: &Identity, permission: &str, attributes: &Attributes) -> Option<Grant> {
        granted(&self.by.request(identity, permission, attributes), &self.cloud.roles())
    }
}

/// What decides about a resource.
#[derive(Debug)]
struct Reaching {
    resource: String,
    /// Nearest first.
    policies: Vec<Arc<Attached>>,
    denials: Vec<Arc<DenyPolicy>>,
    directory: Arc<Directory>,
}

impl Reaching {
    fn request<'a>(&'a self, identity: &'a Identity, permission: &'a str, attributes: &'a Attributes) -> Request<'a> {
        Request {
            identity,
            permission,
            resource: &self.resource,
            policies: &self.policies,
            denials: &self.denials,
            directory: &self.directory,
            attributes,
            elsewhere: None,
        }
    }
}

impl Slot {
    /// The policy that counts.
    fn at(&self, now: Timestamp) -> Option<Arc<Attached>> {
        if self.since <= now {
            return Some(Arc::clone(&self.latest));
        }
        self.before.iter().rev().find(|(since, _)| *since <= now).map(|(_, policy)| Arc::clone(policy))
    }
}

/// An account as a member: as it is, and as a deleted one.
fn member_forms(account: &ServiceAccount) -> (String, String) {
    let is = format!("serviceAccount:{}", account.email);
    let was = format!("deleted:{is}?uid={}", account.unique_id);
    (is, was)
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::{Clock, SystemClock, seconds};

    use super::*;
    use crate::{
        NewAccount, Settings,
        cloud::tests::{cloud, cloud_with},
    };

    const ORDERS: &str = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";

    fn alice() -> Identity {
        Identity::User { email: "alice@shop.example".into(), id: "1".into() }
    }

    fn invoker() -> Policy {
        Policy::of([Binding::of("roles/run.invoker", ["user:alice@shop.example"])])
    }

    fn may(cloud: &Cloud) -> bool {
        let attributes = Attributes::at(cloud.now());
        cloud.permit_identity(&alice(), "run.routes.invoke", ORDERS, &attributes).granted()
    }

    #[test]
    fn an_etag_guards_a_policy_against_changes_that_its_writer_has_not_seen() {
        let cloud = cloud();
        let first = cloud.policies().set(ORDERS, Policy { etag: "ACAB".into(), ..invoker() }).unwrap();
        let second = cloud.policies().set(ORDERS, Policy { etag: first.etag.clone(), ..invoker() }).unwrap();
        let stale = cloud.policies().set(ORDERS, Policy { etag: first.etag.clone(), ..invoker() }).unwrap_err();
        assert_eq!((stale.present, stale.sent), (second.etag, first.etag));
        cloud.policies().set(ORDERS, Policy::default()).unwrap();
        assert!(!may(&cloud));
    }

    #[test]
    fn audit_configs_stay_unless_they_are_sent() {
        let cloud = cloud();
        let configs = Some(vec![serde_json::json!({ "service": "allServices" })]);
        cloud.policies().set(ORDERS, Policy { audit_configs: configs.clone(), ..invoker() }).unwrap();
        assert_eq!(cloud.policies().set(ORDERS, invoker()).unwrap().audit_configs, configs);
        let cleared = Policy { audit_configs: Some(vec![]), ..invoker() };
        assert_eq!(cloud.policies().set(ORDERS, cleared).unwrap().audit_configs, Some(vec![]));
    }

    #[test]
    fn the_owner_may_administer_but_not_act_as_another_account() {
        let cloud = cloud();
        let account =
            cloud.accounts().create(NewAccount { account: "caller".into(), ..NewAccount::default() }).unwrap();
        let asked =
            ["iam.serviceAccounts.setIamPolicy", "iam.serviceAccounts.getOpenIdToken", "iam.serviceAccounts.get"];
        let held = cloud.policies().test(&cloud.owner().identity(), &asked, &account.resource());
        assert_eq!(held, [asked[0], asked[2]]);
    }

    #[test]
    fn the_pubsub_agent_can_mint_unless_its_roles_are_given() {
        let has = |cloud: &Cloud| {
            let email = cloud.project().agent_email("pubsub").unwrap();
            let agent = cloud.accounts().get(&email).unwrap().identity();
            !cloud
                .policies()
                .test(&agent, &["iam.serviceAccounts.getOpenIdToken"], &cloud.owner().resource())
                .is_empty()
        };
        assert!(has(&cloud()));
        let bare = cloud_with(|foundation| _ = foundation.agents.insert("pubsub".into(), vec![]));
        assert!(!has(&bare.0));
    }

    #[test]
    fn a_grant_ends_with_the_account_and_comes_back_with_it_but_does_not_pass_to_another_of_its_name() {
        let cloud = cloud();
        let new = || NewAccount { account: "caller".into(), ..NewAccount::default() };
        let account = cloud.accounts().create(new()).unwrap();
        let member = format!("serviceAccount:{}", account.email);
        cloud.policies().set(ORDERS, Policy::of([Binding::of("roles/run.invoker", [member.clone()])])).unwrap();
        let may = |account: &ServiceAccount| {
            let identity = account.identity();
            cloud.permit_identity(&identity, "run.routes.invoke", ORDERS, &Attributes::at(cloud.now()))
        };
        assert!(may(&account).granted());

        cloud.accounts().delete(&account.email).unwrap();
        let members = || cloud.policies().get(ORDERS).bindings[0].members.clone();
        assert_eq!(members(), [format!("deleted:{member}?uid={}", account.unique_id)]);
        let again = cloud.accounts().create(new()).unwrap();
        let check = may(&again).check(&again.identity(), "run.routes.invoke");
        assert_eq!(check.finding()["miss"], "deleted-member");

        cloud.accounts().delete(&again.unique_id).unwrap();
        cloud.accounts().undelete(&account.unique_id).unwrap();
        assert_eq!(members(), [member]);
        assert!(may(&account).granted());
    }

    #[test]
    fn a_change_counts_once_it_has_spread() {
        let settings = Settings { propagation: seconds(70), ..Settings::default() };
        let (cloud, clock) = cloud_with(|foundation| foundation.settings = settings);
        let owner = cloud.owner().identity();
        assert!(cloud.permit_identity(&owner, "run.services.get", ORDERS, &Attributes::at(cloud.now())).granted());

        cloud.policies().set(ORDERS, invoker()).unwrap();
        assert_eq!(cloud.policies().get(ORDERS).bindings, invoker().bindings);
        assert!(!may(&cloud));
        clock.advance_to(cloud.now() + seconds(70)).unwrap();
        assert!(may(&cloud));

        cloud.policies().set(ORDERS, Policy::default()).unwrap();
        clock.advance_to(cloud.now() + seconds(30)).unwrap();
        cloud.policies().set(ORDERS, Policy::default()).unwrap();
        clock.advance_to(cloud.now() + seconds(39)).unwrap();
        assert!(may(&cloud));
        clock.advance_to(cloud.now() + seconds(1)).unwrap();
        assert!(!may(&cloud));

        cloud.policies().set(ORDERS, invoker()).unwrap();
        cloud.policies().settle();
        assert!(may(&cloud));
    }

    #[test]
    fn while_a_policy_is_set_the_older_or_the_newer_counts() {
        let (cloud, _) = cloud_with(|foundation| foundation.clock = std::sync::Arc::new(SystemClock::movable()));
        cloud.policies().set(ORDERS, invoker()).unwrap();
        let refused = std::thread::scope(|scope| {
            let setting = scope.spawn(|| (0..20_000).for_each(|_| drop(cloud.policies().set(ORDERS, invoker()))));
            let mut refused = 0;
            while !setting.is_finished() {
                refused += usize::from(!may(&cloud));
            }
            refused
        });
        assert_eq!(refused, 0);
    }

    #[test]
    fn below_version_3_a_condition_shows_as_part_of_the_role() {
        let cloud = cloud();
        let conditional = Binding::of("roles/run.invoker", ["allUsers"]).when("false");
        cloud.policies().set(ORDERS, Policy::of([conditional])).unwrap();
        let seen = cloud.policies().get_without_conditions(ORDERS);
        assert!(seen.bindings[0].role.starts_with("roles/run.invoker_withcond_"));
        assert_eq!((seen.bindings[0].condition.as_ref(), seen.version()), (None, 1));
    }
}
