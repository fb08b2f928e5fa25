//! Tokens as people may see them.

use crate::{JsonLimits, Map, base64url, jws::MAX_TOKEN_BYTES, parse_object};

/// What a token says about itself. Nothing in it has been verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The protected header.
    pub header: Map,
    /// The claims.
    pub claims: Map,
}

/// Opens a compact token without looking at its signature, to show what it says: at most [`MAX_TOKEN_BYTES`], with a
/// header and claims that are JSON objects. The third part may be anything, as in a token whose signature was taken off.
#[must_use]
pub fn peek(token: &str) -> Option<Opened> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let object = |part: &str| parse_object(&base64url::decode(part)?, JsonLimits::default()).ok();
    Some(Opened { header: object(header)?, claims: object(claims)? })
}

/// A token as it may stand in a log or a report: its first eight characters and its length, `eyJhbGci…(812 chars)`.
/// Of one with fewer than 32 characters only the length is told.
#[must_use]
pub fn shorten(token: &str) -> String {
    let count = token.chars().count();
    let start: String = if count < 32 { String::new() } else { token.chars().take(8).collect() };
    format!("{start}…({count} chars)")
}

/// Text from outside for an error: in quotes, without control characters, at most 40 characters.
pub(crate) fn quoted(text: &str) -> String {
    let start: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(40).is_some() { "…" } else { "" };
    format!("`{start}{more}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{pool, protected_header, sign};

    fn token() -> String {
        let key = pool::ec(0);
        let claims = json!({ "sub": "alice" });
        sign(&protected_header(key.algorithm(), "k"), claims.as_object().unwrap(), key)
    }

    #[test]
    fn a_token_without_its_signature_can_still_be_shown() {
        let token = token();
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        let opened = peek(&format!("{unsigned}.SIGNATURE_REMOVED_BY_GOOGLE")).unwrap();
        assert_eq!(opened.claims["sub"], "alice");
        assert_eq!(opened.header["alg"], "ES256");
    }

    #[test]
    fn what_is_no_token_is_not_opened() {
        let token = token();
        for text in ["", "ya29.a0Ad", "a.b.c", &format!("{token}.x"), &token.replacen('.', "..", 1)] {
            assert_eq!(peek(text), None, "{text}");
        }
    }

    #[test]
    fn a_shortened_token_gives_nothing_of_its_signature_away() {
        let token = token();
        assert_eq!(shorten(&token), format!("eyJhbGci…({} chars)", token.len()));
        assert_eq!(shorten("s3cret"), "…(6 chars)");
        assert_eq!(shorten(&"é".repeat(40)), "éééééééé…(40 chars)");
    }

    #[test]
    fn text_from_outside_is_bounded_and_harmless_in_errors() {
        assert_eq!(quoted("a\u{1b}[31m"), "`a\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(100)), format!("`{}…`", "x".repeat(40)));
    }
}
