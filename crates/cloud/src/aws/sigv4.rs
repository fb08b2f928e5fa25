//! Signature Version 4 of AWS: what is signed, by which key, and whether it is.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::collections::BTreeSet;

use aws_lc_rs::{digest, hmac};
use tokenrig_clock::{SignedDuration, Timestamp};

use super::{
    amz_date,
    refused::AwsRefused,
    request::{AwsRequest, parts},
};
use crate::derive::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the date of a signature may be from now.
const AGE: SignedDuration = SignedDuration::from_mins(15);

/// What a signature is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, `20260115`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
}

impl Scope {
    /// The Security Token Service of a region, on the day of an `x-amz-date`.
    #[must_use]
    pub fn sts(amz_date: &str, region: &str) -> Self {
        let date = amz_date.chars().take(8).collect();
        Self { date, region: region.to_owned(), service: "sts".to_owned() }
    }

    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    fn key(&self, secret: &str) -> hmac::Tag {
        let step = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        let date = step(format!("AWS4{secret}").as_bytes(), &self.date);
        let region = step(date.as_ref(), &self.region);
        let service = step(region.as_ref(), &self.service);
        step(service.as_ref(), "aws4_request")
    }
}

/// The value of `Authorization` for a request, all of whose headers are signed. Its `x-amz-date` says when.
#[must_use]
pub fn authorization(request: &AwsRequest, access_key_id: &str, secret: &str, scope: &Scope) -> String {
    let names: BTreeSet<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| *name != "authorization").collect();
    let signature = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, scope.key(secret).as_ref()),
        to_sign(request, &names, scope).as_bytes(),
    );
    format!(
        "{ALGORITHM} Credential={access_key_id}/{}, SignedHeaders={}, Signature={}",
        scope.text(),
        names.join(";"),
        hex(signature.as_ref())
    )
}

/// What `Authorization` says.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    access_key_id: &'a str,
    scope: Scope,
    headers: Vec<&'a str>,
    signature: &'a str,
    date: &'a str,
    at: Timestamp,
}

impl<'a> Signed<'a> {
    pub(super) fn read(request: &'a AwsRequest) -> Result<Self, AwsRefused> {
        let text = request.header("authorization").ok_or(AwsRefused::Missing)?;
        let incomplete = |why: &str| AwsRefused::Incomplete(why.to_owned());
        let rest = text.strip_prefix(ALGORITHM).ok_or_else(|| {
            incomplete("Unsupported AWS 'algorithm': Authorization header requires 'AWS4-HMAC-SHA256'.")
        })?;
        let field = |name: &str| {
            let mut fields = rest.split(',').filter_map(|field| field.trim().split_once('='));
            let value = fields.find(|(known, _)| *known == name).map(|(_, value)| value);
            value.ok_or_else(|| AwsRefused::Incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let (credential, headers, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
        let date = request.header("x-amz-date").ok_or_else(|| {
            incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })?;
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok().filter(|_| date.len() == 16);
        let at = at.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok()).ok_or_else(|| {
            incomplete("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601")
        })?;
        let mut segments = credential.split('/');
        let mut next = || segments.next().unwrap_or_default();
        let (access_key_id, day, region, service, end) = (next(), next(), next(), next(), next());
        if end.is_empty() || segments.next().is_some() {
            return Err(incomplete("Credential must have exactly 5 slash-delimited elements."));
        }
        let wrong = |why: &str| AwsRefused::Scope(why.to_owned());
        if request.region().as_deref() != Some(region) {
            return Err(wrong("Credential should be scoped to a valid region."));
        }
        if service != "sts" {
            return Err(wrong("Credential should be scoped to correct service: 'sts'."));
        }
        if end != "aws4_request" {
            return Err(wrong("Credential should be scoped with a valid terminator: 'aws4_request'."));
        }
        if !date.starts_with(day) || day.len() != 8 {
            return Err(wrong(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
            ));
        }
        let scope = Scope { date: day.to_owned(), region: region.to_owned(), service: service.to_owned() };
        let headers = headers.split(';').collect();
        Ok(Self { access_key_id, scope, headers, signature, date, at: at.timestamp() })
    }

    pub(super) fn access_key_id(&self) -> &str {
        self.access_key_id
    }

    pub(super) fn in_time(&self, now: Timestamp) -> Result<(), AwsRefused> {
        let (signed, shown) = (self.date.to_owned(), amz_date(now));
        if now.duration_since(self.at) > AGE {
            return Err(AwsRefused::Expired { signed, oldest: amz_date(now - AGE), now: shown });
        }
        if self.at.duration_since(now) > AGE {
            return Err(AwsRefused::NotYet { signed, latest: amz_date(now + AGE), now: shown });
        }
        Ok(())
    }

    pub(super) fn verify(&self, request: &AwsRequest, secret: &str) -> Result<(), AwsRefused> {
        // AWS wants the host signed, and each header of its own that is there.
        let unsigned = request.headers.iter().map(|(name, _)| name.as_str()).find(|name| {
            let needed = *name == "host" || name.starts_with("x-amz-");
            needed && !self.headers.contains(name)
        });
        if unsigned.is_some() || !self.headers.contains(&"host") || request.header("host") != host(request).as_deref() {
            return Err(AwsRefused::Mismatch);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.scope.key(secret).as_ref());
        let signature = unhex(self.signature).ok_or(AwsRefused::Mismatch)?;
        let text = to_sign(request, &self.headers, &self.scope);
        hmac::verify(&key, text.as_bytes(), &signature).map_err(|_| AwsRefused::Mismatch)
    }
}

/// The host that the URL is sent to, which is what the header must say.
fn host(request: &AwsRequest) -> Option<String> {
    parts(&request.url).map(|parts| parts.host.to_owned())
}

fn to_sign(request: &AwsRequest, headers: &[&str], scope: &Scope) -> String {
    let date = request.header("x-amz-date").unwrap_or_default();
    let canonical = sha256(canonical(request, headers).as_bytes());
    format!("{ALGORITHM}\n{date}\n{}\n{canonical}", scope.text())
}

fn canonical(request: &AwsRequest, headers: &[&str]) -> String {
    let (path, query) = parts(&request.url).map_or(("/", ""), |parts| (parts.path, parts.query));
    let mut query: Vec<(String, String)> =
        pairs(query).into_iter().map(|(name, value)| (encode(&name, false), encode(&value, false))).collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = headers.iter().map(|name| format!("{name}:{}\n", value(request, name))).collect();
    format!(
        "{}\n{}\n{}\n{lines}\n{}\n{}",
        request.method,
        encode(path, true),
        query.join("&"),
        headers.join(";"),
        sha256(&request.body)
    )
}

/// The values of a header, white space made plain, joined by commas.
fn value(request: &AwsRequest, name: &str) -> String {
    let values = request.headers.iter().filter(|(known, _)| known == name);
    let plain = |value: &str| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    values.map(|(_, value)| plain(value)).collect::<Vec<_>>().join(",")
}

/// The pairs of a query or form, decoded.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let split = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    pairs.map(split).collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        let pair = after.split_at_checked(2).filter(|_| *first == b'%');
        match pair.and_then(|(digits, after)| Some((unhex(str::from_utf8(digits).ok()?)?, after))) {
            Some((byte, after)) => {
                decoded.extend(byte);
                rest = after;
            }
            None => decoded.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The encoding of URIs that AWS signs.
fn encode(text: &str, slashes: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'/' if slashes => encoded.push('/'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 128 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Of AWS's own test suite for Signature Version 4: the key, the day and the signatures are its facts.
    #[rstest]
    #[case::vanilla(
        "https://example.amazonaws.com/",
        "GET",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )]
    #[case::query_in_another_order(
        "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        "GET",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    )]
    #[case::post(
        "https://example.amazonaws.com/",
        "POST",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )]
    fn a_request_is_signed_as_in_awss_own_examples(#[case] url: &str, #[case] method: &str, #[case] signature: &str) {
        let mut request = AwsRequest::post(url).unwrap();
        method.clone_into(&mut request.method);
        request.put("x-amz-date", "20150830T123600Z");
        let scope = Scope { date: "20150830".into(), region: "us-east-1".into(), service: "service".into() };
        let value = authorization(&request, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &scope);
        assert_eq!(
            value,
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            )
        );
    }

    #[rstest]
    #[case("a%20b+c", "a b c")]
    #[case("%", "%")]
    #[case("%4", "%4")]
    #[case("%zz%41", "%zzA")]
    fn a_query_is_decoded_whatever_it_is(#[case] text: &str, #[case] decoded: &str) {
        assert_eq!(decode(text), decoded);
    }
}
