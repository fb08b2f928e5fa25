//! The checks of a subject token: issuer, key, signature, audience, times.

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_decision::Check;
use tokenrig_jose::{Algorithm, DateFault, JwkSet, Jws, Map, PublicKey, numeric_date};

use super::{keys::KeysFault, shown};
use crate::{assumptions::Settings, refusals};

/// Keys of a set that is kept with a decision.
const SMALL_SET: usize = 4;

/// The token cannot be read, or its algorithm is none that is taken.
pub(crate) fn malformed(why: &str) -> Check {
    Check::named("signature")
        .expected("a compact JWS, signed with RS256 or ES256")
        .found(why)
        .holds(false)
        .or_refuse(&refusals::TOKEN_MALFORMED, "sts-token-malformed")
        .mend(|| format!("send a signed JWT: {why}"))
}

/// `iss` against the provider's `oidc.issuerUri`. `slash_ignored`: see `trailing_slash_ignored` in assumptions.rs.
pub(crate) fn issuer(claims: &Map, issuer_uri: &str, slash_ignored: bool) -> Check {
    let found = claims.get("iss");
    let same = found.and_then(Value::as_str).is_some_and(|iss| match slash_ignored {
        true => without_slash(iss) == without_slash(issuer_uri),
        false => iss == issuer_uri,
    });
    let check = Check::named("issuer").expected(issuer_uri).found(claim(claims, "iss")).holds(same);
    if same {
        return check;
    }
    let id = if found.is_none_or(Value::is_null) { "sts-issuer-missing" } else { "sts-issuer-mismatch" };
    check
        .or_refuse(&refusals::ISSUER_MISMATCH, id)
        .with("iss", said(found))
        .with("issuerUri", issuer_uri)
        .mend(|| "let the token's `iss` be the provider's `oidc.issuerUri`, to the letter".to_owned())
}

fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// A claim as decisions show it; null for nothing.
fn claim(claims: &Map, name: &str) -> Value {
    claims.get(name).cloned().map_or(Value::Null, shown::value)
}

/// A claim as Google's messages show it: a text without quotes, `null` for nothing.
fn said(claim: Option<&Value>) -> String {
    match claim {
        None => "null".to_owned(),
        Some(Value::String(text)) => shown::text(text),
        Some(other) => shown::text(&other.to_string()),
    }
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
                .found(shown::text(&fault.to_string()))
                .holds(false)
                .or_refuse(&refusals::ISSUER_UNREACHABLE, id)
                .mend(|| shown::text(&format!("make the issuer's keys readable: {fault}")));
            return (check, None);
        }
    };
    let expected = move |set: &JwkSet, source: &str| {
        let known: Vec<Value> = set.keys().iter().take(20).map(|jwk| json!(jwk.kid())).collect();
        shown::value(json!({ "kid": known, "alg": algorithm.name(), "of": source }))
    };
    // A small set is kept with the decision, of a large one only what is shown.
    let check = if set.keys().len() <= SMALL_SET {
        let (set, source) = (Arc::clone(&set), Box::<str>::from(source));
        check.expects(move || expected(&set, &source))
    } else {
        check.expected(expected(&set, source))
    };
    let check = check.found(shown::field(kid));
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
    let (kid, algorithm) = (shown::text(jws.kid().unwrap_or_default()), key.algorithm().name());
    let check = Check::named("signature").expects(move || format!("{algorithm} by key {kid}").into());
    match jws.verify(key) {
        Ok(()) => check.finds(|| "it verifies".into()),
        Err(fault) => check
            .found(fault.to_string())
            .holds(false)
            .or_refuse(&refusals::SIGNATURE_INVALID, "sts-signature-invalid")
            .mend(|| "sign the token with the private half of the published key that its `kid` names".to_owned()),
    }
}

/// `aud` against the allowed audiences.
pub(crate) fn audience(claims: &Map, allowed: &[String]) -> Check {
    let held: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let ok = held.iter().any(|held| allowed.iter().any(|allowed| allowed == held));
    let check = Check::named("token-audience").expected(json!(allowed)).found(claim(claims, "aud")).holds(ok);
    if ok {
        return check;
    }
    let first = allowed.first().map_or("", String::as_str);
    check
        .or_refuse(&refusals::AUDIENCE_MISMATCH, "sts-audience-mismatch")
        .with("aud", shown::text(&held.join(", ")))
        .mend(|| {
            format!(
                "ask the issuer for a token whose `aud` is `{first}`, or add what it has to the provider's \
                 `oidc.allowedAudiences`"
            )
        })
}

/// `iat` and `exp` against the clock. Of a token that is good, the life that it has left: negative within the skew.
pub(crate) fn times(claims: &Map, now: Timestamp, settings: &Settings) -> (Check, Option<SignedDuration>) {
    let skew = settings.skew;
    let (iat, exp) = (numeric_date(claims, "iat"), numeric_date(claims, "exp"));
    let date = |name: &str, date: Result<Timestamp, DateFault>| {
        date.map_err(|why| match why {
            DateFault::Missing => Value::Null,
            why => json!(format!("{}: {why}", said(claims.get(name)))),
        })
    };
    let (shown_iat, shown_exp) = (date("iat", iat), date("exp", exp));
    let check = Check::named("times")
        .expects(move || {
            json!({
                "iat": format!("at most {} s ahead", skew.as_secs()),
                "exp": format!("at most {} s past", skew.as_secs()),
            })
        })
        .finds(move || {
            let shown = |date: &Result<Timestamp, Value>| match date {
                Ok(at) => json!(at.to_string()),
                Err(why) => why.clone(),
            };
            json!({ "iat": shown(&shown_iat), "exp": shown(&shown_exp), "now": now.to_string() })
        });
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
        (Ok(_), Ok(exp)) => return left(check, exp.duration_since(now), settings),
    };
    let check = check.holds(false).or_refuse(&refusals::TOKEN_STALE, id).with("iat", said(claims.get("iat")));
    (check.mend(|| mend), None)
}

fn left(check: Check, left: SignedDuration, settings: &Settings) -> (Check, Option<SignedDuration>) {
    let last_second = left.is_positive() && left <= SignedDuration::from_secs(1);
    if !(settings.one_second_left_fails && last_second) {
        return (check, Some(left));
    }
    let check = check
        .holds(false)
        .or_refuse(&refusals::ONE_SECOND_LEFT, "sts-one-second-left")
        .mend(|| "the token has hardly any life left: get a new one from the issuer".to_owned());
    (check, None)
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
    #[case::expired_by_the_whole_skew(-3600, -60, None)]
    #[case::expired_beyond_it(-3600, -61, Some("sts-token-expired"))]
    #[case::issued_ahead_within_the_skew(60, 3600, None)]
    #[case::issued_further_ahead(119, 3600, Some("sts-token-iat-in-future"))]
    fn times_are_judged_with_sixty_seconds_of_skew(#[case] iat: i64, #[case] exp: i64, #[case] refused: Option<&str>) {
        let now: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let claims = claims(json!({ "iat": now.as_second() + iat, "exp": now.as_second() + exp }));
        let (check, left) = times(&claims, now, &Settings::default());
        assert_eq!(check.refused().map(|refused| refused.id()), refused);
        assert_eq!(left, refused.is_none().then_some(SignedDuration::from_secs(exp)));
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
        let check = issuer(&Map::new(), "https://login.corp.example", true);
        assert_eq!(
            check.refused().unwrap().message(),
            "The issuer in ID Token null does not match the expected one in config: https://login.corp.example"
        );
    }

    #[rstest]
    #[case("https://a.example/", true, true)]
    #[case("https://a.example/", false, false)]
    #[case("https://a.example//", true, false)]
    #[case("https://A.example", true, false)]
    #[case("http://a.example", true, false)]
    fn one_trailing_slash_tells_no_issuer_from_another(#[case] iss: &str, #[case] ignored: bool, #[case] ok: bool) {
        assert_eq!(issuer(&claims(json!({ "iss": iss })), "https://a.example", ignored).ok(), ok);
    }

    #[rstest]
    #[case::text(json!({ "iat": "1768467600", "exp": 1_768_471_200 }), "sts-token-iat-missing", "1768467600")]
    #[case::fraction(json!({ "iat": 1_768_467_600.5, "exp": 1_768_471_200 }), "sts-token-iat-missing", "1768467600.5")]
    #[case::negative(json!({ "iat": -1, "exp": -1 }), "sts-token-expired", "-1")]
    #[case::null(json!({ "iat": 1_768_467_600, "exp": null }), "sts-token-exp-missing", "1768467600")]
    #[case::huge(json!({ "iat": 1_768_467_600, "exp": 1e300 }), "sts-token-exp-missing", "1768467600")]
    #[case::nothing(json!({}), "sts-token-iat-missing", "null")]
    fn a_time_that_is_none_is_shown_as_it_is(#[case] given: Value, #[case] id: &str, #[case] said: &str) {
        let now: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let (check, _) = times(&claims(given), now, &Settings::default());
        assert_eq!(check.refused().unwrap().id(), id);
        assert_eq!(check.refused().unwrap().message(), format!("ID Token issued at {said} is stale to sign-in."));
    }

    #[rstest]
    #[case(2, false)]
    #[case(1, true)]
    #[case(0, false)]
    #[case(-1, false)]
    fn the_last_second_fails_only_if_that_is_set(#[case] left: i64, #[case] fails: bool) {
        let now: Timestamp = "2026-01-15T09:00:00Z".parse().unwrap();
        let claims = claims(json!({ "iat": now.as_second() - 60, "exp": now.as_second() + left }));
        let settings = Settings { one_second_left_fails: true, ..Settings::default() };
        assert_eq!(times(&claims, now, &settings).0.ok(), !fails);
        assert!(times(&claims, now, &Settings::default()).0.ok());
    }
}
