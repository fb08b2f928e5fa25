//! Finding holes in text.

use std::ops::Range;

use tokenrig_cel::closing_brace;

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
            let end = text.get(start..).and_then(closing_brace).map(|end| start + end).ok_or(Open(at + dollar))?;
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
