//! Files that a scenario asks for: credential files and keys. They are the owner's alone and end with the case.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;
use tokenrig_cel::Value;

use crate::evaluate;

/// The files of one case. Cheap to clone; the folder goes with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Files(Arc<Mutex<Inside>>);

#[derive(Debug)]
struct Inside {
    /// Where the case's folder is made.
    scratch: PathBuf,
    /// Made when the first file is written.
    folder: Option<TempDir>,
    written: usize,
}

impl Files {
    pub(crate) fn new(scratch: &Path) -> Self {
        Self(Arc::new(Mutex::new(Inside { scratch: scratch.to_owned(), folder: None, written: 0 })))
    }

    /// Writes a file that only its owner may read, and gives its path.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<String, String> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.write(name, content).map_err(|fault| format!("cannot write a file: {fault}"))
    }
}

impl Inside {
    fn write(&mut self, name: &str, content: &[u8]) -> std::io::Result<String> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(tempfile::Builder::new().prefix("tokenrig-").tempdir_in(&self.scratch)?),
        };
        self.written += 1;
        let path = folder.path().join(format!("{}-{name}", self.written));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(content)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// `credential_file(provider, token, options)`: an `external_account` credential file (AIP-4117) whose subject token lies
/// in a file beside it.
///
/// `options`: `impersonate` (an e-mail or a given account), `source` (a whole `credential_source` in place of the file,
/// or `json` for a token inside a JSON file); every other member is put into the file as it is.
pub(crate) fn credential_file(files: &Files, arguments: &[Value]) -> Result<Value, String> {
    let (provider, token, options) = match arguments {
        [provider, token] => (provider, token, Map::new()),
        [provider, token, options] => match evaluate::json(options) {
            Some(Json::Object(options)) => (provider, token, options),
            _ => return Err("the third argument of credential_file is a map".to_owned()),
        },
        _ => return Err("it is called as credential_file(provider, token) or with a map of options".to_owned()),
    };
    let provider = named(provider, "name").ok_or("the first argument of credential_file is a given provider")?;
    let token = token.as_str().ok_or("the second argument of credential_file is a token")?;
    let mut options = options;
    let source = match options.shift_remove("source") {
        Some(Json::Object(source)) => Json::Object(source),
        None => json!({ "file": files.write("subject-token", token.as_bytes())? }),
        Some(Json::String(word)) if word == "text" => {
            json!({ "file": files.write("subject-token", token.as_bytes())? })
        }
        Some(Json::String(word)) if word == "json" => json!({
            "file": files.write("subject-token.json", json!({ "id_token": token }).to_string().as_bytes())?,
            "format": { "type": "json", "subject_token_field_name": "id_token" },
        }),
        Some(other) => return Err(format!("`source` is `text`, `json` or a map, not {other}")),
    };
    let email = match options.shift_remove("impersonate") {
        Some(account) => {
            let email = account.as_str().or_else(|| account.get("email")?.as_str());
            Some(email.ok_or("`impersonate` is an e-mail or a given account")?.to_owned())
        }
        None => None,
    };
    let mut file = external_account(&provider, source, email.as_deref());
    if let Some(file) = file.as_object_mut() {
        file.extend(options);
    }
    files.write("credentials.json", file.to_string().as_bytes()).map(Value::from)
}

/// An `external_account` credential file (AIP-4117) for a provider (`projects/…/providers/ID`): where its subject token is
/// found, and the e-mail of the service account that the workload acts as, if any.
#[must_use]
pub fn external_account(provider: &str, source: Json, account: Option<&str>) -> Json {
    let mut file = json!({
        "type": "external_account",
        "audience": format!("//iam.googleapis.com/{provider}"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": source,
    });
    if let Some(email) = account {
        file["service_account_impersonation_url"] = json!(format!(
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        ));
    }
    file
}

/// The text, or the text member of a map.
pub(crate) fn named(value: &Value, member: &str) -> Option<String> {
    value.as_str().or_else(|| value.get(member)?.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_credential_file_names_its_provider_and_holds_no_token_and_is_gone_with_its_case() {
        let scratch = tempfile::tempdir().unwrap();
        let files = Files::new(scratch.path());
        let provider =
            Value::from(&json!({ "name": "projects/1/locations/global/workloadIdentityPools/p/providers/o" }));
        let options = Value::from(&json!({ "impersonate": { "email": "caller@p.iam.gserviceaccount.com" } }));
        let path = credential_file(&files, &[provider, Value::from("eyJ.e30.x"), options]).unwrap();
        let path = PathBuf::from(path.as_str().unwrap());

        let written: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            written["audience"],
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/o"
        );
        assert!(written["service_account_impersonation_url"].as_str().unwrap().contains("caller@p."));
        let token = written["credential_source"]["file"].as_str().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(&token).unwrap(), "eyJ.e30.x");
        assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);

        drop(files);
        assert!(!path.exists());
    }
}
