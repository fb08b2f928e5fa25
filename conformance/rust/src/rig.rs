//! The rig, seen as the project's owner sees Google, and by its control address.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

use google_cloud_auth::credentials::{AccessTokenCredentials, Builder};
use serde_json::{Value, json};

use crate::verdict::{Outcome, Well as _, equal, need};

pub const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
const REGION: &str = "us-central1";

/// The status and body of a request's answer; a bearer token and a body only if there are some.
pub async fn send(method: &str, url: &str, token: Option<&str>, body: Option<&Value>) -> Outcome<(u16, String)> {
    let method = method.parse().map_err(|_| format!("`{method}` is no method"))?;
    let mut request = reqwest::Client::new().request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.well()?;
    Ok((answer.status().as_u16(), answer.text().await.well()?))
}

/// The owner of the project, which is what default credentials are.
pub struct Owner {
    credentials: AccessTokenCredentials,
    pub project: String,
    pub number: String,
}

impl Owner {
    pub async fn find() -> Outcome<Self> {
        let credentials = Builder::default().with_scopes([CLOUD]).build_access_token_credentials().well()?;
        let project = env::var("GOOGLE_CLOUD_PROJECT").well()?;
        let mut owner = Self { credentials, project, number: String::new() };
        let url = format!("https://cloudresourcemanager.googleapis.com/v1/projects/{}", owner.project);
        owner.number = text(&owner.ask("GET", &url, None).await?, "/projectNumber")?;
        Ok(owner)
    }

    pub async fn ask(&self, method: &str, url: &str, body: Option<&Value>) -> Outcome<Value> {
        let token = self.credentials.access_token().await.well()?.token;
        let (status, body) = send(method, url, Some(&token), body).await?;
        equal(status, 200, &format!("the status of {method} {url}, {body},"))?;
        serde_json::from_str(&body).well()
    }

    /// The URL of a Cloud Run service.
    pub async fn service(&self, name: &str) -> Outcome<String> {
        let path = format!("projects/{}/locations/{REGION}/services/{name}", self.project);
        text(&self.ask("GET", &format!("https://run.googleapis.com/v2/{path}"), None).await?, "/uri")
    }

    pub fn email(&self, account: &str) -> String {
        format!("{account}@{}.iam.gserviceaccount.com", self.project)
    }
}

/// The string at a JSON pointer.
pub fn text(value: &Value, pointer: &str) -> Outcome<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("no text at {pointer} of {value}"))
}

/// The rig's control address: what it decided since the last look.
pub struct Control {
    url: String,
    client: reqwest::Client,
    seen: AtomicU64,
}

impl Control {
    pub fn of_environment() -> Outcome<Self> {
        // It is reached without the proxy.
        let client = reqwest::Client::builder().no_proxy().build().well()?;
        Ok(Self { url: env::var("TOKENRIG_URL").well()?, client, seen: AtomicU64::new(0) })
    }

    async fn fresh(&self) -> Outcome<Vec<Value>> {
        let url = format!("{}/decisions?since={}", self.url, self.seen.load(Ordering::Relaxed));
        let answer: Value = self.client.get(url).send().await.well()?.json().await.well()?;
        let made = answer["decisions"].as_array().cloned().unwrap_or_default();
        let last = made.iter().filter_map(|decision| decision["seq"].as_u64()).max();
        self.seen.fetch_max(last.unwrap_or_default(), Ordering::Relaxed);
        Ok(made)
    }

    /// What `work` does is refused at a surface, for the reason of a check: `SURFACE CHECK`.
    pub async fn refuses<T>(&self, wanted: &str, work: impl Future<Output = T>) -> Outcome<T> {
        self.fresh().await?;
        let done = work.await;
        let refused: Vec<String> = self.fresh().await?.iter().filter_map(refusal).collect();
        need(refused.iter().any(|refusal| refusal == wanted), || {
            format!("the rig refused for {refused:?}, not for {wanted}")
        })?;
        Ok(done)
    }

    /// What `work` does passes these surfaces, in this order, and nothing is refused.
    pub async fn allows<T>(&self, surfaces: &str, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        self.fresh().await?;
        let done = work.await?;
        let made = self.fresh().await?;
        equal(made.iter().filter_map(refusal).collect(), Vec::<String>::new(), "what the rig refused")?;
        let mut passed = made.iter().map(|decision| decision["surface"].clone());
        for surface in surfaces.split_whitespace() {
            need(passed.any(|passed| passed == json!(surface)), || format!("{surface} was not asked: {made:?}"))?;
        }
        Ok(done)
    }
}

/// The surface and the check that gave the answer of a refusal.
fn refusal(decision: &Value) -> Option<String> {
    let failed = decision["checks"].as_array()?.iter().find(|check| check["ok"] == json!(false))?;
    Some(format!("{} {}", decision["surface"].as_str()?, failed["name"].as_str()?))
}
