//! The tokens: one good, and what is wrong with each of the others.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokenrig::{Core, Duty, Flaw, MintOrder, Rule};
use tokenrig_cloud::{IdTokenOrder, ServiceAccount};
use tokenrig_jose::Algorithm;

use crate::Strangers;

/// Whose tokens the endpoint takes, and what it expects of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// Who signs.
    pub signer: Signer,
    /// `aud` of a good token.
    pub audience: String,
    /// The service account that a good token of Google is for, by e-mail; the rig's owner if nobody is named.
    pub account: Option<String>,
    /// Claims that a good token of an OpenID provider has, beside `iss`, `aud`, `sub`, `iat` and `exp`.
    pub claims: Map<String, Value>,
}

/// Whom the endpoint has been told to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Google: ID tokens of service accounts.
    Google,
    /// An OpenID provider of the rig, by its id.
    Issuer(String),
}

/// Why no tokens can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AimFault {
    /// No such account.
    #[error("the rig has no service account `{0}`")]
    Account(String),
    /// No such issuer, or one that does not sign here.
    #[error("{0}")]
    Issuer(String),
}

/// A token to be fired.
#[derive(Clone)]
pub struct Shot {
    /// Its name; of a flaw the flaw's.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// What a verifier owes to it.
    pub rule: Rule,
    /// What is sent after `Bearer `; nothing: no credential at all.
    pub token: Option<String>,
}

/// Shows no token.
impl std::fmt::Debug for Shot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shot").field("name", &self.name).field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// All that is fired.
#[derive(Debug, Clone)]
pub struct Shots {
    /// What must be let in, or else nothing is proven by what is not.
    pub good: Shot,
    /// What must not, most of it.
    pub hostile: Vec<Shot>,
}

const GOOGLE: &str = "Google, service-to-service authentication";

impl Aim {
    /// At an endpoint that takes Google's ID tokens for an audience.
    #[must_use]
    pub fn google(audience: impl Into<String>) -> Self {
        Self { signer: Signer::Google, audience: audience.into(), account: None, claims: Map::new() }
    }

    /// At an endpoint that takes tokens of one of the rig's OpenID providers.
    #[must_use]
    pub fn issuer(id: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { signer: Signer::Issuer(id.into()), ..Self::google(audience) }
    }
}

/// Makes the tokens. They are good, or wrong, from now on and for an hour.
///
/// # Errors
///
/// [`AimFault`] if there is no such signer.
pub fn aimed(rig: &Core, aim: &Aim, strangers: &Strangers) -> Result<Shots, AimFault> {
    let account = account(rig, aim.account.as_deref())?;
    let maker = Maker { rig, aim, account: &account };
    // For endpoints that serve no algorithm but the signer's own, each flaw is one of that algorithm.
    let algorithm = maker.algorithm()?;
    let good = maker.token(None, Map::new())?;
    let mut hostile = vec![none(), garbage()];
    for flaw in Flaw::ALL {
        let header = match flaw {
            Flaw::Jku => member("jku", strangers.jwks_url(algorithm)),
            Flaw::X5u => member("x5u", strangers.certificate_url(algorithm)),
            _ => Map::new(),
        };
        let token = Some(maker.token(Some(*flaw), header)?);
        hostile.push(Shot { name: flaw.name(), about: flaw.about(), rule: flaw.rule(), token });
    }
    hostile.push(access_token(rig, &account.email));
    if aim.signer == Signer::Google {
        hostile.extend([self_signed(rig, &account, &aim.audience), other_account(rig, &account, &aim.audience)]);
    }
    let rule = Rule { duty: Duty::Survive, source: "OpenID Connect Core, 3.1.3.7" };
    Ok(Shots { good: Shot { name: "good", about: "As it should be.", rule, token: Some(good) }, hostile })
}

fn account(rig: &Core, email: Option<&str>) -> Result<Arc<ServiceAccount>, AimFault> {
    match email {
        None => Ok(rig.cloud().owner()),
        Some(email) => rig.cloud().accounts().get(email).ok_or_else(|| AimFault::Account(email.to_owned())),
    }
}

struct Maker<'a> {
    rig: &'a Core,
    aim: &'a Aim,
    account: &'a Arc<ServiceAccount>,
}

impl Maker<'_> {
    fn algorithm(&self) -> Result<Algorithm, AimFault> {
        match &self.aim.signer {
            Signer::Google => Ok(Algorithm::Rs256),
            Signer::Issuer(id) => {
                let issuer = self.rig.issuers().get(id);
                let issuer = issuer.ok_or_else(|| AimFault::Issuer(format!("the rig has no issuer `{id}`")))?;
                Ok(issuer.algorithm)
            }
        }
    }

    fn token(&self, flaw: Option<Flaw>, header: Map<String, Value>) -> Result<String, AimFault> {
        match &self.aim.signer {
            Signer::Google => {
                let order = IdTokenOrder::generated(self.account, &self.aim.audience, true);
                Ok(match flaw {
                    Some(flaw) => self.rig.cloud().mint().flawed_id_token(&order, flaw, &header),
                    None => self.rig.cloud().mint().id_token(&order),
                })
            }
            Signer::Issuer(id) => {
                let mut claims = self.aim.claims.clone();
                claims.entry("sub").or_insert_with(|| json!("alice"));
                claims.entry("aud").or_insert_with(|| json!(self.aim.audience));
                let order = MintOrder { header, flaw, ..MintOrder::new(id, claims) };
                self.rig.issuers().mint(order).map_err(|fault| AimFault::Issuer(fault.to_string()))
            }
        }
    }
}

fn member(name: &str, url: String) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::String(url))])
}

fn none() -> Shot {
    let rule = Rule { duty: Duty::Refuse, source: "RFC 6750, 3" };
    Shot { name: "no-token", about: "No credential at all.", rule, token: None }
}

fn garbage() -> Shot {
    let rule = Rule { duty: Duty::Refuse, source: "RFC 7519, 7.2" };
    Shot { name: "garbage", about: "A word that is no token.", rule, token: Some("garbage".to_owned()) }
}

fn access_token(rig: &Core, email: &str) -> Shot {
    let rule = Rule { duty: Duty::Refuse, source: GOOGLE };
    let about = "An access token of the account: it is for Google's APIs and says nothing about this audience.";
    let token = rig.account_token(email).unwrap_or_else(|| rig.owner_token());
    Shot { name: "access-token", about, rule, token: Some(token) }
}

fn self_signed(rig: &Core, account: &ServiceAccount, audience: &str) -> Shot {
    let now = rig.cloud().now().as_second();
    let claims = json!({
        "iss": account.email, "sub": account.email, "email": account.email, "email_verified": true,
        "aud": audience, "iat": now, "exp": now + 3600,
    });
    let (_, token) = rig.cloud().mint().sign_jwt_as(account, claims.to_string().as_bytes());
    let rule = Rule { duty: Duty::Refuse, source: GOOGLE };
    let about = "Signed by the account itself, not by Google: it says what its holder wants.";
    Shot { name: "self-signed", about, rule, token: Some(token) }
}

fn other_account(rig: &Core, account: &ServiceAccount, audience: &str) -> Shot {
    const NAME: &str = "somebody-else";
    let accounts = rig.cloud().accounts();
    let email = format!("{NAME}@{}.iam.gserviceaccount.com", rig.cloud().project().id);
    let other = accounts.get(&email).filter(|other| other.email != account.email);
    // Anybody can have Google sign a token of an account of their own, for any audience.
    let stranger = other.unwrap_or_else(|| {
        Arc::new(ServiceAccount { email, unique_id: "117000000000000000001".to_owned(), ..account.clone() })
    });
    let token = rig.cloud().mint().id_token(&IdTokenOrder::generated(&stranger, audience, true));
    let rule = Rule { duty: Duty::Beware, source: GOOGLE };
    let about = "A good token of Google's for this audience, of an account that nobody knows.";
    Shot { name: "other-account", about, rule, token: Some(token) }
}
