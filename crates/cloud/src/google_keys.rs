//! The keys with which Google signs ID tokens.

use std::sync::{Arc, OnceLock, RwLock};

use tokenrig_jose::{JwkSet, Map, PublicKey, SigningKey, key_id, pool, x509};

use crate::{
    names::certificate_times,
    sync::{read, write},
};

/// How many of its share of the pool (`pool::Holder::Google`) Google has from the start.
const GOOGLE_KEYS: usize = 2;

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

    /// The published keys as a key set: `https://www.googleapis.com/oauth2/v3/certs`.
    #[must_use]
    pub fn jwk_set(&self) -> JwkSet {
        self.keys.iter().map(|key| key.public().to_jwk(&key.kid)).collect()
    }

    /// The published keys as certificates by key id: `https://www.googleapis.com/oauth2/v1/certs`.
    #[must_use]
    pub fn certificates(&self) -> Map {
        self.keys.iter().map(|key| (key.kid.clone(), key.certificate().into())).collect()
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

#[cfg(test)]
mod tests {
    use crate::{IdTokenOrder, cloud::tests::cloud};

    #[test]
    fn rotated_keys_overlap_so_that_a_token_outlives_the_key_that_signs() {
        let cloud = cloud();
        let before = cloud.mint().google_keys();
        let token = cloud.mint().id_token(&IdTokenOrder::generated(&cloud.owner(), "a", false));
        let next = before.published()[1].kid().to_owned();
        cloud.mint().rotate_google_keys();
        let after = cloud.mint().google_keys();
        assert_eq!(after.signing().kid(), next);
        assert!(after.find(before.signing().kid()).is_some());
        let token = tokenrig_jose::Jws::parse(&token).unwrap();
        token.verify(&after.find(token.kid().unwrap()).unwrap().public()).unwrap();
        cloud.mint().rotate_google_keys();
        assert!(cloud.mint().google_keys().find(before.signing().kid()).is_none());
        assert_eq!(cloud.mint().google_keys().published().len(), 3);
    }

    #[test]
    fn both_forms_of_publication_have_the_same_key_ids() {
        let keys = cloud().mint().google_keys();
        let set = keys.jwk_set();
        let kids: Vec<_> = set.keys().iter().filter_map(|key| key.kid()).collect();
        let certificates = keys.certificates();
        assert_eq!(kids, certificates.keys().collect::<Vec<_>>());
        for (kid, pem) in &certificates {
            let public = tokenrig_jose::x509::public_key_from_pem(pem.as_str().unwrap()).unwrap();
            assert_eq!(public.spki_der(), keys.find(kid).unwrap().public().spki_der());
        }
    }
}
