//! What YAML's own faults mean in this format, and how to mend them.

use crate::{
    diagnostic::Diagnostic,
    source::{Source, SourceId, Span},
    yaml::shorten,
};

/// Makes sense of a fault of the YAML parser.
pub(crate) fn explain(source: &Source, id: SourceId, at: usize, info: &str) -> Diagnostic {
    let line = line_span(source, id, at);
    let text = source.slice(line);
    let here = Span::new(id, at.min(source.text.len()), char_end(source, at));
    if let Some(tab) =
        text.find(|c: char| c != ' ').filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with('\t')))
    {
        let place = Span::new(id, line.start + tab, line.start + tab + 1);
        return Diagnostic::error("yaml::tab", place, "a line is indented with a tab").help("YAML takes spaces only");
    }
    if info.contains("found a tab")
        && let Some(tab) = source.text.get(at..).and_then(|rest| rest.find('\t'))
    {
        let place = Span::new(id, at + tab, at + tab + 1);
        return Diagnostic::error("yaml::tab", place, "a tab stands where YAML takes spaces only")
            .help("replace it by spaces, as many as the lines around it have");
    }
    if let Some(fault) = unquoted_hole(source, id, line, at) {
        return fault;
    }
    if info.contains("recursion limit") {
        return Diagnostic::error("yaml::too-deep", here, "brackets are nested too deep")
            .help("no part of a scenario needs that; are brackets missing?");
    }
    let value = value_span(source, line);
    if let Some(start) = source.slice(value).chars().next().filter(|c| "!&*%@`|>".contains(*c)) {
        return must_be_quoted(source, value, start);
    }
    if let Some(first @ ('{' | '[' | '"' | '\'')) = source.slice(value).chars().next()
        && at > value.start
        && at < value.end
        && !info.contains("flow mapping")
        && !info.contains("flow sequence")
    {
        let means = match first {
            '{' => "a map",
            '[' => "a list",
            _ => "quoted up to the next quote",
        };
        return Diagnostic::error(
            "yaml::after-value",
            here,
            format!("to YAML, a text that starts with `{first}` is {means}, and here is more"),
        )
        .label("not expected here")
        .help(format!("quote the whole text: `{}`", shorten(&quoted(source.slice(value)))));
    }
    if info.contains("illegal placement of ':'")
        && let Some(open) = open_bracket(source, line.start)
    {
        let place = Span::new(id, open, open + 1);
        return Diagnostic::error("yaml::bracket", place, "this bracket is not closed").also(here, "noticed here");
    }
    if info.contains("mapping values are not allowed") || info.contains("illegal placement of ':'") {
        return Diagnostic::error("yaml::colon", here, "a `:` with a space behind it stands inside of a text")
            .help(format!("quote the text: `{}`", quoted(source.slice(value))));
    }
    if info.contains("quoted scalar, found unexpected") || info.contains("invalid indentation in quoted scalar") {
        return Diagnostic::error("yaml::open-quote", here, "a quoted text does not end").help(
            "close it with the quote that it starts with; a quote inside of it is doubled ('') or escaped (\\\")",
        );
    }
    if info.contains("unknown escape") || info.contains("hexadecimal") || info.contains("Unicode character escape") {
        return Diagnostic::error("yaml::escape", here, "a `\\` inside of double quotes starts an escape that is none")
            .help("write `\\\\` for a backslash, or use single quotes");
    }
    if info.contains("trailing content after double-quoted") {
        return Diagnostic::error("yaml::after-quote", here, "something follows the closing quote")
            .help("quote the text as a whole; quotes inside of it are doubled ('') or escaped (\\\")");
    }
    if info.contains("flow mapping")
        || info.contains("flow sequence")
        || info.contains("bracket")
        || info.contains("flow construct")
    {
        return Diagnostic::error(
            "yaml::bracket",
            here,
            "a `{…}` or `[…]` is not closed, or a comma is missing before this",
        );
    }
    if info.contains("byte order mark") {
        return Diagnostic::error("yaml::byte-order-mark", here, "a byte order mark stands inside of the file");
    }
    if info.contains("expected key")
        || info.contains("simple key")
        || info.contains("block collection")
        || info.contains("indentation")
    {
        return Diagnostic::error("yaml::indentation", here, "this line does not belong to what stands above it")
            .help("keys of one map and items of one list stand in the same column; a key ends with `:`");
    }
    Diagnostic::error("yaml::syntax", here, format!("this is not YAML: {info}"))
}

/// A tag or an anchor where a text was meant, as a rule.
pub(crate) fn property(source: &Source, id: SourceId, start: usize, end: usize) -> Diagnostic {
    let line = line_span(source, id, start);
    let place = Span::new(id, start, line.end.max(end.min(line.end)));
    let text = source.slice(place);
    let inside_brackets = source.slice(Span::new(id, line.start, start)).contains(['{', '[']);
    let place = if inside_brackets { Span::new(id, start, end.max(start + 1)) } else { place };
    match text.chars().next() {
        Some(first @ ('!' | '&')) => must_be_quoted(source, place, first),
        _ => Diagnostic::error("yaml::property", place, "YAML tags and anchors are not read"),
    }
}

/// A map or a list where a key should be.
pub(crate) fn key_not_text(source: &Source, span: Span) -> Diagnostic {
    let hole = span.start.checked_sub(1).is_some_and(|at| source.text.as_bytes().get(at) == Some(&b'$'));
    if hole {
        return Diagnostic::error("yaml::unquoted-hole", span, "a hole stands where a key should be")
            .help("keys have no holes; quote a value that starts with one: \"${…}\"");
    }
    let fault = Diagnostic::error("yaml::key-not-text", span, "a key is text");
    let doubled = source.text.get(..span.start).is_some_and(|before| before.ends_with('{'));
    if doubled && source.slice(span).starts_with('{') {
        return fault.help("a hole is written `${…}`, not `{{…}}`");
    }
    fault.help("quote the whole line if it is one text")
}

fn must_be_quoted(source: &Source, place: Span, first: char) -> Diagnostic {
    let text = source.slice(place);
    let (code, means) = match first {
        '!' => ("yaml::tag", "is a tag: it would vanish"),
        '&' => ("yaml::anchor", "is an anchor: it would vanish"),
        '*' => ("yaml::alias", "is an alias"),
        '|' | '>' => ("yaml::block", "is a block of lines"),
        _ => ("yaml::reserved-start", "is not allowed"),
    };
    let fault = Diagnostic::error(code, place, format!("to YAML, a text that starts with `{first}` {means}"));
    let quoted = quoted(text);
    if first == '&' && text.contains([' ', '{', '[']) {
        return fault.help(
            "write the value out wherever it is needed, or put it under `vars`; a text that begins so is quoted",
        );
    }
    let fault = fault.help(format!("quote it: `{}`", shorten(&quoted)));
    if text.contains(['\n', '"']) { fault } else { fault.patch(place, quoted) }
}

/// Inside `{…}` and `[…]`, an unquoted `${` opens a map.
fn unquoted_hole(source: &Source, id: SourceId, line: Span, at: usize) -> Option<Diagnostic> {
    let text = source.slice(line);
    let mut brackets = 0usize;
    let mut quote = None;
    let mut last = None;
    for (index, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if text.get(..index).is_none_or(|before| before.is_empty() || before.ends_with(' ')) => break,
            (None, '$') if text.get(index + 1..).is_some_and(|rest| rest.starts_with('{')) => {
                let opener = text.get(..index).unwrap_or_default().contains(['{', '[']);
                if opener || brackets > 0 {
                    last = Some(index);
                    break;
                }
            }
            (None, '{' | '[') => brackets += 1,
            _ => {}
        }
    }
    let start = line.start + last?;
    let rest = source.text.get(start..line.end)?;
    let end = start + rest.find('}').map_or(rest.len(), |brace| brace + 1);
    if start > at.max(line.start) + 1 {
        return None;
    }
    // All of the text that the hole is in: `serviceAccount:${caller.email}`.
    let before = source.text.get(line.start..start)?;
    let begins = before.rfind([' ', '[', '{', ',']).map_or(line.start, |at| line.start + at + 1);
    let begins =
        if source.text.get(begins..start).is_some_and(|text| text.contains(['"', '\''])) { start } else { begins };
    let ends = source.text.get(end..line.end)?.find([',', ']', '}', ' ']).map_or(line.end, |at| end + at);
    let place = Span::new(id, begins, ends.max(end));
    let hole = source.slice(place).to_owned();
    Some(
        Diagnostic::error("yaml::unquoted-hole", place, "inside of `{…}` and `[…]` a text with a hole must be quoted")
            .help(format!("write `{}`: YAML takes the brace of an unquoted hole for a map", quoted(&hole)))
            .patch(place, quoted(&hole)),
    )
}

/// The last bracket in the lines before `end` that is not closed there.
fn open_bracket(source: &Source, end: usize) -> Option<usize> {
    let before = source.text.get(..end)?;
    let mut closed = 0usize;
    for (at, c) in before.char_indices().rev().take(4_000) {
        match c {
            ']' | '}' => closed += 1,
            '[' | '{' if closed == 0 => return Some(at),
            '[' | '{' => closed -= 1,
            _ => {}
        }
    }
    None
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    let text = text.trim_end();
    if text.contains('"') && !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn line_span(source: &Source, id: SourceId, at: usize) -> Span {
    let at = at.min(source.text.len());
    let start = source.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let length =
        source.text.get(start..).map_or(0, |rest| rest.split('\n').next().unwrap_or_default().trim_end().len());
    Span::new(id, start, start + length)
}

/// What stands on a line behind `- ` and `key: `.
fn value_span(source: &Source, line: Span) -> Span {
    let text = source.slice(line);
    let mut start = text.len() - text.trim_start().len();
    while let Some(rest) = text.get(start..).and_then(|rest| rest.strip_prefix("- ")) {
        start = text.len() - rest.trim_start().len();
    }
    if let Some(rest) = text.get(start..)
        && let Some(colon) = rest.find(": ")
        && rest.get(..colon).is_some_and(|key| key.chars().all(|c| c.is_alphanumeric() || "_-.'\"@".contains(c)))
    {
        start += colon + 2;
        start += text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    }
    Span::new(line.source, line.start + start, line.end.max(line.start + start))
}

fn char_end(source: &Source, at: usize) -> usize {
    source
        .text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(source.text.len(), |c| if c == '\n' { at } else { at + c.len_utf8() })
}
