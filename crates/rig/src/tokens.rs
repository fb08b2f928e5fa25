//! Tokens for tests: of a workload's own provider, of Google for a service account, and the files that clients read.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use tokenrig_cloud::{IdTokenOrder, Provider, ProviderConfig, ServiceAccount};
use tokenrig_idp::{Issuer, MintOrder};

use crate::rig::Rig;

/// A service account of the rig.
#[derive(Debug, Clone)]
pub struct Account(Arc<ServiceAccount>);

impl Account {
    /// Its e-mail address: `caller@shop-test.iam.gserviceaccount.com`.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.0.email
    }

    /// Its number: `sub` of its tokens, 21 digits.
    #[must_use]
    pub fn unique_id(&self) -> &str {
        &self.0.unique_id
    }
}

/// A credential file of type `external_account`, and the file of its subject token beside it. Both go with the rig.
#[derive(Debug)]
pub struct CredentialFile {
    path: PathBuf,
    provider: String,
    source: Value,
    domain: String,
}

impl CredentialFile {
    /// Where it lies: what `GOOGLE_APPLICATION_CREDENTIALS` names.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same, of a workload that acts as a service account of its project, by id or whole e-mail.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    #[must_use]
    pub fn impersonating(self, account: &str) -> Self {
        let email = if account.contains('@') { account.to_owned() } else { format!("{account}@{}", self.domain) };
        self.write(Some(&email));
        self
    }

    fn write(&self, account: Option<&str>) {
        let content = tokenrig_runner::external_account(&self.provider, self.source.clone(), account);
        if let Err(fault) = std::fs::write(&self.path, content.to_string()) {
            panic!("cannot write the credential file: {fault}");
        }
    }
}

/// An ID token of Google's for a service account, to be made by [`mint`](Self::mint).
#[derive(Debug, Clone)]
#[must_use = "it is made by `mint`"]
pub struct IdToken<'r> {
    rig: &'r Rig,
    account: Arc<ServiceAccount>,
    audience: Option<String>,
    email: bool,
}

impl IdToken<'_> {
    /// Whom it is for: `aud`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Leaves out `email` and `email_verified`, as `generateIdToken` does without `includeEmail`.
    pub fn without_email(mut self) -> Self {
        self.email = false;
        self
    }

    /// Makes it, as `generateIdToken` does: good for an hour from the present second of the rig's clock. No grant is
    /// asked for.
    ///
    /// # Panics
    ///
    /// If no audience was said.
    #[must_use]
    pub async fn mint(self) -> String {
        let Some(audience) = &self.audience else { panic!("an ID token is for somebody: say `.audience(…)`") };
        let order = IdTokenOrder::generated(&self.account, audience, self.email);
        self.rig.core().cloud().mint().id_token(&order)
    }
}

impl Rig {
    /// A service account, by its given id or its whole e-mail.
    ///
    /// # Panics
    ///
    /// If there is none; the message lists those that are there.
    #[must_use]
    #[track_caller]
    pub fn service_account(&self, account: &str) -> Account {
        Account(self.account(account))
    }

    /// A token of the workload's own provider, as it would be shown to Google's STS. `provider` is the id of a workload
    /// identity pool provider (`corp-oidc`, or `partners/corp-oidc` where two pools have one of that id), or of an issuer.
    /// `iss`, `iat`, `exp` and, for a provider, `aud` are filled in where `claims` lacks them.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let rig = tokenrig::Rig::builder().given("issuers: { corp: {} }").start().await;
    /// let token = rig.subject_token("corp", serde_json::json!({ "sub": "alice" }));
    /// assert_eq!(token.split('.').count(), 3);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such provider or issuer, if `claims` is no map, or if a real provider stands behind the issuer.
    #[must_use]
    #[track_caller]
    pub fn subject_token(&self, provider: &str, claims: Value) -> String {
        let Value::Object(mut claims) = claims else { panic!("claims are a JSON object, and these are {claims}") };
        let issuer = match self.provider(provider) {
            Some(found) => {
                if let Some(audience) = audience(&found) {
                    claims.entry("aud").or_insert(json!(audience));
                }
                self.issuer_of(&found)
            }
            None => self.core().issuers().get(provider).unwrap_or_else(|| self.no_provider(provider)),
        };
        match self.core().issuers().mint(MintOrder::new(issuer.id, claims)) {
            Ok(token) => token,
            Err(fault) => panic!("no subject token: {fault}"),
        }
    }

    /// A credential file of type `external_account` (AIP-4117) that exchanges `subject_token` at a provider. It ends with
    /// the rig.
    ///
    /// # Panics
    ///
    /// If there is no such provider, or if the files cannot be written.
    #[must_use]
    #[track_caller]
    pub fn credential_file(&self, provider: &str, subject_token: &str) -> CredentialFile {
        let found = self.provider(provider).unwrap_or_else(|| self.no_provider(provider));
        let folder = self.folder().and_then(|folder| {
            // A folder for each, so that one file never replaces another.
            let made = tempfile::Builder::new().prefix("credentials-").tempdir_in(folder);
            made.map(tempfile::TempDir::keep).map_err(|fault| crate::StartFault::Files(fault.to_string()))
        });
        let folder = match folder {
            Ok(folder) => folder,
            Err(fault) => panic!("no folder for a credential file: {fault}"),
        };
        let token = folder.join("subject-token");
        if let Err(fault) = std::fs::write(&token, subject_token) {
            panic!("cannot write the subject token: {fault}");
        }
        let project = self.core().cloud().project();
        let file = CredentialFile {
            path: folder.join("credentials.json"),
            provider: found.name(),
            source: json!({ "file": token.display().to_string() }),
            domain: project.account_email("").trim_start_matches('@').to_owned(),
        };
        file.write(None);
        file
    }

    /// An ID token of Google's for a service account, by its given id or whole e-mail.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    #[track_caller]
    pub fn id_token(&self, account: &str) -> IdToken<'_> {
        IdToken { rig: self, account: self.account(account), audience: None, email: true }
    }

    /// An access token of a service account, good for an hour; no grant is asked for.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    #[must_use]
    #[track_caller]
    pub fn access_token(&self, account: &str) -> String {
        let email = &self.account(account).email;
        self.core().account_token(email).unwrap_or_default()
    }

    #[track_caller]
    fn account(&self, account: &str) -> Arc<ServiceAccount> {
        let cloud = self.core().cloud();
        let project = cloud.project();
        let whole = if account.contains('@') { account.to_owned() } else { project.account_email(account) };
        let Some(found) = cloud.accounts().get(&whole) else {
            let known = cloud.accounts().list(&project.id).iter().map(|one| one.email.clone()).collect::<Vec<_>>();
            panic!("there is no service account `{account}`; there are {}", list(&known));
        };
        found
    }

    /// Every provider of the project's workload identity pools and of the organization's workforce pools, disabled ones too,
    /// in the order of their ids.
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        let cloud = self.core().cloud();
        let mut pools = cloud.pools().list(&cloud.project().number, false);
        if let Some(organization) = cloud.organization() {
            pools.extend(cloud.pools().list_workforce(&format!("organizations/{organization}"), false));
        }
        pools.iter().flat_map(|pool| cloud.pools().providers(&pool.reference, false)).collect()
    }

    fn provider(&self, id: &str) -> Option<Provider> {
        let named = |one: &Provider| one.id == id || format!("{}/{}", one.pool.id(), one.id) == id || one.name() == id;
        self.providers().into_iter().find(named)
    }

    #[track_caller]
    fn issuer_of(&self, provider: &Provider) -> Issuer {
        let ProviderConfig::Oidc(oidc) = &provider.config else {
            panic!("provider `{}` takes no tokens of OpenID providers", provider.id)
        };
        let issuers = self.core().issuers().list();
        let Some(found) = issuers.iter().find(|issuer| issuer.issuer == oidc.issuer_uri) else {
            let known = issuers.iter().map(|issuer| issuer.issuer.clone()).collect::<Vec<_>>();
            panic!("provider `{}` trusts {}, and the issuers are {}", provider.id, oidc.issuer_uri, list(&known));
        };
        found.clone()
    }

    #[track_caller]
    fn no_provider(&self, id: &str) -> ! {
        let providers = self.providers().into_iter().map(|one| one.id);
        let issuers = self.core().issuers().list().into_iter().map(|one| one.id);
        let known: Vec<String> = providers.chain(issuers).collect();
        panic!("there is no provider or issuer `{id}`; there are {}", list(&known));
    }
}

/// What a token for this provider has in `aud`.
fn audience(provider: &Provider) -> Option<String> {
    let ProviderConfig::Oidc(oidc) = &provider.config else { return None };
    let own = || format!("https://iam.googleapis.com/{}", provider.name());
    Some(oidc.allowed_audiences.first().cloned().unwrap_or_else(own))
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}
