//! One key of a key set.

use serde::Serialize;
use serde_json::Value;

use crate::{Algorithm, Map, PublicKey, base64url, show::quoted};

/// The members of a JWK that are secret. A set that shows them has leaked; they are dropped when it is read.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A key of a set: its members as they were written, and either the key or the reason why it cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwk {
    members: Map,
    kid: Option<String>,
    key: Result<PublicKey, KeyFault>,
}

/// Why a JWK cannot verify RS256 or ES256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The entry is no object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// `kty` is absent or no string, or a needed member is.
    #[error("member `{0}` is missing or not a string")]
    Missing(&'static str),
    /// Neither `RSA` nor `EC`.
    #[error("its type is {}, neither RSA nor EC", quoted(.0))]
    KeyType(String),
    /// `crv` is not `P-256`.
    #[error("its curve is {}, not P-256", quoted(.0))]
    Curve(String),
    /// `use` is there and not `sig`.
    #[error("its use is {}, not sig", quoted(.0))]
    Use(String),
    /// `key_ops` is there and does not hold `verify`.
    #[error("its operations do not include `verify`")]
    Operations,
    /// `alg` is there and names another algorithm.
    #[error("it is meant for the algorithm {}", quoted(.0))]
    Algorithm(String),
    /// A member that holds a number is not base64url, has the wrong length or is no such number.
    #[error("`{0}` is malformed")]
    Malformed(&'static str),
    /// An RSA modulus of less than 2048 bits.
    #[error("its modulus has only {bits} bits")]
    TooSmall {
        /// The bits of the modulus.
        bits: usize,
    },
    /// An RSA modulus of more than 8192 bits.
    #[error("its modulus has {bits} bits")]
    TooLarge {
        /// The bits of the modulus.
        bits: usize,
    },
    /// An RSA exponent that is even, 1, or has more than 32 bits.
    #[error("its exponent is even, 1, or larger than 32 bits")]
    Exponent,
    /// x and y are no point of the curve.
    #[error("its coordinates are no point of the curve")]
    NotOnCurve,
}

impl Jwk {
    /// Reads an entry of a key set. One that cannot be used is kept, with the reason.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        let Value::Object(mut members) = value else {
            return Self { members: Map::new(), kid: None, key: Err(KeyFault::NotAnObject) };
        };
        members.retain(|name, _| !PRIVATE_MEMBERS.contains(&name.as_str()));
        let kid = members.get("kid").and_then(Value::as_str).map(str::to_owned);
        let key = match members.get("kid") {
            Some(kid) if !kid.is_string() => Err(KeyFault::Missing("kid")),
            _ => read(&members),
        };
        Self { members, kid, key }
    }

    pub(crate) fn with_key(members: Map, kid: &str, key: PublicKey) -> Self {
        Self { members, kid: Some(kid.to_owned()), key: Ok(key) }
    }

    /// Its id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The key, or why there is none.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be used.
    pub fn key(&self) -> Result<&PublicKey, &KeyFault> {
        self.key.as_ref()
    }

    /// Its members as they were written, without those that are secret.
    #[must_use]
    pub fn members(&self) -> &Map {
        &self.members
    }
}

impl Serialize for Jwk {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members.serialize(serializer)
    }
}

/// The key that the members of a JWK describe.
pub(crate) fn read(members: &Map) -> Result<PublicKey, KeyFault> {
    let optional = |name: &'static str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(KeyFault::Missing(name)),
    };
    let text = |name| optional(name)?.ok_or(KeyFault::Missing(name));
    let number = |name| base64url::decode(text(name)?).ok_or(KeyFault::Malformed(name));

    let algorithm = match text("kty")? {
        "RSA" => Algorithm::Rs256,
        "EC" => Algorithm::Es256,
        other => return Err(KeyFault::KeyType(other.to_owned())),
    };
    if let Some(purpose) = optional("use")?.filter(|purpose| *purpose != "sig") {
        return Err(KeyFault::Use(purpose.to_owned()));
    }
    if let Some(operations) = members.get("key_ops") {
        let verify = operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"));
        if !verify {
            return Err(KeyFault::Operations);
        }
    }
    if algorithm == Algorithm::Es256 && text("crv")? != "P-256" {
        return Err(KeyFault::Curve(text("crv")?.to_owned()));
    }
    if let Some(other) = optional("alg")?.filter(|name| *name != algorithm.name()) {
        return Err(KeyFault::Algorithm(other.to_owned()));
    }
    match algorithm {
        Algorithm::Rs256 => PublicKey::rsa(&number("n")?, &number("e")?),
        Algorithm::Es256 => {
            let (x, y) = (number("x")?, number("y")?);
            // RFC 7518, section 6.2.1.2: always the full length of the curve's field.
            if x.len() != 32 {
                return Err(KeyFault::Malformed("x"));
            }
            if y.len() != 32 {
                return Err(KeyFault::Malformed("y"));
            }
            PublicKey::p256(&[&[4], x.as_slice(), y.as_slice()].concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::pool;

    fn with(key: &PublicKey, name: &str, value: Value) -> Jwk {
        let mut members = key.to_jwk("k").members().clone();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
        Jwk::from_value(Value::Object(members))
    }

    #[rstest]
    #[case::no_type("kty", json!(null), KeyFault::Missing("kty"))]
    #[case::a_symmetric_key("kty", json!("oct"), KeyFault::KeyType("oct".into()))]
    #[case::an_edwards_key("kty", json!("OKP"), KeyFault::KeyType("OKP".into()))]
    #[case::for_encryption("use", json!("enc"), KeyFault::Use("enc".into()))]
    #[case::a_use_that_is_no_text("use", json!(["sig"]), KeyFault::Missing("use"))]
    #[case::for_signing_only("key_ops", json!(["sign"]), KeyFault::Operations)]
    #[case::operations_that_are_no_list("key_ops", json!("verify"), KeyFault::Operations)]
    #[case::for_another_algorithm("alg", json!("PS256"), KeyFault::Algorithm("PS256".into()))]
    #[case::no_modulus("n", json!(null), KeyFault::Missing("n"))]
    #[case::a_modulus_that_is_a_number("n", json!(17), KeyFault::Missing("n"))]
    #[case::a_padded_exponent("e", json!("AQAB="), KeyFault::Malformed("e"))]
    #[case::an_even_exponent("e", json!("AQAA"), KeyFault::Exponent)]
    #[case::a_key_id_that_is_a_number("kid", json!(1), KeyFault::Missing("kid"))]
    fn an_rsa_key_that_cannot_be_used_is_kept_with_the_reason(
        #[case] name: &str,
        #[case] value: Value,
        #[case] fault: KeyFault,
    ) {
        assert_eq!(with(&pool::rsa(0).public(), name, value).key(), Err(&fault));
    }

    #[rstest]
    #[case::another_curve("crv", json!("P-384"), KeyFault::Curve("P-384".into()))]
    #[case::no_curve("crv", json!(null), KeyFault::Missing("crv"))]
    #[case::a_short_coordinate("x", json!("AQAB"), KeyFault::Malformed("x"))]
    #[case::a_foreign_coordinate("y", json!(base64url::encode([7; 32])), KeyFault::NotOnCurve)]
    #[case::said_to_be_rsa("kty", json!("RSA"), KeyFault::Algorithm("ES256".into()))]
    fn an_ec_key_that_cannot_be_used_is_kept_with_the_reason(
        #[case] name: &str,
        #[case] value: Value,
        #[case] fault: KeyFault,
    ) {
        assert_eq!(with(&pool::ec(0).public(), name, value).key(), Err(&fault));
    }

    #[rstest]
    #[case::no_algorithm("alg", json!(null))]
    #[case::no_use("use", json!(null))]
    #[case::for_verifying("key_ops", json!(["verify"]))]
    #[case::with_a_certificate("x5c", json!(["garbage"]))]
    #[case::no_key_id("kid", json!(null))]
    fn what_a_verifier_does_not_need_may_be_missing_or_more(#[case] name: &str, #[case] value: Value) {
        assert_eq!(with(&pool::rsa(0).public(), name, value).key(), Ok(&pool::rsa(0).public()));
    }

    #[test]
    fn a_zero_before_the_modulus_is_forgiven() {
        let public = pool::rsa(0).public();
        let n = base64url::decode(public.to_jwk("k").members()["n"].as_str().unwrap()).unwrap();
        let jwk = with(&public, "n", json!(base64url::encode([vec![0], n].concat())));
        assert_eq!(jwk.key(), Ok(&public));
    }

    #[test]
    fn secret_members_are_not_kept() {
        let jwk = with(&pool::ec(0).public(), "d", json!("c2VjcmV0"));
        assert!(!format!("{jwk:?}").contains("c2VjcmV0"));
        assert!(jwk.key().is_ok());
    }
}
