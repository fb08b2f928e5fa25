//! What a rig makes up, made from its seed.

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Makes values that look random and are the same in every rig of this seed.
#[derive(Clone)]
pub(crate) struct Derive {
    seed: String,
}

impl Derive {
    pub(crate) fn from_seed(seed: &str) -> Self {
        Self { seed: seed.to_owned() }
    }

    /// 32 bytes for a purpose; each part counts, and where it ends.
    pub(crate) fn bytes(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = Vec::with_capacity(parts.len() + 2);
        all.extend([self.seed.as_bytes(), purpose.as_bytes()]);
        all.extend(parts);
        sha256(&all)
    }

    fn number(&self, purpose: &str, parts: &[&[u8]]) -> u64 {
        let bytes = self.bytes(purpose, parts);
        bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A unique id of a service account: 21 digits, from 10^20 up, as Google gives them.
    pub(crate) fn unique_id(&self, email: &str, attempt: u64) -> String {
        let number = self.number("unique id", &[email.as_bytes(), &attempt.to_be_bytes()]);
        (100_000_000_000_000_000_000_u128 + u128::from(number)).to_string()
    }

    /// The number of a project that nobody gave a number: 12 digits.
    pub(crate) fn project_number(&self, id: &str) -> String {
        (100_000_000_000 + self.number("project number", &[id.as_bytes()]) % 900_000_000_000).to_string()
    }

    /// An etag: eight bytes in base64, as Google's policies have them.
    pub(crate) fn etag(&self, of: &str, version: u64) -> String {
        let bytes = self.bytes("etag", &[of.as_bytes(), &version.to_be_bytes()]);
        let mut etag = [7; 8];
        for (to, from) in etag.iter_mut().skip(1).zip(bytes) {
            *to = from;
        }
        STANDARD.encode(etag)
    }
}

/// SHA-256 over parts, each with its length before it.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The part of a hashed Cloud Run URL that stands for the project: ten characters of `a-z2-7`.
pub(crate) fn run_hash(project_number: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = sha256(&[b"run.app", project_number.as_bytes()]);
    digest
        .iter()
        .take(10)
        .filter_map(|byte| DIGITS.get(usize::from(byte & 31)))
        .map(|digit| char::from(*digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_have_21_digits_and_come_from_the_seed() {
        let derive = Derive::from_seed("a");
        let id = derive.unique_id("caller@shop-test.iam.gserviceaccount.com", 0);
        assert_eq!(id.len(), 21);
        assert!(id.starts_with('1') && id.bytes().all(|digit| digit.is_ascii_digit()));
        assert_eq!(id, Derive::from_seed("a").unique_id("caller@shop-test.iam.gserviceaccount.com", 0));
        assert_ne!(id, derive.unique_id("caller@shop-test.iam.gserviceaccount.com", 1));
        assert_ne!(id, Derive::from_seed("b").unique_id("caller@shop-test.iam.gserviceaccount.com", 0));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(sha256(&[b"ab", b"c"]), sha256(&[b"a", b"bc"]));
    }

    #[test]
    fn the_hash_of_a_url_has_ten_characters_of_its_alphabet() {
        let hash = run_hash("1071284184436");
        assert_eq!(hash.len(), 10);
        assert!(hash.bytes().all(|c| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c)), "{hash}");
        assert_ne!(hash, run_hash("1071284184437"));
    }
}
