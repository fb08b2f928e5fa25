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
    signing: OnceLock<SigningKey>,
    kid: OnceLock<String>,
}

impl Key {
    pub(crate) fn signing(&self) -> &SigningKey {
        let prepared = || Holder::Issuers.key(self.algorithm, self.number).cloned();
        self.signing.get_or_init(|| prepared().unwrap_or_else(|| SigningKey::generate(self.algorithm)))
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
    count: usize,
    present: Generation,
    /// With the instant up to which each is still published; oldest first.
    replaced: Vec<(Timestamp, Generation)>,
}

impl Keyring {
    /// The keys of an issuer. No other generation of the rig has this number: two issuers with one key could each sign
    /// for the other.
    pub(crate) fn new(issuer: &str, number: usize) -> Self {
        Self { issuer: issuer.to_owned(), count: 0, present: generation(issuer, 0, number), replaced: Vec::new() }
    }

    /// Replaces the present keys by those with this number. The old ones stay published for a while.
    pub(crate) fn replace(&mut self, number: usize, now: Timestamp, keep: SignedDuration) {
        self.replaced.retain(|(until, _)| now < *until);
        if self.replaced.len() >= MAX_REPLACED {
            self.replaced.remove(0);
        }
        self.count += 1;
        let next = generation(&self.issuer, self.count, number);
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

fn generation(issuer: &str, count: usize, number: usize) -> Generation {
    let key = |algorithm| {
        let salt = format!("issuer {issuer} {count}");
        (algorithm, Arc::new(Key { algorithm, number, salt, signing: OnceLock::new(), kid: OnceLock::new() }))
    };
    [Algorithm::Rs256, Algorithm::Es256].into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        keyring.replace(1, now(), minutes(60));
        let new = kids(&keyring, now());
        assert_eq!(new.len(), 4);
        assert_eq!(new[2..], old);
        assert!(!old.contains(&keyring.present(Algorithm::Rs256).unwrap().kid("seed").to_owned()));
        assert_eq!(kids(&keyring, now() + minutes(60) - seconds(1)).len(), 4);
        assert_eq!(kids(&keyring, now() + minutes(60)), new[..2]);
    }

    #[test]
    fn key_ids_differ_by_seed_and_issuer() {
        let kid =
            |seed: &str, issuer: &str| Keyring::new(issuer, 0).present(Algorithm::Rs256).unwrap().kid(seed).to_owned();
        assert_eq!(kid("a", "corp"), kid("a", "corp"));
        assert_ne!(kid("a", "corp"), kid("b", "corp"));
        assert_ne!(kid("a", "corp"), kid("a", "shop"));
    }

    #[test]
    fn no_two_generations_share_a_key_even_when_the_prepared_ones_are_used_up() {
        let publics: BTreeSet<Vec<u8>> = (0..12)
            .map(|number| Keyring::new("corp", number))
            .map(|keyring| keyring.present(Algorithm::Es256).unwrap().signing().public().spki_der().to_vec())
            .collect();
        assert_eq!(publics.len(), 12);
    }

    #[test]
    fn however_often_keys_are_replaced_the_set_stays_small() {
        let mut keyring = Keyring::new("corp", 0);
        for number in 1..100 {
            keyring.replace(number, now(), minutes(60));
        }
        assert_eq!(keyring.published(now()).count(), 2 * (MAX_REPLACED + 1));
    }
}
