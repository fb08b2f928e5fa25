//! Who shows a bearer token.

use std::sync::Arc;

use tokenrig_clock::{Timestamp, minutes, seconds};
use tokenrig_jose::{DateFault, Jws, Map, PublicKey, numeric_date};
use tokenrig_policy::{AccessBoundary, Identity, PoolRef};

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
    /// Of a self-signed JWT without scope: the one service that it is good for, `https://SERVICE.googleapis.com/`, with or
    /// without a gRPC interface after it.
    pub audience: Option<String>,
    /// What the token permits at most, if it was downscoped: [`Cloud::permit`] honours it.
    pub boundary: Option<Arc<AccessBoundary>>,
    /// The project, id or number, whose quota calls count on unless they say another: of a federated token.
    pub user_project: Option<Arc<str>>,
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
    #[error("it has neither `scope` nor a Google service as `aud`")]
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
            Identity::Federated { pool, .. } if !self.pools().live(pool) => {
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
            boundary: issued.boundary.clone(),
            user_project: issued.user_project.clone(),
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
            Some(audience) if !service_of(audience).is_some_and(|service| serves(host, service)) => {
                Err(CallerFault::SelfSigned {
                    email: caller.identity.email().unwrap_or_default().to_owned(),
                    fault: SelfSignedFault::OtherAudience(audience.clone()),
                })
            }
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
                // Who has an address signed for itself once, and is gone.
                Some(audience) if !issuer.is_empty() && !issuer.contains('@') => {
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
        let kind = TokenKind::SelfSignedJwt;
        Ok(Caller {
            identity: account.identity(),
            scopes,
            kind,
            expires_at,
            audience,
            boundary: None,
            user_project: None,
        })
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
                let system = self.accounts().known_system_keys(account).into_iter().filter(|key| key.id() == kid);
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

/// The service of an audience: `https://run.googleapis.com/` gives `run.googleapis.com`. What signs for gRPC calls puts
/// the interface after it, `https://run.googleapis.com/google.cloud.run.v2.Services`: gRPC's own JWT access credentials
/// (`service_url` in its C core) and google-auth's `OnDemandCredentials`.
fn service_of(audience: &str) -> Option<&str> {
    let rest = audience.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    (host.ends_with(".googleapis.com") && (path.is_empty() || is_interface(path))).then_some(host)
}

/// Whether this is the name of a gRPC interface: words with dots between them.
fn is_interface(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    name.contains('.') && name.split('.').all(word)
}

/// Whether `host` is a service's own, its regional one (`us-central1-run.googleapis.com`) or its mTLS one
/// (`run.mtls.googleapis.com`).
fn serves(host: &str, service: &str) -> bool {
    let host = host.split(':').next().unwrap_or(host).replace(".mtls.", ".");
    let region = host.strip_suffix(&service.replace(".mtls.", "."));
    region.is_some_and(|region| region.is_empty() || region.ends_with('-'))
}

/// What an unverified token claims, for people: not endless.
fn shown(text: &str) -> String {
    const MOST: usize = 200;
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;
    use serde_json::{Value, json};
    use tokenrig_clock::Clock;
    use tokenrig_jose::{Algorithm, protected_header, sign};

    use super::*;
    use crate::{
        AccessTokenOrder, IdTokenOrder, IdentityPool, NewAccount,
        cloud::tests::{cloud, cloud_and_clock},
    };

    fn order(identity: Identity) -> AccessTokenOrder {
        AccessTokenOrder { identity, scopes: vec!["cloud-platform".into()], lifetime: seconds(3600) }
    }

    fn alice(pool: PoolRef) -> Identity {
        Identity::Federated {
            pool,
            subject: "alice".into(),
            groups: vec![],
            attributes: BTreeMap::new(),
            provider: "corp".into(),
        }
    }

    #[test]
    fn an_access_token_names_whom_it_was_issued_to_until_it_ends() {
        let (cloud, clock) = cloud_and_clock();
        let token = cloud.mint().access_token(order(cloud.owner().identity()));
        let caller = cloud.caller(token.reveal()).unwrap();
        assert_eq!((caller.identity, caller.kind), (cloud.owner().identity(), TokenKind::Access));
        clock.advance_to(token.expires_at()).unwrap();
        assert_eq!(cloud.caller(token.reveal()), Err(CallerFault::Expired { at: token.expires_at() }));
    }

    #[rstest]
    #[case::nothing("", CallerFault::Missing)]
    #[case::anything("garbage", CallerFault::Unknown)]
    #[case::looks_right("ya29.c.AAAA", CallerFault::Unknown)]
    #[case::almost_a_jwt("a.b.c", CallerFault::Unknown)]
    fn what_the_rig_did_not_issue_names_nobody(#[case] token: &str, #[case] fault: CallerFault) {
        assert_eq!(cloud().caller(token), Err(fault));
    }

    #[rstest]
    #[case::workload(PoolRef::workload("1071284184436", "partners"))]
    #[case::workforce(PoolRef::workforce("employees"))]
    fn a_federated_token_works_while_its_pool_does_whatever_becomes_of_the_provider(#[case] name: PoolRef) {
        let cloud = cloud();
        let pool = cloud.pools().create(IdentityPool::named(name.clone())).unwrap();
        cloud.pools().create_provider(&name, crate::Provider::named(pool, "corp")).unwrap();
        let token = cloud.mint().access_token(order(alice(name.clone())));
        let works = || cloud.caller(token.reveal()).map(|caller| caller.kind);
        let gone = Err(CallerFault::PoolGone { pool: name.clone() });

        assert_eq!(works(), Ok(TokenKind::Federated));
        cloud.pools().update_provider(&name, "corp", |provider| provider.disabled = true).unwrap();
        assert_eq!(works(), Ok(TokenKind::Federated));
        cloud.pools().delete_provider(&name, "corp").unwrap();
        assert_eq!(works(), Ok(TokenKind::Federated));
        cloud.pools().update(&name, |pool| pool.disabled = true).unwrap();
        assert_eq!(works(), gone);
        cloud.pools().update(&name, |pool| pool.disabled = false).unwrap();
        assert_eq!(works(), Ok(TokenKind::Federated));
        cloud.pools().delete(&name).unwrap();
        assert_eq!(works(), gone);
        cloud.pools().undelete(&name).unwrap();
        assert_eq!(works(), Ok(TokenKind::Federated));
    }

    #[test]
    fn a_disabled_or_deleted_account_has_no_tokens_and_a_new_one_of_its_name_does_not_get_them() {
        let cloud = cloud();
        let new = || NewAccount { account: "caller".into(), ..NewAccount::default() };
        let account = cloud.accounts().create(new()).unwrap();
        let token = cloud.mint().access_token(order(account.identity()));
        let email = account.email.clone();
        cloud.accounts().set_disabled(&email, true).unwrap();
        assert_eq!(cloud.caller(token.reveal()), Err(CallerFault::AccountDisabled { email: email.clone() }));
        cloud.accounts().set_disabled(&email, false).unwrap();
        cloud.accounts().delete(&email).unwrap();
        assert_eq!(cloud.caller(token.reveal()), Err(CallerFault::AccountGone { email: email.clone() }));
        cloud.accounts().create(new()).unwrap();
        assert_eq!(cloud.caller(token.reveal()), Err(CallerFault::AccountGone { email }));
    }

    #[test]
    fn an_id_token_is_no_access_token() {
        let cloud = cloud();
        let token = cloud.mint().id_token(&IdTokenOrder::generated(&cloud.owner(), "https://orders.example", true));
        let fault = cloud.caller(&token).unwrap_err();
        assert!(matches!(&fault, CallerFault::IdToken { audience, .. } if audience == "https://orders.example"));
    }

    /// A JWT that the owner signs with a key of its own, changed as the test says.
    fn self_signed(cloud: &Cloud, change: &Value, kid: bool) -> String {
        let owner = cloud.owner();
        let key = cloud.accounts().create_key(&owner).unwrap();
        let now = cloud.now().as_second();
        let mut claims = json!({
            "iss": owner.email, "sub": owner.email, "aud": "https://run.googleapis.com/", "iat": now, "exp": now + 3600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = protected_header(Algorithm::Rs256, &key.key.id);
        if !kid {
            header.remove("kid");
        }
        sign(&header, claims.as_object().unwrap(), &key.private)
    }

    #[rstest]
    #[case::audience(json!({}), true)]
    #[case::without_slash(json!({ "aud": "https://run.googleapis.com" }), true)]
    #[case::as_grpc_names_it(json!({ "aud": "https://run.googleapis.com/google.cloud.run.v2.Services" }), true)]
    #[case::scope(json!({ "aud": null, "scope": "https://www.googleapis.com/auth/cloud-platform" }), true)]
    #[case::as_rust_dates_it(json!({ "iat": 1_768_467_590, "exp": 1_768_471_210 }), true)]
    #[case::no_key_id(json!({}), false)]
    fn a_service_account_may_sign_for_itself(#[case] change: Value, #[case] kid: bool) {
        let cloud = cloud();
        let caller = cloud.caller_at(&self_signed(&cloud, &change, kid), "us-central1-run.googleapis.com").unwrap();
        assert_eq!((caller.identity, caller.kind), (cloud.owner().identity(), TokenKind::SelfSignedJwt));
    }

    #[rstest]
    #[case::other_service(json!({ "aud": "https://iam.googleapis.com/" }), SelfSignedFault::OtherAudience("https://iam.googleapis.com/".into()))]
    #[case::audience_and_suffix(json!({ "aud": "https://evilrun.googleapis.com/" }), SelfSignedFault::OtherAudience("https://evilrun.googleapis.com/".into()))]
    #[case::elsewhere(json!({ "aud": "https://run.example.com/" }), SelfSignedFault::Audience)]
    #[case::a_path(json!({ "aud": "https://run.googleapis.com/v2/projects/p.Q" }), SelfSignedFault::Audience)]
    #[case::one_word(json!({ "aud": "https://run.googleapis.com/v2" }), SelfSignedFault::Audience)]
    #[case::no_name(json!({ "aud": "https://run.googleapis.com/google..Services" }), SelfSignedFault::Audience)]
    #[case::neither(json!({ "aud": null }), SelfSignedFault::Audience)]
    #[case::subject(json!({ "sub": "somebody@shop-test.iam.gserviceaccount.com" }), SelfSignedFault::Subject)]
    #[case::long(json!({ "exp": 1_768_474_800 }), SelfSignedFault::Long)]
    #[case::no_issue_time(json!({ "iat": null }), SelfSignedFault::Time("iat"))]
    #[case::text_for_time(json!({ "exp": "1768471200" }), SelfSignedFault::Time("exp"))]
    fn a_self_signed_token_that_is_wrong_is_told_why(#[case] change: Value, #[case] expected: SelfSignedFault) {
        let cloud = cloud();
        let found = cloud.caller_at(&self_signed(&cloud, &change, true), "run.googleapis.com");
        let Err(CallerFault::SelfSigned { fault, .. }) = found else { panic!("{found:?}") };
        assert_eq!(fault, expected);
    }

    #[test]
    fn a_token_for_a_service_is_not_for_one_whose_name_only_ends_alike() {
        let cloud = cloud();
        let token = self_signed(&cloud, &json!({}), true);
        let at = |host| cloud.caller_at(&token, host).is_ok();
        assert!(at("run.googleapis.com") && at("europe-west4-run.googleapis.com:443") && at("run.mtls.googleapis.com"));
        assert!(!at("notrun.googleapis.com") && !at("run.googleapis.com.example") && !at(""));
    }

    #[test]
    fn a_key_of_another_account_or_a_disabled_one_signs_nothing() {
        let cloud = cloud();
        let other = cloud.accounts().create(NewAccount { account: "other".into(), ..NewAccount::default() }).unwrap();
        let key = cloud.accounts().create_key(&other).unwrap();
        let now = cloud.now().as_second();
        let owner = cloud.owner();
        let claims = json!({ "iss": owner.email, "aud": "https://run.googleapis.com/", "iat": now, "exp": now + 60 });
        let signature = |token: &str| match cloud.caller(token) {
            Err(CallerFault::SelfSigned { fault, .. }) => fault == SelfSignedFault::Signature,
            _ => false,
        };
        for kid in [Some(&key.key.id), None] {
            let mut header = protected_header(Algorithm::Rs256, &key.key.id);
            if kid.is_none() {
                header.remove("kid");
            }
            assert!(signature(&sign(&header, claims.as_object().unwrap(), &key.private)), "kid {kid:?}");
        }
        let token = self_signed(&cloud, &json!({}), true);
        assert!(cloud.caller(&token).is_ok());
        let own = cloud.accounts().keys(&owner);
        cloud.accounts().set_key_disabled(&owner, &own[0].id, true).unwrap();
        assert!(signature(&token));
    }
}
