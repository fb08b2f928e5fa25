//! Signatures that were found good.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// How many are remembered. Whoever calls with one token again and again has few of them.
const MOST: usize = 64;

/// The last good signatures of one key, by the digest of message and signature. A key never changes, and so neither does
/// what it has signed: to look here instead of verifying again can only be quicker. What was not good is forgotten, so
/// that wrong tokens push nothing out.
#[derive(Debug, Default)]
pub(crate) struct Verified(Mutex<VecDeque<[u8; SHA256_OUTPUT_LEN]>>);

impl Verified {
    /// Whether the signature is good: remembered, or so says `verify`.
    pub(crate) fn or(&self, message: &[u8], signature: &[u8], verify: impl FnOnce() -> bool) -> bool {
        let Some(digest) = digest(message, signature) else { return verify() };
        let last = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest first: that is the one which comes again.
        if last().iter().rev().any(|known| *known == digest) {
            return true;
        }
        let good = verify();
        if good {
            let mut last = last();
            if last.len() >= MOST {
                last.pop_front();
            }
            last.push_back(digest);
        }
        good
    }
}

fn digest(message: &[u8], signature: &[u8]) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    let mut context = Context::new(&SHA256);
    // The length keeps ("ab", "c") and ("a", "bc") apart.
    context.update(&(message.len() as u64).to_be_bytes());
    context.update(message);
    context.update(signature);
    context.finish().as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_was_good_is_not_verified_again_and_what_was_not_is() {
        let (verified, asked) = (Verified::default(), Cell::new(0));
        let ask = |message: &[u8], signature: &[u8], good: bool| {
            verified.or(message, signature, || {
                asked.set(asked.get() + 1);
                good
            })
        };
        assert!(!ask(b"ab", b"c", false));
        assert!(ask(b"ab", b"c", true));
        assert!(ask(b"ab", b"c", false), "remembered");
        assert_eq!(asked.get(), 2);
        assert!(!ask(b"a", b"bc", false), "the same bytes, cut at another place");
        assert!(!ask(b"ab", b"d", false));
        assert_eq!(asked.get(), 4);
    }

    #[test]
    fn only_the_last_are_remembered() {
        let verified = Verified::default();
        for number in 0..=MOST {
            assert!(verified.or(&number.to_be_bytes(), b"s", || true));
        }
        assert!(!verified.or(&0usize.to_be_bytes(), b"s", || false));
        assert!(verified.or(&1usize.to_be_bytes(), b"s", || false));
    }
}
