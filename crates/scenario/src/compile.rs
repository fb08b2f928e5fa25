//! Nodes to templates: holes are found and their CEL is compiled.

use std::{ops::Range, sync::Arc};

use tokenrig_cel::{Dialect, Program};

use crate::{
    diagnostic::Diagnostic,
    holes::{self, Part},
    places,
    source::{Source, Span},
    template::{Expr, Kind, Piece, Places, RowUse, Style, Template},
    yaml::{Node, NodeKind, shorten},
};

/// Makes a template of a node.
pub(crate) fn template(node: Node, source: &Source, out: &mut Vec<Diagnostic>) -> Template {
    let Node { kind, span, style } = node;
    let kind =
        match kind {
            NodeKind::Null => Kind::Null,
            NodeKind::Bool(value) => Kind::Bool(value),
            NodeKind::Int(value) => Kind::Int(value),
            NodeKind::Float(value) => Kind::Float(value),
            NodeKind::Text(value) => text(value, span, style, source, out),
            NodeKind::List(items) => Kind::List(items.into_iter().map(|item| template(item, source, out)).collect()),
            NodeKind::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        if holes::split(&key.text) != Ok(vec![Part::Text(key.text.to_string())]) {
                            out.push(Diagnostic::error("hole::in-key", key.span, "keys have no holes").help(
                                "write the key out; for what differs between rows, put the whole map into the row",
                            ));
                        }
                        (key, template(value, source, out))
                    })
                    .collect(),
            ),
        };
    Template { kind, span, style }
}

fn text(value: Arc<str>, span: Span, style: Style, source: &Source, out: &mut Vec<Diagnostic>) -> Kind {
    if !value.contains("${") {
        return Kind::Text(value);
    }
    let parts = match holes::split(&value) {
        Ok(parts) => parts,
        Err(open) => {
            let places = places_of(&value, span, style, source);
            let rest = open.0..value.len().min(open.0 + 2);
            out.push(Diagnostic::error("hole::open", places.place(span, rest), "a hole `${` does not end").help(
                "close it with `}` (braces inside of CEL strings do not count); a literal `${` is written `$${`",
            ));
            return Kind::Text(value);
        }
    };
    let places = places_of(&value, span, style, source);
    let hole = |range: Range<usize>, out: &mut Vec<Diagnostic>| {
        let inner = part(&places, span, range.clone());
        let cel = value.get(range).unwrap_or_default();
        expr(cel, inner.place(span, 0..cel.len()), inner, out)
    };
    match parts.as_slice() {
        [Part::Text(literal)] => Kind::Text(Arc::from(literal.as_str())),
        [Part::Hole(range)] => hole(range.clone(), out).map_or(Kind::Null, |hole| Kind::Hole(Box::new(hole))),
        [Part::Hole(range), Part::Text(rest)] if rest == "\n" => {
            hole(range.clone(), out).map_or(Kind::Null, |hole| Kind::Hole(Box::new(hole)))
        }
        parts => Kind::Mixed(
            parts
                .iter()
                .filter_map(|part| match part {
                    Part::Text(literal) => Some(Piece::Text(Arc::from(literal.as_str()))),
                    Part::Hole(range) => hole(range.clone(), out).map(Piece::Hole),
                })
                .collect(),
        ),
    }
}

/// CEL that stands without `${` and `}`: the text of an item of `that`, of a value of `save`.
pub(crate) fn bare(template: &Template, source: &Source, out: &mut Vec<Diagnostic>) -> Option<Expr> {
    match &template.kind {
        Kind::Hole(hole) => Some((**hole).clone()),
        Kind::Text(text) => {
            let places = places_of(text, template.span, template.style, source);
            let inner = text.trim_end();
            let before = out.len();
            let expr = expr(inner, places.place(template.span, 0..inner.len()), places, out);
            let line = source.line_at(template.span.end);
            let cut_off = template.style == Style::Plain && line.contains(" #");
            if let Some(fault) = out.get_mut(before..).and_then(<[Diagnostic]>::first_mut).filter(|_| cut_off) {
                fault.help =
                    Some("to YAML, a `#` behind a space starts a comment: quote the whole expression".to_owned());
            }
            expr
        }
        Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
            let places = Places::Straight(template.span.start);
            expr(source.slice(template.span), template.span, places, out)
        }
        Kind::Mixed(_) => {
            out.push(
                Diagnostic::error("cel::mixed", template.span, "this is neither bare CEL nor one hole")
                    .help("it is CEL already: write names without `${` and `}`"),
            );
            None
        }
        Kind::Null | Kind::List(_) | Kind::Map(_) => {
            let line = source.line_at(template.span.start).trim();
            let fault = Diagnostic::error(
                "cel::not-text",
                template.span,
                format!("CEL is expected here, and to YAML this is {}: `{}`", template.what(), shorten(line)),
            );
            out.push(fault.help("quote the whole expression, or write it below a `>-`: `: `, ` #` and a leading `{`, `[` have meanings in YAML"));
            None
        }
    }
}

/// Compiles CEL. What cannot be compiled is told, and `null` stands in for it, so that nothing more is said about it.
fn expr(cel: &str, span: Span, places: Places, out: &mut Vec<Diagnostic>) -> Option<Expr> {
    if cel.trim().is_empty() {
        let span = Span { start: span.start.saturating_sub(2), ..span };
        out.push(
            Diagnostic::error("cel::empty", span, "an expression is missing")
                .help("a literal `${` is written `$${`; to say that nothing is there, write `${absent}`"),
        );
        return stand_in(span, places);
    }
    match Program::compile(cel, Dialect::Scenario) {
        Ok(program) => Some(Expr { row: row_use(&program), program, span, places }),
        Err(fault) => {
            let mut place = places.place(span, fault.offset.clone());
            if place.start == place.end {
                // At the end of the expression: its last character is shown.
                place.end = (place.end + 1).min(span.end).max(place.start);
                if place.start == place.end {
                    place.start = place.start.saturating_sub(1).max(span.start);
                }
            }
            let hyphen = cel.get(..fault.offset.start).is_some_and(|before| {
                before.ends_with('-') && before.trim_end_matches('-').ends_with(|c: char| c.is_ascii_alphanumeric())
            });
            let fault = Diagnostic::error("cel::syntax", place, format!("this is not CEL: {}", fault.message));
            out.push(match hyphen {
                true => fault.help("to CEL, a `-` is a difference: a given id is written with `_` in its place"),
                false => fault,
            });
            stand_in(span, places)
        }
    }
}

fn stand_in(span: Span, places: Places) -> Option<Expr> {
    let program = Program::compile("null", Dialect::Scenario).ok()?;
    Some(Expr { program, span, row: RowUse::Keys(Vec::new()), places })
}

fn row_use(program: &Program) -> RowUse {
    let mut keys: Vec<Arc<str>> = Vec::new();
    for reference in program.references() {
        match reference.path.as_slice() {
            [root] if root == "case" => return RowUse::Whole,
            [root, key, ..] if root == "case" && !keys.iter().any(|known| **known == **key) => {
                keys.push(Arc::from(key.as_str()))
            }
            _ => {}
        }
    }
    RowUse::Keys(keys)
}

fn places_of(text: &str, span: Span, style: Style, source: &Source) -> Places {
    let raw = source.slice(span);
    // As it stands, or as it stands between quotes.
    if raw == text {
        return Places::Straight(span.start);
    }
    if matches!(style, Style::SingleQuoted | Style::DoubleQuoted)
        && raw.get(1..raw.len().saturating_sub(1)) == Some(text)
    {
        return Places::Straight(span.start + 1);
    }
    Places::Mapped(places::map(raw, span.start, text, style).into())
}

/// The places of a range of the text.
fn part(places: &Places, span: Span, range: Range<usize>) -> Places {
    match places {
        Places::Straight(base) => Places::Straight(base + range.start),
        Places::Mapped(offsets) => Places::Mapped(
            offsets
                .get(range.start..=range.end)
                .map_or_else(|| Arc::from([u32::try_from(span.start).unwrap_or(u32::MAX)]), Arc::from),
        ),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{source::SourceId, yaml};

    fn compiled(text: &str) -> (Source, Template, Vec<Diagnostic>) {
        let source = Source::new("a.yaml", text);
        let mut out = Vec::new();
        let node = yaml::parse(&source, SourceId(0), &mut out).unwrap();
        let template = template(node, &source, &mut out);
        (source, template, out)
    }

    #[rstest]
    #[case("k: ${a.b}\n")]
    #[case("k: \"${a.b}\"\n")]
    #[case("k: >-\n  ${a.b}\n")]
    #[case("k: |\n  ${a.b}\n")]
    fn one_hole_keeps_its_type_and_place(#[case] text: &str) {
        let (source, template, out) = compiled(text);
        assert_eq!(out, []);
        let hole = template.get("k").unwrap().hole().unwrap();
        assert_eq!(hole.text(), "a.b");
        assert_eq!(source.slice(hole.span), "a.b");
        assert_eq!(source.slice(hole.place(2..3)), "b");
    }

    #[test]
    fn holes_in_text_know_their_places_behind_escapes_and_folds() {
        let (source, template, out) = compiled("k: \"\\tä ${one}\n  and ${two + 2}\"\n");
        assert_eq!(out, []);
        let mut seen = Vec::new();
        template.each_expr(&mut |expr| seen.push(source.slice(expr.place(0..expr.text().len())).to_owned()));
        assert_eq!(seen, ["one", "two + 2"]);
    }

    #[test]
    fn an_escaped_hole_is_text() {
        let (_, template, out) = compiled("k: \"$${{ secrets.X }}\"\n");
        assert_eq!(out, []);
        assert_eq!(template.get("k").unwrap().text(), Some("${{ secrets.X }}"));
    }
}
