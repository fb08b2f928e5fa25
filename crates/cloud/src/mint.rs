//! The mint: the one place that signs ID tokens and issues access tokens.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_jose::{
    Algorithm, Map,
    forge::{Flaw, flawed},
    protected_header, shorten, sign,
};
use tokenrig_policy::{AccessBoundary, Identity};

use crate::{
    accounts::{ServiceAccount, SystemKey},
    caller::TokenKind,
    cloud::Cloud,
    google_keys::{GoogleKey, GoogleKeys},
    ledger::Issued,
    users::User,
};

/// How long every ID token lives: an hour.
const ID_TOKEN_SECONDS: i64 = 3600;

/// The mint of a cloud.
#[derive(Clone, Copy)]
pub struct Mint<'a>(pub(crate) &'a Cloud);

/// An ID token of a service account to be made. The constructors are the kinds that Google issues.
#[derive(Debug, Clone, PartialEq)]
pub struct IdTokenOrder {
    /// Whom it is about.
    pub account: Arc<ServiceAccount>,
    /// Whom it is for: `aud`.
    pub audience: String,
    /// Whether `email` and `email_verified` are in it.
    pub email: bool,
    /// What `azp` is.
    pub azp: Azp,
    /// The claim `google`, if there is one.
    pub google: Option<Map>,
}

/// What stands in `azp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Azp {
    /// The account's unique id.
    UniqueId,
    /// The account's e-mail address.
    Email,
}

impl IdTokenOrder {
    /// As `generateIdToken` makes it: `azp` is the unique id.
    #[must_use]
    pub fn generated(account: &Arc<ServiceAccount>, audience: impl Into<String>, include_email: bool) -> Self {
        Self {
            account: Arc::clone(account),
            audience: audience.into(),
            email: include_email,
            azp: Azp::UniqueId,
            google: None,
        }
    }

    /// As the OAuth token endpoint makes it for an assertion with `target_audience`: with e-mail, which is `azp` too.
    #[must_use]
    pub fn for_assertion(account: &Arc<ServiceAccount>, audience: impl Into<String>) -> Self {
        Self { azp: Azp::Email, ..Self::generated(account, audience, true) }
    }

    /// As Scheduler, Tasks, Pub/Sub and the others that deliver send it: with e-mail.
    #[must_use]
    pub fn delivered(account: &Arc<ServiceAccount>, audience: impl Into<String>) -> Self {
        Self::generated(account, audience, true)
    }

    /// As the metadata server gives it. `email` is true on Cloud Run, functions and App Engine, and for
    /// `format=full`, whose `google.compute_engine` is then [`with_google`](Self::with_google).
    #[must_use]
    pub fn by_metadata(account: &Arc<ServiceAccount>, audience: impl Into<String>, email: bool) -> Self {
        Self::generated(account, audience, email)
    }

    /// Puts a member into the claim `google`: `compute_engine`, `organization_number`.
    #[must_use]
    pub fn with_google(mut self, member: &str, value: Value) -> Self {
        self.google.get_or_insert_default().insert(member.to_owned(), value);
        self
    }
}

/// An access token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenOrder {
    /// Whom it stands for. A federated identity makes it a federated token.
    pub identity: Identity,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// How long it lives, from the present whole second.
    pub lifetime: SignedDuration,
}

/// An access token. It shows itself only by [`reveal`](Self::reveal).
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    token: String,
    expires_at: Timestamp,
}

impl AccessToken {
    /// The token, for the answer that it was asked for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.token
    }

    /// When it ends, in whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("token", &"ya29.…").field("expires_at", &self.expires_at).finish()
    }
}

/// Tokens of a user for an OAuth client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserTokenOrder {
    /// Whom they stand for.
    pub user: Arc<User>,
    /// The client's id: `aud` and `azp` of the ID token.
    pub client_id: String,
    /// What the access token is good for. With `openid` among them there is an ID token, with the e-mail scope the address
    /// is in it.
    pub scopes: Vec<String>,
    /// How long the access token lives.
    pub lifetime: SignedDuration,
}

/// What [`Mint::user_tokens`] makes.
#[derive(Clone)]
pub struct UserTokens {
    /// The access token.
    pub access_token: AccessToken,
    /// The ID token, if `openid` was asked for.
    pub id_token: Option<String>,
}

impl fmt::Debug for UserTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id_token = self.id_token.as_deref().map(shorten);
        f.debug_struct("UserTokens").field("access_token", &self.access_token).field("id_token", &id_token).finish()
    }
}

/// The scope of a user's e-mail address; `email` is its short name.
const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";

/// A signature of a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The id of the key.
    pub key_id: String,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub signature: Vec<u8>,
}

impl Mint<'_> {
    /// Google's keys, as they are published now.
    #[must_use]
    pub fn google_keys(&self) -> Arc<GoogleKeys> {
        self.0.inner().google_keys.now()
    }

    /// Rotates Google's keys: the next one signs, the one before stays published for a while.
    pub fn rotate_google_keys(&self) -> Arc<GoogleKey> {
        let inner = self.0.inner();
        inner.google_keys.rotate(&self.0.settings().seed, inner.key_ring.take())
    }

    /// Signs an ID token. Its claims stand in the order in which Google's do; `iat` is the present second, never
    /// rounded up, `exp` an hour later.
    #[must_use]
    pub fn id_token(&self, order: &IdTokenOrder) -> String {
        self.sign_as_google(&self.id_token_claims(order))
    }

    /// The same with one flaw, and with further members in its header: for those who want to see it refused.
    #[must_use]
    pub fn flawed_id_token(&self, order: &IdTokenOrder, flaw: Flaw, header: &Map) -> String {
        let keys = self.google_keys();
        let key = keys.signing();
        let mut members = protected_header(Algorithm::Rs256, key.kid());
        members.extend(header.clone());
        flawed(flaw, &members, &self.id_token_claims(order), key.signing(), self.0.now())
    }

    fn id_token_claims(&self, order: &IdTokenOrder) -> Map {
        let account = &order.account;
        let iat = whole(self.0.now()).as_second();
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("aud", json!(order.audience));
        let azp = match order.azp {
            Azp::UniqueId => &account.unique_id,
            Azp::Email => &account.email,
        };
        claim("azp", json!(azp));
        if order.email {
            claim("email", json!(account.email));
            claim("email_verified", json!(true));
        }
        claim("exp", json!(iat + ID_TOKEN_SECONDS));
        if let Some(google) = &order.google {
            claim("google", Value::Object(google.clone()));
        }
        claim("iat", json!(iat));
        claim("iss", json!("https://accounts.google.com"));
        claim("sub", json!(account.unique_id));
        claims
    }

    /// Signs any claims as Google: for ID tokens of users, whose claims their flow decides.
    #[must_use]
    pub fn sign_as_google(&self, claims: &Map) -> String {
        let keys = self.google_keys();
        let key = keys.signing();
        sign(&protected_header(Algorithm::Rs256, key.kid()), claims, key.signing())
    }

    /// Signs claims as Google that somebody else has signed: `header` is what stands in the header beside `alg` and `kid`.
    /// For who wants to know what would be decided about a token that Google made, outside of any rig.
    #[must_use]
    pub fn sign_again_as_google(&self, header: &Map, claims: &Map) -> String {
        let keys = self.google_keys();
        let key = keys.signing();
        let mut members = protected_header(Algorithm::Rs256, key.kid());
        members.extend(
            header.iter().filter(|(name, _)| *name != "alg" && *name != "kid").map(|(n, v)| (n.clone(), v.clone())),
        );
        sign(&members, claims, key.signing())
    }

    /// Issues an access token: `ya29.` and 200 characters that say nothing. Tokens of service accounts and federated
    /// ones look alike.
    #[must_use]
    pub fn access_token(&self, order: AccessTokenOrder) -> AccessToken {
        self.issue(order, None, None)
    }

    /// The same, whose calls count on the quota of a project (id or number) unless they name another.
    #[must_use]
    pub fn access_token_on(&self, user_project: &str, order: AccessTokenOrder) -> AccessToken {
        self.issue(order, None, Some(user_project.into()))
    }

    /// Issues a user's tokens, as the OAuth flows do. An ID token of a user is always for the client: a person cannot
    /// choose its audience.
    #[must_use]
    pub fn user_tokens(&self, order: UserTokenOrder) -> UserTokens {
        let UserTokenOrder { user, client_id, scopes, lifetime } = order;
        let has = |names: &[&str]| scopes.iter().any(|scope| names.contains(&scope.as_str()));
        let (openid, email) = (has(&["openid"]), has(&["email", EMAIL_SCOPE]));
        let access = AccessTokenOrder { identity: user.identity(), scopes, lifetime };
        let access_token = self.issue(access, Some(client_id.clone()), None);
        let id_token = openid.then(|| self.user_id_token(&user, &client_id, email, &access_token));
        UserTokens { access_token, id_token }
    }

    fn user_id_token(&self, user: &User, client_id: &str, email: bool, access: &AccessToken) -> String {
        let iat = whole(self.0.now()).as_second();
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", json!("https://accounts.google.com"));
        claim("azp", json!(client_id));
        claim("aud", json!(client_id));
        claim("sub", json!(user.id));
        if let Some(domain) = user.hosted_domain() {
            claim("hd", json!(domain));
        }
        if email {
            claim("email", json!(user.email));
            claim("email_verified", json!(true));
        }
        claim("at_hash", json!(at_hash(access.reveal())));
        claim("iat", json!(iat));
        claim("exp", json!(iat + ID_TOKEN_SECONDS));
        self.sign_as_google(&claims)
    }

    /// Issues a downscoped token: it stands for whom `source` stands for, with the same scopes and the same end, and
    /// permits no more than `boundary` makes available.
    #[must_use]
    pub fn downscoped(&self, source: &Issued, boundary: AccessBoundary) -> AccessToken {
        let issued_at = whole(self.0.now());
        self.put(Issued { issued_at, boundary: Some(Arc::new(boundary)), ..source.clone() })
    }

    fn issue(&self, order: AccessTokenOrder, client: Option<String>, user_project: Option<Arc<str>>) -> AccessToken {
        let issued_at = whole(self.0.now());
        let expires_at = issued_at.checked_add(order.lifetime).unwrap_or(Timestamp::MAX);
        let kind = match order.identity {
            Identity::Federated { .. } => TokenKind::Federated,
            _ => TokenKind::Access,
        };
        let AccessTokenOrder { identity, scopes, .. } = order;
        self.put(Issued { identity, scopes, client, kind, issued_at, expires_at, boundary: None, user_project })
    }

    fn put(&self, issued: Issued) -> AccessToken {
        let inner = self.0.inner();
        let number = inner.tokens_issued.next();
        let mut bytes = Vec::with_capacity(160);
        for block in 0..5_u8 {
            // With the instant in it, a rig that starts again on the same seed never gives out an old token to another.
            let instant = self.0.now().as_nanosecond().to_be_bytes();
            bytes.extend(self.0.derive().bytes("access token", &[&number.to_be_bytes(), &instant, &[block]]));
        }
        bytes.truncate(150);
        let token = format!("ya29.{}", URL_SAFE_NO_PAD.encode(bytes));
        let expires_at = issued.expires_at;
        inner.ledger.put(&token, issued, self.0.settings().tokens);
        AccessToken { token, expires_at }
    }

    /// What is known of an access token that the rig issued, expired or not.
    #[must_use]
    pub fn issued(&self, token: &str) -> Option<Arc<Issued>> {
        self.0.inner().ledger.find(token)
    }

    /// The key that Google keeps for a service account. It is made when it is first asked for.
    #[must_use]
    pub fn account_key(&self, account: &ServiceAccount) -> Arc<SystemKey> {
        self.0.accounts().system_key(account)
    }

    /// Signs bytes as a service account, with the key that Google keeps for it.
    #[must_use]
    pub fn sign_as(&self, account: &ServiceAccount, payload: &[u8]) -> Signed {
        let key = self.account_key(account);
        Signed { key_id: key.id().to_owned(), signature: key.signing().sign(payload) }
    }

    /// Signs a JWT as a service account: header `alg`, `kid`, `typ`, the payload byte for byte.
    #[must_use]
    pub fn sign_jwt_as(&self, account: &ServiceAccount, payload: &[u8]) -> (String, String) {
        let key = self.account_key(account);
        let header = Value::Object(protected_header(Algorithm::Rs256, key.id())).to_string();
        (key.id().to_owned(), tokenrig_jose::sign_raw(header.as_bytes(), payload, key.signing()))
    }
}

/// The left half of the SHA-256 of an access token (OpenID Connect Core 1.0, section 3.1.3.6).
fn at_hash(token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref().iter().take(16).copied().collect::<Vec<u8>>())
}

/// The whole second that `at` lies in.
pub(crate) fn whole(at: Timestamp) -> Timestamp {
    let second = at.as_nanosecond().div_euclid(1_000_000_000);
    let second = i64::try_from(second).unwrap_or(at.as_second());
    Timestamp::from_second(second).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokenrig_clock::{Clock, seconds};
    use tokenrig_jose::{Jws, peek};

    use super::*;
    use crate::cloud::tests::{cloud, cloud_and_clock};

    #[rstest]
    #[case::generated(|account: &Arc<ServiceAccount>| IdTokenOrder::generated(account, "x", false), &["aud", "azp", "exp", "iat", "iss", "sub"], false)]
    #[case::with_email(|account: &Arc<ServiceAccount>| IdTokenOrder::generated(account, "x", true), &["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"], false)]
    #[case::for_assertion(|account: &Arc<ServiceAccount>| IdTokenOrder::for_assertion(account, "x"), &["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"], true)]
    #[case::delivered(|account: &Arc<ServiceAccount>| IdTokenOrder::delivered(account, "x"), &["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"], false)]
    #[case::on_a_machine(|account: &Arc<ServiceAccount>| IdTokenOrder::by_metadata(account, "x", false), &["aud", "azp", "exp", "iat", "iss", "sub"], false)]
    #[case::organization(|account: &Arc<ServiceAccount>| IdTokenOrder::generated(account, "x", false).with_google("organization_number", Value::Null), &["aud", "azp", "exp", "google", "iat", "iss", "sub"], false)]
    fn each_kind_of_id_token_has_exactly_its_claims(
        #[case] order: fn(&Arc<ServiceAccount>) -> IdTokenOrder,
        #[case] names: &[&str],
        #[case] azp_is_email: bool,
    ) {
        let cloud = cloud();
        let owner = cloud.owner();
        let opened = peek(&cloud.mint().id_token(&order(&owner))).unwrap();
        assert_eq!(opened.claims.keys().collect::<Vec<_>>(), names);
        assert_eq!(opened.header.keys().collect::<Vec<_>>(), ["alg", "kid", "typ"]);
        assert_eq!(opened.header["alg"], "RS256");
        let claims = &opened.claims;
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://accounts.google.com"), &json!("x")));
        assert_eq!(claims["sub"], json!(owner.unique_id));
        assert_eq!(claims["azp"], if azp_is_email { json!(owner.email) } else { json!(owner.unique_id) });
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_768_467_600), &json!(1_768_471_200)));
        if let Some(email) = claims.get("email") {
            assert_eq!((email, &claims["email_verified"]), (&json!(owner.email), &json!(true)));
        }
    }

    #[test]
    fn a_token_is_never_dated_ahead_of_the_clock() {
        let (cloud, clock) = cloud_and_clock();
        clock.advance_to("2026-01-15T09:00:00.999999999Z".parse().unwrap()).unwrap();
        let token = cloud.mint().id_token(&IdTokenOrder::generated(&cloud.owner(), "x", false));
        assert_eq!(peek(&token).unwrap().claims["iat"], 1_768_467_600);
        let before_1970: Timestamp = "1969-12-31T23:59:58.5Z".parse().unwrap();
        assert_eq!(whole(before_1970).as_second(), -2);
    }

    #[test]
    fn access_tokens_differ_and_do_not_show_themselves() {
        let cloud = cloud();
        let order = || AccessTokenOrder {
            identity: cloud.owner().identity(),
            scopes: vec!["a".into(), "b".into()],
            lifetime: seconds(30),
        };
        let (one, two) = (cloud.mint().access_token(order()), cloud.mint().access_token(order()));
        assert_ne!(one, two);
        assert!(one.reveal().starts_with("ya29.") && one.reveal().len() == 205, "{}", one.reveal());
        assert!(!format!("{one:?}").contains(one.reveal()));
        let issued = cloud.mint().issued(one.reveal()).unwrap();
        assert_eq!((issued.scopes.len(), issued.expires_at), (2, cloud.now() + seconds(30)));
    }

    #[test]
    fn the_oldest_tokens_are_forgotten_when_there_are_too_many() {
        let (cloud, _) = crate::cloud::tests::cloud_with(|foundation| foundation.settings.tokens = 2);
        let order = || AccessTokenOrder { identity: Identity::Anonymous, scopes: vec![], lifetime: seconds(30) };
        let tokens: Vec<_> = (0..3).map(|_| cloud.mint().access_token(order())).collect();
        let known: Vec<_> = tokens.iter().map(|token| cloud.mint().issued(token.reveal()).is_some()).collect();
        assert_eq!(known, [false, true, true]);
    }

    #[test]
    fn each_account_signs_with_a_key_of_its_own() {
        let cloud = cloud();
        let compute = cloud.accounts().get(&cloud.project().compute_email()).unwrap();
        let (_, token) = cloud.mint().sign_jwt_as(&cloud.owner(), br#"{"iss":"me"}"#);
        let token = Jws::parse(&token).unwrap();
        assert_eq!(token.payload(), br#"{"iss":"me"}"#);
        assert_eq!(token.kid(), Some(cloud.mint().account_key(&cloud.owner()).id()));
        token.verify(&cloud.mint().account_key(&cloud.owner()).public()).unwrap();
        assert!(token.verify(&cloud.mint().account_key(&compute).public()).is_err());
        let signed = cloud.mint().sign_as(&cloud.owner(), b"bytes");
        assert!(cloud.mint().account_key(&cloud.owner()).public().verify(
            Algorithm::Rs256,
            b"bytes",
            &signed.signature
        ));
    }

    #[rstest]
    #[case::all("alice@shop.example", &["openid", EMAIL_SCOPE], &["iss", "azp", "aud", "sub", "hd", "email", "email_verified", "at_hash", "iat", "exp"])]
    #[case::by_its_short_name("alice@gmail.com", &["openid", "email"], &["iss", "azp", "aud", "sub", "email", "email_verified", "at_hash", "iat", "exp"])]
    #[case::without_address("alice@gmail.com", &["openid"], &["iss", "azp", "aud", "sub", "at_hash", "iat", "exp"])]
    fn a_users_id_token_is_for_the_client(#[case] email: &str, #[case] scopes: &[&str], #[case] names: &[&str]) {
        let cloud = cloud();
        let user = cloud.users().add(email).unwrap();
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let order = UserTokenOrder { user: user.clone(), client_id: "web".into(), scopes, lifetime: seconds(60) };
        let tokens = cloud.mint().user_tokens(order);
        let id_token = tokens.id_token.clone().unwrap();
        assert!(!format!("{tokens:?}").contains(&id_token));
        let claims = peek(&id_token).unwrap().claims;
        assert_eq!(claims.keys().collect::<Vec<_>>(), names);
        assert_eq!((&claims["aud"], &claims["azp"], &claims["sub"]), (&json!("web"), &json!("web"), &json!(user.id)));
        let caller = cloud.caller(tokens.access_token.reveal()).unwrap();
        assert_eq!((caller.identity, caller.kind), (user.identity(), TokenKind::Access));
        assert_eq!(cloud.mint().issued(tokens.access_token.reveal()).unwrap().client.as_deref(), Some("web"));
    }

    #[test]
    fn without_openid_there_is_no_id_token() {
        let cloud = cloud();
        let user = cloud.users().add("alice@shop.example").unwrap();
        let scopes = vec!["email".to_owned()];
        let order = UserTokenOrder { user, client_id: "web".into(), scopes, lifetime: seconds(60) };
        assert!(cloud.mint().user_tokens(order).id_token.is_none());
    }

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_standard() {
        // OpenID Connect Core 1.0, appendix A.4.
        assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
