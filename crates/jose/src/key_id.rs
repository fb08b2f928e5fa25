//! Key ids.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

use crate::PublicKey;

/// The id of a key in one rig: 40 lower-case hex digits, as Google's are. It is the SHA-1 over the rig's seed, the salt
/// (who holds the key, in which generation) and the public key, so that the same key has another id in another rig.
#[must_use]
pub fn key_id(seed: &str, public: &PublicKey, salt: &str) -> String {
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in [seed.as_bytes(), salt.as_bytes(), public.spki_der()] {
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finish().as_ref().iter().fold(String::with_capacity(40), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool;

    #[test]
    fn a_key_id_depends_on_seed_salt_and_key_and_on_nothing_else() {
        let (one, other) = (pool::ec(0).public(), pool::ec(1).public());
        let id = key_id("ab", &one, "c");
        assert_eq!(id.len(), 40);
        assert!(id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
        assert_eq!(id, key_id("ab", &one, "c"));
        assert_ne!(id, key_id("a", &one, "bc"));
        assert_ne!(id, key_id("ab", &one, "d"));
        assert_ne!(id, key_id("ab", &other, "c"));
    }
}
