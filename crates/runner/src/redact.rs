//! Tokens and keys are never shown whole: what looks like one is shortened wherever text is printed.

use std::borrow::Cow;

/// How much of a token stays readable.
const HEAD: usize = 8;

/// Shortens everything in `text` that looks like a token or a private key.
///
/// JWTs (`eyJ….….…`), Google's opaque tokens (`ya29.…`, `1//…` refresh tokens) and PEM private keys are known.
///
/// ```
/// let shown = tokenrig_runner::redact::text("Bearer ya29.a0AfH6SMBx7Q2aaaaaaaaaaaaaaaa");
/// assert_eq!(shown, "Bearer ya29.a0A…(34 characters)");
/// ```
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    with(text, |token| format!("{}…({} characters)", head(token), token.chars().count()))
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

/// The readable start of a secret.
#[must_use]
pub fn head(secret: &str) -> &str {
    let end = secret.char_indices().nth(HEAD).map_or(secret.len(), |(at, _)| at);
    secret.get(..end).unwrap_or_default()
}

/// The next secret at or after `from`, as a byte range.
fn next_secret(text: &str, from: usize) -> Option<(usize, usize)> {
    const STARTS: [(&str, usize); 4] = [("eyJ", 24), ("ya29.", 16), ("1//", 24), ("-----BEGIN ", 24)];
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let rest = text.get(at..)?;
        // The nearest of all starts; each is ASCII, so that what follows is a character boundary.
        let (offset, start, least) = STARTS
            .iter()
            .filter_map(|&(start, least)| rest.find(start).map(|offset| (offset, start, least)))
            .min_by_key(|&(offset, ..)| offset)?;
        let begin = at + offset;
        let end = if start.starts_with('-') {
            let whole = text.get(begin..)?;
            if whole.lines().next().is_some_and(|line| line.contains("PRIVATE KEY"))
                || whole.contains("PRIVATE KEY-----")
            {
                whole.rfind("PRIVATE KEY-----").map_or(text.len(), |at| begin + at + "PRIVATE KEY-----".len())
            } else {
                begin + start.len()
            }
        } else {
            let length = bytes.get(begin..)?.iter().take_while(|byte| is_token_byte(**byte)).count();
            begin + length
        };
        if end - begin >= least {
            return Some((begin, end));
        }
        at = end.max(begin + start.len());
    }
    None
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::text;

    #[rstest]
    #[case::jwt("token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln end", "token eyJhbGci…(41 characters) end")]
    #[case::access_token("{\"a\":\"ya29.c.b0AXv0zTPQ\"}", "{\"a\":\"ya29.c.b…(17 characters)\"}")]
    #[case::short_words_stay("ya29. eyJ 1// eyJhbGci…", "ya29. eyJ 1// eyJhbGci…")]
    #[case::form_field("subject_token=eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0", "subject_token=eyJhbGci…(33 characters)")]
    #[case::unicode("ü eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnü", "ü eyJhbGci…(41 characters)ü")]
    fn a_secret_is_shortened(#[case] whole: &str, #[case] shown: &str) {
        assert_eq!(text(whole), shown);
    }

    #[test]
    fn a_private_key_is_shortened() {
        let whole = "key: -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
        assert!(!text(whole).contains("MIIE"));
    }
}
