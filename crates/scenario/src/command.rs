//! A command line cut into words as POSIX does, before its holes are filled: what is in a hole stays one word.

use std::sync::Arc;

use crate::{
    diagnostic::Diagnostic,
    reader::Reader,
    template::{Kind, Piece, Style, Template},
};

/// Words that a shell would act upon.
const OPERATORS: &[&str] = &["|", "||", "&", "&&", ";", "<", "<<", "<<<", ">", ">>", "2>", "2>&1", "&>", ">&2"];

/// Cuts text into words; a list is taken as it is.
pub(crate) fn words(reader: &mut Reader<'_>, command: &Template) -> Option<Vec<Template>> {
    let pieces = match &command.kind {
        Kind::List(items) => {
            for item in items {
                match item.kind {
                    Kind::Null | Kind::List(_) | Kind::Map(_) => reader.not_text(item, "a word of a command"),
                    _ => {}
                }
            }
            if items.is_empty() {
                reader.push(Diagnostic::error("file::empty", command.span, "the command is empty"));
                return None;
            }
            return Some(items.clone());
        }
        Kind::Text(text) => vec![Piece::Text(text.clone())],
        Kind::Hole(hole) => vec![Piece::Hole((**hole).clone())],
        Kind::Mixed(pieces) => pieces.clone(),
        _ => {
            reader.not_text(command, "a command");
            return None;
        }
    };
    let words = match split(&pieces) {
        Ok(words) => words,
        Err(Open(what)) => {
            reader.push(
                Diagnostic::error("run::open-quote", command.span, format!("{what} of the command does not end"))
                    .help("words are cut as POSIX does; for full control write a list: `run: [program, argument, …]`"),
            );
            return None;
        }
    };
    if words.is_empty() {
        reader.push(Diagnostic::error("file::empty", command.span, "the command is empty"));
        return None;
    }
    for word in &words {
        if !word.quoted
            && let [Piece::Text(text)] = word.pieces.as_slice()
            && OPERATORS.contains(&&**text)
        {
            reader.push(
                Diagnostic::warning(
                    "run::no-shell",
                    command.span,
                    format!("`{text}` is handed to the program as a word: there is no shell"),
                )
                .help("for a shell write `run: [sh, -c, \"…\"]`"),
            );
        }
    }
    Some(words.into_iter().map(|word| template(word, command)).collect())
}

fn template(word: Word, command: &Template) -> Template {
    let mut pieces = word.pieces;
    let kind = match (pieces.len(), pieces.first()) {
        (0, _) => Kind::Text(Arc::from("")),
        (1, Some(Piece::Text(text))) => Kind::Text(text.clone()),
        (1, Some(Piece::Hole(_))) => match pieces.remove(0) {
            Piece::Hole(hole) => Kind::Hole(Box::new(hole)),
            Piece::Text(text) => Kind::Text(text),
        },
        _ => Kind::Mixed(pieces),
    };
    Template { kind, span: command.span, style: Style::Plain }
}

#[derive(Debug, Default)]
struct Word {
    pieces: Vec<Piece>,
    quoted: bool,
}

/// What does not end.
#[derive(Debug, PartialEq, Eq)]
struct Open(&'static str);

fn split(pieces: &[Piece]) -> Result<Vec<Word>, Open> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut text = String::new();
    let mut quote: Option<char> = None;
    for piece in pieces {
        let chars = match piece {
            Piece::Text(chars) => chars,
            Piece::Hole(_) => {
                let word = word.get_or_insert_default();
                flush(&mut text, word);
                word.pieces.push(piece.clone());
                continue;
            }
        };
        let mut rest = chars.chars().peekable();
        while let Some(c) = rest.next() {
            match (quote, c) {
                (None, ' ' | '\t' | '\n') => {
                    if let Some(mut done) = word.take() {
                        flush(&mut text, &mut done);
                        words.push(done);
                    }
                }
                (None, '\'' | '"') => {
                    quote = Some(c);
                    word.get_or_insert_default().quoted = true;
                }
                (None, '\\') => match rest.next() {
                    Some('\n') => {}
                    Some(next) => {
                        word.get_or_insert_default().quoted = true;
                        text.push(next);
                    }
                    None => return Err(Open("the `\\` at the end")),
                },
                (Some(open), _) if c == open => quote = None,
                (Some('"'), '\\') => match rest.peek().copied() {
                    Some('\n') => {
                        rest.next();
                    }
                    Some(next @ ('"' | '\\' | '$' | '`')) => {
                        rest.next();
                        text.push(next);
                    }
                    _ => text.push('\\'),
                },
                _ => {
                    word.get_or_insert_default();
                    text.push(c);
                }
            }
        }
    }
    match quote {
        Some('\'') => return Err(Open("a `'`")),
        Some(_) => return Err(Open("a `\"`")),
        None => {}
    }
    if let Some(mut done) = word {
        flush(&mut text, &mut done);
        words.push(done);
    }
    Ok(words)
}

fn flush(text: &mut String, word: &mut Word) {
    if !text.is_empty() {
        word.pieces.push(Piece::Text(Arc::from(text.as_str())));
        text.clear();
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, Open> {
        let words = split(&[Piece::Text(Arc::from(text))])?;
        Ok(words
            .into_iter()
            .map(|word| word.pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" }).collect())
            .collect())
    }

    #[rstest]
    #[case("curl -s  https://x", &["curl", "-s", "https://x"])]
    #[case("a 'b c' \"d e\"f", &["a", "b c", "d ef"])]
    #[case(r#"a "x\"y\z\$" 'it'\''s' b\ c"#, &["a", "x\"y\\z$", "it's", "b c"])]
    #[case("a ''", &["a", ""])]
    #[case("a \\\n b", &["a", "b"])]
    #[case("  ", &[])]
    #[case("one\n two\n", &["one", "two"])]
    fn words_are_cut_as_posix_does(#[case] text: &str, #[case] words: &[&str]) {
        assert_eq!(shown(text).unwrap(), words);
    }

    #[rstest]
    #[case("a 'b")]
    #[case("a \"b")]
    #[case("a \\")]
    fn what_does_not_end_is_refused(#[case] text: &str) {
        assert!(shown(text).is_err());
    }
}
