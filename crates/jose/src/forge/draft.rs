//! A good token on the way to a wrong one.

use serde_json::Value;

use super::{hs256, unsigned};
use crate::{Map, SigningKey, base64url, sign, sign::bytes, sign_raw};

/// What a good token would be made of.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) header: Map,
    pub(super) claims: Map,
    pub(super) key: &'a SigningKey,
}

impl<'a> Draft<'a> {
    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn without_claim(mut self, name: &str) -> Self {
        self.claims.shift_remove(name);
        self
    }

    pub(super) fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Unless whoever asked for the token has set it.
    pub(super) fn usual_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.entry(name).or_insert_with(|| value.into());
        self
    }

    pub(super) fn without_member(mut self, name: &str) -> Self {
        self.header.shift_remove(name);
        self
    }

    pub(super) fn key(self, key: &'a SigningKey) -> Self {
        Self { key, ..self }
    }

    /// A claim as text; of a list the first; nothing if there is none.
    pub(super) fn text(&self, name: &str) -> String {
        let value = self.claims.get(name);
        let first = value.and_then(Value::as_array).and_then(|list| list.first());
        first.or(value).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(super) fn signed(&self) -> String {
        sign(&self.header, &self.claims, self.key)
    }

    pub(super) fn unsigned(&self) -> String {
        unsigned(&self.header, &self.claims)
    }

    pub(super) fn hmac(&self, secret: &[u8]) -> String {
        hs256(&self.header, &self.claims, secret)
    }

    /// Signed with a payload that stands in place of the claims.
    pub(super) fn with_payload(&self, payload: &[u8]) -> String {
        sign_raw(&bytes(&self.header), payload, self.key)
    }

    /// Signed with a header that is written by hand.
    pub(super) fn with_header(&self, header: &[u8]) -> String {
        sign_raw(header, &bytes(&self.claims), self.key)
    }

    /// The three parts of the good token.
    pub(super) fn parts(&self) -> [String; 3] {
        let mut parts = self.signed();
        let signature = parts.split_off(parts.rfind('.').map_or(0, |dot| dot + 1));
        parts.pop();
        let payload = parts.split_off(parts.find('.').map_or(0, |dot| dot + 1));
        parts.pop();
        [parts, payload, signature]
    }

    /// The good token with another signature, which is made from the good one.
    pub(super) fn signature(&self, other: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
        let [header, payload, _] = self.parts();
        let good = self.key.sign(format!("{header}.{payload}").as_bytes());
        format!("{header}.{payload}.{}", base64url::encode(other(good)))
    }
}
