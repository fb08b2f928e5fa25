//! What an issuer publishes: its discovery document and its keys, or what a misbehaving one gives in their place.

use std::time::Duration;

use serde_json::{Value, json};
use tokenrig_jose::{Algorithm, Jwk, JwkSet, Map};

use super::Issuers;
use crate::model::{Address, Misbehaviour};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// OpenID Connect Discovery 1.0, section 4.
    Discovery,
    /// RFC 7517, section 5.
    Keys,
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Published {
    /// The document.
    Document(Value),
    /// The document, after a while of real time.
    Late(Duration, Value),
    /// The same document, elsewhere, for ever.
    Elsewhere,
    /// 500.
    ServerError,
    /// A page for people.
    Page,
    /// The connection ends.
    Nothing,
    /// The document, with so many bytes more.
    Oversized(usize, Value),
}

impl Issuers {
    /// What an issuer gives for a document now; nothing if there is no such issuer.
    pub(crate) fn publish(&self, id: &str, document: Document) -> Option<Published> {
        use Misbehaviour as M;
        let (misbehaves, address) = self.with(id, |entry| (entry.misbehaves, entry.address.clone()))?;
        let value = match document {
            Document::Discovery => discovery(&address, misbehaves),
            Document::Keys => self.keys(id, misbehaves)?,
        };
        let (published, strikes) = match (misbehaves, document) {
            (M::Slow, _) => (Published::Late(self.settings().slow, value), true),
            (M::Redirects, _) => (Published::Elsewhere, true),
            (M::ServerError, _) => (Published::ServerError, true),
            (M::Html, _) => (Published::Page, true),
            (M::KeysUnreachable, Document::Keys) => (Published::Nothing, true),
            (M::Oversized, Document::Keys) => (Published::Oversized(self.settings().oversized, value), true),
            (M::WrongIssuer, Document::Discovery) | (M::UnknownKid | M::BadKeys, Document::Keys) => {
                (Published::Document(value), true)
            }
            _ => (Published::Document(value), false),
        };
        if strikes {
            self.strike(id, misbehaves);
        }
        Some(published)
    }

    fn keys(&self, id: &str, misbehaves: Misbehaviour) -> Option<Value> {
        let now = self.now();
        let keys: Vec<Jwk> =
            self.with(id, |entry| entry.keyring.published(now).map(|key| key.jwk(self.seed())).collect())?;
        let set = match misbehaves {
            Misbehaviour::UnknownKid => {
                keys.iter().map(|key| with(key, &["kid"], |kid| format!("not-{kid}"))).collect()
            }
            Misbehaviour::BadKeys => {
                let halved = |text: &str| text.chars().take(text.len() / 2).collect();
                keys.iter().map(|key| with(key, &["n", "x"], halved)).collect()
            }
            _ => keys.into_iter().collect::<JwkSet>(),
        };
        serde_json::to_value(set).ok()
    }
}

/// The key with some of its members changed.
fn with(key: &Jwk, names: &[&str], change: impl Fn(&str) -> String) -> Jwk {
    let changed = |(name, value): (&String, &Value)| {
        let value = match value.as_str() {
            Some(text) if names.contains(&name.as_str()) => change(text).into(),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    Jwk::from_value(Value::Object(key.members().iter().map(changed).collect::<Map>()))
}

/// The required members of OpenID Connect Discovery 1.0, section 3, and what else there is; no promise that is not kept.
fn discovery(address: &Address, misbehaves: Misbehaviour) -> Value {
    let at = |path: &str| format!("{}{path}", address.prefix());
    let issuer = match misbehaves {
        Misbehaviour::WrongIssuer => "https://somebody-else.example",
        _ => &address.issuer,
    };
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/certs"),
        "userinfo_endpoint": at("/userinfo"),
        "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": ["openid", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [Algorithm::Rs256.name(), Algorithm::Es256.name()],
    })
}
