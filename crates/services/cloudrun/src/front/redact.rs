//! Texts from outside without the tokens in them.

use std::borrow::Cow;

/// What stands where something secret was.
const HIDDEN: &str = "…";

/// The text with the signature of every JWT in it taken off, and every Google access token but its first five characters.
pub(crate) fn redact(text: &str) -> String {
    shown(text).into_owned()
}

fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains("eyJ") && !text.contains("ya29.") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let start = rest.find(of_token).unwrap_or(rest.len());
        let (before, from) = rest.split_at(start);
        safe.push_str(before);
        if from.is_empty() {
            return Cow::Owned(safe);
        }
        let (word, after) = from.split_at(from.find(|c| !of_token(c)).unwrap_or(from.len()));
        push(&mut safe, word);
        rest = after;
    }
}

/// A run of characters that tokens are made of.
fn push(safe: &mut String, word: &str) {
    if let Some(at) = word.find("ya29.") {
        safe.push_str(word.get(..at + 5).unwrap_or_default());
        safe.push_str(HIDDEN);
        return;
    }
    // A header begins with `{"`, which is `eyJ`; anything may be written in front of it.
    let parts = word.find("eyJ").and_then(|at| word.get(at..)).map(|token| token.splitn(3, '.').collect::<Vec<_>>());
    match parts.as_deref() {
        Some([_, _, signature]) if !signature.is_empty() && *signature != super::headers::REMOVED => {
            safe.push_str(word.strip_suffix(signature).unwrap_or_default());
            safe.push_str(HIDDEN);
        }
        _ => safe.push_str(word),
    }
}

/// base64url, the dots between parts, and what else may stand in an opaque token.
fn of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("nothing here, é", "nothing here, é")]
    #[case("Bearer eyJh.eyJz.c2ln rest", "Bearer eyJh.eyJz.… rest")]
    #[case("a=eyJh.eyJz.c2ln&b=eyJh.eyJz.c2ln", "a=eyJh.eyJz.…&b=eyJh.eyJz.…")]
    #[case("x.eyJh.eyJz.c2ln.more", "x.eyJh.eyJz.…")]
    #[case("eyJh.eyJz.SIGNATURE_REMOVED_BY_GOOGLE", "eyJh.eyJz.SIGNATURE_REMOVED_BY_GOOGLE")]
    #[case("{\"token\":\"ya29.a0Ad_x-y\"}", "{\"token\":\"ya29.…\"}")]
    #[case("eyJh.eyJz", "eyJh.eyJz")]
    fn tokens_lose_what_makes_them_good(#[case] text: &str, #[case] safe: &str) {
        assert_eq!(redact(text), safe);
    }

    proptest! {
        #[test]
        fn a_signature_never_stays_whatever_stands_around_it(before in ".{0,20}", after in ".{0,20}") {
            let signature = "c2lnbmF0dXJlLW9mLXNvbWVib2R5";
            let text = format!("{before}eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.{signature}{after}");
            prop_assert!(!redact(&text).contains(signature));
        }
    }
}
