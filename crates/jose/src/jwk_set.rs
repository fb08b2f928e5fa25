//! Key sets.

use std::collections::HashMap;

use serde::{Serialize, ser::SerializeStruct};
use serde_json::Value;

use crate::{Algorithm, JsonFault, JsonLimits, Jwk, KeyFault, PublicKey, parse_object};

/// A JWK set (RFC 7517, section 5), in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    by_kid: HashMap<String, Vec<usize>>,
}

/// How large a key set may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwkLimits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Keys.
    pub keys: usize,
}

impl Default for JwkLimits {
    /// 1 MiB, 4096 keys. Google names no limit for keys that it fetches.
    fn default() -> Self {
        Self { bytes: 1024 * 1024, keys: 4096 }
    }
}

/// Why a text is no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkFault {
    /// No JSON object that can be taken.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// `keys` is absent.
    #[error("member `keys` is missing")]
    NoKeys,
    /// `keys` is no list.
    #[error("member `keys` is not a list")]
    KeysNotAList,
    /// More keys than allowed.
    #[error("the set has {count} keys, more than {limit}")]
    TooMany {
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
}

/// Why a set has no key for a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// No key has this id.
    #[error("no key has this id")]
    Unknown,
    /// The key with this id cannot be used.
    #[error("the key with this id cannot be used: {0}")]
    Unusable(KeyFault),
    /// The key with this id is for the other algorithm.
    #[error("the key with this id is for {0}")]
    OtherAlgorithm(Algorithm),
    /// Different keys have this id.
    #[error("different keys have this id")]
    Ambiguous,
}

impl JwkSet {
    /// Reads a key set within the default limits.
    ///
    /// # Errors
    ///
    /// [`JwkFault`] if it is none. A single key that cannot be used is no fault of the set: see [`Jwk::key`].
    pub fn parse(text: &[u8]) -> Result<Self, JwkFault> {
        Self::parse_within(text, JwkLimits::default())
    }

    /// Reads a key set.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_within(text: &[u8], limits: JwkLimits) -> Result<Self, JwkFault> {
        let mut set = parse_object(text, JsonLimits { bytes: limits.bytes, ..JsonLimits::default() })?;
        match set.remove("keys") {
            None => Err(JwkFault::NoKeys),
            Some(Value::Array(keys)) if keys.len() > limits.keys => {
                Err(JwkFault::TooMany { count: keys.len(), limit: limits.keys })
            }
            Some(Value::Array(keys)) => Ok(keys.into_iter().map(Jwk::from_value).collect()),
            Some(_) => Err(JwkFault::KeysNotAList),
        }
    }

    /// All keys, in order, those that cannot be used among them.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The first key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.with_kid(kid).next()
    }

    fn with_kid(&self, kid: &str) -> impl Iterator<Item = &Jwk> {
        self.by_kid.get(kid).into_iter().flatten().filter_map(|at| self.keys.get(*at))
    }

    /// The key that a token with this key id and algorithm is to be verified with. Keys of different types may share an
    /// id (RFC 7517, section 4.5); two of the same type must not.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] says why there is none.
    pub fn resolve(&self, kid: &str, algorithm: Algorithm) -> Result<&PublicKey, Unresolved> {
        let mut nearest = Unresolved::Unknown;
        let mut found: Option<&PublicKey> = None;
        for jwk in self.with_kid(kid) {
            match (jwk.key(), found) {
                (Ok(key), _) if key.algorithm() != algorithm => nearest = Unresolved::OtherAlgorithm(key.algorithm()),
                (Ok(key), None) => found = Some(key),
                (Ok(key), Some(first)) if key != first => return Err(Unresolved::Ambiguous),
                (Ok(_), Some(_)) => {}
                (Err(fault), _) => nearest = Unresolved::Unusable(fault.clone()),
            }
        }
        found.ok_or(nearest)
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        let mut set = Self::default();
        for jwk in keys {
            if let Some(kid) = jwk.kid() {
                set.by_kid.entry(kid.to_owned()).or_default().push(set.keys.len());
            }
            set.keys.push(jwk);
        }
        set
    }
}

impl Serialize for JwkSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut set = serializer.serialize_struct("JwkSet", 1)?;
        set.serialize_field("keys", &self.keys)?;
        set.end()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::pool;

    #[test]
    fn a_set_is_the_same_after_writing_and_reading() {
        let set: JwkSet = [pool::rsa(0).public().to_jwk("a"), pool::ec(0).public().to_jwk("b")].into_iter().collect();
        assert_eq!(JwkSet::parse(&serde_json::to_vec(&set).unwrap()).unwrap(), set);
    }

    #[rstest]
    #[case::no_keys("{}", JwkFault::NoKeys)]
    #[case::null(r#"{"keys":null}"#, JwkFault::KeysNotAList)]
    #[case::a_bare_list("[]", JwkFault::Json(JsonFault::NotAnObject))]
    #[case::keys_twice(r#"{"keys":[],"keys":[]}"#, JwkFault::Json(JsonFault::Duplicate("keys".into())))]
    fn what_is_no_key_set_is_refused(#[case] text: &str, #[case] fault: JwkFault) {
        assert_eq!(JwkSet::parse(text.as_bytes()), Err(fault));
    }

    #[test]
    fn a_key_set_is_bounded_in_size_and_count() {
        let set = json!({ "keys": [{}, {}, {}] }).to_string();
        let limits = JwkLimits { bytes: 64, keys: 2 };
        assert_eq!(JwkSet::parse_within(set.as_bytes(), limits), Err(JwkFault::TooMany { count: 3, limit: 2 }));
        let large = format!("{set}{}", " ".repeat(64));
        let too_large = JwkFault::Json(JsonFault::TooLarge { limit: 64 });
        assert_eq!(JwkSet::parse_within(large.as_bytes(), limits), Err(too_large));
    }

    #[test]
    fn one_bad_key_does_not_spoil_the_others() {
        let good = pool::ec(0).public().to_jwk("good");
        let set = json!({ "keys": [17, { "kty": "oct", "kid": "bad", "k": "AA" }, good] }).to_string();
        let set = JwkSet::parse(set.as_bytes()).unwrap();
        assert_eq!(set.keys().len(), 3);
        assert_eq!(set.keys()[0].key(), Err(&KeyFault::NotAnObject));
        let unusable = Unresolved::Unusable(KeyFault::KeyType("oct".into()));
        assert_eq!(set.resolve("bad", Algorithm::Es256), Err(unusable));
        assert_eq!(set.resolve("good", Algorithm::Es256), Ok(&pool::ec(0).public()));
        assert_eq!(set.resolve("good", Algorithm::Rs256), Err(Unresolved::OtherAlgorithm(Algorithm::Es256)));
        assert_eq!(set.resolve("other", Algorithm::Rs256), Err(Unresolved::Unknown));
    }

    #[test]
    fn keys_may_share_an_id_only_if_their_types_differ() {
        let jwks = |keys: &[&crate::SigningKey]| keys.iter().map(|key| key.public().to_jwk("k")).collect::<JwkSet>();
        let mixed = jwks(&[pool::rsa(0), pool::ec(0)]);
        assert_eq!(mixed.resolve("k", Algorithm::Es256), Ok(&pool::ec(0).public()));
        assert_eq!(mixed.resolve("k", Algorithm::Rs256), Ok(&pool::rsa(0).public()));
        let doubled = jwks(&[pool::ec(0), pool::ec(0)]);
        assert_eq!(doubled.resolve("k", Algorithm::Es256), Ok(&pool::ec(0).public()));
        let ambiguous = jwks(&[pool::ec(0), pool::ec(1)]);
        assert_eq!(ambiguous.resolve("k", Algorithm::Es256), Err(Unresolved::Ambiguous));
    }
}
