//! The grant of RFC 7523: a service account's assertion for a token.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_clock::SignedDuration;
use tokenrig_cloud::{AccessTokenOrder, IdTokenOrder, ServiceAccount, is_oauth_scope};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Algorithm, DateFault, Jws, Map};

use super::{Accounts, Decided, short};
use crate::{
    model::{Client, Fields, JWT_BEARER, LEGACY_ENDPOINT, OTHER_GRANTS, REFRESH_TOKEN, TOKEN_ENDPOINT, date, text},
    refusals,
};

/// The surface word of its decisions.
const SURFACE: &str = "oauth2-token";

/// What an assertion asks for.
enum Wanted {
    IdToken(String),
    AccessToken(Vec<String>),
}

impl Accounts {
    /// `POST /token`, sent to the address `endpoint`.
    pub(crate) fn token(&self, fields: &Fields, client: &Client, endpoint: &str) -> Decided {
        let mut decision = Decision::of(SURFACE, "token");
        let grant = fields.get("grant_type");
        if !decision.add(check_grant(grant)) {
            return (decision, None);
        }
        if grant == Some(REFRESH_TOKEN) {
            return self.refresh(decision, fields, client);
        }
        let assertion = fields.get("assertion").unwrap_or_default();
        let opened = Jws::parse(assertion).map_err(|fault| fault.to_string()).and_then(|jws| {
            let claims = jws.claims().cloned().map_err(ToString::to_string)?;
            Ok((jws, claims))
        });
        let fault = opened.as_ref().err().cloned();
        decision.add(check_assertion(assertion, fault));
        let Ok((jws, claims)) = opened else { return (decision, None) };
        let issuer = text(&claims, "iss").unwrap_or_default();
        let account = self.cloud.accounts().get(issuer).filter(|account| account.email == issuer);
        self.check_signature(&mut decision, &jws, account.as_deref());
        decision.add(check_account(issuer, account.as_deref()));
        decision.add(self.check_times(&claims));
        let wanted = wanted(&claims);
        decision.add(check_scope(&claims, wanted.is_some()));
        decision.add(check_audience(&claims, endpoint));
        if let Some(account) = &account {
            decision.add(check_delegation(&claims, account));
        }
        let answer = match (decision.failed(), account, wanted) {
            (None, Some(account), Some(wanted)) => Some(self.grant(&account, wanted)),
            _ => None,
        };
        (decision, answer)
    }

    fn grant(&self, account: &Arc<ServiceAccount>, wanted: Wanted) -> Value {
        match wanted {
            Wanted::IdToken(audience) => {
                json!({ "id_token": self.cloud.mint().id_token(&IdTokenOrder::for_assertion(account, audience)) })
            }
            Wanted::AccessToken(scopes) => {
                let lifetime = self.settings.lifetime;
                let order = AccessTokenOrder { identity: account.identity(), scopes, lifetime };
                json!({
                    "access_token": self.cloud.mint().access_token(order).reveal(),
                    "expires_in": lifetime.as_secs(),
                    "token_type": "Bearer",
                })
            }
        }
    }

    /// The algorithm, and then a key of the account. Of an account that does not exist there is no key to ask, and the
    /// next check says so.
    fn check_signature(&self, decision: &mut Decision, jws: &Jws, account: Option<&ServiceAccount>) {
        let check = Check::named("signature").found(json!({ "alg": jws.alg(), "kid": jws.kid().map(short) }));
        let algorithm = jws.algorithm();
        if algorithm != Ok(Algorithm::Rs256) {
            let id = match jws.alg() {
                None => "oauth2-jwt-alg-missing",
                Some("none") => "oauth2-jwt-alg-none",
                Some(_) => "oauth2-jwt-signature-invalid",
            };
            let fault = algorithm.err().map_or_else(|| "another is not taken".to_owned(), |fault| fault.to_string());
            decision.add(
                check
                    .expected("RS256")
                    .holds(false)
                    .or_refuse(&refusals::SIGNATURE_INVALID, id)
                    .mend(|| format!("sign with RS256 and a key of the account: {fault}")),
            );
            return;
        }
        let Some(account) = account else { return };
        let known: Vec<String> = self.cloud.accounts().keys(account).iter().map(|key| key.id.clone()).collect();
        let keys = self.cloud.verifying_keys(account, jws.kid());
        decision.add(
            check
                .expected(json!({ "alg": "RS256", "kid": known }))
                .holds(keys.iter().any(|key| jws.verify(key).is_ok()))
                .or_refuse(&refusals::SIGNATURE_INVALID, "oauth2-jwt-signature-invalid")
                .mend(|| format!("sign with an enabled key of {}", account.email)),
        );
    }

    fn check_times(&self, claims: &Map) -> Check {
        let now = self.cloud.now();
        let check = Check::named("times")
            .expected(
                json!({ "now": now.as_second(), "iat": "not ahead", "exp": "ahead, an hour after `iat` at most" }),
            )
            .found(json!({ "iat": claims.get("iat"), "exp": claims.get("exp") }));
        let (iat, exp) = (date(claims, "iat"), date(claims, "exp"));
        let mend = "set `iat` to the present second and `exp` to an hour later at most";
        let missing = |check: Check, refusal, id| check.holds(false).or_refuse(refusal, id).mend(|| mend.to_owned());
        if iat == Err(DateFault::Missing) {
            return missing(check, &refusals::IAT_MISSING, "oauth2-jwt-iat-missing");
        }
        if exp == Err(DateFault::Missing) {
            return missing(check, &refusals::EXP_MISSING, "oauth2-jwt-exp-missing");
        }
        let longest = SignedDuration::from_hours(1) + self.settings.lifetime_slack;
        let fault = match (iat, exp) {
            (Ok(_), Ok(exp)) if exp <= now => Some("oauth2-jwt-window-expired"),
            (Ok(iat), Ok(_)) if iat.duration_since(now) > self.settings.skew => Some("oauth2-jwt-window-iat-in-future"),
            (Ok(iat), Ok(exp)) if exp.duration_since(iat) > longest => Some("oauth2-jwt-window-too-long"),
            (Ok(_), Ok(_)) => None,
            _ => Some("oauth2-jwt-window-unreadable"),
        };
        check
            .holds(fault.is_none())
            .or_refuse(&refusals::WINDOW, fault.unwrap_or("oauth2-jwt-window-expired"))
            .mend(|| mend.to_owned())
    }
}

fn check_grant(grant: Option<&str>) -> Check {
    let check = Check::named("request").expected([JWT_BEARER, REFRESH_TOKEN].as_slice()).found(grant.map(short));
    match grant {
        Some(JWT_BEARER | REFRESH_TOKEN) => check,
        Some(other) if OTHER_GRANTS.contains(&other) => check
            .holds(false)
            .or_refuse(&refusals::GRANT_NOT_PLAYED, "oauth2-not-played")
            .with("what", format!("the grant {other}: nobody can sign in"))
            .mend(|| {
                "use a refresh token that is given, a service account's key, federation, or the metadata server"
                    .to_owned()
            }),
        other => check
            .holds(false)
            .or_refuse(&refusals::GRANT_TYPE_UNKNOWN, "oauth2-grant-type-unknown")
            .with("value", other.unwrap_or_default())
            .mend(|| format!("set `grant_type` to `{JWT_BEARER}` or `{REFRESH_TOKEN}`")),
    }
}

fn check_assertion(assertion: &str, fault: Option<String>) -> Check {
    let id = match (assertion, assertion.split('.').count()) {
        ("", _) => "oauth2-jwt-assertion-missing",
        (_, 3) => "oauth2-jwt-assertion-undecodable",
        _ => "oauth2-jwt-assertion-not-three-parts",
    };
    Check::named("assertion")
        .expected("a signed JWT in compact form")
        .found(fault.clone())
        .holds(fault.is_none())
        .or_refuse(&refusals::ASSERTION_MALFORMED, id)
        .mend(|| "send a signed JWT in the field `assertion`".to_owned())
}

fn check_account(issuer: &str, account: Option<&ServiceAccount>) -> Check {
    let check = Check::named("account").expected("`iss`, the e-mail address of a service account").found(short(issuer));
    match account {
        None => check
            .holds(false)
            .or_refuse(&refusals::ACCOUNT_NOT_FOUND, "oauth2-jwt-account-not-found")
            .mend(|| "set `iss` to the e-mail address of a service account that exists".to_owned()),
        Some(account) => check
            .holds(!account.disabled)
            .or_refuse(&refusals::ACCOUNT_DISABLED, "oauth2-jwt-account-disabled")
            .mend(|| format!("enable the service account {}", account.email)),
    }
}

fn check_scope(claims: &Map, asks: bool) -> Check {
    Check::named("scope")
        .expected("`scope` or `target_audience`")
        .found(json!({ "scope": claims.get("scope"), "target_audience": claims.get("target_audience") }))
        .holds(asks)
        .or_refuse(&refusals::SCOPE_EMPTY, "oauth2-scope-empty")
        .mend(|| "set `scope` for an access token, `target_audience` for an ID token".to_owned())
}

fn check_audience(claims: &Map, endpoint: &str) -> Check {
    let (refusal, id) = if endpoint == LEGACY_ENDPOINT {
        (&refusals::AUDIENCE_WRONG_LEGACY, "oauth2-jwt-audience-wrong-legacy-host")
    } else {
        (&refusals::AUDIENCE_WRONG, "oauth2-jwt-audience-wrong")
    };
    let found = claims.get("aud");
    let holds = found.and_then(Value::as_str).is_some_and(|aud| aud == TOKEN_ENDPOINT || aud == endpoint);
    Check::named("audience")
        .expected(if endpoint == TOKEN_ENDPOINT { vec![endpoint] } else { vec![TOKEN_ENDPOINT, endpoint] })
        .found(found.cloned())
        .holds(holds)
        .or_refuse(refusal, id)
        .mend(|| format!("set `aud` to {TOKEN_ENDPOINT}"))
}

/// An assertion for somebody else than the account itself needs domain-wide delegation.
fn check_delegation(claims: &Map, account: &ServiceAccount) -> Check {
    let subject = claims.get("sub").filter(|subject| !subject.is_null());
    let check = Check::named("delegation").expected("no `sub`, or the account's own address").found(subject.cloned());
    match subject.map(Value::as_str) {
        None => check,
        Some(Some(subject)) if subject.is_empty() || subject == account.email => check,
        Some(subject) if !subject.is_some_and(|subject| subject.contains('@')) => check
            .holds(false)
            .or_refuse(&refusals::SUBJECT_NOT_EMAIL, "oauth2-dwd-sub-not-email")
            .mend(|| "leave `sub` out, or set it to a user's e-mail address".to_owned()),
        Some(_) => check
            .holds(false)
            .or_refuse(&refusals::DELEGATION_MISSING, "oauth2-dwd-not-authorised")
            .mend(|| "leave `sub` out: this version of the rig plays no domain-wide delegation".to_owned()),
    }
}

/// What the assertion is for. A scope that is none is taken for an audience, as Google was seen to do.
fn wanted(claims: &Map) -> Option<Wanted> {
    if let Some(audience) = text(claims, "target_audience") {
        return Some(Wanted::IdToken(audience.to_owned()));
    }
    let scope = text(claims, "scope")?;
    let scopes: Vec<String> =
        scope.split_whitespace().filter(|scope| is_oauth_scope(scope)).map(str::to_owned).collect();
    Some(if scopes.is_empty() { Wanted::IdToken(scope.to_owned()) } else { Wanted::AccessToken(scopes) })
}
