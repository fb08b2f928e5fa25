//! Signing: claims as they were posted, and tokens for scenarios.

use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::Value;
use tokenrig_clock::minutes;
use tokenrig_decision::Check;
use tokenrig_jose::{
    Algorithm, Map,
    forge::{Flaw, flawed},
    protected_header, sign, sign_raw,
};

use super::{Issuers, keys::Key};
use crate::refusals;

/// The largest body that `/token` takes: 1 MiB.
pub(crate) const MAX_CLAIMS_BYTES: usize = 1024 * 1024;

/// A token to be made for a scenario or a test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MintOrder {
    /// The issuer's id.
    pub issuer: String,
    /// The claims. `iss`, `iat` (now) and `exp` (an hour later than `iat`) are filled in where they are absent.
    pub claims: Map,
    /// Members of the header that differ from the usual `alg`, `kid`, `typ`; null takes one away. The key does not
    /// follow an `alg` that is set here.
    pub header: Map,
    /// The key that signs.
    pub key: KeyChoice,
    /// What is wrong with it on purpose.
    pub flaw: Option<Flaw>,
    /// Nothing is filled in.
    pub exact: bool,
    /// The whole token, whatever it is; all else is without effect then.
    pub raw: Option<String>,
}

/// Which key signs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeyChoice {
    /// The issuer's present one of its usual algorithm.
    #[default]
    Present,
    /// The present one of an algorithm (`RS256`, `ES256`), or the published one with this key id.
    Named(String),
}

/// Why a token was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintFault {
    /// There is no issuer with this id.
    #[error("there is no issuer `{0}`")]
    UnknownIssuer(String),
    /// A real provider stands behind it, whose keys nobody else has.
    #[error("behind issuer `{0}` stands a real provider: ask that for a token, at the issuer's own paths")]
    Real(String),
    /// The issuer publishes no such key.
    #[error("issuer `{issuer}` has no key `{key}`: name RS256, ES256 or the id of a key that it publishes")]
    UnknownKey {
        /// The issuer's id.
        issuer: String,
        /// The key asked for.
        key: String,
    },
}

impl MintOrder {
    /// A good token of an issuer, with these claims.
    #[must_use]
    pub fn new(issuer: impl Into<String>, claims: Map) -> Self {
        Self { issuer: issuer.into(), claims, ..Self::default() }
    }
}

impl Issuers {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// [`MintFault`] if there is no such issuer or key, or if a real provider stands behind the issuer.
    pub fn mint(&self, order: MintOrder) -> Result<String, MintFault> {
        let MintOrder { issuer: id, mut claims, header: changes, key: choice, flaw, exact, raw } = order;
        if let Some(raw) = raw {
            return Ok(raw);
        }
        let now = self.now();
        let found = self.with(&id, |entry| {
            let key = match &choice {
                KeyChoice::Present => entry.key(entry.algorithm),
                KeyChoice::Named(name) => match name.parse() {
                    Ok(algorithm) => entry.key(algorithm),
                    Err(_) => entry.keyring.published(now).find(|key| key.kid(self.seed()) == name).cloned(),
                },
            };
            (entry.address.issuer.clone(), key, entry.is_real())
        });
        let (issuer, key, real) = found.ok_or_else(|| MintFault::UnknownIssuer(id.clone()))?;
        if real {
            return Err(MintFault::Real(id));
        }
        let key: Arc<Key> = key.ok_or_else(|| {
            let name = if let KeyChoice::Named(name) = &choice { name.clone() } else { String::new() };
            MintFault::UnknownKey { issuer: id, key: name }
        })?;

        if !exact {
            claims.entry("iss").or_insert_with(|| issuer.into());
            let issued = claims.entry("iat").or_insert_with(|| now.as_second().into()).as_i64();
            let expiry = issued.unwrap_or(now.as_second()).saturating_add(minutes(60).as_secs());
            claims.entry("exp").or_insert_with(|| expiry.into());
        }
        let mut header = protected_header(key.algorithm(), key.kid(self.seed()));
        for (name, value) in changes {
            if value == Value::Null {
                header.shift_remove(&name);
            } else {
                header.insert(name, value);
            }
        }
        Ok(match flaw {
            Some(flaw) => flawed(flaw, &header, &claims, key.signing(), now),
            None => sign(&header, &claims, key.signing()),
        })
    }

    /// Signs what was posted to an issuer, byte for byte; nothing if there is no such issuer.
    pub(crate) fn sign_posted(&self, id: &str, claims: &[u8], algorithm: Option<Algorithm>) -> Option<String> {
        let key = self.with(id, |entry| entry.key(algorithm.unwrap_or(entry.algorithm)))??;
        let header = protected_header(key.algorithm(), key.kid(self.seed()));
        let header = Value::Object(header).to_string();
        Some(sign_raw(header.as_bytes(), claims.trim_ascii(), key.signing()))
    }
}

/// Can this be signed as claims? Any JSON object will do: members that stand twice, too. It is for the reader of the
/// token to mind them, and here is where such tokens come from.
pub(crate) fn request(query: Option<&str>, body: Option<&[u8]>) -> Check {
    let check = Check::named("request").expected("a JSON object of at most 1 MiB, and `alg` RS256, ES256 or nothing");
    let Some(body) = body else {
        return check
            .found("a body that is larger or did not come whole")
            .holds(false)
            .or_refuse(&refusals::CLAIMS_TOO_LARGE, "idp-claims-too-large")
            .mend(|| "post at most 1 MiB of claims".to_owned());
    };
    if let Err(found) = algorithm(query) {
        return check
            .found(format!("alg={found}"))
            .holds(false)
            .or_refuse(&refusals::ALGORITHM_UNKNOWN, "idp-algorithm-unknown")
            .mend(|| "ask for `alg` RS256 or ES256, or leave it out".to_owned());
    }
    match object(body) {
        Ok(()) => check.found("a JSON object"),
        Err(fault) => check
            .found(fault)
            .holds(false)
            .or_refuse(&refusals::CLAIMS_NOT_AN_OBJECT, "idp-claims-not-an-object")
            .mend(|| "post the claims as one JSON object".to_owned()),
    }
}

/// The algorithm that a query asks for.
pub(crate) fn algorithm(query: Option<&str>) -> Result<Option<Algorithm>, String> {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("alg="));
    asked.map(|name| name.parse().map_err(|_| name.chars().take(40).collect())).transpose()
}

fn object(body: &[u8]) -> Result<(), String> {
    let text = str::from_utf8(body).map_err(|_| "bytes that are not UTF-8".to_owned())?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|fault| format!("no JSON: {fault}"))?;
    if text.trim_ascii_start().starts_with('{') { Ok(()) } else { Err("JSON that is not an object".to_owned()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::an_object(None, r#"{"sub":"alice"}"#, None)]
    #[case::with_white_space(None, " \n{ } \n", None)]
    #[case::with_a_member_twice(None, r#"{"aud":"a","aud":"b"}"#, None)]
    #[case::for_an_algorithm(Some("a=b&alg=ES256"), "{}", None)]
    #[case::for_another_algorithm(Some("alg=HS256"), "{}", Some("idp-algorithm-unknown"))]
    #[case::for_no_algorithm(Some("alg="), "{}", Some("idp-algorithm-unknown"))]
    #[case::nothing(None, "", Some("idp-claims-not-an-object"))]
    #[case::a_list(None, "[{}]", Some("idp-claims-not-an-object"))]
    #[case::a_form(None, "sub=alice", Some("idp-claims-not-an-object"))]
    #[case::two_objects(None, "{}{}", Some("idp-claims-not-an-object"))]
    #[case::half_an_object(None, r#"{"sub":"#, Some("idp-claims-not-an-object"))]
    fn any_json_object_can_be_signed_and_nothing_else(
        #[case] query: Option<&str>,
        #[case] body: &str,
        #[case] refused: Option<&str>,
    ) {
        let check = request(query, Some(body.as_bytes()));
        assert_eq!(check.refused().map(tokenrig_decision::Refused::id), refused);
        assert_eq!(check.ok(), refused.is_none());
    }

    #[test]
    fn bytes_that_are_no_text_and_deep_nesting_do_no_harm() {
        assert!(!request(None, Some(b"{\"a\":\"\xff\"}")).ok());
        assert!(!request(None, Some(&vec![b'['; MAX_CLAIMS_BYTES])).ok());
        assert!(request(None, Some(format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000)).as_bytes())).ok());
    }
}
