//! YAML to nodes: every scalar with its place, resolved by rules of our own; what would hide meaning is refused.

use std::{collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::{
    diagnostic::Diagnostic,
    source::{Source, SourceId, Span},
    syntax,
    template::{Key, Style},
};

/// How deep maps and lists may be nested.
const MAX_DEPTH: usize = 64;
/// How many scalars, maps and lists a file may hold.
const MAX_NODES: usize = 500_000;
/// How many holes a file may have.
const MAX_HOLES: usize = 50_000;

/// A value as YAML has it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
    pub(crate) style: Style,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// Reads one document. What is wrong goes to `out`; `None` if nothing can be made of the text.
pub(crate) fn parse(source: &Source, id: SourceId, out: &mut Vec<Diagnostic>) -> Option<Node> {
    read(source, id, false, out)?.pop()
}

/// Reads a stream of documents; empty ones are left out, and nothing is given if one of them is not to be read.
pub(crate) fn parse_all(source: &Source, id: SourceId, out: &mut Vec<Diagnostic>) -> Vec<Node> {
    let nodes = read(source, id, true, out).unwrap_or_default();
    nodes.into_iter().filter(|node| !matches!(node.kind, NodeKind::Null)).collect()
}

fn read(source: &Source, id: SourceId, stream: bool, out: &mut Vec<Diagnostic>) -> Option<Vec<Node>> {
    if let Some((at, c)) = source.text.char_indices().find(|(_, c)| !is_printable(*c)) {
        let place = Span::new(id, at, at + c.len_utf8());
        out.push(
            Diagnostic::error(
                "file::control-character",
                place,
                format!("the character U+{:04X} may not stand in a file", c as u32),
            )
            .help("is this a binary file? In text between double quotes it may be written as an escape"),
        );
        return None;
    }
    if let Some((at, _)) = source.text.match_indices("${").nth(MAX_HOLES) {
        let fault = Diagnostic::error(
            "file::too-large",
            Span::new(id, at, at + 2),
            format!("a file has at most {MAX_HOLES} holes"),
        );
        out.push(fault.help("split it into several files"));
        return None;
    }
    let offsets = Offsets::of(&source.text);
    let mut builder = Builder {
        source,
        id,
        offsets,
        out,
        stack: Vec::new(),
        roots: Vec::new(),
        stream,
        nodes: 0,
        documents: 0,
        told_aliases: false,
    };
    let mut parser = Parser::new_from_str(&source.text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => {
                if builder.take(event, span).is_err() {
                    return None;
                }
            }
            Err(fault) => {
                let at = builder.offsets.byte(*fault.marker());
                let fault = syntax::explain(source, id, at, fault.info());
                builder.out.push(fault);
                return None;
            }
        }
    }
    Some(builder.roots)
}

/// What YAML lets stand in a file, without the byte order mark, which may only be the first character.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// From the parser's character counts to bytes.
struct Offsets<'s> {
    text: &'s str,
    /// The byte offset of every 64th character; empty if the text is ASCII.
    marks: Vec<usize>,
}

impl<'s> Offsets<'s> {
    fn of(text: &'s str) -> Self {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(64).map(|(offset, _)| offset).collect()
        };
        Self { text, marks }
    }

    fn byte(&self, marker: Marker) -> usize {
        let index = marker.index();
        if self.marks.is_empty() {
            return index.min(self.text.len());
        }
        let Some(start) = self.marks.get(index / 64).copied() else { return self.text.len() };
        let rest = self.text.get(start..).unwrap_or_default();
        rest.char_indices().nth(index % 64).map_or(self.text.len(), |(offset, _)| start + offset)
    }
}

enum Frame {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, seen: HashMap<Arc<str>, Span>, key: Option<Key> },
}

struct Builder<'s, 'o> {
    source: &'s Source,
    id: SourceId,
    offsets: Offsets<'s>,
    out: &'o mut Vec<Diagnostic>,
    stack: Vec<(Frame, usize)>,
    roots: Vec<Node>,
    /// Whether there may be several documents.
    stream: bool,
    nodes: usize,
    documents: usize,
    told_aliases: bool,
}

/// The file is given up; the reason has been told.
struct GivenUp;

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> Result<(), GivenUp> {
        let start = self.offsets.byte(span.start);
        let end = self.offsets.byte(span.end).max(start);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 && !self.stream {
                    return self.give_up(
                        "yaml::several-documents",
                        start..end,
                        "a file holds one document",
                        "put what follows `---` into a file of its own",
                    );
                }
            }
            Event::Alias(_) => {
                let place = self.span(start, end);
                // Once is enough: files that live by aliases have many.
                if !std::mem::replace(&mut self.told_aliases, true) {
                    let fault = Diagnostic::error("yaml::alias", place, "aliases are not read, here and below");
                    self.out.push(fault.help(
                        "write the value out, or put it under `vars`; if `*` belongs to the text, quote the text",
                    ));
                }
                self.add(NodeKind::Null, place, Style::Plain)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), start, end);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                // The parser's place of a value that is not there is that of whatever comes next.
                let end =
                    if text.is_empty() && style == Style::Plain && tag.is_none() && anchor == 0 { start } else { end };
                let place = self.trim(start, end);
                let kind = match style {
                    // What was meant, as a rule: more faults of the same text help nobody.
                    Style::Plain if tag.is_some() || anchor > 0 => NodeKind::Text(Arc::from(self.source.slice(place))),
                    Style::Plain => self.resolve(&text, place),
                    _ => NodeKind::Text(Arc::from(&*text)),
                };
                if self.awaits_key() {
                    return self.add_key(&text, place, style);
                }
                self.add(kind, place, style)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), start, end);
                self.open(Frame::List(Vec::new()), start)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_properties(anchor, tag.is_some(), start, end);
                self.open(Frame::Map { entries: Vec::new(), seen: HashMap::new(), key: None }, start)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.id, start, end)
    }

    /// Without the white space at the end that belongs to block scalars.
    fn trim(&self, start: usize, end: usize) -> Span {
        let text = self.source.text.get(start..end).unwrap_or_default();
        self.span(start, start + text.trim_end().len())
    }

    fn give_up(
        &mut self,
        code: &'static str,
        at: std::ops::Range<usize>,
        message: &str,
        help: &str,
    ) -> Result<(), GivenUp> {
        let place = self.span(at.start, at.end);
        self.out.push(Diagnostic::error(code, place, message).help(help));
        Err(GivenUp)
    }

    fn refuse_properties(&mut self, anchor: usize, tagged: bool, start: usize, end: usize) {
        if anchor == 0 && !tagged {
            return;
        }
        self.out.push(syntax::property(self.source, self.id, start, end));
    }

    fn resolve(&mut self, text: &str, place: Span) -> NodeKind {
        match text {
            "" | "~" | "null" => NodeKind::Null,
            "true" => NodeKind::Bool(true),
            "false" => NodeKind::Bool(false),
            _ if !is_json_number(text) => NodeKind::Text(Arc::from(text)),
            _ if text.contains(['.', 'e', 'E']) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => NodeKind::Float(number),
                _ => self.too_large(text, place),
            },
            _ => match text.parse() {
                Ok(number) => NodeKind::Int(number),
                Err(_) => self.too_large(text, place),
            },
        }
    }

    fn too_large(&mut self, text: &str, place: Span) -> NodeKind {
        self.out.push(
            Diagnostic::error("yaml::number-too-large", place, "this number does not fit into 64 bits")
                .help("quote it if it is text, as Google's own JSON does with large numbers"),
        );
        NodeKind::Text(Arc::from(text))
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some((Frame::Map { key: None, .. }, _)))
    }

    fn add_key(&mut self, text: &str, place: Span, style: Style) -> Result<(), GivenUp> {
        self.count(place)?;
        if style == Style::Plain && text.is_empty() {
            self.out.push(Diagnostic::error("yaml::key-not-text", place, "a key is missing before `:`"));
        }
        if style == Style::Plain && text == "<<" {
            self.out.push(
                Diagnostic::error("yaml::merge-key", place, "merge keys are not read")
                    .help("write the fields out, or use rows (`cases`) for what differs"),
            );
        }
        if style == Style::Block {
            self.out.push(Diagnostic::error("yaml::key-not-text", place, "a key stands on one line"));
        }
        let new = Key { text: Arc::from(text), span: place };
        if let Some((Frame::Map { key, seen, .. }, _)) = self.stack.last_mut() {
            if let Some(first) = seen.get(&new.text) {
                self.out.push(
                    Diagnostic::error(
                        "yaml::duplicate-key",
                        place,
                        format!("`{}` stands here a second time", shorten(text)),
                    )
                    .also(*first, "first here")
                    .help("of two equal keys one would be lost; keep one"),
                );
            } else {
                seen.insert(new.text.clone(), place);
            }
            *key = Some(new);
        }
        Ok(())
    }

    fn count(&mut self, place: Span) -> Result<(), GivenUp> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("a file holds at most {MAX_NODES} values");
            return self.give_up("file::too-large", place.range(), &message, "split it into several files");
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame, start: usize) -> Result<(), GivenUp> {
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("maps and lists may be nested {MAX_DEPTH} deep");
            return self.give_up(
                "yaml::too-deep",
                start..start + 1,
                &message,
                "no part of a scenario needs that; are brackets missing?",
            );
        }
        self.count(self.span(start, start))?;
        self.stack.push((frame, start));
        Ok(())
    }

    fn close(&mut self, event_end: usize) -> Result<(), GivenUp> {
        let Some((frame, start)) = self.stack.pop() else { return Ok(()) };
        let flow = self.source.text.get(start..).is_some_and(|rest| rest.starts_with(['{', '[']));
        let (kind, last) = match frame {
            Frame::List(items) => {
                let last = items.last().map_or(start, |item| item.span.end);
                (NodeKind::List(items), last)
            }
            Frame::Map { entries, .. } => {
                let last = entries.last().map_or(start, |(key, value)| value.span.end.max(key.span.end));
                (NodeKind::Map(entries), last)
            }
        };
        let span = self.span(start, if flow { event_end } else { last.max(start) });
        self.add(kind, span, Style::Plain)
    }

    fn add(&mut self, kind: NodeKind, span: Span, style: Style) -> Result<(), GivenUp> {
        self.count(span)?;
        let mut node = Node { kind, span, style };
        match self.stack.last_mut() {
            None => self.roots.push(node),
            Some((Frame::List(items), _)) => items.push(node),
            Some((Frame::Map { entries, seen, key }, _)) => match key.take() {
                Some(key) => {
                    // A value that is not there stands right behind its key.
                    if matches!(node.kind, NodeKind::Null) && node.span.start == node.span.end {
                        node.span = Span::new(key.span.source, key.span.end, key.span.end);
                    }
                    // Of two equal keys the first is kept, so that messages about the rest make sense.
                    if seen.get(&key.text) == Some(&key.span) {
                        entries.push((key, node));
                    }
                }
                None => {
                    self.out.push(syntax::key_not_text(self.source, span));
                    *key = Some(Key { text: Arc::from(""), span });
                }
            },
        }
        Ok(())
    }
}

/// Whether a text is a number as JSON writes it.
pub(crate) fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// A text short enough for a message.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.trim_end().len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn scalar(text: &str) -> (NodeKind, Vec<Diagnostic>) {
        let mut out = Vec::new();
        let source = Source::new("a.yaml", format!("k: {text}\n"));
        let root = parse(&source, SourceId(0), &mut out).unwrap();
        let NodeKind::Map(mut entries) = root.kind else { panic!("a map") };
        (entries.remove(0).1.kind, out)
    }

    #[rstest]
    #[case("012")]
    #[case("1_000")]
    #[case("0x1F")]
    #[case("no")]
    #[case("on")]
    #[case("Yes")]
    #[case("True")]
    #[case("NULL")]
    #[case(".5")]
    #[case("1.")]
    #[case("+1")]
    #[case(".inf")]
    #[case("2026-01-15")]
    #[case("1:30")]
    fn what_only_looks_like_a_value_is_text(#[case] text: &str) {
        let (kind, out) = scalar(text);
        assert!(matches!(&kind, NodeKind::Text(read) if **read == *text), "{kind:?}");
        assert_eq!(out, []);
    }

    #[test]
    fn json_numbers_and_words_have_their_types() {
        assert!(matches!(scalar("9223372036854775807").0, NodeKind::Int(i64::MAX)));
        assert!(matches!(scalar("-0").0, NodeKind::Int(0)));
        assert!(matches!(scalar("1.5e3").0, NodeKind::Float(1500.0)));
        assert!(matches!(scalar("~").0, NodeKind::Null));
        assert!(matches!(scalar("true").0, NodeKind::Bool(true)));
        assert_eq!(scalar("9223372036854775808").1[0].code, "yaml::number-too-large");
        assert_eq!(scalar("1e999").1[0].code, "yaml::number-too-large");
    }

    #[test]
    fn places_are_exact_behind_characters_of_several_bytes() {
        let text = "ä: \"ö\"\nlist: [ü, {a: b}]\nblock: |\n  one\n  two\nlast:\n";
        let source = Source::new("a.yaml", text);
        let mut out = Vec::new();
        let root = parse(&source, SourceId(0), &mut out).unwrap();
        let NodeKind::Map(entries) = root.kind else { panic!("a map") };
        let read: Vec<_> =
            entries.iter().map(|(key, value)| (source.slice(key.span), source.slice(value.span))).collect();
        assert_eq!(read, [("ä", "\"ö\""), ("list", "[ü, {a: b}]"), ("block", "one\n  two"), ("last", "")]);
    }

    #[test]
    fn line_ends_of_windows_do_not_move_places() {
        let source = Source::new("a.yaml", "a: 1\r\nb: two\r\n");
        let root = parse(&source, SourceId(0), &mut Vec::new()).unwrap();
        let NodeKind::Map(entries) = root.kind else { panic!("a map") };
        assert_eq!(source.slice(entries[1].1.span), "two");
    }
}
