//! Verifying a token in a `token` expectation: with the keys that its signer publishes, fetched like everybody does.

use std::time::Duration;

use serde_json::Value;
use tokenrig_jose::{JwkSet, Jws, Map};

use crate::world::{Answer, Protocol, Request, Site};

/// Google's signing keys as JWK, <https://accounts.google.com/.well-known/openid-configuration>.
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";
/// A service account's keys as JWK, followed by its e-mail.
const ACCOUNT_KEYS: &str = "https://www.googleapis.com/service_accounts/v1/jwk/";
const DEADLINE: Duration = Duration::from_secs(10);

/// Who must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signer {
    /// Google.
    Google,
    /// A service account, by e-mail.
    Account(String),
    /// An OpenID provider, by its issuer URL.
    Issuer(String),
}

impl Signer {
    /// In words that fit after "signed by".
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Google => "Google".to_owned(),
            Self::Account(email) => format!("the service account {email}"),
            Self::Issuer(url) => url.clone(),
        }
    }

    /// The signer that a token names itself: Google, an account (`iss` is its e-mail) or an issuer's URL.
    pub(crate) fn claimed(claims: &Map) -> Option<Self> {
        match claims.get("iss").and_then(Value::as_str)? {
            "https://accounts.google.com" | "accounts.google.com" => Some(Self::Google),
            url if url.starts_with("https://") || url.starts_with("http://") => Some(Self::Issuer(url.to_owned())),
            email if email.contains('@') => Some(Self::Account(email.to_owned())),
            _ => None,
        }
    }
}

/// Verifies the signature. `Err` says in a sentence what is wrong.
pub(crate) async fn signature(site: &dyn Site, jws: &Jws, signer: &Signer) -> Result<(), String> {
    let algorithm = jws.algorithm().map_err(|fault| fault.to_string())?;
    let keys = published(site, signer).await?;
    let kid = jws.kid().ok_or("its header names no key (`kid`)")?;
    let key = keys.resolve(kid, algorithm).map_err(|fault| format!("key {kid} of {}: {fault}", signer.words()))?;
    jws.verify(key).map_err(|fault| format!("key {kid} of {}: {fault}", signer.words()))
}

async fn published(site: &dyn Site, signer: &Signer) -> Result<JwkSet, String> {
    let url = match signer {
        Signer::Google => GOOGLE_KEYS.to_owned(),
        Signer::Account(email) => format!("{ACCOUNT_KEYS}{email}"),
        Signer::Issuer(issuer) => {
            if let Some(keys) = site.issuer_keys(issuer) {
                return Ok(keys);
            }
            let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            let answer = get(site, &document).await?;
            let document: Value = serde_json::from_slice(&answer.body)
                .map_err(|fault| format!("the document at {document} is no JSON: {fault}"))?;
            let uri = document.get("jwks_uri").and_then(Value::as_str);
            uri.ok_or_else(|| format!("the discovery document of {issuer} has no `jwks_uri`"))?.to_owned()
        }
    };
    let answer = get(site, &url).await?;
    JwkSet::parse(&answer.body).map_err(|fault| format!("the keys at {url}: {fault}"))
}

async fn get(site: &dyn Site, url: &str) -> Result<Answer, String> {
    let request = Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        protocol: Protocol::Any,
        deadline: DEADLINE,
    };
    match site.send(request).await {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(format!("the keys cannot be read: {url} answered {}", answer.status)),
        Err(fault) => Err(format!("the keys cannot be read: {url}: {fault}")),
    }
}
