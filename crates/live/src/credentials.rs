//! Application Default Credentials, and what they may do for others.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokenrig_runner::{Facts, Protocol, Request, SiteFault, Who};
use tokio::sync::{Mutex, OnceCell};

use crate::{client::Client, reach::Reach};

/// For one call.
const DEADLINE: Duration = Duration::from_secs(30);
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// What the run's own account needs on an account to act as it.
const CREATOR: &str = "roles/iam.serviceAccountTokenCreator";
/// The service agents of a project that scenarios name, and the domains of their addresses.
/// <https://cloud.google.com/iam/docs/service-agents>
const AGENTS: &[(&str, &str)] = &[
    ("cloudscheduler", "gcp-sa-cloudscheduler"),
    ("cloudtasks", "gcp-sa-cloudtasks"),
    ("pubsub", "gcp-sa-pubsub"),
    ("run", "serverless-robot-prod"),
];

/// Who the run is, and whom it may act as.
#[derive(Debug)]
pub(crate) struct Credentials {
    reach: Arc<Reach>,
    client: Arc<Client>,
    facts: OnceCell<Facts>,
    owner: OnceCell<String>,
    /// Access tokens by account. One at a time: policies are read, changed and put back.
    accounts: Mutex<HashMap<String, String>>,
}

impl Credentials {
    pub(crate) fn new(reach: Arc<Reach>, client: Arc<Client>) -> Self {
        let (facts, owner) = (OnceCell::new(), OnceCell::new());
        Self { reach, client, facts, owner, accounts: Mutex::default() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What is true of the project for every case; asked once.
    pub(crate) async fn facts(&self) -> Result<Facts, String> {
        self.facts.get_or_try_init(|| self.ask()).await.cloned()
    }

    async fn ask(&self) -> Result<Facts, String> {
        let id = &self.reach.project;
        let url = format!("https://cloudresourcemanager.googleapis.com/v1/projects/{id}");
        let project = self.call("GET", &url, &Value::Null).await.map_err(|fault| fault.to_string())?;
        let number = project["projectNumber"].as_str().ok_or("the project has no number")?.to_owned();
        let email = |domain: &str| format!("service-{number}@{domain}.iam.gserviceaccount.com");
        Ok(Facts {
            project_id: id.clone(),
            location: self.reach.location.clone(),
            agents: AGENTS.iter().map(|(service, domain)| ((*service).to_owned(), email(domain))).collect(),
            project_number: number,
            ..Facts::default()
        })
    }

    /// An access token.
    pub(crate) async fn token(&self, who: Who) -> Result<String, SiteFault> {
        match who {
            Who::Owner => self.owner().await.cloned(),
            Who::Account(email) => {
                let mut known = self.accounts.lock().await;
                if let Some(token) = known.get(&email) {
                    return Ok(token.clone());
                }
                let token = self.acting_as(&email).await?;
                known.insert(email, token.clone());
                Ok(token)
            }
        }
    }

    async fn owner(&self) -> Result<&String, SiteFault> {
        let asked = async {
            let token: Value = serde_json::from_slice(&self.metadata("token").await?).unwrap_or_default();
            let token = token["access_token"].as_str().map(str::to_owned);
            token.ok_or_else(|| SiteFault::Other("the metadata server gave no access token".to_owned()))
        };
        self.owner.get_or_try_init(|| asked).await
    }

    /// The default account's `token` or `email` at the metadata server.
    async fn metadata(&self, what: &str) -> Result<Vec<u8>, SiteFault> {
        let place = &self.reach.metadata;
        let url = format!("http://{place}/computeMetadata/v1/instance/service-accounts/default/{what}");
        let headers = vec![("metadata-flavor".to_owned(), "Google".to_owned())];
        let request = Request {
            method: "GET".to_owned(),
            url,
            headers,
            body: Vec::new(),
            protocol: Protocol::Any,
            deadline: DEADLINE,
        };
        let answer = self.client.send(request).await?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(SiteFault::Other(format!("the metadata server answered {} for `{what}`", answer.status)))
        }
    }

    /// A token of an account: with a binding that is there for just as long as the token takes to make.
    async fn acting_as(&self, email: &str) -> Result<String, SiteFault> {
        let owner = String::from_utf8_lossy(&self.metadata("email").await?).trim().to_owned();
        let account = format!("https://iam.googleapis.com/v1/projects/-/serviceAccounts/{email}");
        let before = self.call("POST", &format!("{account}:getIamPolicy"), &json!({})).await?;
        let set = format!("{account}:setIamPolicy");
        let mut policy = before.clone();
        let binding = json!({ "role": CREATOR, "members": [format!("serviceAccount:{owner}")] });
        match policy["bindings"].as_array_mut() {
            Some(bindings) => bindings.push(binding),
            None => policy["bindings"] = json!([binding]),
        }
        let changed = self.call("POST", &set, &json!({ "policy": policy })).await?;
        let url =
            format!("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
        let made = self.call("POST", &url, &json!({ "scope": [SCOPE] })).await;
        let mut restored = before;
        restored["etag"] = changed["etag"].clone();
        self.call("POST", &set, &json!({ "policy": restored })).await?;
        let token = made?["accessToken"].as_str().map(str::to_owned);
        token.ok_or_else(|| SiteFault::Other(format!("there is no access token of {email}")))
    }

    /// A call as the run's owner, which must succeed.
    async fn call(&self, method: &str, url: &str, body: &Value) -> Result<Value, SiteFault> {
        let bearer = format!("Bearer {}", self.owner().await?);
        let json = ("content-type".to_owned(), "application/json".to_owned());
        let request = Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: vec![("authorization".to_owned(), bearer), json],
            body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
            protocol: Protocol::Any,
            deadline: DEADLINE,
        };
        let answer = self.client.send(request).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status < 300 {
            return Ok(body);
        }
        let why = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
        Err(SiteFault::Other(format!("{method} {url} answered {}: {why}", answer.status)))
    }
}
