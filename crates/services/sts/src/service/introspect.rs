//! What a federated access token is: RFC 7662, as gcloud asks it.

use serde_json::{Value, json};
use tokenrig_decision::{Check, Decision};
use tokenrig_policy::Identity;

use super::{SURFACE, Sts, request};
use crate::model::{ACCESS_TOKEN, TokenRequest};

/// The method, in the pattern of `sts.token`: it is in no discovery document.
pub(crate) const INTROSPECT: &str = "sts.introspect";
/// Who issued it.
const ISSUER: &str = "https://sts.googleapis.com/";

/// The answer to an introspection.
#[derive(Debug)]
pub(crate) struct Introspection {
    /// Why.
    pub(crate) decision: Decision,
    /// The body, unless the request itself was wrong.
    pub(crate) answer: Option<Value>,
}

impl Sts {
    /// `POST /v1/introspect`. A token that is unknown, expired, of a disabled pool or of another kind is not active;
    /// which of these, only the decision tells. Who asks is not looked at: gcloud names a client of its own.
    pub(crate) fn introspect(&self, request: &TokenRequest) -> Introspection {
        let mut decision = Decision::of(SURFACE, INTROSPECT);
        let hint = request.token_type_hint.as_deref();
        if !matches!(hint, None | Some(ACCESS_TOKEN | "access_token")) {
            decision.add(request::invalid("token_type_hint", json!(ACCESS_TOKEN), super::shown::field(hint)));
            return Introspection { decision, answer: None };
        }
        let Some(token) = request.introspected() else {
            decision.add(request::invalid("token", json!("a federated access token"), Value::Null));
            return Introspection { decision, answer: None };
        };
        decision.add(Check::named("request").expected("token").found("token"));
        let check = Check::named("token").expected("a federated access token that works");
        let (answer, found) = match self.active(token) {
            Ok((answer, member)) => (answer, member),
            Err(why) => (json!({ "active": false }), why),
        };
        decision.add(check.found(found));
        Introspection { decision, answer: Some(answer) }
    }

    fn active(&self, token: &str) -> Result<(Value, String), String> {
        let caller = self.cloud.caller(token).map_err(|fault| fault.to_string())?;
        let issued = self.cloud.mint().issued(token).ok_or("it is no access token of the rig")?;
        let Identity::Federated { pool, subject, .. } = &caller.identity else {
            return Err("it is no federated token".to_owned());
        };
        let member = caller.identity.member().to_string();
        // Numbers of 64 bits are strings in Google's JSON.
        let answer = json!({
            "active": true,
            "exp": issued.expires_at.as_second().to_string(),
            "iat": issued.issued_at.as_second().to_string(),
            "iss": ISSUER,
            "scope": issued.scopes.join(" "),
            "sub": self.cloud.derived_hex("introspected subject", &format!("{pool}\n{subject}")),
            "username": member,
        });
        Ok((answer, member))
    }
}
