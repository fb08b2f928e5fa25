//! Tokens and keys are never shown whole: what looks like one is shortened wherever text is printed.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokenrig_jose::{Opened, numeric_date, peek, shorten};

/// Shortens everything in `text` that looks like a token or a private key.
///
/// JWTs (`eyJ….….…`), Google's opaque tokens (`ya29.…`, `1//…` refresh tokens), PEM private keys and base64 of credential
/// files and private keys are known.
///
/// ```
/// let shown = tokenrig_runner::redact::text("Bearer ya29.a0AfH6SMBx7Q2aaaaaaaaaaaaaaaa");
/// assert_eq!(shown, "Bearer ya29.a0A…(34 chars)");
/// ```
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    with(text, shorten)
}

/// As [`text`](fn@text), with words of the caller's choice in place of each token.
#[must_use]
pub fn with(text: &str, mut show: impl FnMut(&str) -> String) -> Cow<'_, str> {
    let mut shown: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some((start, end)) = next_secret(text, at) {
        let out = shown.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(text.get(copied..start).unwrap_or_default());
        out.push_str(&show(text.get(start..end).unwrap_or_default()));
        copied = end;
        at = end;
    }
    match shown {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(text.get(copied..).unwrap_or_default());
            Cow::Owned(out)
        }
    }
}

/// As [`text`](fn@text), with tokens opened: `eyJhbGci…(ID token, aud orders, 1 h left)`.
#[must_use]
pub fn opened(text: &str, now: Timestamp) -> Cow<'_, str> {
    opening(text, now, |_, _| ())
}

/// As [`opened`], and tells of each token that could be opened: as it is shown, and what it says.
pub fn opening(text: &str, now: Timestamp, mut found: impl FnMut(&str, Opened)) -> Cow<'_, str> {
    with(text, |token| match peek(token) {
        None => shorten(token),
        Some(opened) => {
            let start: String = token.chars().take(8).collect();
            let shown = format!("{start}…({})", about(&opened.claims, now));
            found(&shown, opened);
            shown
        }
    })
}

/// What a token's claims say in a few words.
fn about(claims: &serde_json::Map<String, Value>, now: Timestamp) -> String {
    let text =
        |name: &str| claims.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let mut words = match text("iss").as_deref() {
        Some("https://accounts.google.com" | "accounts.google.com") => "ID token".to_owned(),
        Some(issuer) => format!("token of {issuer}"),
        None => "token without issuer".to_owned(),
    };
    if let Some(audience) = text("aud") {
        words.push_str(&format!(", aud {audience}"));
    }
    if let Ok(expires) = numeric_date(claims, "exp") {
        let left = expires.duration_since(now);
        words.push_str(&if left.is_positive() {
            format!(", {} left", rough(left))
        } else {
            format!(", expired {} ago", rough(left.abs()))
        });
    }
    words
}

/// A length of time in its largest unit or two: `1 h`, `4 min 12 s`.
#[must_use]
pub fn rough(length: SignedDuration) -> String {
    let total = length.as_secs().unsigned_abs();
    let (days, hours, minutes, seconds) = (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60);
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => two(minutes, "min", seconds, "s"),
        (0, hours, _) => two(hours, "h", minutes, "min"),
        (days, ..) => two(days, "d", hours, "h"),
    }
}

/// The next secret at or after `from`, as a byte range. One pass over the text, whatever it holds.
fn next_secret(text: &str, from: usize) -> Option<(usize, usize)> {
    // How a token starts, and how long it is at least.
    // The last ones are base64: of a credential file over several lines, as keys.create answers it, and of private keys.
    const STARTS: [(&str, usize); 6] = [
        ("eyJ", 24),
        ("ya29.", 16),
        ("1//", 24),
        ("ewogICJ0eXBlIjog", 64),
        ("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS", 64),
        ("LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt", 64),
    ];
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(PEM.as_bytes())
            && let Some(end) = private_key(rest)
        {
            return Some((at, at + end));
        }
        let Some((_, least)) = STARTS.iter().find(|(start, _)| rest.starts_with(start.as_bytes())) else {
            at += 1;
            continue;
        };
        let length = rest.iter().take_while(|byte| is_token_byte(**byte)).count();
        if length >= *least {
            return Some((at, at + length));
        }
        at += length;
    }
    None
}

const PEM: &str = "-----BEGIN ";

/// The length of a PEM private key at the start of `rest`; of one without an end it is all the rest.
fn private_key(rest: &[u8]) -> Option<usize> {
    const KIND: &[u8] = b"PRIVATE KEY-----";
    const END: &[u8] = b"-----END ";
    let find = |from: usize, needle: &[u8]| {
        let at = rest.get(from..)?.windows(needle.len()).position(|window| window == needle)?;
        Some(from + at + needle.len())
    };
    // `RSA `, `EC `, `ENCRYPTED ` may stand before the word; no kind is longer than this.
    let kind = rest.get(..64.min(rest.len()))?;
    kind.windows(KIND.len()).position(|window| window == KIND)?;
    Some(find(PEM.len(), END).and_then(|end| find(end, KIND)).unwrap_or(rest.len()))
}

/// Shortens everything in a JSON value that looks like a token or a private key, as [`text`](fn@text) does.
#[must_use]
pub fn json(value: Value) -> Value {
    match value {
        Value::String(whole) => Value::String(text(&whole).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(|(name, value)| (name, json(value))).collect()),
        other => other,
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::text;

    #[rstest]
    #[case::jwt("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln end", "token eyJhbGci…(41 chars) end")]
    #[case::access_token("{\"a\":\"ya29.c.b0AXv0zTPQ\"}", "{\"a\":\"…(17 chars)\"}")]
    #[case::short_words_stay("ya29. eyJ 1// eyJhbGci…", "ya29. eyJ 1// eyJhbGci…")]
    #[case::form_field("subject_token=eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0", "subject_token=eyJhbGci…(33 chars)")]
    #[case::unicode("ü eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnü", "ü eyJhbGci…(41 chars)ü")]
    fn a_secret_is_shortened(#[case] whole: &str, #[case] shown: &str) {
        assert_eq!(text(whole), shown);
    }

    #[test]
    fn a_token_is_opened_and_tells_whose_it_is_and_how_long_it_lives() {
        let claims = serde_json::json!({ "iss": "https://accounts.google.com", "aud": "orders", "exp": 1_768_471_200 });
        let header = tokenrig_jose::protected_header(tokenrig_jose::Algorithm::Rs256, "k");
        let token = tokenrig_jose::forge::unsigned(&header, claims.as_object().unwrap()) + "c2ln";
        let text = format!("Bearer {token}");
        let shown = |now: &str| super::opened(&text, now.parse().unwrap()).into_owned();
        assert_eq!(shown("2026-01-15T09:00:00Z"), format!("Bearer {}…(ID token, aud orders, 1 h left)", &token[..8]));
        assert_eq!(
            shown("2026-01-15T10:04:12Z"),
            format!("Bearer {}…(ID token, aud orders, expired 4 min 12 s ago)", &token[..8])
        );
    }

    #[test]
    fn a_text_of_nothing_but_starts_takes_one_pass() {
        for start in ["eyJ ", "-----BEGIN ", "-----BEGIN CERTIFICATE----- ", "1// "] {
            let hostile = start.repeat(200_000);
            assert_eq!(text(&hostile), hostile);
        }
    }

    #[test]
    fn a_private_key_is_shortened() {
        let whole = "key: -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
        assert!(!text(whole).contains("MIIE"));
    }

    #[rstest]
    #[case::a_credential_file("{\n  \"type\": \"service_account\",\n  \"private_key\": \"very secret\"\n}\n")]
    #[case::a_credential_file_in_one_line("{\"type\":\"service_account\",\"private_key\":\"very secret\"}")]
    #[case::a_key("-----BEGIN PRIVATE KEY-----\nvery secret\n-----END PRIVATE KEY-----\n")]
    #[case::an_rsa_key("-----BEGIN RSA PRIVATE KEY-----\nvery secret\n-----END RSA PRIVATE KEY-----\n")]
    fn base64_of_a_private_key_is_shortened(#[case] secret: &str) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let answer = format!("\"privateKeyData\": \"{}\"", STANDARD.encode(secret));
        assert!(text(&answer).len() < 60, "{}", text(&answer));
    }
}
