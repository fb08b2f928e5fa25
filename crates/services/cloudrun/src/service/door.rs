//! The front door: may this request come in?

use serde_json::{Value, json};
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Jws, Map, numeric_date, shorten};
use tokenrig_policy::{Attributes, Identity, Verdict};

use crate::{
    assumptions::Settings,
    model::{Deployed, policy_name},
    refusals,
};

/// The surface word of its decisions.
pub(crate) const SURFACE: &str = "cloud-run-front";
/// The permission that opens it.
const INVOKE: &str = "run.routes.invoke";
/// The issuers of Google's ID tokens.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// What a request shows at the door.
#[derive(Debug)]
pub(crate) struct Presented {
    /// The host without port.
    pub(crate) host: String,
    /// The path without query.
    pub(crate) path: String,
    /// The credential header that counts, if there is one.
    pub(crate) credential: Option<Credential>,
}

/// A credential header: `X-Serverless-Authorization` counts before `Authorization`.
#[derive(Debug)]
pub(crate) struct Credential {
    /// The header's name, lower case.
    pub(crate) header: &'static str,
    /// Its value.
    pub(crate) value: String,
}

impl Credential {
    /// The token of a `Bearer` credential. The scheme's letter case does not matter.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

/// The verdict, and what the credential was found to be.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) decision: Decision,
    /// The opened token, whether or not it was let in.
    pub(crate) token: Option<Opened>,
    /// Whether the signature was found good; `None` if nobody looked.
    pub(crate) signature: Option<bool>,
}

/// A token that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) header: Map,
    pub(crate) claims: Map,
}

/// The checks of the door, in its order. The first that fails gives the answer; the others are made too where they can
/// be, so that a person mends everything at once.
pub(crate) fn admit(service: &Deployed, request: &Presented, cloud: &Cloud, settings: &Settings) -> Admission {
    let resource = policy_name(&service.name.canonical(&cloud.project().id));
    let attributes =
        Attributes { time: cloud.now(), path: Some(request.path.clone()), host: Some(request.host.clone()) };
    let decision = Decision::of(SURFACE, INVOKE);
    let opened = || request.credential.as_ref().and_then(Credential::bearer).and_then(|token| Jws::parse(token).ok());
    if service.resource.invoker_iam_disabled {
        let check = Check::named("permission").expected("anybody").found("`invokerIamDisabled` is set on the service");
        return Admission { decision: decision.check(|| check), token: opened().and_then(open), signature: None };
    }
    let everybody = cloud.permit(&Identity::Anonymous, INVOKE, &resource, &attributes);
    if everybody.granted() {
        let check = everybody.check(&Identity::Anonymous, INVOKE);
        return Admission { decision: decision.check(|| check), token: opened().and_then(open), signature: None };
    }
    private(decision, service, request, cloud, settings, &resource, &attributes)
}

fn open(jws: Jws) -> Option<Opened> {
    let claims = jws.claims().ok()?.clone();
    Some(Opened { header: jws.header().clone(), claims })
}

/// The door of a service that not everybody may invoke.
fn private(
    mut decision: Decision,
    service: &Deployed,
    request: &Presented,
    cloud: &Cloud,
    settings: &Settings,
    resource: &str,
    attributes: &Attributes,
) -> Admission {
    let (check, jws) = credential(request);
    decision.add(check);
    let Some((jws, claims)) = jws else {
        return Admission { decision, token: None, signature: None };
    };
    let token = Some(Opened { header: jws.header().clone(), claims: claims.clone() });
    let ours = decision.add(issuer(request, &claims));
    let signed = decision.add(signature(request, &jws, cloud));
    decision.add(audience(request, service, &claims, settings));
    decision.add(times(request, &claims, attributes, settings));
    // Whom an unverified token names is nobody's business.
    if ours && signed {
        decision.add(permission(request, &claims, cloud, resource, attributes));
    }
    Admission { decision, token, signature: Some(signed) }
}

fn unverifiable(check: Check, request: &Presented) -> Check {
    check.or_refuse(&refusals::TOKEN_UNVERIFIABLE, "run-front-token-unverifiable").with("path", &request.path)
}

fn credential(request: &Presented) -> (Check, Option<(Jws, Map)>) {
    let check = Check::named("credential").expected("Authorization: Bearer ID_TOKEN");
    let Some(credential) = &request.credential else {
        let check = check
            .holds(false)
            .or_refuse(&refusals::NO_CREDENTIAL, "run-front-no-credential")
            .with("path", &request.path)
            .mend(|| {
                "send an ID token as `Authorization: Bearer`, or grant `roles/run.invoker` to `allUsers`".to_owned()
            });
        return (check, None);
    };
    let Some(token) = credential.bearer() else {
        let scheme = credential.value.split(' ').next().unwrap_or_default().chars().take(20).collect::<String>();
        let check = check.found(format!("{}: {scheme} …", credential.header)).holds(false);
        let check =
            unverifiable(check, request).mend(|| "send a Google-signed ID token with the scheme `Bearer`".to_owned());
        return (check, None);
    };
    let opened = Jws::parse(token).map_err(|fault| fault.to_string());
    let opened = opened.and_then(|jws| match jws.claims() {
        Ok(claims) => Ok((claims.clone(), jws)),
        Err(fault) => Err(format!("its claims cannot be read: {fault}")),
    });
    match opened {
        Ok((claims, jws)) => (check.found(format!("{}: Bearer, an ID token", credential.header)), Some((jws, claims))),
        Err(why) => {
            let access_token = token.starts_with("ya29.");
            let found = if access_token { "an access token".to_owned() } else { format!("{} ({why})", shorten(token)) };
            let check = unverifiable(check.found(found).holds(false), request).mend(|| {
                if access_token {
                    "send an ID token in place of the access token: `generateIdToken` with the service's URL as `audience`".to_owned()
                } else {
                    format!("send a Google-signed ID token: {why}")
                }
            });
            (check, None)
        }
    }
}

fn issuer(request: &Presented, claims: &Map) -> Check {
    let found = claims.get("iss").cloned().unwrap_or(Value::Null);
    let ok = found.as_str().is_some_and(|iss| ISSUERS.contains(&iss));
    let check = Check::named("issuer").expected(ISSUERS[0]).found(found).holds(ok);
    unverifiable(check, request)
        .mend(|| "send a token that Google issued: exchange the provider's token and call `generateIdToken`".to_owned())
}

fn signature(request: &Presented, jws: &Jws, cloud: &Cloud) -> Check {
    let keys = cloud.mint().google_keys();
    let kid = jws.kid();
    let found = match (jws.algorithm(), kid.and_then(|kid| keys.find(kid))) {
        (Err(fault), _) => Err(fault.to_string()),
        (Ok(_), None) => Err("no key of Google has this id".to_owned()),
        (Ok(algorithm), Some(key)) => match jws.verify(&key.public()) {
            Ok(()) => Ok(algorithm),
            Err(fault) => Err(fault.to_string()),
        },
    };
    let kids: Vec<&str> = keys.published().iter().map(|key| key.kid()).collect();
    let check = Check::named("signature").expected(json!({ "alg": "RS256", "kid": kids, "of": ISSUERS[0] }));
    match found {
        Ok(algorithm) => check.found(json!({ "alg": algorithm.name(), "kid": kid })),
        Err(why) => unverifiable(
            check.found(json!({ "alg": jws.alg(), "kid": kid, "fault": why })).holds(false),
            request,
        )
        .mend(|| {
            format!("send a token signed by one of the keys at https://www.googleapis.com/oauth2/v3/certs: {why}")
        }),
    }
}

fn audience(request: &Presented, service: &Deployed, claims: &Map, settings: &Settings) -> Check {
    let own = service.audiences();
    let found = claims.get("aud").cloned().unwrap_or(Value::Null);
    let is_own = |aud: &str| {
        own.iter().any(|own| {
            own == aud || (settings.trailing_slash && own.starts_with("https://") && aud.strip_suffix('/') == Some(own))
        })
    };
    let ok = match &found {
        Value::String(aud) => is_own(aud),
        Value::Array(many) => many.iter().filter_map(Value::as_str).any(is_own),
        _ => false,
    };
    let url = own.first().cloned().unwrap_or_default();
    let check = Check::named("audience").expected(json!(own)).found(found.clone()).holds(ok);
    unverifiable(check, request).mend(|| {
        let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        format!(
            "ask for the ID token with the service's URL as audience (`{url}`), or add `{found}` to the service's `customAudiences`"
        )
    })
}

fn times(request: &Presented, claims: &Map, attributes: &Attributes, settings: &Settings) -> Check {
    let now = attributes.time;
    let (iat, exp) = (numeric_date(claims, "iat"), numeric_date(claims, "exp"));
    let shown = |date: &Result<_, tokenrig_jose::DateFault>| match date {
        Ok(at) => json!(tokenrig_clock::Timestamp::to_string(at)),
        Err(fault) => json!(fault.to_string()),
    };
    let found = json!({ "iat": shown(&iat), "exp": shown(&exp), "now": now.to_string() });
    let skew = settings.skew;
    let (id, mend) = match (iat, exp) {
        (_, Ok(exp)) if now.duration_since(exp) >= skew => (
            Some("run-front-expired-token"),
            format!("the token expired {} s ago: ask for a new one", now.duration_since(exp).as_secs()),
        ),
        (Ok(iat), Ok(_)) if iat.duration_since(now) > skew => {
            (Some("run-front-token-unverifiable"), "the token is issued in the future: set the clock".to_owned())
        }
        (Ok(_), Ok(_)) => (None, String::new()),
        (Err(fault), _) => (Some("run-front-token-unverifiable"), format!("the token needs `iat`: {fault}")),
        (_, Err(fault)) => (Some("run-front-token-unverifiable"), format!("the token needs `exp`: {fault}")),
    };
    let check = Check::named("times").expected("issued before now, expires after now").found(found);
    match id {
        None => check,
        Some(id) => {
            check.holds(false).or_refuse(&refusals::TOKEN_UNVERIFIABLE, id).with("path", &request.path).mend(|| mend)
        }
    }
}

fn permission(request: &Presented, claims: &Map, cloud: &Cloud, resource: &str, attributes: &Attributes) -> Check {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    // The metadata server's short form carries no e-mail address: then the unique id says who it is.
    let account = cloud.accounts().get(text("sub")).filter(|account| account.deleted.is_none() && !account.disabled);
    let Some(account) = account else {
        let check = Check::named("permission")
            .expected("a service account that exists and is enabled")
            .found(json!({ "sub": text("sub"), "email": text("email") }))
            .holds(false);
        return check
            .or_refuse(&refusals::PERMISSION_DENIED, "run-front-permission-denied")
            .with("path", &request.path)
            .mend(|| format!("the account `{}` is disabled, deleted or unknown", text("email")));
    };
    let identity = account.identity();
    let verdict: Verdict = cloud.permit(&identity, INVOKE, resource, attributes);
    verdict
        .check(&identity, INVOKE)
        .or_refuse(&refusals::PERMISSION_DENIED, "run-front-permission-denied")
        .with("path", &request.path)
}
