//! From the text that YAML made of a scalar back to the bytes of the file.

use crate::template::Style;

/// For every byte of `cooked` the offset in the file where it stands, and one more for its end. `raw` is the scalar as it
/// stands in the file at offset `base`, quotes included.
///
/// White space is where folding and indentation happen: there an offset may be off by a few columns; everything else is
/// exact.
pub(crate) fn map(raw: &str, base: usize, cooked: &str, style: Style) -> Vec<u32> {
    let mut offsets = Vec::with_capacity(cooked.len() + 1);
    let mut walker = Walker { raw, at: usize::from(matches!(style, Style::SingleQuoted | Style::DoubleQuoted)), style };
    for c in cooked.chars() {
        let at = walker.step(c);
        for _ in 0..c.len_utf8() {
            offsets.push(u32::try_from(base + at).unwrap_or(u32::MAX));
        }
    }
    offsets.push(u32::try_from(base + walker.at.min(raw.len())).unwrap_or(u32::MAX));
    offsets
}

struct Walker<'r> {
    raw: &'r str,
    at: usize,
    style: Style,
}

impl Walker<'_> {
    fn peek(&self) -> Option<char> {
        self.raw.get(self.at..)?.chars().next()
    }

    /// Consumes what stands for one character, and tells where it stands.
    fn step(&mut self, c: char) -> usize {
        if is_space(c) {
            let at = self.at;
            match self.peek() {
                Some(found) if is_space(found) => self.at += found.len_utf8(),
                Some('\\') if self.style == Style::DoubleQuoted => self.escape(),
                _ => {}
            }
            return at;
        }
        // Indentation, folds and escaped line breaks before the character.
        loop {
            match self.peek() {
                Some(found) if is_space(found) => self.at += found.len_utf8(),
                Some('\\') if self.style == Style::DoubleQuoted && self.escapes_space() => self.escape(),
                _ => break,
            }
        }
        let at = self.at;
        match self.peek() {
            Some('\\') if self.style == Style::DoubleQuoted => self.escape(),
            Some('\'') if self.style == Style::SingleQuoted => self.at += 2,
            Some(found) => self.at += found.len_utf8(),
            None => {}
        }
        at.min(self.raw.len())
    }

    /// Whether the escape here stands for white space, or for nothing (an escaped line break).
    fn escapes_space(&self) -> bool {
        self.raw
            .get(self.at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|c| is_space(c) || matches!(c, 'n' | 't' | 'r'))
    }

    fn escape(&mut self) {
        let Some(letter) = self.raw.get(self.at + 1..).and_then(|rest| rest.chars().next()) else {
            self.at = self.raw.len();
            return;
        };
        self.at += 1 + match letter {
            'x' => 3,
            'u' => 5,
            'U' => 9,
            other => other.len_utf8(),
        };
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        source::{Source, SourceId},
        yaml::{self, NodeKind},
    };

    #[rstest]
    #[case("k: ab HERE cd\n")]
    #[case("k: ab\n  ab HERE\n")]
    #[case("k: 'it''s HERE'\n")]
    #[case("k: \"\\u00e4\\\"\\n\\\\ HERE\"\n")]
    #[case("k: \"one \\\n   two\\tHERE\"\n")]
    #[case("k: |\n   one\n     two HERE\n   ö\n")]
    #[case("k: >-\n   one\n   two\n\n   HERE\n")]
    #[case("k: >-\n   \"one\" == 'two'\n   || HERE\n")]
    #[case("ö: äöü HERE\n")]
    fn words_are_found_where_they_stand(#[case] text: &str) {
        let source = Source::new("a.yaml", text);
        let mut out = Vec::new();
        let root = yaml::parse(&source, SourceId(0), &mut out).unwrap();
        let NodeKind::Map(entries) = root.kind else { panic!("a map") };
        let (_, node) = &entries[0];
        let NodeKind::Text(cooked) = &node.kind else { panic!("text") };
        let offsets = map(source.slice(node.span), node.span.start, cooked, node.style);
        let found = cooked.find("HERE").unwrap();
        assert_eq!(offsets[found] as usize, text.find("HERE").unwrap());
        assert_eq!(offsets[found + 3] as usize, text.find("HERE").unwrap() + 3);
    }
}
