//! Tokens made to deceive, for those who want to see them refused. [`sign_raw`](crate::sign_raw) makes the rest.

mod draft;
mod flaw;
mod malleable;
mod wrong;

use aws_lc_rs::hmac;

pub use self::{
    flaw::{Duty, Flaw, Rule, UnknownFlaw},
    wrong::flawed,
};
use crate::{
    Map, base64url,
    sign::{bytes, signing_input},
};

/// A token with an empty signature, as `alg: none` has it (RFC 7515, appendix A.5). The header is taken as it is.
#[must_use]
pub fn unsigned(header: &Map, claims: &Map) -> String {
    let mut token = signing_input(&bytes(header), &bytes(claims));
    token.push('.');
    token
}

/// A token with an HMAC-SHA-256 over it, keyed with bytes that everybody knows, such as a public key: what a verifier
/// falls for that lets the token choose the algorithm (RFC 8725, section 2.1). The header is taken as it is.
#[must_use]
pub fn hs256(header: &Map, claims: &Map, secret: &[u8]) -> String {
    let mut token = signing_input(&bytes(header), &bytes(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), token.as_bytes());
    token.push('.');
    base64url::encode_onto(tag, &mut token);
    token
}
