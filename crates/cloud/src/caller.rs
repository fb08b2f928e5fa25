//! Who shows a bearer token.

use tokenrig_clock::{Timestamp, minutes, seconds};
use tokenrig_jose::{DateFault, Jws, Map, PublicKey, numeric_date};
use tokenrig_policy::{Identity, PoolRef};

use crate::{accounts::ServiceAccount, cloud::Cloud};

/// What a bearer token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token of a user or service account.
    Access,
    /// A federated access token: only some APIs take it.
    Federated,
    /// A JWT that a service account signed for itself with a key of its own.
    SelfSignedJwt,
}

/// Somebody whose token was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// The token's scopes. A self-signed JWT with an audience has none and needs none: [`audience`](Self::audience).
    pub scopes: Vec<String>,
    /// What the token is.
    pub kind: TokenKind,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Of a self-signed JWT without scope: the one service that it is good for, `https://SERVICE.googleapis.com/`.
    pub audience: Option<String>,
}

/// Why a bearer token names nobody. The token itself is never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallerFault {
    /// There is none.
    #[error("there is no token")]
    Missing,
    /// The rig issued no such token.
    #[error("the rig did not issue this token")]
    Unknown,
    /// Its time is over.
    #[error("the token expired at {at}")]
    Expired {
        /// When it ended.
        at: Timestamp,
    },
    /// It is an ID token: good for applications, not for APIs.
    #[error("an ID token of {issuer} for {audience} is no access token")]
    IdToken {
        /// Its `iss`, not verified.
        issuer: String,
        /// Its `aud`, not verified.
        audience: String,
    },
    /// The pool of the federated identity is disabled or deleted.
    #[error("{pool} is disabled or deleted")]
    PoolGone {
        /// The pool.
        pool: PoolRef,
    },
    /// The service account was deleted.
    #[error("service account {email} was deleted")]
    AccountGone {
        /// Its address.
        email: String,
    },
    /// The service account is disabled.
    #[error("service account {email} is disabled")]
    AccountDisabled {
        /// Its address.
        email: String,
    },
    /// A JWT that says it was signed by a service account and is not good.
    #[error("self-signed JWT of {email}: {fault}")]
    SelfSigned {
        /// Its `iss`.
        email: String,
        /// What is wrong with it.
        fault: SelfSignedFault,
    },
}

/// What is wrong with a JWT that a service account signed for itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfSignedFault {
    /// `sub` is there and not `iss`.
    #[error("`sub` is not `iss`")]
    Subject,
    /// No enabled key of the account verifies it.
    #[error("no key of the account verifies its signature")]
    Signature,
    /// `iat` or `exp` is missing or no time.
    #[error("`{0}` is missing or no time")]
    Time(&'static str),
    /// It is from the future.
    #[error("it is issued at {0}, which is yet to come")]
    Early(Timestamp),
    /// It lives longer than an hour.
    #[error("it lives longer than an hour")]
    Long,
    /// Neither `scope` nor an `aud` that is a service of Google.
    #[error("it has neither `scope` nor the root of a Google service as `aud`")]
    Audience,
    /// It is for another service.
    #[error("it is for {0}")]
    OtherAudience(String),
}

impl Cloud {
    /// Who shows this bearer token. A self-signed JWT may be for any service: its
    /// [`audience`](Caller::audience) is left to the caller of this function to look at.
    ///
    /// # Errors
    ///
    /// [`CallerFault`].
    pub fn caller(&self, bearer: &str) -> Result<Caller, CallerFault> {
        if bearer.is_empty() {
            return Err(CallerFault::Missing);
        }
        let Some(issued) = self.mint().issued(bearer) else {
            return self.by_jwt(bearer);
        };
        if issued.expires_at <= self.now() {
            return Err(CallerFault::Expired { at: issued.expires_at });
        }
        match &issued.identity {
            Identity::Federated { pool, .. }
                if matches!(pool, PoolRef::Workload { .. }) && !self.pools().live(pool) =>
            {
                return Err(CallerFault::PoolGone { pool: pool.clone() });
            }
            Identity::ServiceAccount { unique_id, email, .. } => {
                let account = self.accounts().get_by_id(unique_id);
                working(account.as_deref().ok_or_else(|| CallerFault::AccountGone { email: email.clone() })?)?;
            }
            _ => {}
        }
        Ok(Caller {
            identity: issued.identity.clone(),
            scopes: issued.scopes.clone(),
            kind: issued.kind,
            expires_at: issued.expires_at,
            audience: None,
        })
    }

    /// Who shows this bearer token to the API at `host` (`run.googleapis.com`): as [`caller`](Self::caller), and a
    /// self-signed JWT must be for that host.
    ///
    /// # Errors
    ///
    /// [`CallerFault`].
    pub fn caller_at(&self, bearer: &str, host: &str) -> Result<Caller, CallerFault> {
        let caller = self.caller(bearer)?;
        match &caller.audience {
            Some(audience) if service_of(audience) != Some(plain_host(host)) => Err(CallerFault::SelfSigned {
                email: caller.identity.email().unwrap_or_default().to_owned(),
                fault: SelfSignedFault::OtherAudience(audience.clone()),
            }),
            _ => Ok(caller),
        }
    }

    fn by_jwt(&self, bearer: &str) -> Result<Caller, CallerFault> {
        let Ok(token) = Jws::parse(bearer) else { return Err(CallerFault::Unknown) };
        let Ok(claims) = token.claims() else { return Err(CallerFault::Unknown) };
        let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
        let issuer = text("iss").unwrap_or_default();
        let Some(account) = self.accounts().get(issuer).filter(|account| account.email == issuer) else {
            // Whoever signed it: an ID token shown in place of an access token.
            return Err(match text("aud") {
                Some(audience) if !issuer.is_empty() => {
                    CallerFault::IdToken { issuer: shown(issuer), audience: shown(audience) }
                }
                _ => CallerFault::Unknown,
            });
        };
        let wrong = |fault| CallerFault::SelfSigned { email: account.email.clone(), fault };
        if text("sub").is_some_and(|subject| subject != account.email) {
            return Err(wrong(SelfSignedFault::Subject));
        }
        let keys = self.verifying_keys(&account, token.kid());
        if !keys.iter().any(|key| token.verify(key).is_ok()) {
            return Err(wrong(SelfSignedFault::Signature));
        }
        let expires_at = self.lifetime(claims).map_err(|fault| match fault {
            Lifetime::Over(at) => CallerFault::Expired { at },
            Lifetime::Wrong(fault) => wrong(fault),
        })?;
        working(&account)?;
        let scopes: Vec<String> =
            text("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let audience = match text("aud") {
            _ if !scopes.is_empty() => None,
            Some(audience) if service_of(audience).is_some() => Some(audience.to_owned()),
            _ => return Err(wrong(SelfSignedFault::Audience)),
        };
        Ok(Caller { identity: account.identity(), scopes, kind: TokenKind::SelfSignedJwt, expires_at, audience })
    }

    /// The public keys that a token of an account may be verified with: the one that its header names, or, as some
    /// clients name none, each that the account's users hold. Google's own key for the account must be named.
    #[must_use]
    pub fn verifying_keys(&self, account: &ServiceAccount, kid: Option<&str>) -> Vec<PublicKey> {
        let now = self.now();
        let good = |key: &crate::AccountKey| !key.disabled && key.valid_before.is_none_or(|end| now < end);
        let own = self.accounts().keys(account);
        let own = own.iter().filter(|key| good(key));
        match kid {
            None => own.map(|key| key.public.clone()).collect(),
            Some(kid) => {
                let system = self.accounts().known_system_key(account).filter(|key| key.id() == kid);
                let own = own.filter(|key| key.id == kid).map(|key| key.public.clone());
                own.chain(system.map(|key| key.public())).collect()
            }
        }
    }

    /// The end of a self-signed JWT's time. Clients date theirs ten seconds back and forth, so a minute is forgiven.
    fn lifetime(&self, claims: &Map) -> Result<Timestamp, Lifetime> {
        let at = |name: &'static str| {
            numeric_date(claims, name).map_err(|_: DateFault| Lifetime::Wrong(SelfSignedFault::Time(name)))
        };
        let (issued, expires) = (at("iat")?, at("exp")?);
        let now = self.now();
        if expires <= now {
            return Err(Lifetime::Over(expires));
        }
        if issued.duration_since(now) > minutes(1) {
            return Err(Lifetime::Wrong(SelfSignedFault::Early(issued)));
        }
        if expires.duration_since(issued) > seconds(3660) {
            return Err(Lifetime::Wrong(SelfSignedFault::Long));
        }
        Ok(expires)
    }
}

enum Lifetime {
    Over(Timestamp),
    Wrong(SelfSignedFault),
}

fn working(account: &ServiceAccount) -> Result<(), CallerFault> {
    let email = || account.email.clone();
    if account.deleted.is_some() {
        return Err(CallerFault::AccountGone { email: email() });
    }
    if account.disabled { Err(CallerFault::AccountDisabled { email: email() }) } else { Ok(()) }
}

/// The service of an audience that is the root of one: `https://run.googleapis.com/` gives `run.googleapis.com`.
fn service_of(audience: &str) -> Option<&str> {
    let host = audience.strip_prefix("https://")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    (host.ends_with(".googleapis.com") && !host.contains('/')).then_some(host)
}

/// A host without what clients put around a service's name: a region before it, `mtls` in it.
fn plain_host(host: &str) -> &str {
    host.split(':').next().unwrap_or(host)
}

/// What an unverified token claims, for people: not endless.
fn shown(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().take(MOST).collect()
}
