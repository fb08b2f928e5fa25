//! The code flow (OpenID Connect Core 1.0, section 3.1), with PKCE (RFC 7636), refresh tokens, userinfo and logout.
//!
//! The provider is as trusting as it can be: any client, any redirect URI, anybody who says who they are. What a relying
//! party must check is all there to be checked: `state`, `nonce`, the code's single use, its redirect URI and verifier.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use tokenrig_clock::{SignedDuration, Timestamp, minutes};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{forge::flawed, protected_header, sign};

use super::{Issuers, form::Form};
use crate::{model::Misbehaviour, refusals};

/// How long a code can be redeemed (RFC 6749, section 4.1.2, recommends ten minutes at most).
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How many codes and tokens are remembered: the oldest are forgotten.
const REMEMBERED: usize = 10_000;
/// The claims of a token itself: they are not the user's.
const OF_TOKENS: [&str; 9] = ["iss", "aud", "exp", "iat", "nbf", "nonce", "auth_time", "at_hash", "azp"];

/// What was granted to a client.
#[derive(Clone)]
struct Grant {
    issuer: String,
    client: String,
    user: Map<String, Value>,
    scope: String,
    nonce: Option<String>,
    signed_in: Timestamp,
}

/// What a secret text stands for.
#[derive(Clone)]
enum Held {
    Code { grant: Grant, redirect_uri: String, challenge: Option<Challenge>, expires: Timestamp },
    Access { grant: Grant, expires: Timestamp },
    Refresh { grant: Grant },
}

/// RFC 7636, section 4.2.
#[derive(Clone)]
enum Challenge {
    Plain(String),
    S256(String),
}

/// Codes and tokens that were given out.
#[derive(Default)]
pub(crate) struct Flows(Mutex<Given>);

#[derive(Default)]
struct Given {
    held: BTreeMap<String, Held>,
    order: VecDeque<String>,
    count: u64,
}

impl Flows {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it under a text that nobody has yet.
    fn keep(&self, seed: &str, now: Timestamp, held: Held) -> String {
        let mut given = self.given();
        given.count += 1;
        let secret = URL_SAFE_NO_PAD.encode(sha256(&format!("{seed} {} {}", given.count, now.as_nanosecond())));
        given.held.insert(secret.clone(), held);
        given.order.push_back(secret.clone());
        if given.order.len() > REMEMBERED
            && let Some(oldest) = given.order.pop_front()
        {
            given.held.remove(&oldest);
        }
        secret
    }

    fn find(&self, secret: &str) -> Option<Held> {
        self.given().held.get(secret).cloned()
    }

    fn take(&self, secret: &str) -> Option<Held> {
        self.given().held.remove(secret)
    }
}

/// What the authorization endpoint does.
pub(crate) enum Authorized {
    /// Sends the browser back, by this URL.
    Back(String),
    /// Asks who it is: the hidden fields of the form.
    Ask(Vec<(String, String)>),
}

impl Issuers {
    /// `/authorize`, by GET or POST.
    pub(crate) fn authorize(&self, id: &str, form: &Form) -> (Decision, Option<Authorized>) {
        let mut decision = Decision::of("idp", "authorize");
        let redirect = form.one("redirect_uri").filter(|uri| is_url(uri));
        let known = redirect.is_some() && form.one("client_id").is_some_and(|client| !client.is_empty());
        let check = Check::named("request")
            .expected("`client_id` and an absolute `redirect_uri`, once each")
            .found(json!({ "client_id": form.one("client_id"), "redirect_uri": form.one("redirect_uri") }));
        let (true, Some(redirect)) = (known, redirect) else {
            // Nobody is sent to an address that is not sure (RFC 6749, section 4.1.2.1).
            decision.add(
                check
                    .holds(false)
                    .or_refuse(&refusals::AUTHORIZE_REDIRECT, "idp-authorize-redirect")
                    .mend(|| "send `client_id` and `redirect_uri`".to_owned()),
            );
            return (decision, None);
        };
        decision.add(check);
        let back = |fields: &[(&str, &str)]| {
            let state = form.one("state").map(|state| ("state", state));
            Authorized::Back(with_query(redirect, fields.iter().copied().chain(state)))
        };
        let refused = |error: &str, why: &str| back(&[("error", error), ("error_description", why)]);
        let scope = form.one("scope").unwrap_or_default();
        let authorized = match self.asked(form) {
            Err((error, why)) => refused(error, why),
            Ok(challenge) => match user(form.one("login_hint")) {
                Some(Ok(user)) => {
                    let now = self.now();
                    let grant = Grant {
                        issuer: id.to_owned(),
                        client: form.one("client_id").unwrap_or_default().to_owned(),
                        user,
                        scope: scope.to_owned(),
                        nonce: form.one("nonce").map(str::to_owned),
                        signed_in: now,
                    };
                    let expires = now.saturating_add(CODE_LIFE).unwrap_or(now);
                    let redirect_uri = redirect.to_owned();
                    let held = Held::Code { grant, redirect_uri, challenge, expires };
                    back(&[("code", &self.flows().keep(self.seed(), now, held))])
                }
                Some(Err(why)) => refused("invalid_request", why),
                None if form.one("prompt") == Some("none") => refused("login_required", "nobody is signed in"),
                None => Authorized::Ask(form.pairs().to_vec()),
            },
        };
        (decision, Some(authorized))
    }

    /// What an authorization request must be, once it is sure where its answer goes.
    fn asked(&self, form: &Form) -> Result<Option<Challenge>, (&'static str, &'static str)> {
        if form.repeats() {
            return Err(("invalid_request", "a parameter stands twice"));
        }
        match form.one("response_type") {
            Some("code") => {}
            None => return Err(("invalid_request", "response_type is missing")),
            Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        }
        if !form.one("scope").unwrap_or_default().split(' ').any(|scope| scope == "openid") {
            return Err(("invalid_scope", "scope must hold openid"));
        }
        match (form.one("code_challenge"), form.one("code_challenge_method")) {
            (None, None) => Ok(None),
            (Some(challenge), None | Some("plain")) => Ok(Some(Challenge::Plain(challenge.to_owned()))),
            (Some(challenge), Some("S256")) => Ok(Some(Challenge::S256(challenge.to_owned()))),
            _ => Err(("invalid_request", "code_challenge_method must be S256 or plain, and needs a code_challenge")),
        }
    }

    /// `POST /token` with a form: the grants `authorization_code` and `refresh_token`.
    pub(crate) fn redeem(&self, id: &str, form: &Form, client: Option<&str>) -> (Decision, Option<Value>) {
        let mut decision = Decision::of("idp", "token");
        let grant_type = form.one("grant_type");
        let check = Check::named("request")
            .expected("the grant type authorization_code or refresh_token, each parameter once")
            .found(json!({ "grant_type": grant_type }));
        let known = matches!(grant_type, Some("authorization_code" | "refresh_token"));
        let check = match (form.repeats() || grant_type.is_none(), known) {
            (false, true) => check,
            (true, _) => check.holds(false).or_refuse(&refusals::TOKEN_REQUEST, "idp-token-request"),
            (_, false) => check.holds(false).or_refuse(&refusals::GRANT_TYPE, "idp-grant-type"),
        };
        if !decision.add(check.mend(|| "ask with a grant type that discovery names".to_owned())) {
            return (decision, None);
        }
        let (check, granted) = match grant_type {
            Some("refresh_token") => self.refreshed(id, form, client),
            _ => self.by_code(id, form, client),
        };
        decision.add(check);
        let answer = granted.and_then(|grant| self.tokens(id, grant));
        (decision, answer)
    }

    fn by_code(&self, id: &str, form: &Form, client: Option<&str>) -> (Check, Option<Grant>) {
        let check = Check::named("code").expected("a code of this issuer and client, used once, in time");
        let wrong = |found: &str| {
            let mend = format!("ask for a new code: {found}");
            let check = Check::named("code").expected("a code of this issuer and client, used once, in time");
            let check = check.found(found).holds(false).or_refuse(&refusals::GRANT_INVALID, "idp-grant-invalid");
            (check.mend(move || mend), None)
        };
        // A code is spent by whoever shows it (RFC 6749, section 4.1.2).
        let held = form.one("code").and_then(|code| self.flows().take(code));
        let Some(Held::Code { grant, redirect_uri, challenge, expires }) = held else {
            return wrong("there is no such code, or it was used before");
        };
        let verifier = form.one("code_verifier");
        let proven = match (&challenge, verifier) {
            (None, None) => true,
            (Some(Challenge::Plain(expected)), Some(verifier)) => verifier == expected,
            (Some(Challenge::S256(expected)), Some(verifier)) => URL_SAFE_NO_PAD.encode(sha256(verifier)) == *expected,
            _ => false,
        };
        if grant.issuer != id {
            wrong("it is another issuer's")
        } else if client.is_some_and(|client| client != grant.client) || client.is_none() {
            wrong("it is another client's")
        } else if self.now() >= expires {
            wrong("it has expired")
        } else if form.one("redirect_uri") != Some(redirect_uri.as_str()) {
            wrong("`redirect_uri` is not that of the authorization request")
        } else if !proven {
            wrong("`code_verifier` does not fit the code's challenge")
        } else {
            (check.found("it is"), Some(grant))
        }
    }

    fn refreshed(&self, id: &str, form: &Form, client: Option<&str>) -> (Check, Option<Grant>) {
        let check = Check::named("code").expected("a refresh token of this issuer and client");
        let held = form.one("refresh_token").and_then(|token| self.flows().find(token));
        match held {
            Some(Held::Refresh { grant }) if grant.issuer == id && client == Some(grant.client.as_str()) => {
                // An ID token that comes by refreshing bears no nonce (OpenID Connect Core 1.0, section 12.2).
                (check.found("it is"), Some(Grant { nonce: None, ..grant }))
            }
            _ => {
                let check = check.found("there is no such token, or it is another client's").holds(false);
                let check = check.or_refuse(&refusals::GRANT_INVALID, "idp-grant-invalid");
                (check.mend(|| "sign in again".to_owned()), None)
            }
        }
    }

    fn tokens(&self, id: &str, grant: Grant) -> Option<Value> {
        let now = self.now();
        let hour = minutes(60);
        let expires = now.saturating_add(hour).unwrap_or(now);
        let access = self.flows().keep(self.seed(), now, Held::Access { grant: grant.clone(), expires });
        let id_token = self.id_token(id, &grant, &access)?;
        let mut answer = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": hour.as_secs(),
            "scope": grant.scope,
            "id_token": id_token,
        });
        if grant.scope.split(' ').any(|scope| scope == "offline_access") {
            answer["refresh_token"] = self.flows().keep(self.seed(), now, Held::Refresh { grant }).into();
        }
        Some(answer)
    }

    fn id_token(&self, id: &str, grant: &Grant, access: &str) -> Option<String> {
        let now = self.now();
        let (issuer, key, misbehaves, flaw) = self.with(id, |entry| {
            Some((entry.address.issuer.clone(), entry.key(entry.algorithm)?, entry.misbehaves, entry.flaw))
        })??;
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", json!(issuer));
        claim("sub", grant.user.get("sub").cloned().unwrap_or_default());
        claim("aud", json!(grant.client));
        claim("iat", json!(now.as_second()));
        claim("exp", json!(now.as_second() + minutes(60).as_secs()));
        claim("auth_time", json!(grant.signed_in.as_second()));
        if let Some(nonce) = &grant.nonce {
            let wrong = misbehaves == Misbehaviour::WrongNonce;
            claim("nonce", json!(if wrong { format!("not-{nonce}") } else { nonce.clone() }));
            if wrong {
                self.strike(id, misbehaves);
            }
        }
        claim("at_hash", json!(URL_SAFE_NO_PAD.encode(&sha256(access)[..16])));
        for (name, value) in grant.user.iter().filter(|(name, _)| !OF_TOKENS.contains(&name.as_str())) {
            claims.insert(name.clone(), value.clone());
        }
        let header = protected_header(key.algorithm(), key.kid(self.seed()));
        Some(match flaw {
            Some(flaw) => flawed(flaw, &header, &claims, key.signing(), now),
            None => sign(&header, &claims, key.signing()),
        })
    }

    /// `/userinfo`: the claims of whom an access token stands for.
    pub(crate) fn userinfo(&self, id: &str, bearer: Option<&str>) -> (Decision, Option<Value>) {
        let check = Check::named("credential").expected("an access token of this issuer, in time");
        let mut decision = Decision::of("idp", "userinfo");
        let held = bearer.and_then(|token| self.flows().find(token));
        let user = match held {
            Some(Held::Access { grant, expires }) if grant.issuer == id && self.now() < expires => grant.user,
            _ => {
                let found = if bearer.is_some() { "a token that is none of these" } else { "no token" };
                let check = check.found(found).holds(false);
                let check = check.or_refuse(&refusals::USERINFO_TOKEN, "idp-userinfo-token");
                decision.add(
                    check.mend(|| "send `Authorization: Bearer`, with an access token of the code flow".to_owned()),
                );
                return (decision, None);
            }
        };
        decision.add(check.found("it is"));
        let mut told: Map<String, Value> =
            user.into_iter().filter(|(name, _)| !OF_TOKENS.contains(&name.as_str())).collect();
        if self.with(id, |entry| entry.misbehaves) == Some(Misbehaviour::WrongUserinfo) {
            told.insert("sub".to_owned(), json!("somebody-else"));
            self.strike(id, Misbehaviour::WrongUserinfo);
        }
        (decision, Some(Value::Object(told)))
    }
}

/// Where the browser goes after `/logout`; nothing: it stays.
pub(crate) fn after_logout(form: &Form) -> Option<String> {
    let back = form.one("post_logout_redirect_uri").filter(|uri| is_url(uri))?;
    Some(with_query(back, form.one("state").map(|state| ("state", state)).into_iter()))
}

/// Who signs in: a name, or an object of claims with `sub` among them.
fn user(hint: Option<&str>) -> Option<Result<Map<String, Value>, &'static str>> {
    let hint = hint.map(str::trim).filter(|hint| !hint.is_empty())?;
    if !hint.starts_with('{') {
        return Some(Ok(Map::from_iter([("sub".to_owned(), json!(hint))])));
    }
    const FORM: &str = "login_hint must be a name, or a JSON object of claims with a text as sub";
    let claims: Result<Map<String, Value>, _> = serde_json::from_str(hint);
    Some(claims.ok().filter(|claims| claims.get("sub").is_some_and(Value::is_string)).ok_or(FORM))
}

fn is_url(uri: &str) -> bool {
    // Native applications have schemes of their own (RFC 8252, section 7.1).
    uri.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some()) && !uri.contains('#')
}

fn with_query<'a>(uri: &str, fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    let query = query.finish();
    match (query.is_empty(), uri.contains('?')) {
        (true, _) => uri.to_owned(),
        (false, true) => format!("{uri}&{query}"),
        (false, false) => format!("{uri}?{query}"),
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_name("alice", Some(r#"{"sub":"alice"}"#))]
    #[case::claims(r#"{"sub":"alice","department":"sales"}"#, Some(r#"{"sub":"alice","department":"sales"}"#))]
    #[case::claims_without_a_subject(r#"{"department":"sales"}"#, None)]
    #[case::half_an_object("{", None)]
    fn whoever_says_who_they_are_is_believed(#[case] hint: &str, #[case] claims: Option<&str>) {
        let user = user(Some(hint)).unwrap();
        assert_eq!(user.ok().map(|user| Value::Object(user).to_string()), claims.map(str::to_owned));
    }

    #[test]
    fn nobody_says_nothing() {
        assert!(user(None).is_none() && user(Some(" ")).is_none());
    }

    #[rstest]
    #[case("https://app.example/cb", "https://app.example/cb?state=a+b")]
    #[case("https://app.example/cb?x=1", "https://app.example/cb?x=1&state=a+b")]
    fn fields_are_added_to_a_query(#[case] uri: &str, #[case] with: &str) {
        assert_eq!(with_query(uri, [("state", "a b")].into_iter()), with);
    }

    #[test]
    fn the_challenge_of_the_standard_fits_its_verifier() {
        // RFC 7636, appendix B.
        let challenge = URL_SAFE_NO_PAD.encode(sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
