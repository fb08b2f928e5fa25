//! `token`: a token as a value to assert on, its signature verified first.

use serde_json::{Map, Value as Json};
use tokenrig_cel::{Dialect, Program, Value};
use tokenrig_clock::SignedDuration;
use tokenrig_jose::{Jws, numeric_date};
use tokenrig_scenario::{ExpectToken, Kind, Span, Template, duration};

use crate::{
    evaluate::{Env, Fault},
    events::Failure,
    files::named,
    redact::rough,
    shape::{self, Place},
    step::{Case, Done},
    verify::{self, Signer},
    world::Received,
};

/// Where answers usually have their token.
const USUAL: [&str; 6] = ["token", "idToken", "id_token", "signedJwt", "accessToken", "access_token"];

pub(super) async fn judge(case: &Case<'_>, env: &Env, done: &Done, expected: &ExpectToken) -> Vec<Failure> {
    if let Some(requests) = &done.requests {
        return requests
            .iter()
            .map(|request| received(case, env, request, expected))
            .find(|failures| !failures.is_empty())
            .unwrap_or_default();
    }
    let token = match find(env, done, expected) {
        Ok(token) => token,
        Err(fault) => return vec![fault.into()],
    };
    let jws = match Jws::parse(&token) {
        Ok(jws) => jws,
        Err(fault) => return vec![failure(expected.span, format!("no token can be verified here: {fault}"))],
    };
    let no_claims = Map::new();
    let claims = jws.claims().unwrap_or(&no_claims);
    let mut failures = Vec::new();
    let signer = match &expected.signer {
        Some(template) => match signer(case, env, template) {
            Ok(signer) => Some(signer),
            Err(fault) => return vec![fault.into()],
        },
        None => Signer::claimed(claims),
    };
    match signer {
        Some(signer) => {
            if let Err(why) = verify::signature(case.site, &jws, &signer).await {
                let at = expected.signer.as_ref().map_or(expected.span, |signer| signer.span);
                failures.push(failure(at, format!("the token is not signed by {}: {why}", signer.words())));
            }
        }
        None => failures.push(failure(
            expected.span,
            "the token names no issuer whose keys could be fetched; say `signer`".to_owned(),
        )),
    }
    failures.extend(contents(env, jws.header(), claims, expected, "token"));
    failures
}

/// The token of a received request: Cloud Run takes the signature off, so that its own check counts.
fn received(case: &Case<'_>, env: &Env, request: &Received, expected: &ExpectToken) -> Vec<Failure> {
    let Some(token) = &request.token else {
        return vec![failure(expected.span, "the request came without a token".to_owned())];
    };
    let mut failures = Vec::new();
    if request.signature_checked != Some(true) {
        let why = match request.signature_checked {
            Some(_) => "found its signature bad",
            None => "has not verified its signature",
        };
        failures.push(failure(expected.span, format!("the service's own door {why}")));
    }
    if let Some(template) = &expected.signer {
        match signer(case, env, template) {
            Ok(signer) if Signer::claimed(&token.claims).as_ref() == Some(&signer) => {}
            Ok(signer) => failures.push(failure(template.span, format!("the token is not of {}", signer.words()))),
            Err(fault) => failures.push(fault.into()),
        }
    }
    failures.extend(contents(env, &token.header, &token.claims, expected, "token"));
    failures
}

fn contents(
    env: &Env,
    header: &Map<String, Json>,
    claims: &Map<String, Json>,
    expected: &ExpectToken,
    place: &str,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(shape) = &expected.header {
        failures.extend(shape::compare(env, shape, &Value::from(header), &Place::named(format!("{place}.header"))));
    }
    if let Some(shape) = &expected.claims {
        failures.extend(shape::compare(env, shape, &Value::from(claims), &Place::named(format!("{place}.claims"))));
    }
    if let Some(shape) = &expected.lifetime {
        failures.extend(lifetime(env, claims, shape, place));
    }
    failures
}

/// `exp` less `iat`: a duration, seconds, or a test of the seconds.
fn lifetime(env: &Env, claims: &Map<String, Json>, shape: &Template, place: &str) -> Vec<Failure> {
    let date = |name: &str| numeric_date(claims, name).map_err(|fault| format!("`{name}`: {fault}"));
    let found = match (date("exp"), date("iat")) {
        (Ok(exp), Ok(iat)) => exp.duration_since(iat),
        (Err(why), _) | (_, Err(why)) => {
            return vec![failure(shape.span, format!("the token has no lifetime: {why}"))];
        }
    };
    let tested = matches!(&shape.kind, Kind::Hole(expr) if expr.program.variables().iter().any(|name| name == "it"));
    if tested {
        let place = Place::named(format!("{place}.lifetime"));
        return shape::compare(env, shape, &Value::Int(found.as_secs()), &place);
    }
    let expected = match env.value(shape) {
        Ok(Value::Int(seconds)) => Some(SignedDuration::from_secs(seconds)),
        Ok(Value::Duration(length)) => Some(length),
        Ok(value) => value.as_str().and_then(duration),
        Err(fault) => return vec![fault.into()],
    };
    match expected {
        Some(expected) if expected == found => Vec::new(),
        Some(expected) => vec![Failure {
            label: format!("found {}", rough(found)),
            ..failure(shape.span, format!("expected {place}.lifetime {}, found {}", rough(expected), rough(found)))
        }],
        None => vec![failure(shape.span, "a lifetime is written like `1h`, or as seconds".to_owned())],
    }
}

/// The token that is meant.
fn find(env: &Env, done: &Done, expected: &ExpectToken) -> Result<String, Fault> {
    if let Some(at) = &expected.at {
        let value = match &at.kind {
            // CEL may stand here bare, as in `save`.
            Kind::Text(text) if !text.starts_with("eyJ") => {
                let program = Program::compile(text, Dialect::Scenario);
                let program = program.map_err(|error| Fault::new(at.span, error.message))?;
                program.evaluate(&env.scope).map_err(|error| Fault::new(at.span, error.message))?
            }
            _ => env.value(at)?,
        };
        return value.as_str().map(str::to_owned).ok_or_else(|| Fault::new(at.span, "no token is here"));
    }
    let name = |name: &str| done.names.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let in_body = name("body").into_iter().flat_map(|body| USUAL.iter().filter_map(|member| body.get(member)));
    let mut places = name("token").into_iter().chain(in_body).chain(name("text")).filter_map(Value::as_str);
    places
        .find(|text| tokenrig_jose::peek(text.trim()).is_some())
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| Fault::new(expected.span, "no token is in the answer; `at` says where else to look"))
}

/// `google`, an e-mail or given account, an issuer's id or URL.
fn signer(case: &Case<'_>, env: &Env, template: &Template) -> Result<Signer, Fault> {
    let text = match env.value(template)? {
        // `${corp}` and `${caller}` are meant too.
        map @ Value::Map(_) => named(&map, "issuer").or_else(|| named(&map, "email")).unwrap_or_default(),
        value => value.to_text().unwrap_or_default(),
    };
    if text == "google" {
        return Ok(Signer::Google);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(if text == "https://accounts.google.com" { Signer::Google } else { Signer::Issuer(text) });
    }
    if text.contains('@') {
        return Ok(Signer::Account(text));
    }
    let facts = case.site.facts();
    let issuer = facts.issuers.get(&text).and_then(|issuer| issuer.get("issuer")).and_then(Json::as_str);
    if let Some(issuer) = issuer {
        return Ok(Signer::Issuer(issuer.to_owned()));
    }
    let account = env.scope.get("given").and_then(|given| given.get("iam.serviceAccounts")?.get(&text));
    account.and_then(|account| named(account, "email")).map(Signer::Account).ok_or_else(|| {
        Fault::new(template.span, format!("`{text}` is no signer: `google`, a given account or issuer, or an e-mail"))
    })
}

fn failure(span: Span, message: String) -> Failure {
    Failure { at: Some(span), label: String::new(), ..Failure::new(message) }
}
