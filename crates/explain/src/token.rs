//! What a token is, by what it says of itself.

use serde_json::Value;
use tokenrig_clock::Timestamp;
use tokenrig_jose::{Jws, Map, peek, shorten};
use tokenrig_runner::redact;

use crate::{
    claims::{self, Kind},
    explanation::{Explanation, pair},
    input, shapes,
};

/// Claims that are listed.
const CLAIMS: usize = 60;
/// Characters of base64 that base64url does not have.
const PLAIN: [char; 3] = ['+', '/', '='];
/// What Cloud Run puts in the place of a signature.
const REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// What the credential in a file is, who would take it, and what is wrong with it. The signature is not verified.
#[must_use]
pub fn token(bytes: &[u8], now: Timestamp) -> Explanation {
    let mut told = Explanation::default();
    let found = input::credential(bytes, &mut told);
    explained(&found, now, &mut told);
    told
}

fn explained(found: &str, now: Timestamp, told: &mut Explanation) {
    if found.is_empty() {
        "nothing".clone_into(&mut told.title);
        told.fault("the file is empty", "the command that was to write it has failed: look at what it said on stderr");
        return;
    }
    if let Some(shape) = shapes::find(found) {
        told.title = format!("{} {}", shorten(found), shape.what);
        told.section("", vec![pair("taken by", shape.taken)]);
        for (what, help) in shape.caution.into_iter().chain(shapes::access_token_caution(found)) {
            told.not_checked.push(format!("{what}; {help}"));
        }
        return;
    }
    if found.starts_with('{') {
        return of_json(found, told);
    }
    match peek(found) {
        Some(opened) => jwt(found, &opened.header, &opened.claims, now, told),
        None => unreadable(found, told),
    }
}

fn jwt(found: &str, header: &Map, claims: &Map, now: Timestamp, told: &mut Explanation) {
    let kind = claims::kind(header, claims);
    told.title.clone_from(&kind.title);
    let times = claims::times(claims, now, kind.longest, told);
    let mut lines = vec![pair("taken by", kind.taken.as_str()), pair("header", members(header))];
    lines.extend(times);
    told.section("", lines);
    let all = claims.iter().take(CLAIMS).map(|(name, value)| pair(name.as_str(), value_text(value)));
    told.section("claims", all.collect());
    signature(found, header, told);
    claims_of(claims, &kind, told);
}

/// What is wrong with header and signature, without any key.
fn signature(found: &str, header: &Map, told: &mut Explanation) {
    let signature = found.rsplit('.').next().unwrap_or_default();
    if signature == REMOVED {
        told.fault(
            "its signature was taken off: this is what a Cloud Run service sees of a token that the front door has verified",
            "it cannot be passed on: let the service ask for a token of its own for the next one",
        );
        return;
    }
    match header.get("alg").and_then(Value::as_str) {
        Some("RS256" | "ES256") => {}
        Some("none") => told.fault("`alg` is `none`: it is not signed", "sign it with RS256 or ES256"),
        Some(alg) if alg.starts_with("HS") => told.fault(
            format!("`alg` is {alg}: it is signed with a shared secret, which Google does not have"),
            "let the provider sign with RS256 or ES256, with a key that it publishes",
        ),
        Some(alg) => told
            .fault(format!("`alg` is {alg}: Google takes RS256 and ES256"), "let the provider sign with one of them"),
        None => told.fault("the header has no `alg`", "sign it with RS256 or ES256"),
    }
    if header.get("kid").and_then(Value::as_str).is_none() {
        told.fault("the header has no `kid`: nobody knows which key to ask", "let the provider name its key");
    }
    match Jws::parse(found) {
        Ok(_) => told.not_checked.push("its signature: no key is asked for here".to_owned()),
        Err(_) if found.contains(PLAIN) => plain(told),
        Err(fault) => {
            told.fault(format!("it cannot be read as a whole: {fault}"), "copy the token again, all three parts")
        }
    }
}

fn claims_of(claims: &Map, kind: &Kind, told: &mut Explanation) {
    match claims.get("aud") {
        Some(Value::Array(many)) if many.len() > 1 => {
            told.not_checked
                .push("it has several audiences: whoever takes one of them can pass it on to the others".to_owned());
        }
        None if kind.subject => {
            told.fault("it has no `aud`", "ask the provider for a token for the audience that will check it")
        }
        _ => {}
    }
    let aud = claims::text(claims, "aud");
    if kind.subject && aud.contains("iam.googleapis.com/") {
        provider_audience(aud, told);
    }
    if kind.subject && claims::text(claims, "sub").len() > 127 {
        told.fault(
            "its `sub` is longer than 127 bytes: `google.subject` cannot hold it",
            "map `google.subject` to something shorter, for example another claim or `assertion.sub.extract(…)`",
        );
    }
}

/// The forms of a provider's name that an audience may have.
pub(crate) fn provider_audience(aud: &str, told: &mut Explanation) {
    let plain = aud.trim_start_matches("https:").trim_start_matches("//").trim_start_matches("iam.googleapis.com/");
    let parts: Vec<&str> = plain.split('/').collect();
    let [_, project, _, location, _, _, rest @ ..] = parts.as_slice() else {
        told.fault(
            format!("`{aud}` is no whole name of a provider"),
            "write //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
        );
        return;
    };
    if parts.first() != Some(&"projects") {
        return;
    }
    if !project.bytes().all(|byte| byte.is_ascii_digit()) {
        told.fault(
            format!("the project is named by its id (`{project}`): it must be its number"),
            format!("`gcloud projects describe {project} --format='value(projectNumber)'` tells it"),
        );
    }
    if *location != "global" {
        told.fault(format!("the location is `{location}`: pools are in `global`"), "write `locations/global`");
    }
    match rest {
        ["providers", _] => {}
        [] => told.fault("it names a pool, not a provider", "add /providers/PROVIDER"),
        _ => told.fault(
            format!("`{}` follows the pool: a provider is named, not a principal", rest.join("/")),
            "write /providers/PROVIDER after the pool; attributes belong into the `principalSet://` of a binding",
        ),
    }
}

/// AWS's signed request, the answer of an executable, a file that is no token.
fn of_json(found: &str, told: &mut Explanation) {
    let Ok(Value::Object(json)) = serde_json::from_str::<Value>(found) else {
        "text that begins like JSON".clone_into(&mut told.title);
        told.fault("it is neither JSON nor a token", "");
        return;
    };
    if json.contains_key("url") && json.contains_key("headers") {
        return aws(&json, told);
    }
    if json.contains_key("type") {
        "a credential file, no token".clone_into(&mut told.title);
        told.fault("this is a file of credentials", "`explain credentials FILE` tells what it would do");
        return;
    }
    "JSON without a token".clone_into(&mut told.title);
    if json.get("success") == Some(&Value::Bool(false)) {
        let message = json.get("message").and_then(Value::as_str).unwrap_or("nothing");
        told.fault(
            format!("the executable says that it failed: {}", redact::text(message)),
            "run it by hand and mend what it says",
        );
    } else {
        told.fault("no member of it holds a token", "name the member as `format.subject_token_field_name` says");
    }
}

/// A signed request for GetCallerIdentity, which AWS's side of federation sends as subject token.
fn aws(json: &Map, told: &mut Explanation) {
    "AWS subject token: a signed request for GetCallerIdentity".clone_into(&mut told.title);
    let url = json.get("url").and_then(Value::as_str).unwrap_or_default();
    told.section("", vec![
        pair("taken by", "the Security Token Service, as a subject token of type urn:ietf:params:aws:token-type:aws4_request, at an AWS provider"),
        pair("url", url),
    ]);
    let headers: Vec<(String, String)> = json
        .get("headers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|header| {
            Some((header.get("key")?.as_str()?.to_lowercase(), header.get("value")?.as_str()?.to_owned()))
        })
        .collect();
    for needed in ["host", "x-amz-date", "authorization", "x-goog-cloud-target-resource"] {
        if !headers.iter().any(|(name, _)| name == needed) {
            told.fault(
                format!("the header `{needed}` is missing"),
                "sign the request with it: Google refuses requests that could be used elsewhere",
            );
        }
    }
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    if !(host == "sts.amazonaws.com" || (host.starts_with("sts.") && host.ends_with(".amazonaws.com"))) {
        told.fault(
            format!("`{host}` is no endpoint of AWS's STS"),
            "use https://sts.REGION.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
        );
    }
    if let Some((_, target)) = headers.iter().find(|(name, _)| name == "x-goog-cloud-target-resource") {
        provider_audience(target, told);
    }
    told.not_checked.push("AWS's signature: only AWS can verify it".to_owned());
}

/// What keeps a text from being a JWT.
fn unreadable(found: &str, told: &mut Explanation) {
    told.title = format!("{} which is no token that is known", shorten(found));
    let dots = found.matches('.').count();
    if !found.starts_with("eyJ") {
        let help = "a JWT starts with `eyJ`, an access token of Google with `ya29.`";
        told.fault("it has the shape of no credential of Google or of OpenID", help);
        return;
    }
    if dots == 4 {
        told.fault(
            "it is encrypted (JWE, five parts): Google cannot read it",
            "let the provider sign tokens and not encrypt them",
        );
        return;
    }
    if dots != 2 {
        told.fault(
            format!("a JWT has three parts; this has {}", dots + 1),
            "copy the whole token: it was cut off, or two ran together",
        );
        return;
    }
    if found.ends_with("...") || found.contains('…') {
        told.fault("it was shortened for showing", "copy the whole token");
        return;
    }
    if found.contains(PLAIN) {
        plain(told);
        return;
    }
    let why =
        Jws::parse(found).err().map_or_else(|| "its claims are no JSON object".to_owned(), |fault| fault.to_string());
    told.fault(format!("it cannot be read: {why}"), "copy the token again");
}

fn plain(told: &mut Explanation) {
    told.fault(
        "it is plain base64, not base64url without padding",
        "replace `+` by `-`, `/` by `_` and take `=` away, in whatever makes the token",
    );
}

fn members(map: &Map) -> String {
    let all: Vec<String> = map.iter().map(|(name, value)| format!("{name} {}", value_text(value))).collect();
    all.join(", ")
}

fn value_text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = redact::text(&text);
    match text.char_indices().nth(400) {
        None => text.into_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}
