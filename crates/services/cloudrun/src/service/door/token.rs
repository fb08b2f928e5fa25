//! The checks of an ID token, one function each.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_decision::Check;
use tokenrig_jose::{DateFault, Jws, Map, numeric_date, shorten};
use tokenrig_policy::Identity;

use super::{Asked, entrance::or};
use crate::assumptions::UserWithoutInvoker;

/// The issuers of Google's ID tokens.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// The client id of gcloud: the audience of every ID token that it gets for a user.
const GCLOUD: &str = "32555940559.apps.googleusercontent.com";

fn unverifiable(check: Check, asked: &Asked<'_>) -> Check {
    or(check, asked.entrance.unverifiable, &asked.request.path)
}

fn denied(check: Check, asked: &Asked<'_>) -> Check {
    or(check, asked.entrance.denied, &asked.request.path)
}

/// Whether there is an ID token at all, and the token if it can be read.
pub(crate) fn credential(asked: &Asked<'_>) -> (Check, Option<Jws>) {
    let check = Check::named("credential").expects(|| "Authorization: Bearer ID_TOKEN".into());
    let Some(credential) = &asked.request.credential else {
        let role = asked.entrance.role;
        let check = or(check.holds(false), asked.entrance.no_credential, &asked.request.path)
            .mend(|| format!("send an ID token as `Authorization: Bearer`, or grant `{role}` to `allUsers`"));
        return (check, None);
    };
    let Some(token) = credential.bearer() else {
        // A value of one word may be the secret itself.
        let scheme = credential.value.split_once(' ').map_or("", |(scheme, _)| scheme);
        let scheme: String = scheme.chars().take(20).collect();
        let check = check.found(format!("{}: {scheme} …", credential.header)).holds(false);
        let check =
            unverifiable(check, asked).mend(|| "send a Google-signed ID token with the scheme `Bearer`".to_owned());
        return (check, None);
    };
    let opened = Jws::parse(token).map_err(|fault| fault.to_string());
    let opened = opened.and_then(|jws| match jws.claims() {
        Ok(_) => Ok(jws),
        Err(fault) => Err(format!("its claims cannot be read: {fault}")),
    });
    let why = match opened {
        Ok(jws) => {
            let header = credential.header;
            return (check.finds(move || format!("{header}: Bearer, an ID token").into()), Some(jws));
        }
        Err(why) => why,
    };
    let access_token = token.starts_with("ya29.");
    let found = if access_token { "an access token".to_owned() } else { format!("{} ({why})", shorten(token)) };
    let check = unverifiable(check.found(found).holds(false), asked).mend(|| {
        if access_token {
            "send an ID token in place of the access token: `generateIdToken` with the service's URL as `audience`"
                .to_owned()
        } else {
            format!("send a Google-signed ID token: {why}")
        }
    });
    (check, None)
}

/// Whether Google says that it made it.
pub(crate) fn issuer(asked: &Asked<'_>, claims: &Map) -> Check {
    let found = claims.get("iss").cloned().unwrap_or(Value::Null);
    let ok = found.as_str().is_some_and(|iss| ISSUERS.contains(&iss));
    let check = Check::named("issuer").expects(|| ISSUERS[0].into()).found(found).holds(ok);
    unverifiable(check, asked)
        .mend(|| "send a token that Google issued: exchange the provider's token and call `generateIdToken`".to_owned())
}

/// Whether one of Google's keys signed it.
pub(crate) fn signature(asked: &Asked<'_>, jws: &Jws) -> Check {
    let keys = asked.cloud.mint().google_keys();
    let kid = jws.kid();
    let found = match (jws.algorithm(), kid.and_then(|kid| keys.find(kid))) {
        (Err(fault), _) => Err(fault.to_string()),
        (Ok(_), None) => Err("no key of Google has this id".to_owned()),
        (Ok(algorithm), Some(key)) => {
            jws.verify(&key.public()).map(|()| (algorithm, Arc::clone(key))).map_err(|fault| fault.to_string())
        }
    };
    let check = Check::named("signature").expects(move || {
        let kids: Vec<&str> = keys.published().iter().map(|key| key.kid()).collect();
        json!({ "alg": "RS256", "kid": kids, "of": ISSUERS[0] })
    });
    match found {
        Ok((algorithm, key)) => check.finds(move || json!({ "alg": algorithm.name(), "kid": key.kid() })),
        Err(why) => {
            let check = check.found(json!({ "alg": jws.alg(), "kid": kid, "fault": why })).holds(false);
            unverifiable(check, asked).mend(|| {
                format!("send a token signed by one of the keys at https://www.googleapis.com/oauth2/v3/certs: {why}")
            })
        }
    }
}

/// Whether it was made for this service.
pub(crate) fn audience(asked: &Asked<'_>, claims: &Map) -> Check {
    let own = &asked.service.audiences;
    let custom = &asked.service.resource.custom_audiences;
    let found = claims.get("aud").cloned().unwrap_or(Value::Null);
    let slash = asked.settings.trailing_slash;
    // The slash is forgiven after the service's own URLs; custom audiences are compared as they are.
    let is_own = |aud: &str| {
        let bare = aud.strip_suffix('/').filter(|_| slash);
        own.iter().any(|own| own == aud || (bare == Some(own) && !custom.contains(own)))
    };
    let ok = match &found {
        // A person cannot choose the audience that gcloud asks for.
        Value::String(aud) if aud == GCLOUD => account(asked, claims).is_none(),
        Value::String(aud) => is_own(aud),
        Value::Array(many) => many.iter().filter_map(Value::as_str).any(is_own),
        _ => false,
    };
    let url = own.first().map(String::as_str).unwrap_or_default();
    let service = Arc::clone(asked.service);
    let check = Check::named("audience").expects(move || json!(service.audiences)).holds(ok);
    let check = unverifiable(check, asked).mend(|| {
        let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        format!(
            "ask for the ID token with the service's URL as audience (`{url}`), or add `{found}` to the service's `customAudiences`"
        )
    });
    check.found(found)
}

/// Whether it is in time.
pub(crate) fn times(asked: &Asked<'_>, claims: &Map) -> Check {
    let (now, skew) = (asked.attributes.time, asked.settings.skew);
    let (iat, exp) = (numeric_date(claims, "iat"), numeric_date(claims, "exp"));
    let found = move || {
        let shown = |date: Result<Timestamp, DateFault>| match date {
            Ok(at) => at.to_string(),
            Err(fault) => fault.to_string(),
        };
        json!({ "iat": shown(iat), "exp": shown(exp), "now": now.to_string() })
    };
    let (unverifiable, expired) = (asked.entrance.unverifiable, asked.entrance.expired);
    let (answer, mend) = match (iat, exp) {
        (_, Ok(exp)) if now.duration_since(exp) >= skew => {
            (Some(expired), format!("the token expired {} s ago: ask for a new one", now.duration_since(exp).as_secs()))
        }
        (Ok(iat), Ok(_)) if iat.duration_since(now) > skew => {
            (Some(unverifiable), "the token is issued in the future: set the clock".to_owned())
        }
        (Ok(_), Ok(_)) => (None, String::new()),
        (Err(fault), _) => (Some(unverifiable), format!("the token needs `iat`: {fault}")),
        (_, Err(fault)) => (Some(unverifiable), format!("the token needs `exp`: {fault}")),
    };
    let check = Check::named("times").expects(|| "issued before now, expires after now".into()).finds(found);
    let Some(answer) = answer else { return check };
    or(check.holds(false), answer, &asked.request.path).mend(|| mend)
}

/// The service account that the token stands for, there or deleted. The metadata server's short form carries no e-mail
/// address, so the unique id says who it is.
fn account(asked: &Asked<'_>, claims: &Map) -> Option<Arc<tokenrig_cloud::ServiceAccount>> {
    asked.cloud.accounts().get_by_id(claims.get("sub")?.as_str()?)
}

/// Whether its principal may invoke the service, and who that is.
pub(crate) fn permission(asked: &Asked<'_>, claims: &Map) -> (Check, Option<Arc<str>>) {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let (email, sub) = (text("email"), text("sub"));
    let identity = match account(asked, claims) {
        Some(account) if account.deleted.is_none() && !account.disabled => account.identity(),
        // A person, whose e-mail address Google has verified.
        None if email.contains('@') && !email.ends_with(".gserviceaccount.com") => {
            Identity::User { email: email.to_owned(), id: sub.to_owned() }
        }
        account => {
            let found = account.map_or(json!({ "sub": sub, "email": email }), |account| {
                json!({ "email": account.email, "disabled": account.disabled, "deleted": account.deleted.is_some() })
            });
            let check = Check::named("permission")
                .expected("a service account that exists and is enabled")
                .found(found)
                .holds(false);
            let check = denied(check, asked)
                .mend(|| format!("enable, undelete or create the account `{email}` (unique id {sub})"));
            return (check, None);
        }
    };
    let invoke = asked.entrance.permission;
    let verdict = asked.reached.decide(&identity, invoke, &asked.attributes);
    let member: Arc<str> = identity.as_member().into();
    let check = verdict.check_as(Arc::clone(&member), invoke);
    let is_gcloud = matches!(identity, Identity::User { .. }) && text("aud") == GCLOUD;
    let check = match asked.settings.user_without_invoker {
        UserWithoutInvoker::Unauthorized if is_gcloud => {
            or(check, asked.entrance.user_without_invoker, &asked.request.path)
        }
        UserWithoutInvoker::NotFound if is_gcloud => or(check, asked.entrance.user_not_found, &asked.request.path),
        _ => denied(check, asked),
    };
    (check, Some(member))
}
