//! What people have in a file when they think that they have a token: quotes, `Bearer`, JSON around it, two tokens, UTF-16.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokenrig_jose::peek;

use crate::explanation::{Explanation, Fault};

/// The largest text that is looked at.
const LARGEST: usize = 1 << 20;
/// Members of answers and files in which a token stands.
const HOLDERS: [&str; 12] = [
    "id_token",
    "access_token",
    "token",
    "subject_token",
    "accessToken",
    "idToken",
    "signedJwt",
    "saml_response",
    "refresh_token",
    "value",
    "credential",
    "jwt",
];

/// The credential itself, without what people leave around it. Whatever was taken away is told in `told`.
pub(crate) fn credential(bytes: &[u8], told: &mut Explanation) -> String {
    let text = text(bytes, told);
    let mut found = text.trim().to_owned();
    // Each round takes one layer off; nobody wraps deeper.
    for _ in 0..6 {
        let Some(inner) = unwrapped(&found, told) else { break };
        found = inner.trim().to_owned();
    }
    found
}

/// The credential itself, without what people leave around it, and what is wrong with that.
#[must_use]
pub fn bare(bytes: &[u8]) -> (String, Vec<Fault>) {
    let mut told = Explanation::default();
    let found = credential(bytes, &mut told);
    (found, told.faults)
}

/// The text of a file.
pub(crate) fn text(bytes: &[u8], told: &mut Explanation) -> String {
    if bytes.len() > LARGEST {
        told.fault(format!("it has {} bytes, of which the first {LARGEST} were looked at", bytes.len()), "");
    }
    let bytes = bytes.get(..LARGEST.min(bytes.len())).unwrap_or_default();
    let wide = |from: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = from.chunks_exact(2).filter_map(|pair| Some(read(pair.try_into().ok()?))).collect();
        String::from_utf16_lossy(&units)
    };
    let utf16 = "it is UTF-16, as `>` of Windows PowerShell writes files: every client reads garbage";
    let help = "write the file as UTF-8 without a byte order mark: `| Out-File -Encoding ascii -NoNewline`";
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            told.fault(utf16, help);
            wide(rest, u16::from_le_bytes)
        }
        [0xfe, 0xff, rest @ ..] => {
            told.fault(utf16, help);
            wide(rest, u16::from_be_bytes)
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            told.fault("a byte order mark stands before it", help);
            String::from_utf8_lossy(rest).into_owned()
        }
        bytes => match String::from_utf8_lossy(bytes) {
            Cow::Owned(text) => {
                told.fault("it holds bytes that are no text (UTF-8)", "");
                text
            }
            Cow::Borrowed(text) => text.to_owned(),
        },
    }
}

/// What is inside, if something stands around it.
fn unwrapped(text: &str, told: &mut Explanation) -> Option<String> {
    if text.starts_with('{') && text.ends_with('}') {
        return of_json(text, told);
    }
    if let Some(rest) = header(text) {
        told.fault(
            "the scheme `Bearer` or the name of a header stands before it: it belongs into the header, not into the token",
            "give the token alone; whoever sends it writes `Authorization: Bearer ` before it",
        );
        return Some(rest.to_owned());
    }
    for quote in ['"', '\'', '`', '“', '”'] {
        let inner = text.trim_start_matches(quote).trim_end_matches([quote, '”']);
        if inner.len() < text.len() && !inner.is_empty() {
            told.fault("quotes stand around it: they are sent with it", "take the quotes away: `jq -r`, not `jq`");
            return Some(inner.to_owned());
        }
    }
    if text.starts_with("%7B") || text.starts_with("%7b") {
        // The subject token of AWS is sent like this; it is no fault.
        return Some(percent_decode_str(text).decode_utf8_lossy().into_owned());
    }
    if text.contains(char::is_whitespace) {
        return of_lines(text, told);
    }
    None
}

/// What follows `Bearer ` or `Authorization: Bearer `.
fn header(text: &str) -> Option<&str> {
    let lower =
        |text: &str, start: &str| text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
    let starts = ["authorization:", "x-serverless-authorization:", "x-goog-iap-jwt-assertion:", "bearer ", "token="];
    let start = starts.iter().find(|start| lower(text, start))?;
    text.get(start.len()..).map(str::trim_start)
}

/// The token in an answer. A credential file is left as it is.
fn of_json(text: &str, told: &mut Explanation) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    let object = json.as_object()?;
    // AWS's request is a subject token itself; a file with a `type` is no token.
    if object.contains_key("type") || (object.contains_key("url") && object.contains_key("headers")) {
        return None;
    }
    let (name, inner) = HOLDERS.iter().find_map(|name| Some((*name, object.get(*name)?.as_str()?)))?;
    told.section(
        "",
        vec![(String::new(), format!("It is JSON: what follows is about its member `{name}`. A file source reads that with `format: {{type: json, subject_token_field_name: {name}}}`."))],
    );
    Some(inner.to_owned())
}

/// A token with white space in it: broken into lines, or several.
fn of_lines(text: &str, told: &mut Explanation) -> Option<String> {
    if text.starts_with('<') || text.starts_with("-----BEGIN") || text.starts_with('{') {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let whole = words.iter().filter(|word| peek(word).is_some() || word.starts_with("ya29.")).count();
    if whole > 1 {
        told.fault(format!("there are {whole} tokens in it: the first is looked at"), "give one token");
        return words
            .iter()
            .find(|word| peek(word).is_some() || word.starts_with("ya29."))
            .map(|word| (*word).to_owned());
    }
    let joined = words.concat();
    if peek(&joined).is_some() || joined.starts_with("ya29.") || words.iter().all(|word| word.len() > 40) {
        told.fault(
            "line breaks or spaces stand in it, as copying from a terminal or `base64` without `-w0` leaves them",
            "join it to one line without spaces",
        );
        return Some(joined);
    }
    if whole == 1 {
        told.fault("something else stands beside the token", "give the token alone");
        return words
            .iter()
            .find(|word| peek(word).is_some() || word.starts_with("ya29."))
            .map(|word| (*word).to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use tokenrig_jose::{pool, protected_header, sign};

    use super::*;

    fn jwt() -> String {
        let key = pool::ec(0);
        sign(&protected_header(key.algorithm(), "k"), json!({ "sub": "a" }).as_object().unwrap(), key)
    }

    #[rstest]
    #[case::as_it_is(|token: &str| token.as_bytes().to_vec(), None)]
    #[case::with_a_line_end(|token: &str| format!("{token}\n").into_bytes(), None)]
    #[case::bearer(|token: &str| format!("Bearer {token}").into_bytes(), Some("Bearer"))]
    #[case::a_header(|token: &str| format!("authorization: bearer {token}\r\n").into_bytes(), Some("Bearer"))]
    #[case::quotes(|token: &str| format!("\"{token}\"\n").into_bytes(), Some("quotes"))]
    #[case::half_the_quotes(|token: &str| format!("'{token}").into_bytes(), Some("quotes"))]
    #[case::lines(|token: &str| format!("{}\n{}", &token[..50], &token[50..]).into_bytes(), Some("line breaks"))]
    #[case::two(|token: &str| format!("{token} {token}").into_bytes(), Some("2 tokens"))]
    #[case::json(|token: &str| json!({ "token_type": "Bearer", "id_token": token }).to_string().into_bytes(), None)]
    #[case::byte_order_mark(|token: &str| format!("\u{feff}{token}").into_bytes(), Some("byte order mark"))]
    #[case::power_shell(
        |token: &str| [0xfffe_u16.swap_bytes()].into_iter().chain(token.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
        Some("UTF-16")
    )]
    fn the_token_is_found_in_what_stands_around_it(#[case] wrap: fn(&str) -> Vec<u8>, #[case] fault: Option<&str>) {
        let token = jwt();
        let mut told = Explanation::default();
        let mut bytes = wrap(&token);
        if fault == Some("UTF-16") {
            bytes.splice(..2, [0xff, 0xfe]);
        }
        assert_eq!(credential(&bytes, &mut told), token);
        match fault {
            None => assert!(told.faults.is_empty(), "{:?}", told.faults),
            Some(word) => assert!(told.faults[0].what.contains(word), "{:?}", told.faults),
        }
    }

    #[test]
    fn a_credential_file_and_hostile_text_are_left_as_they_are() {
        for text in ["{\"type\":\"service_account\",\"token\":\"x\"}", "", "\"", "<saml>", "{{{{", "a b c"] {
            let mut told = Explanation::default();
            assert_eq!(credential(text.as_bytes(), &mut told), text);
        }
        let deep = "Bearer ".repeat(10_000);
        credential(deep.as_bytes(), &mut Explanation::default());
    }
}
