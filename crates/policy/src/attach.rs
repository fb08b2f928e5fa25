//! A policy at its place, its members indexed.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};

use tokenrig_cel::Value;

use crate::{
    attributes::about,
    condition::Compiled,
    directory::Directory,
    document::{Binding, Condition, Policy},
    identity::Identity,
    member::{Member, PoolSet},
    pool::PoolRef,
    roles::{Role, Roles},
};

/// An allow policy attached to a resource. Making one indexes its members and compiles its conditions; it is then
/// shared and never changes.
#[derive(Debug)]
pub struct Attached {
    resource: Arc<str>,
    policy: Policy,
    conditions: Vec<Option<Compiled>>,
    /// The roles of the bindings, where they are Google's: looked up once.
    roles: Vec<Option<&'static Role>>,
    index: Index,
    /// What conditions know of the resource, once one asks.
    about: OnceLock<Value>,
    /// By binding and member.
    told: Vec<Vec<OnceLock<Arc<Told>>>>,
}

/// What there is to tell of a member of a binding by which something was granted. Made at its first grant; decisions
/// keep it rather than the policy, which may be a large one that is replaced.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) role: String,
    pub(crate) member: String,
    pub(crate) resource: Arc<str>,
    pub(crate) condition: Option<Condition>,
}

/// Where a member stands: the binding, and the member in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) binding: usize,
    pub(crate) member: usize,
}

type Places = Vec<Place>;

/// Members by what identifies them; e-mail addresses and domains in lower case. Only looked up, never gone through, so
/// that the order of hashing shows nowhere.
#[derive(Debug, Default)]
struct Index {
    everybody: Places,
    authenticated: Places,
    users: HashMap<String, Places>,
    accounts: HashMap<String, Places>,
    groups: HashMap<String, Places>,
    domains: HashMap<String, Places>,
    /// By project number.
    accounts_of_project: HashMap<String, Places>,
    pools: HashMap<PoolRef, PoolIndex>,
    project_roles: Vec<(Place, &'static str)>,
}

#[derive(Debug, Default)]
struct PoolIndex {
    all: Places,
    subjects: HashMap<String, Places>,
    groups: HashMap<String, Places>,
    attributes: HashMap<String, HashMap<String, Places>>,
}

impl Attached {
    /// Attaches a policy to a resource, by its full resource name
    /// (`//run.googleapis.com/projects/P/locations/L/services/S`).
    #[must_use]
    pub fn new(resource: impl Into<Arc<str>>, policy: Policy) -> Self {
        let index = Index::of(&policy);
        let compile = |binding: &Binding| binding.condition.as_ref().map(|is| Compiled::new(&is.expression));
        let conditions = policy.bindings.iter().map(compile).collect();
        let roles = policy.bindings.iter().map(|binding| Roles::of_google(&binding.role)).collect();
        let untold = |binding: &Binding| binding.members.iter().map(|_| OnceLock::new()).collect();
        let told = policy.bindings.iter().map(untold).collect();
        Self { resource: resource.into(), policy, conditions, roles, index, about: OnceLock::new(), told }
    }

    /// The full name of the resource.
    #[must_use]
    pub fn resource(&self) -> &Arc<str> {
        &self.resource
    }

    /// The policy as it was written.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn about(&self) -> &Value {
        self.about.get_or_init(|| about(&self.resource))
    }

    pub(crate) fn binding(&self, place: Place) -> Option<&Binding> {
        self.policy.bindings.get(place.binding)
    }

    /// What there is to tell of a member of a binding; `None` for a place that is not of this policy.
    pub(crate) fn told(&self, place: Place) -> Option<&Arc<Told>> {
        let told = self.told.get(place.binding)?.get(place.member)?;
        Some(told.get_or_init(|| {
            let binding = self.binding(place);
            Arc::new(Told {
                role: binding.map(|binding| binding.role.clone()).unwrap_or_default(),
                member: binding.and_then(|binding| binding.members.get(place.member)).cloned().unwrap_or_default(),
                resource: Arc::clone(&self.resource),
                condition: binding.and_then(|binding| binding.condition.clone()),
            })
        }))
    }

    /// Whether the role of a binding holds a permission in its short form.
    pub(crate) fn holds(&self, place: Place, permission: &str, roles: &Roles) -> bool {
        match self.roles.get(place.binding) {
            Some(Some(role)) => role.holds(permission),
            _ => self.binding(place).is_some_and(|binding| roles.holds(&binding.role, permission)),
        }
    }

    pub(crate) fn condition(&self, place: Place) -> Option<&Compiled> {
        self.conditions.get(place.binding)?.as_ref()
    }

    /// Goes through the places that name the identity, until told to stop.
    pub(crate) fn visit<T>(
        &self,
        identity: &Identity,
        directory: &Directory,
        mut see: impl FnMut(Place) -> ControlFlow<T>,
    ) -> ControlFlow<T> {
        let index = &self.index;
        let mut all = |places: Option<&Places>| places.into_iter().flatten().try_for_each(|place| see(*place));
        match identity {
            Identity::Anonymous => {}
            Identity::User { email, .. } => {
                let email = lower(email);
                all(index.users.get(&*email))?;
                if !index.groups.is_empty() {
                    directory.groups(&email).into_iter().try_for_each(|group| all(index.groups.get(group)))?;
                }
                if let Some((_, domain)) = email.rsplit_once('@') {
                    all(index.domains.get(domain))?;
                }
                all(Some(&index.authenticated))?;
            }
            Identity::ServiceAccount { email, project_number, .. } => {
                let email = lower(email);
                all(index.accounts.get(&*email))?;
                if !index.groups.is_empty() {
                    directory.groups(&email).into_iter().try_for_each(|group| all(index.groups.get(group)))?;
                }
                all(index.accounts_of_project.get(project_number))?;
                all(Some(&index.authenticated))?;
            }
            Identity::Federated { pool, subject, groups, attributes, .. } => {
                if let Some(pool) = index.pools.get(pool) {
                    all(pool.subjects.get(subject))?;
                    if !pool.groups.is_empty() {
                        groups.iter().try_for_each(|group| all(pool.groups.get(group)))?;
                    }
                    if !pool.attributes.is_empty() {
                        attributes.iter().try_for_each(|(name, value)| {
                            all(pool.attributes.get(name).and_then(|values| values.get(value)))
                        })?;
                    }
                    all(Some(&pool.all))?;
                }
            }
        }
        all(Some(&index.everybody))
    }

    /// The places of `projectOwner:…` and its like, with the role that they mean.
    pub(crate) fn project_roles(&self) -> &[(Place, &'static str)] {
        &self.index.project_roles
    }
}

impl Index {
    fn of(policy: &Policy) -> Self {
        let mut index = Self::default();
        for (binding, of) in policy.bindings.iter().enumerate() {
            for (member, text) in of.members.iter().enumerate() {
                if let Ok(parsed) = Member::parse(text) {
                    index.put(parsed, Place { binding, member });
                }
            }
        }
        index
    }

    fn put(&mut self, member: Member, place: Place) {
        let places = match member {
            Member::AllUsers => &mut self.everybody,
            Member::AllAuthenticatedUsers => &mut self.authenticated,
            Member::User(email) => self.users.entry(email.to_ascii_lowercase()).or_default(),
            Member::ServiceAccount(email) => self.accounts.entry(email.to_ascii_lowercase()).or_default(),
            Member::Group(email) => self.groups.entry(email.to_ascii_lowercase()).or_default(),
            Member::Domain(domain) => self.domains.entry(domain.to_ascii_lowercase()).or_default(),
            Member::AccountsOf(container) => match container.strip_prefix("projects/") {
                Some(number) => self.accounts_of_project.entry(number.to_owned()).or_default(),
                // Folders and organisations have no place for accounts of their own here.
                None => return,
            },
            Member::Subject(pool, subject) => self.pool(pool).subjects.entry(subject).or_default(),
            Member::Set(pool, PoolSet::All) => &mut self.pool(pool).all,
            Member::Set(pool, PoolSet::Group(group)) => self.pool(pool).groups.entry(group).or_default(),
            Member::Set(pool, PoolSet::Attribute { name, value }) => {
                self.pool(pool).attributes.entry(name).or_default().entry(value).or_default()
            }
            Member::ProjectRole { role, .. } => {
                self.project_roles.push((place, role));
                return;
            }
            Member::Kubernetes { .. } | Member::Deleted { .. } => return,
        };
        places.push(place);
    }

    fn pool(&mut self, pool: PoolRef) -> &mut PoolIndex {
        self.pools.entry(pool).or_default()
    }
}

fn lower(email: &str) -> Cow<'_, str> {
    if email.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(email.to_ascii_lowercase())
    } else {
        Cow::Borrowed(email)
    }
}
