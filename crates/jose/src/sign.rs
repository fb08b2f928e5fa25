//! Tokens that are what they say.

use serde_json::Value;

use crate::{Algorithm, Map, SigningKey, base64url};

/// The header that Google's signers use: `alg`, `kid`, `typ: JWT`, in this order.
#[must_use]
pub fn protected_header(algorithm: Algorithm, kid: &str) -> Map {
    let mut header = Map::new();
    header.insert("alg".to_owned(), Value::from(algorithm.name()));
    header.insert("kid".to_owned(), Value::from(kid));
    header.insert("typ".to_owned(), Value::from("JWT"));
    header
}

/// Signs claims as a compact token. The header is taken as it is: an `alg` that is not the key's makes a token that
/// nobody can verify.
#[must_use]
pub fn sign(header: &Map, claims: &Map, key: &SigningKey) -> String {
    sign_raw(&bytes(header), &bytes(claims), key)
}

/// Signs a header and a payload byte for byte, JSON or not.
#[must_use]
pub fn sign_raw(header: &[u8], payload: &[u8], key: &SigningKey) -> String {
    let mut token = signing_input(header, payload);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    base64url::encode_onto(signature, &mut token);
    token
}

pub(crate) fn signing_input(header: &[u8], payload: &[u8]) -> String {
    let mut text = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 700);
    base64url::encode_onto(header, &mut text);
    text.push('.');
    base64url::encode_onto(payload, &mut text);
    text
}

pub(crate) fn bytes(object: &Map) -> Vec<u8> {
    serde_json::to_vec(object).expect("a JSON object with text keys can always be written")
}
