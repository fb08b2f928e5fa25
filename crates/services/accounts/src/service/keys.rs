//! Keys in every published form, and the discovery document.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use tokenrig_jose::{JwkSet, PublicKey};

use super::{Accounts, Published};

/// The account in whose name Google signs ID tokens: its keys are those of `/oauth2/v3/certs`.
const FEDERATED_SIGNON: &str = "federated-signon@system.gserviceaccount.com";

/// How the keys of an account are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Certificates (PEM) by key id.
    X509,
    /// A JWK set.
    Jwk,
    /// Modulus and exponent: the oldest form.
    Raw,
}

impl Form {
    /// The form of this name in a path.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "x509" => Some(Self::X509),
            "jwk" => Some(Self::Jwk),
            "raw" => Some(Self::Raw),
            _ => None,
        }
    }
}

impl Accounts {
    /// The keys of ID tokens.
    pub(crate) fn google_keys(&self, form: Form) -> Published {
        let keys = self.cloud.mint().google_keys();
        let keys = keys.published().iter();
        self.keys(keys.map(|key| (key.kid().to_owned(), key.public(), key.certificate().to_owned())), form)
    }

    /// The keys of a service account; `None` if there is none of this address.
    pub(crate) fn account_keys(&self, email: &str, form: Form) -> Option<Published> {
        if email == FEDERATED_SIGNON {
            return Some(self.google_keys(form));
        }
        let account = self.cloud.accounts().get(email)?;
        Some(self.keys(self.cloud.accounts().published_keys(&account), form))
    }

    fn keys(&self, keys: impl IntoIterator<Item = (String, PublicKey, String)>, form: Form) -> Published {
        let keys = keys.into_iter();
        let document = match form {
            Form::X509 => {
                Value::Object(keys.map(|(kid, _, certificate)| (kid, Value::from(certificate))).collect::<Map<_, _>>())
            }
            Form::Jwk => {
                let set: JwkSet = keys.map(|(kid, public, _)| public.to_jwk(&kid)).collect();
                json!(set)
            }
            Form::Raw => {
                json!({ "keyvalues": keys.map(|(kid, public, _)| raw(&kid, &public)).collect::<Vec<_>>() })
            }
        };
        Published { document, max_age: self.settings.keys_kept.as_secs() }
    }

    /// `https://accounts.google.com/.well-known/openid-configuration`.
    pub(crate) fn discovery(&self) -> Published {
        let document = json!({
            "issuer": "https://accounts.google.com",
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "device_authorization_endpoint": "https://oauth2.googleapis.com/device/code",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
            "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "response_types_supported": [
                "code", "token", "id_token", "code token", "code id_token", "token id_token", "code token id_token", "none",
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": [
                "aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss", "name", "picture", "sub",
            ],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
        });
        Published { document, max_age: self.settings.discovery_kept.as_secs() }
    }
}

/// A key as Google's first libraries read it: numbers in base64 with padding.
fn raw(kid: &str, public: &PublicKey) -> Value {
    let jwk = public.to_jwk(kid);
    let number = |name: &str| {
        let digits = jwk.members().get(name).and_then(Value::as_str).unwrap_or_default();
        URL_SAFE_NO_PAD.decode(digits).map(|bytes| STANDARD.encode(bytes)).unwrap_or_default()
    };
    json!({ "algorithm": "RSA", "exponent": number("e"), "keyid": kid, "modulus": number("n") })
}
