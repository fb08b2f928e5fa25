//! `mint`: a token of a given issuer, or a signed request of a principal of AWS.

use serde_json::{Map, Value as Json, json};
use tokenrig_cel::Value;
use tokenrig_scenario::{Flaw, Mint, Template};

use super::{Case, Done, Stop};
use crate::{
    evaluate::{self, Fault},
    events::{StepReport, TokenShown},
    redact,
    world::{MintKey, MintOrder},
};

/// How long a token lives unless `exp` says otherwise.
const LIFETIME: i64 = 3600;

impl Case<'_> {
    pub(super) async fn mint(&mut self, mint: &Mint, report: &mut StepReport) -> Result<Done, Stop> {
        let token = match &mint.raw {
            Some(raw) => self.env.text(raw)?,
            None => self.signed(mint).await?,
        };
        redact::opening(&token, self.site.now(), |shown, opened| {
            report.tokens.push(TokenShown::new("minted", shown, opened));
        });
        Ok(Done { names: vec![("token", Value::from(token))], ..Done::default() })
    }

    async fn signed(&mut self, mint: &Mint) -> Result<String, Stop> {
        let now = self.site.now();
        let facts = self.site.facts();
        let issuer = facts.issuers.get(&*mint.issuer.text).and_then(|issuer| issuer.get("issuer")).cloned();
        let mut claims = Map::new();
        // Who is no issuer signs something else, of which nothing is usual.
        let is_issuer = issuer.is_some();
        if let Some(issuer) = issuer {
            claims.insert("iss".to_owned(), issuer);
            claims.insert("iat".to_owned(), json!(now.as_second()));
            claims.insert("exp".to_owned(), json!(now.as_second() + LIFETIME));
        }
        if let Some(template) = &mint.claims {
            for (name, value) in self.env.entries(template)? {
                match evaluate::json(&value) {
                    Some(value) => _ = claims.insert(name, value),
                    None if is_issuer => _ = claims.shift_remove(&name),
                    None => _ = claims.insert(name, Json::Null),
                }
            }
        }
        let mut header = Map::new();
        if let Some(template) = &mint.header {
            for (name, value) in self.env.entries(template)? {
                // What is absent is told to the site, which would fill it in.
                header.insert(name, evaluate::json(&value).unwrap_or(Json::Null));
            }
        }
        let key = match &mint.key {
            Some(key) => MintKey::Named(self.env.text(key)?),
            None => MintKey::Current,
        };
        let flaw = match &mint.flaw {
            Some(template) => self.flaw(template)?,
            None => None,
        };
        Ok(self.site.mint(MintOrder { issuer: mint.issuer.text.to_string(), header, claims, key, flaw }).await?)
    }

    /// The flaw of this name; none where the value is absent.
    fn flaw(&self, template: &Template) -> Result<Option<Flaw>, Stop> {
        let value = self.env.value(template)?;
        if evaluate::json(&value).is_none_or(|value| value.is_null()) {
            return Ok(None);
        }
        let name = self.env.text(template)?;
        match name.parse() {
            Ok(flaw) => Ok(Some(flaw)),
            Err(_) => {
                let known: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
                let fault = Fault::new(template.span, format!("`{name}` is no flaw: known are {}", known.join(", ")));
                Err(fault.into())
            }
        }
    }
}
