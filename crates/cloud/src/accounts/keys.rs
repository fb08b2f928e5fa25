//! Keys of service accounts: the one that Google keeps, and those that users hold.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokenrig_clock::Timestamp;
use tokenrig_jose::{Algorithm, PublicKey, SigningKey, key_id, pool::Holder, x509};

use super::store::{AccountFault, Accounts, ServiceAccount, find};
use crate::{
    mint::whole,
    names::certificate_times,
    sync::{read, write},
};

/// An account holds at most so many keys of its users.
const MAX_KEYS: usize = 10;

/// Who made a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// Google, for a user who got the private half once.
    GoogleProvided,
    /// A user, who uploaded the public half.
    UserProvided,
}

/// A user-managed key of an account: the public half.
#[derive(Debug, Clone)]
pub struct AccountKey {
    /// 40 hex digits.
    pub id: String,
    /// Who made it.
    pub origin: KeyOrigin,
    /// The public half.
    pub public: PublicKey,
    /// An X.509 certificate of it (PEM).
    pub certificate: String,
    /// From when it is good.
    pub valid_after: Timestamp,
    /// Until when it is good; none is for ever, which Google writes `9999-12-31T23:59:59Z`.
    pub valid_before: Option<Timestamp>,
    /// A disabled key verifies nothing.
    pub disabled: bool,
}

/// A new key with its private half, which is given once.
pub struct CreatedKey {
    /// The key.
    pub key: Arc<AccountKey>,
    /// Its private half. The cloud keeps none.
    pub private: SigningKey,
}

impl CreatedKey {
    /// The credential file of a new key of `account`, field by field as Google writes it. It holds the private half.
    #[must_use]
    pub fn credential_file(&self, account: &ServiceAccount) -> String {
        let email = account.email.replace('@', "%40");
        let file = json!({
            "type": "service_account",
            "project_id": account.project_id,
            "private_key_id": self.key.id,
            "private_key": self.private.pkcs8_pem(),
            "client_email": account.email,
            "client_id": account.unique_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!("https://www.googleapis.com/robot/v1/metadata/x509/{email}"),
            "universe_domain": "googleapis.com",
        });
        format!("{file:#}\n")
    }
}

impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("key", &self.key.id).finish_non_exhaustive()
    }
}

/// A public half to be added.
#[derive(Debug, Clone)]
pub struct UploadedKey {
    /// The id, 40 hex digits; by default it follows from the key.
    pub id: Option<String>,
    /// The public half.
    pub public: PublicKey,
    /// The certificate that was uploaded (PEM).
    pub certificate: String,
    /// Until when the certificate is good; for ever without one.
    pub valid_before: Option<Timestamp>,
}

/// The key that Google keeps for an account: what signBlob and signJwt sign with.
#[derive(Debug)]
pub struct SystemKey {
    id: String,
    key: SigningKey,
    common_name: String,
    certificate: OnceLock<String>,
}

impl SystemKey {
    /// 40 hex digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// An X.509 certificate of it (PEM), as it is published.
    #[must_use]
    pub fn certificate(&self) -> &str {
        self.certificate.get_or_init(|| certificate(&self.key, &self.common_name))
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.key
    }
}

/// The keys that Google keeps for one account: the one that signs, and the one that did before it.
#[derive(Debug)]
pub(super) struct SystemKeys {
    signs: Arc<SystemKey>,
    /// Published for as long as nobody rotates again.
    before: Option<Arc<SystemKey>>,
}

impl SystemKeys {
    fn all(&self) -> impl Iterator<Item = &Arc<SystemKey>> {
        std::iter::once(&self.signs).chain(&self.before)
    }
}

/// Gives keys out, none twice: from the pool first, then new ones. Two accounts never have the same key, or each could
/// sign for the other.
#[derive(Debug, Default)]
pub(crate) struct KeyRing(AtomicUsize);

impl KeyRing {
    pub(crate) fn take(&self) -> SigningKey {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let prepared = Holder::Accounts.key(Algorithm::Rs256, n).cloned();
        prepared.unwrap_or_else(|| SigningKey::generate(Algorithm::Rs256))
    }
}

impl Accounts<'_> {
    /// The user-managed keys of an account, disabled ones too, in the order in which they came.
    #[must_use]
    pub fn keys(&self, account: &ServiceAccount) -> Vec<Arc<AccountKey>> {
        read(&self.0.inner().accounts).keys.get(&account.unique_id).cloned().unwrap_or_default()
    }

    /// Makes a key and gives its private half.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Unknown`], [`AccountFault::TooManyKeys`].
    pub fn create_key(&self, account: &ServiceAccount) -> Result<CreatedKey, AccountFault> {
        if self.keys(account).len() >= MAX_KEYS {
            return Err(AccountFault::TooManyKeys(account.email.clone()));
        }
        let private = self.0.inner().key_ring.take();
        let public = private.public();
        let key = AccountKey {
            id: self.key_id(account, &public, "user"),
            origin: KeyOrigin::GoogleProvided,
            certificate: certificate(&private, &common_name(account)),
            public,
            valid_after: whole(self.0.now()),
            valid_before: None,
            disabled: false,
        };
        Ok(CreatedKey { key: self.add_key(account, key)?, private })
    }

    /// Adds the public half of a key that a user made.
    ///
    /// # Errors
    ///
    /// [`AccountFault::Unknown`], [`AccountFault::TooManyKeys`], [`AccountFault::KeyExists`].
    pub fn upload_key(&self, account: &ServiceAccount, new: UploadedKey) -> Result<Arc<AccountKey>, AccountFault> {
        let key = AccountKey {
            id: new.id.unwrap_or_else(|| self.key_id(account, &new.public, "user")),
            origin: KeyOrigin::UserProvided,
            public: new.public,
            certificate: new.certificate,
            valid_after: whole(self.0.now()),
            valid_before: new.valid_before,
            disabled: false,
        };
        self.add_key(account, key)
    }

    /// A user-managed key by its id.
    #[must_use]
    pub fn key(&self, account: &ServiceAccount, id: &str) -> Option<Arc<AccountKey>> {
        self.keys(account).into_iter().find(|key| key.id == id)
    }

    /// Deletes a user-managed key.
    ///
    /// # Errors
    ///
    /// [`AccountFault::UnknownKey`], [`AccountFault::SystemKey`].
    pub fn delete_key(&self, account: &ServiceAccount, id: &str) -> Result<(), AccountFault> {
        self.change_key(account, id, |_| None)
    }

    /// Disables or enables a user-managed key.
    ///
    /// # Errors
    ///
    /// [`AccountFault::UnknownKey`], [`AccountFault::SystemKey`].
    pub fn set_key_disabled(&self, account: &ServiceAccount, id: &str, disabled: bool) -> Result<(), AccountFault> {
        self.change_key(account, id, |key| Some(AccountKey { disabled, ..key.clone() }))
    }

    /// What is published of an account's keys, by id: public half and certificate (PEM). Google's own for it first, the
    /// one that signs before the one that did, then its users', without those that are disabled.
    #[must_use]
    pub fn published_keys(&self, account: &ServiceAccount) -> Vec<(String, PublicKey, String)> {
        let _ = self.system_key(account);
        let system = self.known_system_keys(account).into_iter();
        let system = system.map(|key| (key.id.clone(), key.public(), key.certificate().to_owned()));
        let own = self.keys(account).into_iter().filter(|key| !key.disabled);
        let own = own.map(|key| (key.id.clone(), key.public.clone(), key.certificate.clone()));
        system.chain(own).collect()
    }

    /// The key that Google keeps for the account; made when it is first asked for.
    #[must_use]
    pub fn system_key(&self, account: &ServiceAccount) -> Arc<SystemKey> {
        if let Some(key) = self.known_system_keys(account).into_iter().next() {
            return key;
        }
        // Making a key takes long: not under the lock. Who comes second takes what the first one stored.
        let signs = self.new_system_key(account);
        let mut state = write(&self.0.inner().accounts);
        let keys = state.system_keys.entry(account.unique_id.clone());
        Arc::clone(&keys.or_insert_with(|| SystemKeys { signs, before: None }).signs)
    }

    /// Replaces the key that Google keeps for the account, as Google does every now and then. The one before stays
    /// published, and what it signed stays good, until the next rotation; how long Google does so is not known.
    pub fn rotate_system_key(&self, account: &ServiceAccount) -> Arc<SystemKey> {
        let before = self.system_key(account);
        let signs = self.new_system_key(account);
        let mut state = write(&self.0.inner().accounts);
        let keys = SystemKeys { signs: Arc::clone(&signs), before: Some(before) };
        state.system_keys.insert(account.unique_id.clone(), keys);
        signs
    }

    fn new_system_key(&self, account: &ServiceAccount) -> Arc<SystemKey> {
        let key = self.0.inner().key_ring.take();
        Arc::new(SystemKey {
            id: self.key_id(account, &key.public(), "system"),
            key,
            common_name: common_name(account),
            certificate: OnceLock::new(),
        })
    }

    /// The published keys that Google keeps for the account, the one that signs first; none if nobody has asked yet.
    pub(crate) fn known_system_keys(&self, account: &ServiceAccount) -> Vec<Arc<SystemKey>> {
        let state = read(&self.0.inner().accounts);
        state.system_keys.get(&account.unique_id).map(|keys| keys.all().cloned().collect()).unwrap_or_default()
    }

    fn key_id(&self, account: &ServiceAccount, public: &PublicKey, whose: &str) -> String {
        key_id(&self.0.settings().seed, public, &format!("{whose} {}", account.unique_id))
    }

    fn add_key(&self, account: &ServiceAccount, key: AccountKey) -> Result<Arc<AccountKey>, AccountFault> {
        let mut state = write(&self.0.inner().accounts);
        if find(&state, &account.unique_id).is_none_or(|account| account.deleted.is_some()) {
            return Err(AccountFault::Unknown(account.email.clone()));
        }
        let keys = state.keys.entry(account.unique_id.clone()).or_default();
        if keys.len() >= MAX_KEYS {
            return Err(AccountFault::TooManyKeys(account.email.clone()));
        }
        if keys.iter().any(|own| own.id == key.id) {
            return Err(AccountFault::KeyExists(key.id));
        }
        let key = Arc::new(key);
        keys.push(Arc::clone(&key));
        Ok(key)
    }

    fn change_key(
        &self,
        account: &ServiceAccount,
        id: &str,
        change: impl FnOnce(&AccountKey) -> Option<AccountKey>,
    ) -> Result<(), AccountFault> {
        let mut state = write(&self.0.inner().accounts);
        if state.system_keys.get(&account.unique_id).is_some_and(|keys| keys.all().any(|key| key.id == id)) {
            return Err(AccountFault::SystemKey(id.to_owned()));
        }
        let keys = state.keys.entry(account.unique_id.clone()).or_default();
        let at = keys.iter().position(|key| key.id == id).ok_or_else(|| AccountFault::UnknownKey(id.to_owned()))?;
        let old = keys.remove(at);
        if let Some(new) = change(&old) {
            keys.insert(at, Arc::new(new));
        }
        Ok(())
    }
}

fn common_name(account: &ServiceAccount) -> String {
    account.email.replace('@', ".")
}

fn certificate(key: &SigningKey, common_name: &str) -> String {
    let (from, to) = certificate_times();
    x509::self_signed_pem(key, common_name, from, to)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{NewAccount, cloud::tests::cloud};

    #[test]
    fn no_two_keys_that_the_cloud_gives_out_are_the_same() {
        let cloud = cloud();
        let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for key in cloud.mint().google_keys().published() {
            assert!(seen.insert(key.public().spki_der().to_vec()));
        }
        for n in 0..3 {
            let new = NewAccount { account: format!("account-{n}"), ..NewAccount::default() };
            let account = cloud.accounts().create(new).unwrap();
            for _ in 0..4 {
                cloud.accounts().create_key(&account).unwrap();
            }
            for (id, public, certificate) in cloud.accounts().published_keys(&account) {
                assert!(id.len() == 40 && ids.insert(id));
                assert!(seen.insert(public.spki_der().to_vec()));
                assert_eq!(x509::public_key_from_pem(&certificate).unwrap().spki_der(), public.spki_der());
            }
        }
    }

    #[test]
    fn an_account_has_at_most_ten_keys_of_its_users() {
        let cloud = cloud();
        let owner = cloud.owner();
        let upload = |n: usize| UploadedKey {
            id: Some(format!("{n:040x}")),
            public: tokenrig_jose::pool::rsa(15).public(),
            certificate: String::new(),
            valid_before: None,
        };
        for n in 0..10 {
            cloud.accounts().upload_key(&owner, upload(n)).unwrap();
        }
        let full = AccountFault::TooManyKeys(owner.email.clone());
        assert_eq!(cloud.accounts().upload_key(&owner, upload(10)).unwrap_err(), full);
        assert_eq!(cloud.accounts().create_key(&owner).unwrap_err(), full);
        cloud.accounts().delete_key(&owner, &upload(3).id.unwrap()).unwrap();
        let twice = cloud.accounts().upload_key(&owner, upload(4)).unwrap_err();
        assert_eq!(twice, AccountFault::KeyExists(upload(4).id.unwrap()));
        let system = cloud.accounts().system_key(&owner).id().to_owned();
        assert_eq!(cloud.accounts().delete_key(&owner, &system), Err(AccountFault::SystemKey(system)));
    }

    #[test]
    fn what_an_accounts_key_signed_outlives_one_rotation_and_not_two() {
        let cloud = cloud();
        let owner = cloud.owner();
        let (kid, _) = cloud.mint().sign_jwt_as(&owner, b"{}");
        let verifies = || !cloud.verifying_keys(&owner, Some(&kid)).is_empty();
        let published = || cloud.accounts().published_keys(&owner).into_iter().map(|(id, ..)| id).collect::<Vec<_>>();
        let next = cloud.accounts().rotate_system_key(&owner);
        assert_eq!(published(), [next.id().to_owned(), kid.clone()]);
        assert_eq!(cloud.mint().sign_as(&owner, b"bytes").key_id, next.id());
        assert!(verifies());
        assert_eq!(cloud.accounts().delete_key(&owner, &kid), Err(AccountFault::SystemKey(kid.clone())));
        cloud.accounts().rotate_system_key(&owner);
        assert_eq!((published().len(), verifies()), (2, false));
    }
}
