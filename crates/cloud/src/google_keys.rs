//! The keys with which Google signs ID tokens.

use std::sync::{Arc, OnceLock, RwLock};

use tokenrig_jose::{PublicKey, SigningKey, key_id, pool, x509};

use crate::{
    names::certificate_times,
    sync::{read, write},
};

/// How many keys of the pool are Google's from the start. Service accounts take theirs from after them.
pub(crate) const GOOGLE_KEYS: usize = 2;

/// One of Google's keys.
#[derive(Debug)]
pub struct GoogleKey {
    kid: String,
    key: SigningKey,
    certificate: OnceLock<String>,
}

/// All published keys, and which of them signs.
#[derive(Debug, Clone)]
pub struct GoogleKeys {
    keys: Vec<Arc<GoogleKey>>,
    signs: Arc<GoogleKey>,
}

impl GoogleKey {
    fn new(seed: &str, key: SigningKey) -> Arc<Self> {
        Arc::new(Self { kid: key_id(seed, &key.public(), "google"), key, certificate: OnceLock::new() })
    }

    /// 40 hex digits.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// The private half: only the mint signs with it.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.key
    }

    /// An X.509 certificate of it (PEM), for the older form of publication.
    #[must_use]
    pub fn certificate(&self) -> &str {
        self.certificate.get_or_init(|| {
            let (from, to) = certificate_times();
            x509::self_signed_pem(&self.key, "federated-signon.system.gserviceaccount.com", from, to)
        })
    }
}

impl GoogleKeys {
    /// Those that are published, the signing one among them; the newest last.
    #[must_use]
    pub fn published(&self) -> &[Arc<GoogleKey>] {
        &self.keys
    }

    /// The one that signs now.
    #[must_use]
    pub fn signing(&self) -> &Arc<GoogleKey> {
        &self.signs
    }

    /// A published key by its id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Arc<GoogleKey>> {
        self.keys.iter().find(|key| key.kid == kid)
    }
}

/// Google's keys of one rig.
#[derive(Debug)]
pub(crate) struct KeyRoom(RwLock<Arc<GoogleKeys>>);

impl KeyRoom {
    pub(crate) fn new(seed: &str) -> Self {
        let keys: Vec<_> = (0..GOOGLE_KEYS).map(|n| GoogleKey::new(seed, pool::rsa(n).clone())).collect();
        // The pool is embedded: it has at least the keys that are asked for here.
        let signs = keys.first().cloned().unwrap_or_else(|| GoogleKey::new(seed, pool::rsa(0).clone()));
        Self(RwLock::new(Arc::new(GoogleKeys { keys, signs })))
    }

    pub(crate) fn now(&self) -> Arc<GoogleKeys> {
        Arc::clone(&read(&self.0))
    }

    /// Publishes a new key, signs with the one that was published next, and takes back the oldest beyond three.
    pub(crate) fn rotate(&self, seed: &str, fresh: SigningKey) -> Arc<GoogleKey> {
        let mut room = write(&self.0);
        let mut keys = room.keys.clone();
        let next = keys.iter().position(|key| Arc::ptr_eq(key, &room.signs)).map_or(0, |now| now + 1);
        keys.push(GoogleKey::new(seed, fresh));
        let signs = keys.get(next).or(keys.last()).cloned().unwrap_or_else(|| Arc::clone(&room.signs));
        if keys.len() > 3 {
            keys.remove(0);
        }
        *room = Arc::new(GoogleKeys { keys, signs: Arc::clone(&signs) });
        signs
    }
}
