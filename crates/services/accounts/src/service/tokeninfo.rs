//! What a token is.

use serde_json::{Map, Value, json};
use tokenrig_cloud::TokenKind;
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Jws, numeric_date};
use tokenrig_policy::Identity;

use super::{Accounts, Decided};
use crate::{model::Fields, refusals};

/// The surface word of its decisions.
const SURFACE: &str = "tokeninfo";
const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";

impl Accounts {
    /// `/tokeninfo`, with a token in a field or as bearer. All values of the answer are texts.
    pub(crate) fn tokeninfo(&self, fields: &Fields, bearer: Option<&str>) -> Decided {
        let mut decision = Decision::of(SURFACE, "oauth2.tokeninfo");
        let (id_token, access_token) = (fields.get("id_token"), fields.get("access_token").or(bearer));
        let asked = match (id_token, access_token) {
            (Some(_), _) => Some("id_token"),
            (None, Some(_)) => Some("access_token"),
            (None, None) => None,
        };
        let there = decision.add(
            Check::named("request")
                .expected(json!(["access_token", "id_token"]))
                .found(asked)
                .holds(asked.is_some())
                .or_refuse(&refusals::TOKENINFO_MISSING, "tokeninfo-token-missing")
                .mend(|| "send a token as `access_token` or `id_token`".to_owned()),
        );
        if !there {
            return (decision, None);
        }
        let told = match (id_token, access_token) {
            (Some(token), _) => self.of_id_token(token),
            (None, token) => self.of_access_token(token.unwrap_or_default()),
        };
        let fault = told.as_ref().err().cloned();
        decision.add(
            Check::named("token")
                .expected("a token of Google's that has not ended, and not a federated one")
                .found(fault.clone())
                .holds(fault.is_none())
                .or_refuse(&refusals::TOKENINFO_BAD, "tokeninfo-bad-token")
                .mend(|| fault.unwrap_or_default()),
        );
        (decision, told.ok().map(Value::Object))
    }

    fn of_access_token(&self, token: &str) -> Result<Map<String, Value>, String> {
        let caller = self.cloud.caller(token).map_err(|fault| fault.to_string())?;
        if caller.kind != TokenKind::Access {
            return Err("it is no access token of a user or service account".to_owned());
        }
        let mut told = Map::new();
        let mut tell = |name: &str, value: String| told.insert(name.to_owned(), Value::from(value));
        let email = match &caller.identity {
            Identity::ServiceAccount { email, unique_id, .. } => {
                // A service account is its own client.
                tell("azp", unique_id.clone());
                tell("aud", unique_id.clone());
                email
            }
            Identity::User { email, id } => {
                if let Some(client) = self.cloud.mint().issued(token).and_then(|issued| issued.client.clone()) {
                    tell("azp", client.clone());
                    tell("aud", client);
                }
                tell("sub", id.clone());
                email
            }
            Identity::Federated { .. } | Identity::Anonymous => return Err("it stands for no account".to_owned()),
        };
        tell("scope", caller.scopes.join(" "));
        tell("exp", caller.expires_at.as_second().to_string());
        tell("expires_in", caller.expires_at.duration_since(self.cloud.now()).as_secs().to_string());
        if caller.scopes.iter().any(|scope| scope == EMAIL_SCOPE || scope == "email") {
            tell("email", email.clone());
            tell("email_verified", "true".to_owned());
        }
        tell("access_type", "online".to_owned());
        Ok(told)
    }

    fn of_id_token(&self, token: &str) -> Result<Map<String, Value>, String> {
        let jws = Jws::parse(token).map_err(|fault| fault.to_string())?;
        let claims = jws.claims().map_err(ToString::to_string)?;
        let keys = self.cloud.mint().google_keys();
        let key = jws.kid().and_then(|kid| keys.find(kid)).ok_or("no key of Google's has its key id")?;
        jws.verify(&key.public()).map_err(|fault| fault.to_string())?;
        let exp = numeric_date(claims, "exp").map_err(|fault| format!("`exp`: {fault}"))?;
        if exp <= self.cloud.now() {
            return Err(format!("it ended at {exp}"));
        }
        let account = claims.get("sub").and_then(Value::as_str).and_then(|id| self.cloud.accounts().get_by_id(id));
        if let Some(gone) = account.filter(|account| account.disabled || account.deleted.is_some())
            && !self.settings.gone_accounts_told
        {
            return Err(format!("service account {} is disabled or deleted", gone.email));
        }
        let members = claims.iter().chain(jws.header());
        Ok(members.map(|(name, value)| (name.clone(), Value::from(written(value)))).collect())
    }
}

/// A value as a text.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
