//! A signed URL of Cloud Storage, by what stands in it.

use form_urlencoded::parse;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_jose::shorten;
use tokenrig_runner::redact::rough;

use crate::{
    explanation::{Explanation, pair},
    input,
};

/// The longest life of a V4 URL.
const LONGEST: i64 = 604_800;
/// The parameters of V4.
const V4: [&str; 6] = [
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    "X-Goog-Signature",
];
/// The parameters of V2.
const V2: [&str; 3] = ["GoogleAccessId", "Expires", "Signature"];

/// What a signed URL says of itself: its version, signer and end, and what is malformed. Storage is not played yet: neither
/// signature nor permission is checked.
#[must_use]
pub fn url(bytes: &[u8], now: Timestamp) -> Explanation {
    let mut told = Explanation::default();
    let text = input::text(bytes, &mut told);
    let text = text.trim().trim_matches(['"', '\'']);
    if text.contains("&amp;") {
        told.fault("`&amp;` stands where `&` belongs: it was escaped for HTML", "write `&`");
    }
    if text.contains(char::is_whitespace) {
        told.fault("white space stands in it", "join it to one line");
    }
    let text = text.replace("&amp;", "&").split_whitespace().collect::<String>();
    let (address, query) = text.split_once('?').unwrap_or((&text, ""));
    let parameters: Vec<(String, String)> =
        parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    place(address, &mut told);
    let is =
        |names: &[&str]| parameters.iter().any(|(name, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    match (is(&V4), is(&V2)) {
        (true, true) => {
            "a URL with parameters of two kinds of signature".clone_into(&mut told.title);
            told.fault("parameters of V2 and of V4 stand in it", "sign it again, with one of them");
        }
        (true, false) => v4(&parameters, now, &mut told),
        (false, true) => v2(&parameters, now, &mut told),
        (false, false) => {
            "a URL without a signature".clone_into(&mut told.title);
            told.fault(
                "no parameter of a signature stands in it",
                "quote the URL in a shell: an unquoted `&` ends the command",
            );
        }
    }
    told.not_checked.push("signature, signer and permission: Cloud Storage is not played yet".to_owned());
    told
}

/// Bucket and object.
fn place(address: &str, told: &mut Explanation) {
    let Some((scheme, rest)) = address.split_once("://") else {
        told.fault("it is no whole URL: it has no scheme", "write https://storage.googleapis.com/BUCKET/OBJECT?…");
        return;
    };
    if scheme == "gs" {
        told.fault(
            "`gs://` is a name, not a place: nothing can be fetched from it",
            "sign https://storage.googleapis.com/BUCKET/OBJECT",
        );
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (bucket, object) = match host.strip_suffix(".storage.googleapis.com") {
        Some(bucket) => (bucket.to_owned(), path),
        None if host == "storage.googleapis.com" => {
            let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
            (bucket.to_owned(), object)
        }
        None if host.ends_with("storage.cloud.google.com") => {
            told.fault(
                "storage.cloud.google.com is for people who are signed in: it knows no signed URLs",
                "sign https://storage.googleapis.com/BUCKET/OBJECT",
            );
            (String::new(), path)
        }
        None => {
            told.not_checked.push(format!("`{host}` may be a bucket's own host name"));
            (host.to_owned(), path)
        }
    };
    told.section("", vec![pair("host", host), pair("bucket", bucket), pair("object", object)]);
}

/// The value of a parameter; told if it is missing, twice there or written in another case.
fn one(parameters: &[(String, String)], name: &str, told: &mut Explanation) -> Option<String> {
    let found: Vec<&(String, String)> =
        parameters.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).collect();
    match found.as_slice() {
        [] => {
            told.fault(format!("`{name}` is missing"), "quote the URL in a shell, and copy all of it");
            None
        }
        [(written, value), more @ ..] => {
            if !more.is_empty() {
                told.fault(format!("`{name}` stands there {} times", found.len()), "sign it again");
            }
            if written != name {
                told.fault(format!("`{written}` is written `{name}`: the case of letters matters"), "");
            }
            Some(value.clone())
        }
    }
}

fn v4(parameters: &[(String, String)], now: Timestamp, told: &mut Explanation) {
    "a signed URL of Cloud Storage, version 4".clone_into(&mut told.title);
    let [algorithm, credential, date, expires, headers, signature] = V4.map(|name| one(parameters, name, told));
    let mut lines = Vec::new();
    if let Some(algorithm) = algorithm {
        if !["GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256"].contains(&algorithm.as_str()) {
            told.fault(
                format!("the algorithm `{algorithm}` is not known"),
                "GOOG4-RSA-SHA256 and GOOG4-HMAC-SHA256 are",
            );
        }
        lines.push(pair("algorithm", algorithm));
    }
    let mut scope_day = None;
    if let Some(credential) = credential {
        match credential.rsplitn(5, '/').collect::<Vec<_>>().as_slice() {
            [last, service, location, day, signer] => {
                if (*last, *service) != ("goog4_request", "storage") {
                    told.fault(
                        format!("the credential scope ends in `{service}/{last}`"),
                        "it ends in `storage/goog4_request`",
                    );
                }
                lines.push(pair("signed by", *signer));
                lines.push(pair("scope", format!("{day}, {location}")));
                scope_day = Some((*day).to_owned());
            }
            _ => told.fault(
                "`X-Goog-Credential` is not SIGNER/DAY/LOCATION/storage/goog4_request",
                "percent-encode its slashes as %2F, or sign it again",
            ),
        }
    }
    let start = date.as_deref().and_then(instant);
    if let (Some(date), None) = (&date, start) {
        told.fault(format!("`X-Goog-Date` is `{date}`"), "it is written 20260115T090000Z");
    }
    if let (Some(day), Some(date)) = (scope_day, &date)
        && !date.starts_with(&day)
    {
        told.fault(format!("the day of the scope ({day}) is not that of `X-Goog-Date` ({date})"), "sign it again");
    }
    match expires.as_deref().map(|text| (text, text.parse::<i64>())) {
        None => {}
        Some((_, Ok(seconds))) if (1..=LONGEST).contains(&seconds) => {
            if let Some(start) = start {
                lines.extend(life(
                    start,
                    start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX),
                    now,
                    told,
                ));
            }
        }
        Some((text, Ok(_))) => told.fault(
            format!("`X-Goog-Expires` is {text}: 1 to {LONGEST} seconds (seven days) are possible"),
            "V4 knows no longer life",
        ),
        Some((text, Err(_))) => {
            told.fault(format!("`X-Goog-Expires` is `{text}`, no number of seconds"), "write seconds, not an instant")
        }
    }
    if let Some(headers) = headers {
        let names: Vec<&str> = headers.split(';').collect();
        if !names.contains(&"host") {
            told.fault("`host` is not among the signed headers", "sign it with `host`");
        }
        if names.iter().any(|name| name.chars().any(char::is_uppercase)) || !names.is_sorted() {
            told.fault(
                "the signed headers are not in small letters and sorted",
                "sort them, in small letters, with `;` between",
            );
        }
        let others: Vec<&str> = names.into_iter().filter(|name| *name != "host").collect();
        if !others.is_empty() {
            lines.push(pair("must send", others.join(", ")));
        }
    }
    if let Some(signature) = signature {
        if signature.is_empty() || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            told.fault("`X-Goog-Signature` is not hexadecimal", "V4 writes it in hexadecimal; base64 is V2's");
        }
        lines.push(pair("signature", shorten(&signature)));
    }
    told.section("", lines);
}

fn v2(parameters: &[(String, String)], now: Timestamp, told: &mut Explanation) {
    "a signed URL of Cloud Storage, version 2, the older form".clone_into(&mut told.title);
    let [signer, expires, signature] = V2.map(|name| one(parameters, name, told));
    let mut lines: Vec<(String, String)> = signer.map(|signer| pair("signed by", signer)).into_iter().collect();
    if let Some(expires) = expires {
        match expires.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(end) => lines.extend(life(Timestamp::MIN, end, now, told)),
            None => told.fault(format!("`Expires` is `{expires}`"), "it is seconds since 1970, not a length"),
        }
    }
    if let Some(signature) = signature {
        if signature.contains(' ') {
            told.fault(
                "a space stands in `Signature`: a `+` of base64 was not percent-encoded",
                "write %2B for `+`, %2F for `/`, %3D for `=`",
            );
        }
        lines.push(pair("signature", shorten(&signature)));
    }
    told.section("", lines);
}

/// From when until when it opens, and what is wrong with that now.
fn life(start: Timestamp, end: Timestamp, now: Timestamp, told: &mut Explanation) -> Vec<(String, String)> {
    if end <= now {
        told.fault(format!("it expired {} ago, at {end}", rough(now.duration_since(end))), "sign it again");
    } else if start > now {
        told.fault(
            format!("it begins {} from now, at {start}", rough(start.duration_since(now))),
            "set the clock of whoever signs",
        );
    }
    let left = if end > now { format!(", {} left", rough(end.duration_since(now))) } else { String::new() };
    let mut lines = Vec::new();
    if start > Timestamp::MIN {
        lines.push(pair("from", start.to_string()));
    }
    lines.push(pair("until", format!("{end}{left}")));
    lines
}

/// `20260115T090000Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let digits =
        |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if text.len() != 16 || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
        return None;
    }
    let (y, m, d) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    format!("{y}-{m}-{d}T{}:{}:{}Z", digits(9, 11)?, digits(11, 13)?, digits(13, 15)?).parse().ok()
}
