//! Service accounts.

use std::{collections::BTreeMap, sync::Arc};

use tokenrig_clock::{Timestamp, seconds};
use tokenrig_policy::Identity;

use super::keys::{AccountKey, SystemKeys};
use crate::{
    cloud::Cloud,
    project::Agent,
    sync::{read, write},
};

/// Undeleting works for 30 days.
const UNDELETE_SECONDS: i64 = 30 * 24 * 3600;

/// A service account as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its e-mail address, lower case.
    pub email: String,
    /// 21 digits, never given twice. It is the OAuth client id too.
    pub unique_id: String,
    /// The id of its project.
    pub project_id: String,
    /// The number of its project.
    pub project_number: String,
    /// `displayName`, at most 100 bytes.
    pub display_name: String,
    /// `description`, at most 256 bytes.
    pub description: String,
    /// Whether it is disabled: it gets no tokens and those it has stop working.
    pub disabled: bool,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Base64; another one after each change.
    pub etag: String,
}

/// A service account to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAccount {
    /// The part before `@` of an account of the rig's project, or a whole e-mail address.
    pub account: String,
    /// `displayName`.
    pub display_name: String,
    /// `description`.
    pub description: String,
}

/// Why something was not done to a service account or key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountFault {
    /// There is one of this address.
    #[error("service account {0} already exists")]
    Exists(String),
    /// There is none, or it was deleted.
    #[error("there is no service account {0}")]
    Unknown(String),
    /// What is to be undeleted was not deleted, or more than 30 days ago.
    #[error("service account {0} is not among those deleted within 30 days")]
    NotDeleted(String),
    /// The etag that was sent is not the present one.
    #[error("service account {0} was changed meanwhile")]
    Stale(String),
    /// It has ten keys of its own already.
    #[error("service account {0} has 10 keys")]
    TooManyKeys(String),
    /// It has no key of this id.
    #[error("there is no key {0}")]
    UnknownKey(String),
    /// It has a key of this id.
    #[error("there is a key {0}")]
    KeyExists(String),
    /// Google's own key is not the user's to change.
    #[error("key {0} is kept by Google")]
    SystemKey(String),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Those deleted too.
    pub(super) by_id: BTreeMap<String, Arc<ServiceAccount>>,
    /// The unique ids of those that are there.
    by_email: BTreeMap<String, String>,
    pub(super) keys: BTreeMap<String, Vec<Arc<AccountKey>>>,
    pub(super) system_keys: BTreeMap<String, SystemKeys>,
    changes: u64,
}

/// The service accounts of a cloud.
#[derive(Clone, Copy)]
pub struct Accounts<'a>(pub(crate) &'a Cloud);

impl Accounts<'_> {
    /// Creates one. An address of another project makes that project known.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Exists`].
    pub fn create(&self, new: NewAccount) -> Result<Arc<ServiceAccount>, AccountFault> {
        let project = self.0.project();
        let email = if new.account.contains('@') { new.account } else { project.account_email(&new.account) };
        let email = email.to_ascii_lowercase();
        let (project_id, project_number) = self.project_of(&email);
        let mut state = write(&self.0.inner().accounts);
        if state.by_email.contains_key(&email) {
            return Err(AccountFault::Exists(email));
        }
        // Deleted accounts are kept, so an address that is given again gets another id.
        let mut ids = (0..).map(|attempt| self.0.derive().unique_id(&email, attempt));
        let unique_id = ids.find(|id| !state.by_id.contains_key(id)).unwrap_or_default();
        let account = ServiceAccount {
            email,
            unique_id,
            project_id,
            project_number,
            display_name: new.display_name,
            description: new.description,
            disabled: false,
            deleted: None,
            etag: String::new(),
        };
        Ok(self.store(&mut state, account))
    }

    /// One that is there, by e-mail address or unique id.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<ServiceAccount>> {
        let state = read(&self.0.inner().accounts);
        let account = find(&state, name)?;
        account.deleted.is_none().then(|| Arc::clone(account))
    }

    /// One by its unique id, deleted or not.
    #[must_use]
    pub fn get_by_id(&self, unique_id: &str) -> Option<Arc<ServiceAccount>> {
        read(&self.0.inner().accounts).by_id.get(unique_id).cloned()
    }

    /// Those of a project, by id or number, in the order of their addresses.
    #[must_use]
    pub fn list(&self, project: &str) -> Vec<Arc<ServiceAccount>> {
        let state = read(&self.0.inner().accounts);
        let ids = state.by_email.values();
        let accounts = ids.filter_map(|id| state.by_id.get(id));
        accounts.filter(|account| account.project_id == project || account.project_number == project).cloned().collect()
    }

    /// Changes display name and description; what is `None` stays. With an etag only if it is the present one.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Unknown`], [`AccountFault::Stale`].
    pub fn update(
        &self,
        name: &str,
        display_name: Option<String>,
        description: Option<String>,
        etag: &str,
    ) -> Result<Arc<ServiceAccount>, AccountFault> {
        self.change(name, |account| {
            if !etag.is_empty() && etag != account.etag {
                return Err(AccountFault::Stale(account.email.clone()));
            }
            account.display_name = display_name.unwrap_or_else(|| account.display_name.clone());
            account.description = description.unwrap_or_else(|| account.description.clone());
            Ok(())
        })
    }

    /// Disables or enables one; that it already is so is fine.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Unknown`].
    pub fn set_disabled(&self, name: &str, disabled: bool) -> Result<Arc<ServiceAccount>, AccountFault> {
        self.change(name, |account| {
            account.disabled = disabled;
            Ok(())
        })
    }

    /// Deletes one. Bindings that name it become `deleted:…`; a new account of the same address has no part in them.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Unknown`].
    pub fn delete(&self, name: &str) -> Result<Arc<ServiceAccount>, AccountFault> {
        let now = self.0.now();
        let account = self.change(name, |account| {
            account.deleted = Some(now);
            Ok(())
        })?;
        write(&self.0.inner().accounts).by_email.remove(&account.email);
        self.0.policies().account_deleted(&account);
        Ok(account)
    }

    /// Brings back a deleted one, by its unique id; its bindings too.
    ///
    /// # Errors
    ///
    /// [`AccountFault::NotDeleted`] if there is no such, or it was too long ago; [`AccountFault::Exists`] if its
    /// address was given again.
    pub fn undelete(&self, unique_id: &str) -> Result<Arc<ServiceAccount>, AccountFault> {
        let account = {
            let mut state = write(&self.0.inner().accounts);
            let not_deleted = || AccountFault::NotDeleted(unique_id.to_owned());
            let account = state.by_id.get(unique_id).ok_or_else(not_deleted)?;
            let deleted = account.deleted.ok_or_else(not_deleted)?;
            if self.0.now().duration_since(deleted) > seconds(UNDELETE_SECONDS) {
                return Err(not_deleted());
            }
            if state.by_email.contains_key(&account.email) {
                return Err(AccountFault::Exists(account.email.clone()));
            }
            let account = ServiceAccount { deleted: None, ..(**account).clone() };
            self.store(&mut state, account)
        };
        self.0.policies().account_undeleted(&account);
        Ok(account)
    }

    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut ServiceAccount) -> Result<(), AccountFault>,
    ) -> Result<Arc<ServiceAccount>, AccountFault> {
        let mut state = write(&self.0.inner().accounts);
        let account = find(&state, name).filter(|account| account.deleted.is_none());
        let mut account = (**account.ok_or_else(|| AccountFault::Unknown(name.to_owned()))?).clone();
        change(&mut account)?;
        Ok(self.store(&mut state, account))
    }

    fn store(&self, state: &mut State, mut account: ServiceAccount) -> Arc<ServiceAccount> {
        state.changes += 1;
        account.etag = self.0.derive().etag(&account.unique_id, state.changes);
        let account = Arc::new(account);
        if account.deleted.is_none() {
            state.by_email.insert(account.email.clone(), account.unique_id.clone());
        }
        state.by_id.insert(account.unique_id.clone(), Arc::clone(&account));
        account
    }

    /// The project that an address belongs to.
    fn project_of(&self, email: &str) -> (String, String) {
        let project = self.0.project();
        if let Some(googles) = Agent::project_of(email) {
            return (googles.to_owned(), self.0.derive().project_number(googles));
        }
        let own = [project.appspot_email(), project.compute_email()];
        let id = email.split_once('@').and_then(|(_, domain)| domain.strip_suffix(".iam.gserviceaccount.com"));
        match id {
            Some(id) if !own.iter().any(|own| own == email) => {
                let project = self.0.add_project(id);
                (project.id, project.number)
            }
            _ => (project.id.clone(), project.number.clone()),
        }
    }
}

impl ServiceAccount {
    /// Whom its tokens stand for.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::ServiceAccount {
            email: self.email.clone(),
            unique_id: self.unique_id.clone(),
            project_number: self.project_number.clone(),
        }
    }

    /// The resource name, `projects/P/serviceAccounts/EMAIL`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("projects/{}/serviceAccounts/{}", self.project_id, self.email)
    }

    /// The full resource name.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("//iam.googleapis.com/{}", self.name())
    }
}

pub(super) fn find<'a>(state: &'a State, name: &str) -> Option<&'a Arc<ServiceAccount>> {
    let id = state.by_email.get(name).or_else(|| state.by_email.get(&name.to_ascii_lowercase()));
    state.by_id.get(id.map_or(name, String::as_str))
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::Clock;

    use super::*;
    use crate::cloud::tests::{cloud, cloud_and_clock};

    fn new() -> NewAccount {
        NewAccount { account: "caller".into(), display_name: "Caller".into(), ..NewAccount::default() }
    }

    #[test]
    fn an_account_is_found_by_address_in_any_case_and_by_unique_id() {
        let cloud = cloud();
        let account = cloud.accounts().create(new()).unwrap();
        assert_eq!(account.email, "caller@shop-test.iam.gserviceaccount.com");
        for name in [&*account.email, "Caller@shop-test.iam.gserviceaccount.com", &account.unique_id] {
            assert_eq!(cloud.accounts().get(name).as_ref(), Some(&account), "{name}");
        }
        assert_eq!(cloud.accounts().create(new()).unwrap_err(), AccountFault::Exists(account.email.clone()));
        assert_eq!(cloud.accounts().get(""), None);
    }

    #[test]
    fn an_address_given_again_has_another_unique_id() {
        let cloud = cloud();
        let first = cloud.accounts().create(new()).unwrap();
        cloud.accounts().delete(&first.email).unwrap();
        assert_eq!(cloud.accounts().get(&first.email), None);
        let second = cloud.accounts().create(new()).unwrap();
        assert_ne!(first.unique_id, second.unique_id);
        let again = cloud.accounts().undelete(&first.unique_id);
        assert_eq!(again, Err(AccountFault::Exists(first.email.clone())));
    }

    #[test]
    fn a_deleted_account_comes_back_within_30_days() {
        let (cloud, clock) = cloud_and_clock();
        let account = cloud.accounts().create(new()).unwrap();
        let not_deleted = AccountFault::NotDeleted(account.unique_id.clone());
        assert_eq!(cloud.accounts().undelete(&account.unique_id), Err(not_deleted.clone()));
        cloud.accounts().delete(&account.email).unwrap();
        clock.advance_to(cloud.now() + seconds(UNDELETE_SECONDS)).unwrap();
        assert_eq!(cloud.accounts().undelete(&account.unique_id).unwrap().email, account.email);
        cloud.accounts().delete(&account.email).unwrap();
        clock.advance_to(cloud.now() + seconds(UNDELETE_SECONDS + 1)).unwrap();
        assert_eq!(cloud.accounts().undelete(&account.unique_id), Err(not_deleted));
    }

    #[test]
    fn a_change_needs_the_present_etag_if_it_names_one() {
        let cloud = cloud();
        let account = cloud.accounts().create(new()).unwrap();
        let update = |etag: &str| cloud.accounts().update(&account.email, Some("New".into()), None, etag);
        let changed = update(&account.etag).unwrap();
        assert_eq!((&*changed.display_name, &changed.description), ("New", &account.description));
        assert_eq!(update(&account.etag), Err(AccountFault::Stale(account.email.clone())));
        assert!(update("").is_ok());
    }
}
