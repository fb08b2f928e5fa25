//! The fields of a credential file, taken one by one, with what is wrong with them.

use serde_json::{Map, Value};

use crate::explanation::{Explanation, Section};

pub(super) const SERVICE_ACCOUNT: [&str; 12] = [
    "type",
    "project_id",
    "private_key_id",
    "private_key",
    "client_email",
    "client_id",
    "auth_uri",
    "token_uri",
    "auth_provider_x509_cert_url",
    "client_x509_cert_url",
    "universe_domain",
    "quota_project_id",
];
pub(super) const AUTHORIZED_USER: [&str; 10] = [
    "type",
    "client_id",
    "client_secret",
    "refresh_token",
    "token_uri",
    "quota_project_id",
    "account",
    "universe_domain",
    "scopes",
    "rapt_token",
];
pub(super) const IMPERSONATED: [&str; 7] = [
    "type",
    "service_account_impersonation_url",
    "source_credentials",
    "delegates",
    "quota_project_id",
    "universe_domain",
    "scopes",
];
pub(super) const GDCH: [&str; 8] =
    ["type", "format_version", "project", "private_key_id", "private_key", "name", "ca_cert_path", "token_uri"];
pub(super) const EXTERNAL: [&str; 16] = [
    "type",
    "audience",
    "subject_token_type",
    "token_url",
    "token_info_url",
    "service_account_impersonation_url",
    "service_account_impersonation",
    "credential_source",
    "client_id",
    "client_secret",
    "quota_project_id",
    "workforce_pool_user_project",
    "universe_domain",
    "scopes",
    "default_scopes",
    "revoke_url",
];
pub(super) const AUTHORIZED: [&str; 11] = [
    "type",
    "audience",
    "client_id",
    "client_secret",
    "refresh_token",
    "token_url",
    "token_info_url",
    "revoke_url",
    "quota_project_id",
    "universe_domain",
    "scopes",
];
pub(super) const LOGIN: [&str; 8] = [
    "type",
    "audience",
    "auth_url",
    "token_url",
    "token_info_url",
    "universe_domain",
    "universe_cloud_web_domain",
    "activate",
];

/// A credential file being explained.
pub(super) struct Fields<'a> {
    pub(super) json: &'a Map<String, Value>,
    pub(super) told: &'a mut Explanation,
}

/// The nearest known word, if one is near.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let near = known.map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    (near.0 <= 1 + word.len() / 4).then_some(near.1)
}

impl Fields<'_> {
    /// A text that may be there.
    pub(super) fn optional(&mut self, name: &str) -> Option<String> {
        match self.json.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                if text.trim() != text && name != "private_key" {
                    self.told.fault(format!("white space stands around the value of `{name}`"), "take it away");
                }
                if text.contains("${") || text.starts_with('$') || (text.starts_with('<') && text.ends_with('>')) {
                    self.told.fault(format!("`{name}` still holds a placeholder"), "write the value");
                }
                Some(text.clone())
            }
            Some(_) => {
                self.told.fault(format!("`{name}` is no text"), "quote it");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Option<String> {
        let text = self.optional(name).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.told.fault(format!("`{name}` is missing or empty"), "");
        }
        text
    }

    /// An address of https; `usual` is where it leads as a rule.
    pub(super) fn https(&mut self, name: &str, usual: Option<&str>) -> Option<String> {
        let url = self.optional(name)?;
        if !url.starts_with("https://") {
            self.told.fault(
                format!("`{name}` is `{url}`: secrets go over https only, and clients refuse it"),
                "write https://",
            );
        } else if let Some(usual) = usual
            && url != usual
        {
            self.told.not_checked.push(format!("`{name}` leads to {url}, not to {usual}: whoever is there gets what is sent; take no such file from somebody else"));
        }
        Some(url)
    }

    /// Names that no client reads.
    pub(super) fn unknown(&mut self, known: &[&str]) {
        for name in self.json.keys().filter(|name| !known.contains(&name.as_str())) {
            let near = nearest(name, known.iter().copied());
            let help = near.map_or_else(
                || "clients pass over what they do not know".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.told.fault(format!("`{name}` is no field of this type"), help);
        }
    }

    /// What the file would do.
    pub(super) fn steps(&mut self, steps: &[&str]) {
        let lines = steps.iter().enumerate().map(|(at, step)| (format!("{}.", at + 1), (*step).to_owned())).collect();
        self.told.sections.push(Section { title: "what it does".to_owned(), lines });
    }
}
