//! A token as a rig can judge it.
//!
//! A rig has keys of its own: what Google or a real provider signed never verifies there, and doors stop at the signature.
//! So the same claims are signed again by whom they name, at the same times, and the signature counts as not checked. What
//! is wrong with the token itself stays: one that is not signed, or not with an algorithm that is taken, is shown as it is.

use serde_json::Value;
use tokenrig::IssuerSpec;
use tokenrig_cloud::{Cloud, Oidc, ProviderConfig};
use tokenrig_jose::{Algorithm, Jws, Map};
use tokenrig_offline::RigSite;
use tokenrig_policy::PoolRef;
use tokenrig_runner::{MintKey, MintOrder, Site as _};

use super::{is_api, takes_assertions};
use crate::places::Place;

/// The issuers of Google's ID tokens.
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// What the checks `key` and `signature` say of a token that was signed again.
pub(super) const UNCHECKED: &str = "not checked (signed again with this rig's key)";

/// The token as it is shown to the door.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) token: String,
    /// Whether another signed it than who signed what was given.
    pub(super) again: bool,
    /// What else is different from what was given, or cannot be told.
    pub(super) notes: Vec<String>,
}

/// The type of a subject token by its form: AWS's are JSON, encoded for a URL or not.
pub(super) fn subject_kind(token: &str) -> &'static str {
    if token.starts_with('{') || token.to_ascii_lowercase().starts_with("%7b") {
        "urn:ietf:params:aws:token-type:aws4_request"
    } else {
        "urn:ietf:params:oauth:token-type:jwt"
    }
}

/// The token, signed again if that is needed for this door and can be done.
pub(super) async fn signed(site: &RigSite, place: &Place, token: &str) -> Shown {
    let as_it_is = || Shown { token: token.to_owned(), again: false, notes: Vec::new() };
    let Some(opened) = Opened::of(token) else { return as_it_is() };
    let cloud = site.rig().core().cloud();
    let found = match place {
        Place::Provider(name) => by_issuer(site, name, &opened).await,
        Place::Url(url) if is_api(place) || takes_assertions(url) => by_account(cloud, &opened),
        Place::Url(_) => by_google(cloud, &opened, true),
    };
    found.unwrap_or_else(as_it_is)
}

/// A token that may be good: strictly read, with a key id, and a signature as long as those of its algorithm.
struct Opened {
    claims: Map,
    /// The header without what the signer says.
    header: Map,
    algorithm: Algorithm,
    kid: String,
    jws: Jws,
}

impl Opened {
    fn of(token: &str) -> Option<Self> {
        let jws = Jws::parse(token).ok()?;
        let (claims, algorithm, kid) = (jws.claims().ok()?.clone(), jws.algorithm().ok()?, jws.kid()?.to_owned());
        let signature = token.rsplit('.').next()?;
        let whole = match (algorithm, signature.len() * 3 / 4) {
            (Algorithm::Rs256, bytes) => [256, 384, 512].contains(&bytes),
            (Algorithm::Es256, bytes) => bytes == 64,
        };
        // Nothing but zeroes is written as `A`, all of it.
        if !whole || signature.bytes().all(|byte| byte == b'A') {
            return None;
        }
        let mut header = jws.header().clone();
        header.retain(|name, _| name != "alg" && name != "kid");
        Some(Self { claims, header, algorithm, kid, jws })
    }

    /// Whether it looks as if a key that Google keeps had signed it: those have ids of 40 hex digits.
    fn by_googles_key(&self) -> bool {
        let hex = self.kid.len() == 40 && self.kid.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex && self.algorithm == Algorithm::Rs256
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// By Google, if it says that it is Google's and no key of the rig made it.
fn by_google(cloud: &Cloud, opened: &Opened, account: bool) -> Option<Shown> {
    let known = cloud.mint().google_keys().find(&opened.kid).is_some();
    if !GOOGLE.contains(&opened.text("iss")) || !opened.by_googles_key() || known {
        return None;
    }
    let mut claims = opened.claims.clone();
    let notes = if account { named_here(cloud, &mut claims) } else { Vec::new() };
    let token = cloud.mint().sign_again_as_google(&opened.header, &claims);
    Some(Shown { token, again: true, notes })
}

/// Unique ids of accounts come from the rig: the account is the one that has the e-mail address.
fn named_here(cloud: &Cloud, claims: &mut Map) -> Vec<String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (email, sub) = (text("email"), text("sub"));
    let account = cloud.accounts().get(&email).filter(|_| email.contains('@'));
    match account {
        Some(account) if account.unique_id != sub => {
            claims.insert("sub".to_owned(), account.unique_id.clone().into());
            vec![format!(
                "the account is found by its `email`: a given document says no unique ids, so `sub` {sub} was taken for \
                 that of {email}"
            )]
        }
        None if email.is_empty() && cloud.accounts().get_by_id(&sub).is_none() => vec![format!(
            "the token holds no `email`, and a given document says no unique ids: whose {sub} is cannot be told here \
             (`gcloud iam service-accounts describe {sub}`)"
        )],
        _ => Vec::new(),
    }
}

/// By the service account that it says has signed it.
fn by_account(cloud: &Cloud, opened: &Opened) -> Option<Shown> {
    let account = cloud.accounts().get(opened.text("iss")).filter(|account| account.email == opened.text("iss"))?;
    if !opened.by_googles_key() || !cloud.verifying_keys(&account, Some(&opened.kid)).is_empty() {
        return None;
    }
    let (_, token) = cloud.mint().sign_jwt_as(&account, opened.jws.payload());
    Some(Shown { token, again: true, notes: Vec::new() })
}

/// By the provider's issuer, which the rig plays if the given document does not say who does. Keys that were uploaded with
/// a provider verify tokens of the real one.
async fn by_issuer(site: &RigSite, name: &str, opened: &Opened) -> Option<Shown> {
    let (pool, rest) = PoolRef::parse_prefix(name)?;
    let provider = site.rig().core().cloud().pools().provider(&pool, rest.strip_prefix("/providers/")?)?;
    let ProviderConfig::Oidc(oidc) = &provider.config else { return None };
    if !oidc.jwks_json.is_empty() || bare(opened.text("iss")) != bare(&oidc.issuer_uri) {
        return None;
    }
    if GOOGLE.contains(&bare(&oidc.issuer_uri)) {
        return by_google(site.rig().core().cloud(), opened, false);
    }
    let mut notes = Vec::new();
    let issuer = issuer(site, oidc, &mut notes)?;
    let issuers = site.rig().core().issuers();
    if issuers.kid(&issuer, Some(opened.algorithm)).is_some_and(|kid| kid == opened.kid) {
        return None;
    }
    let order = MintOrder {
        issuer,
        header: opened.header.clone(),
        claims: opened.claims.clone(),
        key: MintKey::Named(opened.algorithm.name().to_owned()),
        flaw: None,
    };
    let token = site.mint(order).await.ok()?;
    Some(Shown { token, again: true, notes })
}

fn bare(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// The id of the rig's issuer of this address; it is added if there is none.
fn issuer(site: &RigSite, oidc: &Oidc, notes: &mut Vec<String>) -> Option<String> {
    let issuers = site.rig().core().issuers();
    if let Some(known) = issuers.list().into_iter().find(|known| bare(&known.issuer) == bare(&oidc.issuer_uri)) {
        return Some(known.id);
    }
    let spec = IssuerSpec { issuer: Some(oidc.issuer_uri.clone()), ..IssuerSpec::new("issuer-of-the-token") };
    let added = issuers.add(spec).ok()?;
    notes.push(format!("the rig plays {} itself: whether its keys can be fetched is not checked", oidc.issuer_uri));
    Some(added.id)
}
