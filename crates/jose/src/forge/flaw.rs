//! The flaws that a scenario's `mint` can ask for by name.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::unsigned;
use crate::{Map, SigningKey, base64url, jws::MAX_TOKEN_BYTES, key_id, pool, sign};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Who nobody in a scenario is: the issuer and audience of tokens that are for or from somebody else.
const SOMEBODY_ELSE: &str = "https://somebody-else.example";

macro_rules! flaws {
    ($($(#[$doc:meta])+ $flaw:ident = $name:literal,)+) => {
        /// What is wrong with a token that is wrong on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flaw {
            $($(#[$doc])+ $flaw,)+
        }

        impl Flaw {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$flaw,)+];

            /// Its name in scenarios.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$flaw => $name,)+
                }
            }
        }
    };
}

flaws! {
    /// `alg: none` and an empty signature.
    AlgNone = "alg-none",
    /// Signed with a key that nobody publishes, under the key id of one that is published.
    WrongKey = "wrong-key",
    /// A key id that nobody publishes.
    UnknownKid = "unknown-kid",
    /// No key id.
    NoKid = "no-kid",
    /// Issued two hours ago, expired an hour ago.
    Expired = "expired",
    /// Issued, and valid, from an hour from now.
    NotYetValid = "not-yet-valid",
    /// No `exp`.
    NoExp = "no-exp",
    /// No `iat`.
    NoIat = "no-iat",
    /// Somebody else's `iss`.
    WrongIssuer = "wrong-issuer",
    /// Somebody else's `aud`.
    WrongAudience = "wrong-audience",
    /// No `sub`.
    NoSubject = "no-subject",
    /// The signature is over other claims.
    TamperedPayload = "tampered-payload",
    /// Cut off within the signature.
    Truncated = "truncated",
    /// Larger than any reader of the rig takes.
    Oversized = "oversized",
}

/// No flaw has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no flaw has this name")]
pub struct UnknownFlaw;

impl FromStr for Flaw {
    type Err = UnknownFlaw;

    fn from_str(name: &str) -> Result<Self, UnknownFlaw> {
        Self::ALL.iter().copied().find(|flaw| flaw.name() == name).ok_or(UnknownFlaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Signs claims as a token that has one flaw and is else as good as the header, claims and key that are given. What the
/// claims say about the flawed thing is overwritten. `now` is where the times of [`Flaw::Expired`] and
/// [`Flaw::NotYetValid`] are counted from.
#[must_use]
pub fn flawed(flaw: Flaw, header: &Map, claims: &Map, key: &SigningKey, now: Timestamp) -> String {
    let mut header = header.clone();
    let mut claims = claims.clone();
    let mut key = key;
    let at = |hours: i32| Value::from(now.saturating_add(HOUR * hours).unwrap_or(now).as_second());
    match flaw {
        Flaw::AlgNone => {
            put(&mut header, "alg", "none".into());
            return unsigned(&header, &claims);
        }
        Flaw::WrongKey => key = pool::foreign(key),
        Flaw::UnknownKid => put(&mut header, "kid", key_id("", &key.public(), "unknown").into()),
        Flaw::NoKid => drop(header.shift_remove("kid")),
        Flaw::Expired => {
            put(&mut claims, "iat", at(-2));
            put(&mut claims, "exp", at(-1));
        }
        Flaw::NotYetValid => {
            put(&mut claims, "iat", at(1));
            put(&mut claims, "nbf", at(1));
            put(&mut claims, "exp", at(2));
        }
        Flaw::NoExp => drop(claims.shift_remove("exp")),
        Flaw::NoIat => drop(claims.shift_remove("iat")),
        Flaw::WrongIssuer => put(&mut claims, "iss", SOMEBODY_ELSE.into()),
        Flaw::WrongAudience => put(&mut claims, "aud", SOMEBODY_ELSE.into()),
        Flaw::NoSubject => drop(claims.shift_remove("sub")),
        Flaw::Oversized => put(&mut claims, "padding", "x".repeat(MAX_TOKEN_BYTES).into()),
        Flaw::TamperedPayload | Flaw::Truncated => {}
    }
    let mut token = sign(&header, &claims, key);
    match flaw {
        // Both kinds of signature have a length of two beyond a multiple of four letters: what is left is base64url.
        Flaw::Truncated => token.truncate(token.len() - 18),
        Flaw::TamperedPayload => {
            put(&mut claims, "tampered", true.into());
            let mut parts = token.split('.');
            if let (Some(header), Some(_), Some(signature)) = (parts.next(), parts.next(), parts.next()) {
                token = format!("{header}.{}.{signature}", base64url::encode(crate::sign::bytes(&claims)));
            }
        }
        _ => {}
    }
    token
}

fn put(object: &mut Map, name: &str, value: Value) {
    object.insert(name.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{Jws, Malformed, SignatureFault, protected_header};

    fn now() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    fn claims() -> Map {
        let claims = json!({ "iss": "https://corp.example", "sub": "alice", "aud": "a", "iat": now().as_second(), "exp": now().as_second() + 3600 });
        claims.as_object().unwrap().clone()
    }

    fn minted(flaw: Flaw, key: &SigningKey) -> String {
        flawed(flaw, &protected_header(key.algorithm(), "k"), &claims(), key, now())
    }

    #[rstest]
    #[case(Flaw::NoExp, "exp", None)]
    #[case(Flaw::NoIat, "iat", None)]
    #[case(Flaw::NoSubject, "sub", None)]
    #[case(Flaw::WrongIssuer, "iss", Some(json!(SOMEBODY_ELSE)))]
    #[case(Flaw::WrongAudience, "aud", Some(json!(SOMEBODY_ELSE)))]
    #[case(Flaw::Expired, "exp", Some(json!(now().as_second() - 3600)))]
    #[case(Flaw::NotYetValid, "nbf", Some(json!(now().as_second() + 3600)))]
    fn a_flaw_of_the_claims_is_well_signed(#[case] flaw: Flaw, #[case] name: &str, #[case] value: Option<Value>) {
        let key = pool::ec(0);
        let jws = Jws::parse(&minted(flaw, key)).unwrap();
        assert_eq!(jws.claims().unwrap().get(name), value.as_ref());
        assert_eq!(jws.verify(&key.public()), Ok(()));
    }

    #[rstest]
    #[case(Flaw::NoKid, None)]
    #[case(Flaw::UnknownKid, Some(key_id("", &pool::ec(0).public(), "unknown")))]
    fn a_flaw_of_the_key_id_is_well_signed(#[case] flaw: Flaw, #[case] kid: Option<String>) {
        let jws = Jws::parse(&minted(flaw, pool::ec(0))).unwrap();
        assert_eq!(jws.kid(), kid.as_deref());
        assert_eq!(jws.verify(&pool::ec(0).public()), Ok(()));
    }

    #[rstest]
    #[case(Flaw::AlgNone, SignatureFault::Algorithm("none".into()))]
    #[case(Flaw::WrongKey, SignatureFault::Mismatch)]
    #[case(Flaw::TamperedPayload, SignatureFault::Mismatch)]
    #[case(Flaw::Truncated, SignatureFault::Length { expected: 64, found: 51 })]
    fn a_flaw_of_the_signature_is_found(#[case] flaw: Flaw, #[case] fault: SignatureFault) {
        let jws = Jws::parse(&minted(flaw, pool::ec(0))).unwrap();
        assert_eq!(jws.verify(&pool::ec(0).public()), Err(fault));
        assert_eq!(jws.kid(), Some("k"));
    }

    #[rstest]
    #[case(pool::rsa(pool::RSA_KEYS - 1))]
    #[case(pool::ec(pool::EC_KEYS - 1))]
    fn the_wrong_key_is_another_one_whichever_is_right(#[case] key: &SigningKey) {
        let jws = Jws::parse(&minted(Flaw::WrongKey, key)).unwrap();
        assert_eq!(jws.verify(&key.public()), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn an_oversized_token_is_larger_than_readers_take() {
        assert!(matches!(Jws::parse(&minted(Flaw::Oversized, pool::ec(0))), Err(Malformed::TooLarge { .. })));
    }

    #[test]
    fn every_flaw_has_a_name_of_its_own() {
        for flaw in Flaw::ALL {
            assert_eq!(flaw.name().parse(), Ok(*flaw));
        }
        assert_eq!("Expired".parse::<Flaw>(), Err(UnknownFlaw));
    }
}
