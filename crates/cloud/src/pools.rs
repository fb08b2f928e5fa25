//! Identity pools, of workloads and of the workforce, and their providers.

use std::{collections::BTreeMap, sync::Arc};

use tokenrig_clock::{SignedDuration, Timestamp, seconds};
use tokenrig_policy::PoolRef;

use crate::{
    cloud::Cloud,
    sync::{read, write},
};

/// A deleted pool or provider is purged, and its id free again, after 30 days.
const PURGE_SECONDS: i64 = 30 * 24 * 3600;

/// Whether a pool or provider is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PoolState {
    /// It is.
    #[default]
    Active,
    /// It was deleted and can be undeleted until the given time, when it is purged.
    Deleted {
        /// `expireTime`.
        expires: Timestamp,
    },
}

/// An identity pool as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPool {
    /// What names it; of a workload pool the project is its number.
    pub reference: PoolRef,
    /// `displayName`.
    pub display_name: String,
    /// `description`.
    pub description: String,
    /// A disabled pool exchanges nothing, and the tokens of its identities do not work.
    pub disabled: bool,
    /// Whether it is there.
    pub state: PoolState,
    /// How long federated tokens live, if the pool says so.
    pub session_duration: Option<SignedDuration>,
    /// What only a workforce pool has; there it is always.
    pub workforce: Option<Workforce>,
}

/// What a workforce pool has beyond a workload pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workforce {
    /// `parent`: `organizations/NUMBER`.
    pub parent: String,
    /// Domains of `accessRestrictions.allowedServices`: where people may sign in with a browser.
    pub allowed_services: Vec<String>,
    /// `accessRestrictions.disableProgrammaticSignin`: nobody exchanges tokens.
    pub programmatic_sign_in_disabled: bool,
}

/// A provider of a pool as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The pool.
    pub pool: Arc<IdentityPool>,
    /// Its id.
    pub id: String,
    /// `displayName`.
    pub display_name: String,
    /// `description`.
    pub description: String,
    /// A disabled provider exchanges nothing; tokens that it gave keep working.
    pub disabled: bool,
    /// Whether it is there.
    pub state: PoolState,
    /// Expressions by attribute (`google.subject`, `attribute.NAME`), in the order in which they were written.
    pub attribute_mapping: Vec<(String, String)>,
    /// The condition; empty for none.
    pub attribute_condition: String,
    /// What kind it is.
    pub config: ProviderConfig,
}

/// What a provider trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderConfig {
    /// Tokens of an OpenID provider.
    Oidc(Oidc),
    /// Signed requests of an AWS account.
    Aws {
        /// Its id.
        account_id: String,
    },
    /// SAML assertions.
    Saml {
        /// The metadata document.
        idp_metadata_xml: String,
    },
}

/// An OpenID provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oidc {
    /// `issuerUri`, as it was written.
    pub issuer_uri: String,
    /// `allowedAudiences`; the provider's own name if there is none. Of a provider of a workforce pool: its `clientId`,
    /// and nothing else.
    pub allowed_audiences: Vec<String>,
    /// Uploaded keys, as they were written: the issuer is then not asked. Empty for none.
    pub jwks_json: String,
    /// How people sign in with a browser: of a provider of a workforce pool.
    pub web_sign_in: Option<WebSignIn>,
}

/// How people sign in with a browser. It is kept and told; the browser's way itself is not played.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSignIn {
    /// `clientSecret.value.thumbprint`: what is told of a secret. Empty if there is none.
    pub secret_thumbprint: String,
    /// `webSsoConfig.responseType`: `CODE`, `ID_TOKEN`.
    pub response_type: String,
    /// `webSsoConfig.assertionClaimsBehavior`: `ONLY_ID_TOKEN_CLAIMS` or the other one.
    pub claims_behavior: String,
    /// `webSsoConfig.additionalScopes`.
    pub additional_scopes: Vec<String>,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self::Oidc(Oidc::default())
    }
}

/// Why something was not done to a pool or provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolFault {
    /// The id is in use, maybe by one that was deleted within 30 days.
    #[error("{0} already exists")]
    Exists(String),
    /// There is none of this name.
    #[error("there is no {0}")]
    Unknown(String),
    /// It was deleted, and only undeleting is possible.
    #[error("{0} was deleted")]
    Deleted(String),
    /// It is to be undeleted and was not deleted.
    #[error("{0} was not deleted")]
    NotDeleted(String),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pools: BTreeMap<PoolRef, Entry>,
}

#[derive(Debug)]
struct Entry {
    pool: Arc<IdentityPool>,
    /// By id. The pool that stands in them is brought up to date when one is read.
    providers: BTreeMap<String, Provider>,
}

/// The identity pools of a cloud. A pool is named by its [`PoolRef`], whose project is a number.
#[derive(Clone, Copy)]
pub struct Pools<'a>(pub(crate) &'a Cloud);

impl Pools<'_> {
    /// Creates a pool. Whether its fields are what Google allows is for the API to say.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Exists`].
    pub fn create(&self, pool: IdentityPool) -> Result<Arc<IdentityPool>, PoolFault> {
        let mut state = self.write();
        let key = pool.reference.clone();
        if state.pools.contains_key(&key) {
            return Err(PoolFault::Exists(pool.name()));
        }
        let pool = Arc::new(IdentityPool { state: PoolState::Active, ..pool });
        state.pools.insert(key, Entry { pool: Arc::clone(&pool), providers: BTreeMap::new() });
        drop(state);
        if let Some(workforce) = &pool.workforce {
            let organization = format!("//cloudresourcemanager.googleapis.com/{}", workforce.parent);
            self.0.set_parent(&format!("//iam.googleapis.com/{}", pool.name()), &organization);
        }
        Ok(pool)
    }

    /// A pool, deleted ones too.
    #[must_use]
    pub fn get(&self, name: &PoolRef) -> Option<Arc<IdentityPool>> {
        let now = self.0.now();
        let state = read(&self.0.inner().pools);
        state.pools.get(name).map(|entry| &entry.pool).filter(|pool| !pool.state.purged(now)).cloned()
    }

    /// The workload pools of a project, by its number; deleted ones only if asked for. In the order of their ids.
    #[must_use]
    pub fn list(&self, project_number: &str, deleted: bool) -> Vec<Arc<IdentityPool>> {
        self.those(deleted, |pool| pool.reference.project() == Some(project_number))
    }

    /// The workforce pools of an organization, `organizations/NUMBER`; deleted ones only if asked for. In the order of
    /// their ids.
    #[must_use]
    pub fn list_workforce(&self, parent: &str, deleted: bool) -> Vec<Arc<IdentityPool>> {
        self.those(deleted, |pool| pool.workforce.as_ref().is_some_and(|workforce| workforce.parent == parent))
    }

    fn those(&self, deleted: bool, wanted: impl Fn(&IdentityPool) -> bool) -> Vec<Arc<IdentityPool>> {
        let state = self.write();
        let wanted = state.pools.values().map(|entry| &entry.pool).filter(|pool| wanted(pool));
        wanted.filter(|pool| deleted || pool.state == PoolState::Active).cloned().collect()
    }

    /// Changes a pool.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::Deleted`].
    pub fn update(
        &self,
        name: &PoolRef,
        change: impl FnOnce(&mut IdentityPool),
    ) -> Result<Arc<IdentityPool>, PoolFault> {
        self.with_active(name, |entry| {
            change(Arc::make_mut(&mut entry.pool));
            Arc::clone(&entry.pool)
        })
    }

    /// Deletes a pool; its providers with it.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::Deleted`].
    pub fn delete(&self, name: &PoolRef) -> Result<Arc<IdentityPool>, PoolFault> {
        let deleted = self.deleted();
        self.update(name, |pool| pool.state = deleted)
    }

    /// Brings back a deleted pool; its providers with it.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::NotDeleted`].
    pub fn undelete(&self, name: &PoolRef) -> Result<Arc<IdentityPool>, PoolFault> {
        let mut state = self.write();
        let entry = state.pools.get_mut(name).ok_or_else(|| PoolFault::Unknown(name.to_string()))?;
        if entry.pool.state == PoolState::Active {
            return Err(PoolFault::NotDeleted(name.to_string()));
        }
        Arc::make_mut(&mut entry.pool).state = PoolState::Active;
        Ok(Arc::clone(&entry.pool))
    }

    /// Whether the tokens of a pool's identities work: it is there and not disabled. What a provider's state is does
    /// not matter to them.
    #[must_use]
    pub fn live(&self, name: &PoolRef) -> bool {
        let state = read(&self.0.inner().pools);
        let pool = state.pools.get(name).map(|entry| &entry.pool);
        pool.is_some_and(|pool| pool.state == PoolState::Active && !pool.disabled)
    }

    /// Creates a provider in the pool that its name says.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Exists`]; of the pool [`PoolFault::Unknown`], [`PoolFault::Deleted`].
    pub fn create_provider(&self, pool: &PoolRef, provider: Provider) -> Result<Provider, PoolFault> {
        self.with_active(pool, |entry| {
            let provider = Provider { pool: Arc::clone(&entry.pool), state: PoolState::Active, ..provider };
            if entry.providers.contains_key(&provider.id) {
                return Err(PoolFault::Exists(provider.name()));
            }
            entry.providers.insert(provider.id.clone(), provider.clone());
            Ok(provider)
        })?
    }

    /// A provider, deleted ones too. One of a deleted pool shows as deleted.
    #[must_use]
    pub fn provider(&self, pool: &PoolRef, id: &str) -> Option<Provider> {
        let now = self.0.now();
        let state = read(&self.0.inner().pools);
        let entry = state.pools.get(pool)?;
        Some(entry.shown(entry.providers.get(id)?)).filter(|provider| !provider.state.purged(now))
    }

    /// The providers of a pool; deleted ones only if asked for. In the order of their ids.
    #[must_use]
    pub fn providers(&self, pool: &PoolRef, deleted: bool) -> Vec<Provider> {
        let state = self.write();
        let Some(entry) = state.pools.get(pool) else { return Vec::new() };
        let all = entry.providers.values().map(|provider| entry.shown(provider));
        all.filter(|provider| deleted || provider.state == PoolState::Active).collect()
    }

    /// Changes a provider.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::Deleted`], of the provider or its pool.
    pub fn update_provider(
        &self,
        pool: &PoolRef,
        id: &str,
        change: impl FnOnce(&mut Provider),
    ) -> Result<Provider, PoolFault> {
        let name = format!("{pool}/providers/{id}");
        self.with_active(pool, |entry| {
            let provider = entry.providers.get_mut(id).ok_or_else(|| PoolFault::Unknown(name.clone()))?;
            if provider.state != PoolState::Active {
                return Err(PoolFault::Deleted(name));
            }
            change(provider);
            let provider = provider.clone();
            Ok(entry.shown(&provider))
        })?
    }

    /// Deletes a provider.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::Deleted`].
    pub fn delete_provider(&self, pool: &PoolRef, id: &str) -> Result<Provider, PoolFault> {
        let deleted = self.deleted();
        self.update_provider(pool, id, |provider| provider.state = deleted)
    }

    /// Brings back a deleted provider.
    ///
    /// # Errors
    ///
    /// [`PoolFault::Unknown`], [`PoolFault::NotDeleted`]; of the pool [`PoolFault::Deleted`].
    pub fn undelete_provider(&self, pool: &PoolRef, id: &str) -> Result<Provider, PoolFault> {
        let name = format!("{pool}/providers/{id}");
        self.with_active(pool, |entry| {
            let provider = entry.providers.get_mut(id).ok_or_else(|| PoolFault::Unknown(name.clone()))?;
            if provider.state == PoolState::Active {
                return Err(PoolFault::NotDeleted(name));
            }
            provider.state = PoolState::Active;
            let provider = provider.clone();
            Ok(entry.shown(&provider))
        })?
    }

    fn with_active<T>(&self, name: &PoolRef, act: impl FnOnce(&mut Entry) -> T) -> Result<T, PoolFault> {
        let mut state = self.write();
        let entry = state.pools.get_mut(name).ok_or_else(|| PoolFault::Unknown(name.to_string()))?;
        if entry.pool.state != PoolState::Active {
            return Err(PoolFault::Deleted(name.to_string()));
        }
        Ok(act(entry))
    }

    /// The state to write to, without what is due to be purged.
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        let now = self.0.now();
        let mut state = write(&self.0.inner().pools);
        state.pools.retain(|_, entry| !entry.pool.state.purged(now));
        for entry in state.pools.values_mut() {
            entry.providers.retain(|_, provider| !provider.state.purged(now));
        }
        state
    }

    fn deleted(&self) -> PoolState {
        let expires = self.0.now().checked_add(seconds(PURGE_SECONDS)).unwrap_or(Timestamp::MAX);
        PoolState::Deleted { expires }
    }
}

impl PoolState {
    fn purged(self, now: Timestamp) -> bool {
        matches!(self, Self::Deleted { expires } if expires <= now)
    }
}

impl Entry {
    /// A provider as it is seen from outside: with its pool as it is now.
    fn shown(&self, provider: &Provider) -> Provider {
        let state = if self.pool.state == PoolState::Active { provider.state } else { self.pool.state };
        Provider { pool: Arc::clone(&self.pool), state, ..provider.clone() }
    }
}

impl IdentityPool {
    /// A pool of which nothing is known but its name.
    #[must_use]
    pub fn named(reference: PoolRef) -> Self {
        Self {
            workforce: matches!(reference, PoolRef::Workforce { .. }).then(Workforce::default),
            reference,
            display_name: String::new(),
            description: String::new(),
            disabled: false,
            state: PoolState::Active,
            session_duration: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.reference.id()
    }

    /// The resource name, `projects/NUMBER/locations/global/workloadIdentityPools/ID` or
    /// `locations/global/workforcePools/ID`.
    #[must_use]
    pub fn name(&self) -> String {
        self.reference.to_string()
    }
}

impl Provider {
    /// A provider of which nothing is known but its pool and id.
    #[must_use]
    pub fn named(pool: Arc<IdentityPool>, id: impl Into<String>) -> Self {
        Self {
            pool,
            id: id.into(),
            display_name: String::new(),
            description: String::new(),
            disabled: false,
            state: PoolState::Active,
            attribute_mapping: Vec::new(),
            attribute_condition: String::new(),
            config: ProviderConfig::default(),
        }
    }

    /// The resource name, `…/workloadIdentityPools/POOL/providers/ID` or `…/workforcePools/POOL/providers/ID`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/providers/{}", self.pool.name(), self.id)
    }

    /// Whether it exchanges tokens: neither it nor its pool is disabled or deleted.
    #[must_use]
    pub fn exchanges(&self) -> bool {
        self.state == PoolState::Active && !self.disabled && self.pool.state == PoolState::Active && !self.pool.disabled
    }
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::Clock;

    use super::*;
    use crate::cloud::tests::{cloud, cloud_and_clock};

    fn create(cloud: &Cloud) -> Result<PoolRef, PoolFault> {
        let pool = IdentityPool::named(PoolRef::workload(&cloud.project().number, "partners"));
        let pool = cloud.pools().create(pool)?;
        cloud.pools().create_provider(&pool.reference, Provider::named(Arc::clone(&pool), "corp"))?;
        Ok(pool.reference.clone())
    }

    #[test]
    fn deleting_a_pool_deletes_its_providers_and_undeleting_brings_them_back() {
        let cloud = cloud();
        let pool = create(&cloud).unwrap();
        let provider = || cloud.pools().provider(&pool, "corp").unwrap();
        assert!(provider().exchanges());
        cloud.pools().delete(&pool).unwrap();
        assert!(!provider().exchanges() && provider().state != PoolState::Active);
        assert_eq!(cloud.pools().list(&cloud.project().number, false), []);
        assert_eq!(cloud.pools().list(&cloud.project().number, true).len(), 1);
        cloud.pools().undelete(&pool).unwrap();
        assert!(provider().exchanges());
        assert_eq!(cloud.pools().undelete(&pool), Err(PoolFault::NotDeleted(pool.to_string())));
    }

    #[test]
    fn an_id_is_free_again_30_days_after_it_was_deleted() {
        let (cloud, clock) = cloud_and_clock();
        let pool = create(&cloud).unwrap();
        cloud.pools().delete(&pool).unwrap();
        clock.advance_to(cloud.now() + seconds(PURGE_SECONDS - 1)).unwrap();
        assert_eq!(create(&cloud), Err(PoolFault::Exists(pool.to_string())));
        clock.advance_to(cloud.now() + seconds(1)).unwrap();
        assert_eq!(cloud.pools().get(&pool), None);
        assert_eq!(cloud.pools().undelete(&pool), Err(PoolFault::Unknown(pool.to_string())));
        assert!(create(&cloud).is_ok());
    }

    #[test]
    fn a_provider_exchanges_only_while_it_and_its_pool_are_enabled() {
        let cloud = cloud();
        let pool = create(&cloud).unwrap();
        let exchanges = || cloud.pools().provider(&pool, "corp").unwrap().exchanges();
        cloud.pools().update_provider(&pool, "corp", |provider| provider.disabled = true).unwrap();
        assert!(!exchanges() && cloud.pools().live(&pool));
        cloud.pools().update_provider(&pool, "corp", |provider| provider.disabled = false).unwrap();
        cloud.pools().update(&pool, |pool| pool.disabled = true).unwrap();
        assert!(!exchanges() && !cloud.pools().live(&pool));
        assert!(!cloud.pools().live(&PoolRef::workforce("partners")));
    }

    #[test]
    fn a_deleted_provider_can_only_be_undeleted() {
        let cloud = cloud();
        let pool = create(&cloud).unwrap();
        cloud.pools().delete_provider(&pool, "corp").unwrap();
        let again = cloud.pools().delete_provider(&pool, "corp");
        assert_eq!(again, Err(PoolFault::Deleted(format!("{pool}/providers/corp"))));
        assert!(cloud.pools().undelete_provider(&pool, "corp").unwrap().exchanges());
    }
}
