//! Key pairs made beforehand, because an RSA key costs a tenth of a second. They are **public** (`fixtures/keys`): good
//! for a rig on loopback, for nothing else. Each is parsed when it is first asked for.

use std::sync::OnceLock;

use crate::{Algorithm, SigningKey};

/// How many RSA keys there are.
pub const RSA_KEYS: usize = 16;
/// How many EC keys there are.
pub const EC_KEYS: usize = 8;

macro_rules! documents {
    ($kind:literal: $($number:literal)+) => {
        [$(include_bytes!(concat!("../../../fixtures/keys/", $kind, "-", $number, ".der"))),+]
    };
}

static RSA_DOCUMENTS: [&[u8]; RSA_KEYS] = documents!("rsa":
    "00" "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11" "12" "13" "14" "15");
static EC_DOCUMENTS: [&[u8]; EC_KEYS] = documents!("ec": "00" "01" "02" "03" "04" "05" "06" "07");

static RSA: [OnceLock<SigningKey>; RSA_KEYS] = [const { OnceLock::new() }; RSA_KEYS];
static EC: [OnceLock<SigningKey>; EC_KEYS] = [const { OnceLock::new() }; EC_KEYS];

/// RSA key number `n`, counted around from the start after [`RSA_KEYS`].
#[must_use]
pub fn rsa(n: usize) -> &'static SigningKey {
    parsed(&RSA, &RSA_DOCUMENTS, n)
}

/// EC key number `n`, counted around from the start after [`EC_KEYS`].
#[must_use]
pub fn ec(n: usize) -> &'static SigningKey {
    parsed(&EC, &EC_DOCUMENTS, n)
}

/// Key number `n` of an algorithm.
#[must_use]
pub fn of(algorithm: Algorithm, n: usize) -> &'static SigningKey {
    match algorithm {
        Algorithm::Rs256 => rsa(n),
        Algorithm::Es256 => ec(n),
    }
}

/// A key of the same algorithm that is not `key` and that a rig publishes nowhere: the last of the pool, or the one
/// before it.
#[must_use]
pub fn foreign(key: &SigningKey) -> &'static SigningKey {
    let algorithm = key.algorithm();
    let last = of(algorithm, count(algorithm) - 1);
    if last.public() == key.public() { of(algorithm, count(algorithm) - 2) } else { last }
}

const fn count(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Rs256 => RSA_KEYS,
        Algorithm::Es256 => EC_KEYS,
    }
}

/// Who of a rig signs with which keys of the pool, so that nobody's signature is ever right for somebody else. The last
/// two keys belong to nobody ([`foreign`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Google, as issuer of ID tokens and assertions.
    Google,
    /// Service accounts.
    Accounts,
    /// The fake OpenID providers.
    Issuers,
}

impl Holder {
    /// This holder's key number `n` of an algorithm. Nothing beyond its share: what is needed more is
    /// [generated](SigningKey::generate).
    #[must_use]
    pub fn key(self, algorithm: Algorithm, n: usize) -> Option<&'static SigningKey> {
        let share = match (self, algorithm) {
            (Self::Google, Algorithm::Rs256) => 0..3,
            (Self::Accounts, Algorithm::Rs256) => 3..10,
            (Self::Issuers, Algorithm::Rs256) => 10..RSA_KEYS - 2,
            (Self::Google, Algorithm::Es256) => 0..1,
            (Self::Accounts, Algorithm::Es256) => 1..2,
            (Self::Issuers, Algorithm::Es256) => 2..EC_KEYS - 2,
        };
        share.into_iter().nth(n).map(|n| of(algorithm, n))
    }
}

fn parsed(keys: &'static [OnceLock<SigningKey>], documents: &[&[u8]], n: usize) -> &'static SigningKey {
    let n = n % keys.len();
    keys[n].get_or_init(|| SigningKey::from_pkcs8(documents[n]).expect("an embedded key is a good PKCS#8 document"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_embedded_key_is_good_and_there_is_none_twice() {
        let all = (0..RSA_KEYS).map(rsa).chain((0..EC_KEYS).map(ec));
        let distinct: BTreeSet<Vec<u8>> = all.map(|key| key.public().spki_der().to_vec()).collect();
        assert_eq!(distinct.len(), RSA_KEYS + EC_KEYS);
    }

    #[test]
    fn nobody_holds_a_key_of_somebody_else() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let held = |holder: Holder| -> BTreeSet<Vec<u8>> {
                (0..).map_while(|n| holder.key(algorithm, n)).map(|key| key.public().spki_der().to_vec()).collect()
            };
            let [google, accounts, issuers] = [Holder::Google, Holder::Accounts, Holder::Issuers].map(held);
            let nobody: BTreeSet<_> =
                (1..=2).map(|n| of(algorithm, count(algorithm) - n).public().spki_der().to_vec()).collect();
            let together = google.len() + accounts.len() + issuers.len() + nobody.len();
            let all: BTreeSet<_> = [google, accounts, issuers, nobody].into_iter().flatten().collect();
            assert_eq!((all.len(), together), (count(algorithm), count(algorithm)));
        }
    }

    #[test]
    fn numbers_beyond_the_pool_count_around() {
        assert_eq!(of(Algorithm::Rs256, RSA_KEYS + 3).public(), rsa(3).public());
        assert_eq!(of(Algorithm::Es256, EC_KEYS).public(), ec(0).public());
    }
}
