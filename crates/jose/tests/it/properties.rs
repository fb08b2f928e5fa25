//! Nothing from outside makes a parser panic, and what was written is read back.

use proptest::prelude::*;
use serde_json::{Map, Value};
use tokenrig_jose::{
    JsonLimits, JwkSet, Jws, PublicKey, SigningKey, numeric_date, parse_object, peek, pool, protected_header, shorten,
    sign, sign_raw, x509,
};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(any::<String>(), json(), 0..6).prop_map(|members| members.into_iter().collect())
}

/// Three parts that are nearly right: JSON that is odd, base64url that is whole or cut.
fn nearly_a_token() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[A-Za-z0-9_=+/-]{0,24}",
        json().prop_map(|value| {
            let token = sign_raw(value.to_string().as_bytes(), b"", pool::ec(0));
            token.split('.').next().unwrap_or_default().to_owned()
        }),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.join("."))
}

/// A key set whose keys have members of the right names and any values.
fn nearly_a_key_set() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["kty", "crv", "alg", "use", "key_ops", "kid", "n", "e", "x", "y", "d", "x5c"]);
    let value = prop_oneof![
        json(),
        prop::sample::select(vec!["RSA", "EC", "oct", "P-256", "P-384", "RS256", "ES256", "sig", "AQAB", "AA"])
            .prop_map(Value::from),
        "[A-Za-z0-9_-]{40,50}".prop_map(Value::from),
    ];
    let key = prop::collection::btree_map(name.prop_map(str::to_owned), value, 0..8);
    prop::collection::vec(key, 0..4).prop_map(|keys| serde_json::json!({ "keys": keys }).to_string())
}

proptest! {
    #[test]
    fn any_text_is_opened_or_refused(text in any::<String>()) {
        let _ = (Jws::parse(&text), peek(&text), shorten(&text), x509::public_key_from_pem(&text));
    }

    #[test]
    fn any_text_that_looks_like_a_token_is_opened_or_refused_and_never_verifies(token in nearly_a_token()) {
        let _ = peek(&token);
        if let Ok(jws) = Jws::parse(&token) {
            prop_assert!(jws.verify(&pool::ec(0).public()).is_err());
            prop_assert!(jws.verify(&pool::rsa(0).public()).is_err());
            if let Ok(claims) = jws.claims() {
                let _ = numeric_date(claims, "exp");
            }
        }
    }

    #[test]
    fn any_bytes_are_a_key_set_or_refused(bytes in any::<Vec<u8>>(), set in nearly_a_key_set()) {
        let _ = JwkSet::parse(&bytes);
        let set = JwkSet::parse(set.as_bytes()).unwrap();
        for jwk in set.keys() {
            let _ = jwk.key();
        }
    }

    #[test]
    fn any_bytes_are_a_key_or_rejected(bytes in any::<Vec<u8>>()) {
        prop_assert!(PublicKey::from_spki_der(&bytes).is_err());
        prop_assert!(SigningKey::from_pkcs8(&bytes).is_err());
    }

    #[test]
    fn what_was_signed_is_read_back(claims in object()) {
        let key = pool::ec(0);
        let jws = Jws::parse(&sign(&protected_header(key.algorithm(), "k"), &claims, key)).unwrap();
        prop_assert_eq!(jws.claims().unwrap(), &claims);
        prop_assert_eq!(jws.verify(&key.public()), Ok(()));
    }

    #[test]
    fn a_token_with_one_letter_changed_never_verifies_as_before(at in 0usize..200, letter in "[A-Za-z0-9_-]") {
        let key = pool::rsa(0);
        let claims = serde_json::json!({ "sub": "alice" });
        let token = sign(&protected_header(key.algorithm(), "k"), claims.as_object().unwrap(), key);
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &letter);
        prop_assume!(changed != token);
        prop_assert!(Jws::parse(&changed).map_or(true, |jws| jws.verify(&key.public()).is_err()));
    }

    #[test]
    fn strict_json_reads_what_serde_reads_when_nothing_stands_twice(object in object()) {
        let text = serde_json::to_vec(&object).unwrap();
        prop_assert_eq!(parse_object(&text, JsonLimits::default()).unwrap(), object);
    }
}
