//! An application's own client: it knows credential files, Google's public APIs and the service it calls, and no rig.

use std::{error::Error, path::Path};

use serde_json::{Value, json};
use tokenrig::reqwest::Client;

type Fault = Box<dyn Error + Send + Sync>;

/// The service account that this application calls as.
const ACTS_AS: &str = "caller@shop-test.iam.gserviceaccount.com";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A connection to the orders service.
pub(crate) struct Orders {
    uri: String,
    id_token: String,
    http: Client,
}

/// Trades the subject token of a credential file for an ID token for the service, as Google's own libraries do.
pub(crate) async fn connect(uri: String, credentials: &Path, http: Client) -> Result<Orders, Fault> {
    let file: Value = serde_json::from_slice(&std::fs::read(credentials)?)?;
    let token_file = file["credential_source"]["file"].as_str().ok_or("the source is no file")?;
    let request = json!({
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": file["audience"],
        "scope": CLOUD_PLATFORM,
        "requestedTokenType": "urn:ietf:params:oauth:token-type:access_token",
        "subjectToken": std::fs::read_to_string(token_file)?,
        "subjectTokenType": file["subject_token_type"],
    });
    let token_url = file["token_url"].as_str().ok_or("no token_url")?;
    let exchanged: Value = http.post(token_url).json(&request).send().await?.error_for_status()?.json().await?;
    let federated = exchanged["access_token"].as_str().ok_or("no access token")?;
    let generate =
        format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ACTS_AS}:generateIdToken");
    let request = json!({ "audience": uri, "includeEmail": true });
    let made = http.post(generate).bearer_auth(federated).json(&request).send().await?.error_for_status()?;
    let made: Value = made.json().await?;
    let id_token = made["token"].as_str().ok_or("no ID token")?.to_owned();
    Ok(Orders { uri, id_token, http })
}

impl Orders {
    /// What the service says.
    pub(crate) async fn hello(&self) -> Result<String, Fault> {
        let answer = self.http.get(format!("{}/hello", self.uri)).bearer_auth(&self.id_token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}
