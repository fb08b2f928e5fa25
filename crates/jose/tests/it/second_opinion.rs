//! jsonwebtoken signs and verifies the same tokens.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, jwk};
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_jose::{Algorithm, JwkSet, Jws, SignatureFault, SigningKey, pool, protected_header, sign};

fn claims() -> Value {
    json!({ "iss": "https://corp.example", "sub": "alice", "aud": ["a", "b"], "exp": 4_102_444_800_i64, "nested": { "é": [1, 2.5, null] } })
}

fn their(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
    }
}

fn decoding_key(key: &SigningKey) -> DecodingKey {
    let set: JwkSet = [key.public().to_jwk("k")].into_iter().collect();
    let theirs: jwk::JwkSet = serde_json::from_value(serde_json::to_value(&set).unwrap()).unwrap();
    DecodingKey::from_jwk(theirs.find("k").unwrap()).unwrap()
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(their(algorithm));
    validation.set_audience(&["b"]);
    validation
}

#[rstest]
#[case(pool::rsa(4))]
#[case(pool::ec(4))]
fn another_implementation_verifies_what_we_sign(#[case] key: &SigningKey) {
    let token = sign(&protected_header(key.algorithm(), "k"), claims().as_object().unwrap(), key);
    let header = decode_header(&token).unwrap();
    assert_eq!((header.alg, header.kid.as_deref()), (their(key.algorithm()), Some("k")));
    let decoded = decode::<Value>(&token, &decoding_key(key), &validation(key.algorithm())).unwrap();
    assert_eq!(decoded.claims, claims());
}

#[rstest]
#[case(pool::rsa(4), pool::rsa(5))]
#[case(pool::ec(4), pool::ec(5))]
fn another_implementation_refuses_what_another_key_signed(#[case] key: &SigningKey, #[case] other: &SigningKey) {
    let token = sign(&protected_header(key.algorithm(), "k"), claims().as_object().unwrap(), key);
    assert!(decode::<Value>(&token, &decoding_key(other), &validation(key.algorithm())).is_err());
}

#[rstest]
#[case(pool::rsa(4), pool::rsa(5))]
#[case(pool::ec(4), pool::ec(5))]
fn we_verify_what_another_implementation_signs(#[case] key: &SigningKey, #[case] other: &SigningKey) {
    let pem = key.pkcs8_pem();
    let encoding = match key.algorithm() {
        Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::Es256 => EncodingKey::from_ec_pem(pem.as_bytes()),
    };
    let mut header = Header::new(their(key.algorithm()));
    header.kid = Some("k".to_owned());
    let token = encode(&header, &claims(), &encoding.unwrap()).unwrap();
    let jws = Jws::parse(&token).unwrap();
    assert_eq!(jws.kid(), Some("k"));
    assert_eq!(Value::Object(jws.claims().unwrap().clone()), claims());
    assert_eq!(jws.verify(&key.public()), Ok(()));
    assert_eq!(jws.verify(&other.public()), Err(SignatureFault::Mismatch));
}
