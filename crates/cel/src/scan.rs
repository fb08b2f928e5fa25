//! A look over the text before it is parsed: tokens with their places, brackets that match, nesting that is bounded.
//!
//! The parser knows only where operators stand; with the tokens the range of every sub-expression is known.

use std::ops::Range;

use crate::program::CompileError;

/// The most levels of brackets and conditionals.
pub(crate) const MAX_NESTING: usize = 64;

/// The most levels of nesting and operators on the way to one token. Keeps the parser far from its stack's end.
const MAX_WEIGHT: usize = 1500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Name,
    /// A name in backticks.
    Quoted,
    Number,
    Text,
    Open,
    Close,
    Punctuation,
}

/// A token: its kind and its place in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The tokens of a text, in order.
#[derive(Debug)]
pub(crate) struct Tokens<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// For a bracket the position of its other half, for all else its own.
    partner: Vec<usize>,
}

/// A level of brackets that is open.
struct Level {
    position: usize,
    bracket: u8,
    conditionals: usize,
    links: usize,
}

impl<'t> Tokens<'t> {
    /// The tokens of an expression.
    ///
    /// # Errors
    /// A text or a bracket that does not end, a character that CEL does not know, too much nesting, nothing at all.
    pub(crate) fn of(text: &'t str) -> Result<Self, CompileError> {
        let mut scanner = Scanner { text, at: 0 };
        let mut tokens = Vec::new();
        while let Some(token) = scanner.next()? {
            tokens.push(token);
        }
        if tokens.is_empty() {
            return Err(fault("an expression is expected here, the text is empty", 0..text.len()));
        }
        let mut tokens = Self { text, partner: (0..tokens.len()).collect(), tokens };
        tokens.nest()?;
        Ok(tokens)
    }

    /// Matches brackets and measures nesting.
    fn nest(&mut self) -> Result<(), CompileError> {
        let mut levels = vec![Level { position: 0, bracket: 0, conditionals: 0, links: 0 }];
        // Whether a `?` here marks something optional instead of a conditional.
        let mut optional = false;
        for (position, token) in self.tokens.iter().enumerate() {
            let bytes = self.text.as_bytes().get(token.start..token.end).unwrap_or_default();
            match token.kind {
                TokenKind::Open => {
                    if let Some(level) = levels.last_mut() {
                        level.links += 1;
                    }
                    let bracket = bytes.first().copied().unwrap_or_default();
                    levels.push(Level { position, bracket, conditionals: 0, links: 0 });
                }
                TokenKind::Close => {
                    let expected = match bytes {
                        b")" => b'(',
                        b"]" => b'[',
                        _ => b'{',
                    };
                    let level = levels.pop().filter(|level| level.bracket != 0);
                    let Some(level) = level else {
                        let message = format!("`{}` closes nothing", self.slice(token.start..token.end));
                        return Err(fault(message, token.start..token.end));
                    };
                    if level.bracket != expected {
                        let message = format!(
                            "`{}` does not close the `{}` before it",
                            self.slice(token.start..token.end),
                            char::from(level.bracket)
                        );
                        return Err(fault(message, token.start..token.end));
                    }
                    for (from, to) in [(level.position, position), (position, level.position)] {
                        if let Some(partner) = self.partner.get_mut(from) {
                            *partner = to;
                        }
                    }
                }
                TokenKind::Punctuation => {
                    if let Some(level) = levels.last_mut() {
                        match bytes {
                            b"," => (level.conditionals, level.links) = (0, 0),
                            b"?" if !optional => level.conditionals += 1,
                            _ => level.links += 1,
                        }
                    }
                }
                _ => {}
            }
            optional = matches!(bytes, b"." | b"," | b"[" | b"{");
            let nesting: usize = levels.iter().map(|level| 1 + level.conditionals).sum::<usize>() - 1;
            let weight: usize = levels.iter().map(|level| 1 + level.conditionals + level.links).sum();
            if nesting > MAX_NESTING || weight > MAX_WEIGHT {
                let message = format!("the expression is nested too deeply here, {MAX_NESTING} levels are the most");
                return Err(fault(message, token.start..token.end));
            }
        }
        match levels.last() {
            Some(level) if level.bracket != 0 => {
                let at = self.range_at(level.position);
                Err(fault(format!("this `{}` is never closed", char::from(level.bracket)), at))
            }
            _ => Ok(()),
        }
    }

    /// The position of the token that starts at a byte.
    pub(crate) fn starting_at(&self, byte: usize) -> Option<usize> {
        self.tokens.binary_search_by_key(&byte, |token| token.start).ok()
    }

    /// The position of the first token that ends behind a byte.
    pub(crate) fn behind(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.end <= byte)
    }

    pub(crate) fn get(&self, position: usize) -> Option<Token> {
        self.tokens.get(position).copied()
    }

    /// The position of a bracket's other half.
    pub(crate) fn partner(&self, position: usize) -> usize {
        self.partner.get(position).copied().unwrap_or(position)
    }

    pub(crate) fn is(&self, position: usize, text: &str) -> bool {
        self.get(position).is_some_and(|token| self.slice(token.start..token.end) == text)
    }

    /// Whether an operand may end with this token.
    pub(crate) fn ends_operand(&self, position: usize) -> bool {
        let kind = self.get(position).map(|token| token.kind);
        !self.is(position, "in") && !matches!(kind, None | Some(TokenKind::Open | TokenKind::Punctuation))
    }

    /// Whether an operand starts with this token, and not what may follow one.
    pub(crate) fn starts_operand(&self, position: usize) -> bool {
        let kind = self.get(position).map(|token| token.kind);
        !self.is(position, "in") && matches!(kind, Some(TokenKind::Name | TokenKind::Number | TokenKind::Text))
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    pub(crate) fn range_at(&self, position: usize) -> Range<usize> {
        self.get(position).map_or(self.text.len()..self.text.len(), |token| token.start..token.end)
    }

    /// The range with all the parentheses around it that hold nothing else.
    pub(crate) fn with_parentheses(&self, range: Range<usize>) -> Range<usize> {
        let (Some(mut first), mut after) = (self.starting_at(range.start), self.behind(range.end)) else {
            return range;
        };
        while let Some(before) = first.checked_sub(1) {
            if !self.is(before, "(") || self.partner(before) != after {
                break;
            }
            (first, after) = (before, after + 1);
        }
        let end = after.checked_sub(1).and_then(|last| self.get(last)).map_or(range.end, |token| token.end);
        self.range_at(first).start..end.max(range.end)
    }
}

/// Where an expression ends that stands in `${` and `}`: the byte offset of the `}` that closes it, outside texts,
/// comments and nested braces. `text` starts behind the `${`.
///
/// ```
/// assert_eq!(tokenrig_cel::closing_brace("{'}': 1}['}']} and more"), Some(13));
/// assert_eq!(tokenrig_cel::closing_brace("'never}"), None);
/// ```
pub fn closing_brace(text: &str) -> Option<usize> {
    let mut scanner = Scanner { text, at: 0 };
    let mut open = 0usize;
    loop {
        let token = match scanner.next() {
            Ok(token) => token?,
            // What does not belong in an expression is told when it is compiled; here it is stepped over.
            Err(error) if error.offset.start == scanner.at => {
                scanner.at = error.offset.end;
                continue;
            }
            Err(_) => return None,
        };
        match text.get(token.start..token.end)? {
            "{" => open += 1,
            "}" if open == 0 => return Some(token.start),
            "}" => open -= 1,
            _ => {}
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Result<Option<Token>, CompileError> {
        self.skip_blank();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let kind = match first {
            '\'' | '"' => self.text_literal(start, false)?,
            '`' => self.backticks()?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let prefix = name.to_ascii_lowercase();
                if self.rest().starts_with(['\'', '"']) && matches!(&*prefix, "r" | "b" | "rb" | "br") {
                    self.text_literal(start, prefix.contains('r'))?
                } else {
                    TokenKind::Name
                }
            }
            '0'..='9' => self.number(),
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '(' | '[' | '{' => self.take(1, TokenKind::Open),
            ')' | ']' | '}' => self.take(1, TokenKind::Close),
            _ => {
                let two = ["&&", "||", "==", "!=", "<=", ">="];
                if two.iter().any(|operator| self.rest().starts_with(operator)) {
                    self.take(2, TokenKind::Punctuation)
                } else if ".,:?+-*/%!<>".contains(first) {
                    self.take(1, TokenKind::Punctuation)
                } else {
                    return Err(unknown_character(first, start));
                }
            }
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize, kind: TokenKind) -> TokenKind {
        self.at += bytes;
        kind
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        self.at += self.rest().find(|c| !belongs(c)).unwrap_or(self.rest().len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn number(&mut self) -> TokenKind {
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.take_while(|c| c.is_ascii_alphanumeric());
            return TokenKind::Number;
        }
        self.take_while(|c| c.is_ascii_digit());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let mut after = self.rest().chars();
        if matches!(after.next(), Some('e' | 'E')) {
            let next = after.next();
            let signed = matches!(next, Some('+' | '-'));
            let digit = if signed { after.next() } else { next };
            if digit.is_some_and(|c| c.is_ascii_digit()) {
                self.at += if signed { 2 } else { 1 };
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        if self.rest().starts_with(['u', 'U']) {
            self.at += 1;
        }
        TokenKind::Number
    }

    fn backticks(&mut self) -> Result<TokenKind, CompileError> {
        let start = self.at;
        match self.rest().get(1..).and_then(|rest| rest.find(['`', '\n'])) {
            Some(end) if self.rest().as_bytes().get(1 + end) == Some(&b'`') => {
                Ok(self.take(end + 2, TokenKind::Quoted))
            }
            _ => {
                self.at = self.text.len();
                Err(fault("this name in backticks is never closed", start..start + 1))
            }
        }
    }

    /// A text from its quote on; `start` is where its prefix starts.
    fn text_literal(&mut self, start: usize, raw: bool) -> Result<TokenKind, CompileError> {
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let (single, triple) = if quote == '"' { ("\"", "\"\"\"") } else { ("'", "'''") };
        let end = if self.rest().starts_with(triple) { triple } else { single };
        let opening = start..self.at + end.len();
        self.at += end.len();
        loop {
            if self.rest().starts_with(end) {
                return Ok(self.take(end.len(), TokenKind::Text));
            }
            match self.rest().chars().next() {
                Some('\\') if !raw => {
                    self.at += 1;
                    self.at += self.rest().chars().next().map_or(0, char::len_utf8);
                }
                Some('\n' | '\r') | None if end.len() == 1 => return Err(fault("this text is never closed", opening)),
                None => return Err(fault("this text is never closed", opening)),
                Some(other) => self.at += other.len_utf8(),
            }
        }
    }
}

fn unknown_character(found: char, at: usize) -> CompileError {
    let range = at..at + found.len_utf8();
    let hint = match found {
        '=' => "`=` is no operator, equality is `==`",
        '&' => "`&` is no operator, both is `&&`",
        '|' => "`|` is no operator, either is `||`",
        '$' => "`$` does not belong in an expression: names stand bare",
        ';' => "`;` does not belong in an expression: it has no statements",
        '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => "typographic quotes do not delimit texts: write ' or \"",
        _ => return fault(format!("`{}` does not belong in an expression", found.escape_debug()), range),
    };
    fault(hint, range)
}

pub(crate) fn fault(message: impl Into<String>, offset: Range<usize>) -> CompileError {
    CompileError { message: message.into(), offset }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let tokens = Tokens::of(text).unwrap();
        tokens.tokens.iter().map(|token| tokens.slice(token.start..token.end)).collect()
    }

    #[rstest]
    #[case("a.b + 1.5e-3", &["a", ".", "b", "+", "1.5e-3"])]
    #[case("1.x(2u)[-0x1F]", &["1", ".", "x", "(", "2u", ")", "[", "-", "0x1F", "]"])]
    #[case(r#"r'\' + b"é\"" // rest"#, &[r"r'\'", "+", r#"b"é\"""#])]
    #[case("'''a\n'b' '''+\"\"", &["'''a\n'b' '''", "+", "\"\""])]
    #[case("a.?b[?c]<=`x y`", &["a", ".", "?", "b", "[", "?", "c", "]", "<=", "`x y`"])]
    #[case("rob 'x'", &["rob", "'x'"])]
    fn a_text_falls_into_tokens(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(texts(text), expected);
    }

    #[rstest]
    #[case("'abc", 0..1, "this text is never closed")]
    #[case("'é' + \"abc\n\"", 7..8, "this text is never closed")]
    #[case("f(a[0)", 5..6, "`)` does not close the `[` before it")]
    #[case("f(a", 1..2, "this `(` is never closed")]
    #[case("a)", 1..2, "`)` closes nothing")]
    #[case("a = b", 2..3, "`=` is no operator, equality is `==`")]
    #[case("é # b", 0..2, "`é` does not belong in an expression")]
    #[case(" // only this", 0..13, "an expression is expected here, the text is empty")]
    fn what_is_wrong_is_told_with_its_place(#[case] text: &str, #[case] at: Range<usize>, #[case] message: &str) {
        assert_eq!(Tokens::of(text).unwrap_err(), fault(message, at), "{text}");
    }

    #[test]
    fn nesting_has_a_bound() {
        let deep = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
        assert!(Tokens::of(&deep(MAX_NESTING)).is_ok());
        assert!(Tokens::of(&deep(MAX_NESTING + 1)).is_err());
        assert!(Tokens::of(&format!("{}1", "a?1:".repeat(MAX_NESTING + 1))).is_err());
        assert!(Tokens::of(&format!("[{}1]", "a?1:2,".repeat(MAX_NESTING + 1))).is_ok());
    }

    #[test]
    fn parentheses_belong_to_the_range_they_hold() {
        let tokens = Tokens::of("f(((a)) + (b))").unwrap();
        assert_eq!(tokens.slice(tokens.with_parentheses(4..5)), "((a))");
        assert_eq!(tokens.slice(tokens.with_parentheses(11..12)), "(b)");
    }

    #[test]
    fn a_hole_ends_at_its_brace() {
        assert_eq!(closing_brace("a}b}"), Some(1));
        assert_eq!(closing_brace("{'a': \"}\"} // }\n}"), Some(16));
        assert_eq!(closing_brace("a"), None);
        assert_eq!(closing_brace("'"), None);
        assert_eq!(closing_brace("a # é '}' }"), Some(11));
        assert_eq!(closing_brace("`a}"), None);
    }
}
