//! What all cases stand on: the owner, the rig's control address, a workload, and a folder for files.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use google_cloud_auth::credentials::{Credentials, external_account, service_account};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Mutex,
};

use crate::{
    rig::{CLOUD, Control, Owner, text},
    verdict::{Outcome, Well as _, equal, need},
    workload::{JWT, Provider},
};

pub struct Stage {
    folder: TempDir,
    files: AtomicUsize,
    pub owner: Owner,
    pub control: Control,
    pub provider: Provider,
    pub closed: Provider,
    pub ledger: String,
    pub deployer: String,
    pub stranger: String,
    pub key: Value,
    server: String,
    served: Arc<Mutex<String>>,
}

impl Stage {
    pub async fn set() -> Outcome<Self> {
        let owner = Owner::find().await?;
        let served = Arc::new(Mutex::new(String::new()));
        let mut stage = Self {
            folder: tempfile::tempdir().well()?,
            files: AtomicUsize::new(0),
            control: Control::of_environment()?,
            provider: Provider::read(&owner, "build", "trusted").await?,
            closed: Provider::read(&owner, "build", "closed").await?,
            ledger: owner.service("ledger").await?,
            deployer: owner.email("deployer"),
            stranger: owner.email("stranger"),
            key: Value::Null,
            server: serve(Arc::clone(&served)).await?,
            served,
            owner,
        };
        stage.key = stage.new_key(&stage.deployer).await?;
        Ok(stage)
    }

    /// A new key of an account, as the IAM API gives it.
    pub async fn new_key(&self, account: &str) -> Outcome<Value> {
        let url = format!("https://iam.googleapis.com/v1/projects/-/serviceAccounts/{account}/keys");
        let data = text(&self.owner.ask("POST", &url, Some(&json!({}))).await?, "/privateKeyData")?;
        serde_json::from_slice(&decode(&data, b"+/")?).well()
    }

    /// A new file with this text.
    pub fn write(&self, text: &str) -> Outcome<PathBuf> {
        let path = self.folder.path().join(self.files.fetch_add(1, Ordering::Relaxed).to_string());
        fs::write(&path, text).well()?;
        Ok(path)
    }

    pub fn key_credentials(&self) -> Outcome<Credentials> {
        service_account::Builder::new(self.key.clone())
            .with_access_specifier(service_account::AccessSpecifier::from_scopes([CLOUD]))
            .build()
            .well()
    }

    /// The credentials of a build, whose subject token stands in a file.
    pub async fn build(&self, claims: Value, impersonate: Option<&str>) -> Outcome<Credentials> {
        let source = self.text_file(&self.provider.token(claims).await?)?;
        external(self.provider.file(source, impersonate, json!({})))
    }

    /// With the line break that most tools leave behind.
    pub fn text_file(&self, token: &str) -> Outcome<Value> {
        Ok(json!({ "file": self.write(&format!("{token}\n"))? }))
    }

    pub fn json_file(&self, token: &str) -> Outcome<Value> {
        Ok(json!({ "file": self.write(&in_json(token))?, "format": format() }))
    }

    pub async fn url(&self, form: &str, token: &str, known: bool) -> Value {
        *self.served.lock().await = if form == "json" { in_json(token) } else { token.to_owned() };
        let headers = if known { json!({ "x-build-secret": "let me in" }) } else { json!({}) };
        let source = json!({ "url": format!("{}/{form}", self.server), "headers": headers });
        if form == "json" {
            return json!({ "url": source["url"], "headers": source["headers"], "format": format() });
        }
        source
    }

    /// A command that gives the token, but only for `audience`.
    pub fn executable(&self, token: &str, audience: &str, output: Option<PathBuf>) -> Outcome<Value> {
        // The suite is started in the workspace.
        let script = env::current_dir().well()?.join("conformance/print-token.sh");
        // Other libraries tell a command what its token is for; this crate tells it nothing.
        let told = format!(
            "env GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=//iam.googleapis.com/{} GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE={JWT}",
            self.provider.name
        );
        let command = format!("{told} {} {} {audience}", script.display(), self.write(token)?.display());
        let mut executable = json!({ "command": command, "timeout_millis": 5000 });
        if let Some(output) = output {
            executable["output_file"] = json!(output);
        }
        Ok(json!({ "executable": executable }))
    }

    /// An ID token must be the deployer's, with e-mail, for `audience`.
    pub fn of_deployer(&self, token: &str, audience: &str) -> Outcome {
        let claims = open(token)?;
        equal(&claims["iss"], &json!("https://accounts.google.com"), "the issuer")?;
        equal(&claims["email"], &json!(self.deployer), "the e-mail")?;
        equal(&claims["aud"], &json!(audience), "the audience")
    }
}

pub fn external(config: Value) -> Outcome<Credentials> {
    external_account::Builder::new(config).with_scopes([CLOUD]).build().well()
}

fn format() -> Value {
    json!({ "type": "json", "subject_token_field_name": "oidc_token" })
}

fn in_json(token: &str) -> String {
    json!({ "build": "7", "oidc_token": token }).to_string()
}

/// The claims of a token, unverified.
pub fn open(token: &str) -> Outcome<Value> {
    let claims = token.split('.').nth(1).ok_or("this is no token")?;
    serde_json::from_slice(&decode(claims, b"-_")?).well()
}

/// Base64 with these two letters at the end of the alphabet.
fn decode(text: &str, last: &[u8; 2]) -> Outcome<Vec<u8>> {
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            _ => 62 + u8::try_from(last.iter().position(|known| *known == letter).ok_or("no base64")?).well()?,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Ok(bytes)
}

/// An address on loopback that gives what is served to whoever knows the secret header.
async fn serve(served: Arc<Mutex<String>>) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.well()?;
    let url = format!("http://{}", listener.local_addr().well()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let known = String::from_utf8_lossy(&head).contains("x-build-secret: let me in");
            let body = if known { served.lock().await.clone() } else { String::new() };
            let status = if known { "200 OK" } else { "403 Forbidden" };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    need(url.starts_with("http://127"), || url.clone())?;
    Ok(url)
}
