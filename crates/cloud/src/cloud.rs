//! One fake cloud.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokenrig_clock::{SharedClock, Timestamp};
use tokenrig_policy::{Binding, Directory, Policy, Roles};

use crate::{
    accounts::{self, Accounts, KeyRing, NewAccount, ServiceAccount},
    audit::{Audit, Trail},
    aws::{self, AwsAccounts},
    decisions::{Decisions, Ring},
    derive::{Derive, run_hash},
    google_keys::KeyRoom,
    ledger::Ledger,
    mint::Mint,
    org_policies::{self, OrgPolicies},
    policies::{self, Policies},
    pools::{self, Pools},
    project::Project,
    quotas::{Quotas, Used},
    settings::Settings,
    sync::{read, write},
    unplayed::Unplayed,
    users::{self, Users},
};

/// What a cloud is made of.
#[derive(Debug, Clone)]
pub struct Foundation {
    /// Its time.
    pub clock: SharedClock,
    /// Its project.
    pub project: Project,
    /// Its organisation's number, if it has one. The owner administers it.
    pub organization: Option<String>,
    /// Roles of service agents in the project, by service, in place of those that Google gives them.
    pub agents: BTreeMap<String, Vec<String>>,
    /// Settings.
    pub settings: Settings,
}

impl Foundation {
    /// The default project and settings on a clock.
    #[must_use]
    pub fn on(clock: SharedClock) -> Self {
        Self {
            clock,
            project: Project::default(),
            organization: None,
            agents: BTreeMap::new(),
            settings: Settings::default(),
        }
    }
}

/// The shared state of one fake cloud. Cheap to clone: all clones are the same cloud.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

pub(crate) struct Inner {
    clock: SharedClock,
    project: Project,
    organization: Option<String>,
    settings: Settings,
    run_hash: String,
    owner: OnceLock<Arc<ServiceAccount>>,
    derive: Derive,
    projects: RwLock<BTreeMap<String, Project>>,
    parents: RwLock<BTreeMap<String, String>>,
    disabled_services: RwLock<BTreeSet<String>>,
    roles: RwLock<Arc<Roles>>,
    directory: RwLock<Arc<Directory>>,
    pub(crate) accounts: RwLock<accounts::State>,
    pub(crate) key_ring: KeyRing,
    pub(crate) pools: RwLock<pools::State>,
    pub(crate) policies: RwLock<policies::State>,
    pub(crate) users: RwLock<users::State>,
    pub(crate) aws: RwLock<aws::State>,
    pub(crate) org_policies: RwLock<org_policies::State>,
    pub(crate) google_keys: KeyRoom,
    pub(crate) tokens_issued: Counter,
    pub(crate) ledger: Ledger,
    pub(crate) quotas: Used,
    pub(crate) decisions: Ring,
    pub(crate) audit: Trail,
    unplayed: Unplayed,
}

/// Counts from 1.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Cloud {
    /// A cloud with its project, the accounts that every project has, and the owner.
    #[must_use]
    pub fn new(foundation: Foundation) -> Self {
        let Foundation { clock, project, organization, agents, settings } = foundation;
        let cloud = Self(Arc::new(Inner {
            clock,
            run_hash: run_hash(&project.number),
            owner: OnceLock::new(),
            derive: Derive::from_seed(&settings.seed),
            projects: RwLock::new(BTreeMap::from([(project.id.clone(), project.clone())])),
            parents: RwLock::default(),
            disabled_services: RwLock::new(settings.disabled_services.clone()),
            roles: RwLock::default(),
            directory: RwLock::default(),
            accounts: RwLock::default(),
            key_ring: KeyRing::default(),
            pools: RwLock::default(),
            policies: RwLock::default(),
            users: RwLock::default(),
            aws: RwLock::default(),
            org_policies: RwLock::default(),
            google_keys: KeyRoom::new(&settings.seed),
            tokens_issued: Counter::default(),
            ledger: Ledger::default(),
            quotas: Used::default(),
            decisions: Ring::default(),
            audit: Trail::default(),
            unplayed: Unplayed::default(),
            project,
            organization,
            settings,
        }));
        cloud.furnish(&agents);
        cloud
    }

    /// Creates the accounts that are there from the start, and the project's first bindings.
    fn furnish(&self, agents: &BTreeMap<String, Vec<String>>) {
        let project = self.project();
        let owner = self.owner_email();
        let named = [
            (project.appspot_email(), "App Engine default service account"),
            (project.compute_email(), "Default compute service account"),
            (owner.clone(), "Owner of the project"),
        ];
        for (email, display_name) in named {
            let made = self.make(email, display_name);
            if let Some(account) = made.filter(|account| account.email == owner.to_ascii_lowercase()) {
                self.0.owner.get_or_init(|| account);
            }
        }
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        members.entry("roles/owner".into()).or_default().push(format!("serviceAccount:{owner}"));
        for agent in Project::agents() {
            let email = agent.email(&project.number);
            let roles = agents.get(agent.service).cloned().unwrap_or_else(|| vec![agent.role.to_owned()]);
            for role in roles {
                members.entry(role).or_default().push(format!("serviceAccount:{email}"));
            }
            self.make(email, "Service agent");
        }
        let bindings = members.into_iter().map(|(role, members)| Binding::of(role, members));
        let policy = Policy::of(bindings);
        // A policy that was never set has no etag to collide with.
        let _ = self.policies().set(&project.resource(), policy);
        if let Some(organization) = self.organization() {
            let resource = format!("//cloudresourcemanager.googleapis.com/organizations/{organization}");
            let administers = [
                "roles/resourcemanager.organizationAdmin",
                "roles/iam.workforcePoolAdmin",
                "roles/orgpolicy.policyAdmin",
                "roles/iam.securityAdmin",
            ];
            let member = format!("serviceAccount:{owner}");
            self.policies().add(&resource, administers.map(|role| Binding::of(role, [member.clone()])));
        }
        self.policies().settle();
    }

    fn make(&self, email: String, display_name: &str) -> Option<Arc<ServiceAccount>> {
        let new = NewAccount { account: email, display_name: display_name.into(), description: String::new() };
        // The addresses of a new cloud's accounts differ, unless a project was given an agent's name: then it is there.
        self.accounts().create(new).ok()
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The rig's project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.0.project
    }

    /// A known project by its id or number: the rig's, or one that an account belongs to.
    #[must_use]
    pub fn find_project(&self, name: &str) -> Option<Project> {
        if self.0.project.is(name) {
            return Some(self.0.project.clone());
        }
        let projects = read(&self.0.projects);
        projects.get(name).or_else(|| projects.values().find(|project| project.number == name)).cloned()
    }

    /// All known projects, by id.
    #[must_use]
    pub fn projects(&self) -> Vec<Project> {
        read(&self.0.projects).values().cloned().collect()
    }

    /// The organisation's number, if there is one.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.0.organization.as_deref()
    }

    /// The project's part of hashed Cloud Run URLs: `NAME-HASH-REGION.a.run.app`.
    #[must_use]
    pub fn run_hash(&self) -> &str {
        &self.0.run_hash
    }

    /// The address of the owner: who default credentials are.
    #[must_use]
    pub fn owner_email(&self) -> String {
        self.project().account_email("tokenrig-owner")
    }

    /// The owner, as the account is now, even if somebody deleted it.
    #[must_use]
    pub fn owner(&self) -> Arc<ServiceAccount> {
        let first = self.0.owner.get().expect("a cloud is given to nobody before it has its owner");
        self.accounts().get_by_id(&first.unique_id).unwrap_or_else(|| Arc::clone(first))
    }

    /// Service accounts and their keys.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts(self)
    }

    /// Workload identity pools and their providers.
    #[must_use]
    pub fn pools(&self) -> Pools<'_> {
        Pools(self)
    }

    /// Allow and deny policies.
    #[must_use]
    pub fn policies(&self) -> Policies<'_> {
        Policies(self)
    }

    /// Organization policies.
    #[must_use]
    pub fn org_policies(&self) -> OrgPolicies<'_> {
        OrgPolicies(self)
    }

    /// Google accounts of people, their OAuth clients and refresh tokens.
    #[must_use]
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }

    /// Accounts of AWS.
    #[must_use]
    pub fn aws(&self) -> AwsAccounts<'_> {
        AwsAccounts(self)
    }

    /// The mint.
    #[must_use]
    pub fn mint(&self) -> Mint<'_> {
        Mint(self)
    }

    /// Quotas.
    #[must_use]
    pub fn quotas(&self) -> Quotas<'_> {
        Quotas(self)
    }

    /// What was decided.
    #[must_use]
    pub fn decisions(&self) -> Decisions<'_> {
        Decisions(self)
    }

    /// What was asked for and is not played.
    #[must_use]
    pub fn unplayed(&self) -> &Unplayed {
        &self.0.unplayed
    }

    /// The audit trail.
    #[must_use]
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    /// The roles, as they are now.
    #[must_use]
    pub fn roles(&self) -> Arc<Roles> {
        Arc::clone(&read(&self.0.roles))
    }

    /// Changes custom roles.
    pub fn change_roles<T>(&self, change: impl FnOnce(&mut Roles) -> T) -> T {
        change(Arc::make_mut(&mut write(&self.0.roles)))
    }

    /// The groups, as they are now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&read(&self.0.directory))
    }

    /// Changes groups.
    pub fn change_directory<T>(&self, change: impl FnOnce(&mut Directory) -> T) -> T {
        change(Arc::make_mut(&mut write(&self.0.directory)))
    }

    /// Whether a service (`run.googleapis.com`) is enabled in the project.
    #[must_use]
    pub fn service_enabled(&self, service: &str) -> bool {
        !read(&self.0.disabled_services).contains(service)
    }

    /// Enables or disables a service in the project.
    pub fn enable_service(&self, service: &str, enabled: bool) {
        let mut disabled = write(&self.0.disabled_services);
        if enabled {
            disabled.remove(service);
        } else {
            disabled.insert(service.to_owned());
        }
    }

    /// Says what a resource is inside of when its name does not: a bucket's project.
    pub fn set_parent(&self, resource: &str, parent: &str) {
        write(&self.0.parents).insert(self.canonical(resource), self.canonical(parent));
    }

    pub(crate) fn parent_of(&self, canonical: &str) -> Option<String> {
        read(&self.0.parents).get(canonical).cloned()
    }

    /// The project of this id, made known if it is not. The owner owns it too, so that things can be given there;
    /// nobody else of the rig's project has a part in it.
    pub fn add_project(&self, id: &str) -> Project {
        if let Some(known) = self.find_project(id) {
            return known;
        }
        let project = Project {
            id: id.to_owned(),
            number: self.0.derive.project_number(id),
            location: self.project().location.clone(),
        };
        let before = write(&self.0.projects).insert(id.to_owned(), project.clone());
        if before.is_none() {
            let owner = format!("serviceAccount:{}", self.owner_email());
            self.policies().add(&project.resource(), [Binding::of("roles/owner", [owner])]);
        }
        project
    }

    /// 64 hex digits that are the same for the same thing of the same rig: for ids that a service makes up.
    #[must_use]
    pub fn derived_hex(&self, purpose: &str, of: &str) -> String {
        crate::derive::hex(&self.0.derive.bytes(purpose, &[of.as_bytes()]))
    }

    pub(crate) fn derive(&self) -> &Derive {
        &self.0.derive
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").field("project", &self.0.project.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tokenrig_clock::ManualClock;

    use super::*;

    /// A cloud at 2026-01-15T09:00:00Z, changed before it is made, and its clock.
    pub(crate) fn cloud_with(change: impl FnOnce(&mut Foundation)) -> (Cloud, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let mut foundation = Foundation::on(Arc::clone(&clock) as SharedClock);
        change(&mut foundation);
        (Cloud::new(foundation), clock)
    }

    pub(crate) fn cloud_and_clock() -> (Cloud, Arc<ManualClock>) {
        cloud_with(|_| {})
    }

    pub(crate) fn cloud() -> Cloud {
        cloud_and_clock().0
    }

    #[test]
    fn two_clouds_of_one_seed_make_up_the_same_and_of_two_seeds_nothing_alike() {
        let made = |seed: &str| {
            let (cloud, _) = cloud_with(|foundation| foundation.settings.seed = seed.into());
            let owner = cloud.owner();
            let order = crate::AccessTokenOrder {
                identity: owner.identity(),
                scopes: vec![],
                lifetime: tokenrig_clock::seconds(60),
            };
            let access = cloud.mint().access_token(order).reveal().to_owned();
            let id = cloud.mint().id_token(&crate::IdTokenOrder::generated(&owner, "a", false));
            let kid = cloud.mint().google_keys().signing().kid().to_owned();
            let etag = cloud.policies().get(&cloud.project().resource()).etag;
            [owner.unique_id.clone(), access, id, kid, etag, cloud.accounts().system_key(&owner).id().to_owned()]
        };
        assert_eq!(made("a"), made("a"));
        assert!(made("a").iter().zip(made("b")).all(|(a, b)| *a != b));
    }

    #[test]
    fn who_deletes_the_owner_does_not_stop_the_rig() {
        let cloud = cloud();
        cloud.accounts().delete(&cloud.owner_email()).unwrap();
        assert!(cloud.owner().deleted.is_some());
    }

    #[test]
    fn the_project_has_the_accounts_that_every_project_has() {
        let cloud = cloud();
        let emails: Vec<_> = cloud.accounts().list("shop-test").iter().map(|account| account.email.clone()).collect();
        assert_eq!(
            emails,
            [
                "1071284184436-compute@developer.gserviceaccount.com",
                "shop-test@appspot.gserviceaccount.com",
                "tokenrig-owner@shop-test.iam.gserviceaccount.com",
            ]
        );
        assert!(cloud.accounts().get("service-1071284184436@gcp-sa-pubsub.iam.gserviceaccount.com").is_some());
    }

    #[test]
    fn a_project_is_found_by_id_and_by_number_and_others_come_with_their_accounts() {
        let cloud = cloud();
        assert_eq!(cloud.find_project("1071284184436"), cloud.find_project("shop-test"));
        assert_eq!(cloud.find_project("other"), None);
        let new = crate::NewAccount { account: "x@other.iam.gserviceaccount.com".into(), ..Default::default() };
        let account = cloud.accounts().create(new).unwrap();
        let other = cloud.find_project("other").unwrap();
        assert_eq!(cloud.projects().len(), 2);
        let may = |who: &ServiceAccount| {
            !cloud
                .policies()
                .test(&who.identity(), &["iam.serviceAccounts.setIamPolicy"], &account.resource())
                .is_empty()
        };
        assert!(may(&cloud.owner()) && !may(&account));
        assert_eq!((&*account.project_id, &account.project_number, other.number.len()), ("other", &other.number, 12));
    }
}
