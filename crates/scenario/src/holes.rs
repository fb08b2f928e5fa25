//! Finding holes in text.

use std::ops::Range;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// As it is.
    Text(String),
    /// The CEL of a hole: a range of the text, without `${` and `}`.
    Hole(Range<usize>),
}

/// A `${` without its `}`: where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open(pub(crate) usize);

/// Cuts a text at its holes. `$${` is a literal `${`.
pub(crate) fn split(text: &str) -> Result<Vec<Part>, Open> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(dollar) = rest.find('$') else {
            literal.push_str(rest);
            break;
        };
        let (before, from_dollar) = rest.split_at(dollar);
        literal.push_str(before);
        if from_dollar.starts_with("$${") {
            literal.push_str("${");
            at += dollar + 3;
        } else if from_dollar.starts_with("${") {
            let start = at + dollar + 2;
            let end = end_of_hole(text, start).ok_or(Open(at + dollar))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Hole(start..end));
            at = end + 1;
        } else {
            literal.push('$');
            at += dollar + 1;
        }
    }
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// Where the `}` stands that ends a hole whose CEL starts at `start`: outside of strings, comments and nested braces.
fn end_of_hole(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
            }
            quote @ (b'"' | b'\'') => {
                let raw = is_raw(bytes, start, at);
                at = end_of_string(bytes, at, *quote, raw)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Whether the quote at `at` opens a raw string: `r'…'`, `br"…"`, `Rb'…'`.
fn is_raw(bytes: &[u8], start: usize, at: usize) -> bool {
    let letters = bytes.get(start..at).unwrap_or_default();
    let prefix = letters.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let prefix = letters.get(letters.len() - prefix..).unwrap_or_default();
    matches!(prefix.to_ascii_lowercase().as_slice(), b"r" | b"br" | b"rb")
}

/// The offset behind a string that starts at `at`.
fn end_of_string(bytes: &[u8], at: usize, quote: u8, raw: bool) -> Option<usize> {
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let triple = is_quote(at + 1) && is_quote(at + 2);
    let mut at = at + if triple { 3 } else { 1 };
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\\' && !raw {
            at += 2;
        } else if byte == quote && (!triple || (is_quote(at + 1) && is_quote(at + 2))) {
            return Some(at + if triple { 3 } else { 1 });
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let parts = split(text).unwrap();
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Hole(range) => format!("<{}>", &text[range.clone()]),
        };
        parts.iter().map(show).collect()
    }

    #[rstest]
    #[case("plain", &["plain"])]
    #[case("", &[""])]
    #[case("${a.b}", &["<a.b>"])]
    #[case("x ${a}/${b} y", &["x ", "<a>", "/", "<b>", " y"])]
    #[case("costs $5 and $${x}", &["costs $5 and ${x}"])]
    #[case("${{'a': '}'}.a}", &["<{'a': '}'}.a>"])]
    #[case("${a == \"}\" ? '{' : r'\\'}", &["<a == \"}\" ? '{' : r'\\'>"])]
    #[case("${'''a'}''b'''}z", &["<'''a'}''b'''>", "z"])]
    #[case("${'it\\'s }'}", &["<'it\\'s }'>"])]
    #[case("${a // }\n}", &["<a // }\n>"])]
    #[case("$", &["$"])]
    #[case("a$", &["a$"])]
    fn a_text_is_cut_at_its_holes(#[case] text: &str, #[case] parts: &[&str]) {
        assert_eq!(shown(text), parts);
    }

    #[rstest]
    #[case("a ${b", 2)]
    #[case("${'}", 0)]
    #[case("${{}", 0)]
    #[case("${a}${'''}'}", 4)]
    fn a_hole_that_does_not_end_is_told_with_its_place(#[case] text: &str, #[case] at: usize) {
        assert_eq!(split(text), Err(Open(at)));
    }
}
