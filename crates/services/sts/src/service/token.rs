//! The checks of a subject token: issuer, key, signature, audience, times.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_decision::Check;
use tokenrig_jose::{Algorithm, DateFault, JwkSet, Jws, Map, PublicKey, numeric_date};

use super::keys::KeysFault;
use crate::refusals;

/// The token cannot be read, or its algorithm is none that is taken.
pub(crate) fn malformed(why: &str) -> Check {
    Check::named("signature")
        .expected("a compact JWS, signed with RS256 or ES256")
        .found(why)
        .holds(false)
        .or_refuse(&refusals::TOKEN_MALFORMED, "sts-token-malformed")
        .mend(|| format!("send a signed JWT: {why}"))
}

/// `iss` against the provider's `oidc.issuerUri`.
pub(crate) fn issuer(claims: &Map, issuer_uri: &str) -> Check {
    let found = claims.get("iss").cloned().unwrap_or(Value::Null);
    let same = found.as_str().is_some_and(|iss| without_slash(iss) == without_slash(issuer_uri));
    let id = if found.is_null() { "sts-issuer-missing" } else { "sts-issuer-mismatch" };
    Check::named("issuer")
        .expected(issuer_uri)
        .found(found.clone())
        .holds(same)
        .or_refuse(&refusals::ISSUER_MISMATCH, id)
        .with("iss", shown(&found))
        .with("issuerUri", issuer_uri)
        .mend(|| "let the token's `iss` be the provider's `oidc.issuerUri`, to the letter".to_owned())
}

/// One trailing slash is insignificant: see `trailing_slash` in assumptions.rs.
fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// A claim as Google's messages show it: a text without quotes, `null` for nothing.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The key that `kid` names.
pub(crate) fn key(
    jws: &Jws,
    algorithm: Algorithm,
    source: &str,
    set: Result<Arc<JwkSet>, KeysFault>,
) -> (Check, Option<PublicKey>) {
    let kid = jws.kid();
    let check = Check::named("key");
    let set = match set {
        Ok(set) => set,
        Err(fault) => {
            let id = match fault {
                KeysFault::Uploaded(_) => "sts-uploaded-jwks-malformed",
                KeysFault::Fetch { .. } => "sts-issuer-unreachable",
            };
            let check = check
                .expected(source)
                .found(fault.to_string())
                .holds(false)
                .or_refuse(&refusals::ISSUER_UNREACHABLE, id)
                .mend(|| format!("make the issuer's keys readable: {fault}"));
            return (check, None);
        }
    };
    let known: Vec<Value> = set.keys().iter().take(20).map(|jwk| json!(jwk.kid())).collect();
    let check = check.expected(json!({ "kid": known, "alg": algorithm.name(), "of": source })).found(json!(kid));
    match kid.map(|kid| set.resolve(kid, algorithm)) {
        Some(Ok(key)) => (check, Some(key.clone())),
        Some(Err(why)) => {
            let id = match why {
                tokenrig_jose::Unresolved::OtherAlgorithm(_) => "sts-key-type-mismatch",
                _ => "sts-key-unknown",
            };
            let check = check
                .holds(false)
                .or_refuse(&refusals::ISSUER_UNREACHABLE, id)
                .mend(|| format!("sign with a key that {source} hold: {why}"));
            (check, None)
        }
        None => {
            let check = check
                .holds(false)
                .or_refuse(&refusals::ISSUER_UNREACHABLE, "sts-key-unknown")
                .mend(|| "name the key in the token's header (`kid`)".to_owned());
            (check, None)
        }
    }
}

/// The signature itself.
pub(crate) fn signature(jws: &Jws, key: &PublicKey) -> Check {
    let check = Check::named("signature").expected(format!(
        "{} by key {}",
        key.algorithm().name(),
        jws.kid().unwrap_or_default()
    ));
    match jws.verify(key) {
        Ok(()) => check.found("it verifies"),
        Err(fault) => check
            .found(fault.to_string())
            .holds(false)
            .or_refuse(&refusals::SIGNATURE_INVALID, "sts-signature-invalid")
            .mend(|| "sign the token with the private half of the published key that its `kid` names".to_owned()),
    }
}

/// `aud` against the allowed audiences.
pub(crate) fn audience(claims: &Map, allowed: &[String]) -> Check {
    let found = claims.get("aud").cloned().unwrap_or(Value::Null);
    let held: Vec<&str> = match &found {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let ok = held.iter().any(|held| allowed.iter().any(|allowed| allowed == held));
    Check::named("token-audience")
        .expected(json!(allowed))
        .found(found.clone())
        .holds(ok)
        .or_refuse(&refusals::AUDIENCE_MISMATCH, "sts-audience-mismatch")
        .with("aud", held.join(", "))
        .mend(|| {
            format!("ask the issuer for a token whose `aud` is `{}`, or add what it has to the provider's `oidc.allowedAudiences`", allowed.first().map_or("", String::as_str))
        })
}

/// `iat` and `exp` against the clock.
pub(crate) fn times(claims: &Map, now: Timestamp, skew: SignedDuration) -> Check {
    let (iat, exp) = (numeric_date(claims, "iat"), numeric_date(claims, "exp"));
    let claim = |name: &str| claims.get(name).cloned().unwrap_or(Value::Null);
    let mut found = serde_json::Map::new();
    for (name, date) in [("iat", &iat), ("exp", &exp)] {
        let shown = match date {
            Ok(at) => json!(at.to_string()),
            Err(DateFault::Missing) => Value::Null,
            Err(why) => json!(format!("{}: {why}", claim(name))),
        };
        found.insert(name.to_owned(), shown);
    }
    found.insert("now".to_owned(), json!(now.to_string()));
    let check = Check::named("times")
        .expected(json!({ "iat": format!("at most {} s ahead", skew.as_secs()), "exp": format!("at most {} s past", skew.as_secs()) }))
        .found(found);
    let (id, mend) = match (iat, exp) {
        (Err(why), _) => ("sts-token-iat-missing", format!("the token needs `iat`, a number of seconds: {why}")),
        (_, Err(why)) => ("sts-token-exp-missing", format!("the token needs `exp`, a number of seconds: {why}")),
        (Ok(_), Ok(exp)) if now.duration_since(exp) > skew => (
            "sts-token-expired",
            format!("the token expired {} s ago: get a new one from the issuer", now.duration_since(exp).as_secs()),
        ),
        (Ok(iat), _) if iat.duration_since(now) > skew => (
            "sts-token-iat-in-future",
            format!(
                "the token was issued {} s ahead of the clock: set the issuer's clock",
                iat.duration_since(now).as_secs()
            ),
        ),
        _ => return check,
    };
    check.holds(false).or_refuse(&refusals::TOKEN_STALE, id).with("iat", shown(&claim("iat"))).mend(|| mend)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn claims(value: Value) -> Map {
        value.as_object().unwrap().clone()
    }

    #[rstest]
    #[case::as_issued(0, 3600, None)]
    #[case::expired_within_the_skew(-3600, -59, None)]
    #[case::expired_beyond_it(-3600, -61, Some("sts-token-expired"))]
    #[case::issued_ahead_within_the_skew(60, 3600, None)]
    #[case::issued_further_ahead(119, 3600, Some("sts-token-iat-in-future"))]
    fn times_are_judged_with_sixty_seconds_of_skew(#[case] iat: i64, #[case] exp: i64, #[case] refused: Option<&str>) {
        let now: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let claims = claims(json!({ "iat": now.as_second() + iat, "exp": now.as_second() + exp }));
        let check = times(&claims, now, SignedDuration::from_secs(60));
        assert_eq!(check.refused().map(|refused| refused.id()), refused);
    }

    #[rstest]
    #[case::a_text(json!("a"), true)]
    #[case::a_list(json!(["x", "a"]), true)]
    #[case::a_prefix(json!("a/"), false)]
    #[case::a_number(json!(7), false)]
    #[case::nothing(Value::Null, false)]
    fn an_audience_is_a_member_to_the_letter(#[case] aud: Value, #[case] ok: bool) {
        let check = audience(&claims(json!({ "aud": aud })), &["a".to_owned()]);
        assert_eq!(check.ok(), ok);
    }

    #[test]
    fn a_missing_issuer_is_shown_as_null() {
        let check = issuer(&Map::new(), "https://login.corp.example");
        assert_eq!(
            check.refused().unwrap().message(),
            "The issuer in ID Token null does not match the expected one in config: https://login.corp.example"
        );
    }

    #[test]
    fn one_trailing_slash_tells_no_issuer_from_another() {
        assert!(issuer(&claims(json!({ "iss": "https://a.example/" })), "https://a.example").ok());
        assert!(!issuer(&claims(json!({ "iss": "https://a.example//" })), "https://a.example").ok());
    }
}
