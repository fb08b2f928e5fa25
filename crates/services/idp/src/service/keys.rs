//! The keys of one issuer, and their replacement.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_jose::{Algorithm, Jwk, SigningKey, key_id, pool::Holder};

/// How many replaced generations are kept at most, however fast keys are replaced.
const MAX_REPLACED: usize = 16;

/// A key of an issuer. Its id, and the key itself, are made when they are first asked for.
#[derive(Debug)]
pub(crate) struct Key {
    algorithm: Algorithm,
    number: usize,
    salt: String,
    kid: OnceLock<String>,
}

impl Key {
    pub(crate) fn signing(&self) -> &'static SigningKey {
        Holder::Issuers.key(self.algorithm, self.number)
    }

    pub(crate) fn kid(&self, seed: &str) -> &str {
        self.kid.get_or_init(|| key_id(seed, &self.signing().public(), &self.salt))
    }

    pub(crate) fn jwk(&self, seed: &str) -> Jwk {
        self.signing().public().to_jwk(self.kid(seed))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// The keys that an issuer signs with at a time, one per algorithm.
type Generation = BTreeMap<Algorithm, Arc<Key>>;

/// All keys of an issuer: the present generation and those that were replaced not long ago.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    issuer: String,
    /// Where this issuer starts in the pool, so that neighbours have different keys.
    first: usize,
    count: usize,
    present: Generation,
    /// With the instant up to which each is still published; oldest first.
    replaced: Vec<(Timestamp, Generation)>,
}

impl Keyring {
    /// The keys of an issuer, the `first`th of its rig.
    pub(crate) fn new(issuer: &str, first: usize) -> Self {
        Self { issuer: issuer.to_owned(), first, count: 0, present: generation(issuer, first, 0), replaced: Vec::new() }
    }

    /// Replaces the present keys. They stay published for a while.
    pub(crate) fn replace(&mut self, now: Timestamp, keep: SignedDuration) {
        self.replaced.retain(|(until, _)| now < *until);
        if self.replaced.len() >= MAX_REPLACED {
            self.replaced.remove(0);
        }
        self.count += 1;
        let next = generation(&self.issuer, self.first, self.count);
        let until = now.saturating_add(keep).unwrap_or(now);
        self.replaced.push((until, std::mem::replace(&mut self.present, next)));
    }

    /// The key that signs now.
    pub(crate) fn present(&self, algorithm: Algorithm) -> Option<&Arc<Key>> {
        self.present.get(&algorithm)
    }

    /// All that are published at an instant, the present ones first.
    pub(crate) fn published(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Key>> {
        let replaced = self.replaced.iter().rev().filter(move |(until, _)| now < *until);
        self.present.values().chain(replaced.flat_map(|(_, generation)| generation.values()))
    }
}

fn generation(issuer: &str, first: usize, count: usize) -> Generation {
    let key = |algorithm| {
        let salt = format!("issuer {issuer} {count}");
        (algorithm, Arc::new(Key { algorithm, number: first.wrapping_add(count), salt, kid: OnceLock::new() }))
    };
    [Algorithm::Rs256, Algorithm::Es256].into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::{minutes, seconds};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    fn kids(keyring: &Keyring, now: Timestamp) -> Vec<String> {
        keyring.published(now).map(|key| key.kid("seed").to_owned()).collect()
    }

    #[test]
    fn a_replaced_key_stays_published_for_a_while_and_signs_no_more() {
        let mut keyring = Keyring::new("corp", 0);
        let old = kids(&keyring, now());
        keyring.replace(now(), minutes(60));
        let new = kids(&keyring, now());
        assert_eq!(new.len(), 4);
        assert_eq!(new[2..], old);
        assert!(!old.contains(&keyring.present(Algorithm::Rs256).unwrap().kid("seed").to_owned()));
        assert_eq!(kids(&keyring, now() + minutes(60) - seconds(1)).len(), 4);
        assert_eq!(kids(&keyring, now() + minutes(60)), new[..2]);
    }

    #[test]
    fn key_ids_differ_by_seed_issuer_and_generation() {
        let kid = |seed: &str, issuer: &str, first| {
            Keyring::new(issuer, first).present(Algorithm::Rs256).unwrap().kid(seed).to_owned()
        };
        assert_eq!(kid("a", "corp", 0), kid("a", "corp", 0));
        assert_ne!(kid("a", "corp", 0), kid("b", "corp", 0));
        assert_ne!(kid("a", "corp", 0), kid("a", "shop", 0));
    }

    #[test]
    fn however_often_keys_are_replaced_the_set_stays_small() {
        let mut keyring = Keyring::new("corp", 0);
        for _ in 0..100 {
            keyring.replace(now(), minutes(60));
        }
        assert_eq!(kids(&keyring, now()).len(), 2 * (MAX_REPLACED + 1));
    }
}
