//! A build that is known to its own OpenID provider, and the credential files that tell Google's crates of it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::{
    rig::{Owner, send, text},
    verdict::{Outcome, equal},
};

pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A provider of a workload identity pool.
pub struct Provider {
    pub name: String,
    pub issuer: String,
}

impl Provider {
    pub async fn read(owner: &Owner, pool: &str, id: &str) -> Outcome<Self> {
        let name = format!("projects/{}/locations/global/workloadIdentityPools/{pool}/providers/{id}", owner.number);
        let resource = owner.ask("GET", &format!("https://iam.googleapis.com/v1/{name}"), None).await?;
        Ok(Self { issuer: text(&resource, "/oidc/issuerUri")?, name })
    }

    /// A subject token, signed by the provider's own issuer; `changes` differ from the good claims.
    pub async fn token(&self, changes: Value) -> Outcome<String> {
        let issued = now();
        let mut claims = json!({
            "iss": self.issuer, "aud": format!("https://iam.googleapis.com/{}", self.name), "sub": "release",
            "branch": "main", "iat": issued, "exp": issued + 3600,
        });
        merge(&mut claims, changes);
        let (status, body) = send("POST", &format!("{}/token", self.issuer), None, Some(&claims)).await?;
        equal(status, 200, "the issuer's status")?;
        Ok(body)
    }

    /// What `gcloud iam workload-identity-pools create-cred-config` writes.
    pub fn file(&self, source: Value, impersonate: Option<&str>, more: Value) -> Value {
        let mut config = json!({
            "universe_domain": "googleapis.com",
            "type": "external_account",
            "audience": format!("//iam.googleapis.com/{}", self.name),
            "subject_token_type": JWT,
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": source,
        });
        merge(
            &mut config,
            match impersonate {
                Some(account) => json!({ "service_account_impersonation_url": format!(
                "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
            ) }),
                None => json!({ "token_info_url": "https://sts.googleapis.com/v1/introspect" }),
            },
        );
        merge(&mut config, more);
        config
    }
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub fn merge(into: &mut Value, changes: Value) {
    if let (Value::Object(into), Value::Object(changes)) = (into, changes) {
        into.extend(Map::from_iter(changes));
    }
}
