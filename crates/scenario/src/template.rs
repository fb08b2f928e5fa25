//! Values with holes.

use std::{ops::Range, sync::Arc};

use tokenrig_cel::Program;

use crate::source::Span;

/// A word of the file that is no value: a key of a map, a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text, quotes and escapes undone.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// A value as it was written, with CEL in its holes.
#[derive(Debug, Clone)]
pub struct Template {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, quotes included.
    pub span: Span,
    pub(crate) style: Style,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes; also of maps and lists.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` or `>`; its place is that of the lines, without that sign.
    Block,
}

/// What a [`Template`] is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer, exact to 64 bits.
    Int(i64),
    /// A decimal, or an integer that 64 bits do not hold.
    Float(f64),
    /// Text without holes.
    Text(Arc<str>),
    /// One hole and nothing else: the value keeps its type.
    Hole(Box<Expr>),
    /// Text with holes in it: the value is text.
    Mixed(Vec<Piece>),
    /// A list.
    List(Vec<Template>),
    /// A map in the order of the file; keys are distinct and have no holes.
    Map(Vec<(Key, Template)>),
}

/// A part of a text with holes.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Taken as it is.
    Text(Arc<str>),
    /// Evaluated; only string, int, uint, double and bool may come out.
    Hole(Expr),
}

/// A CEL expression of the file.
#[derive(Debug, Clone)]
pub struct Expr {
    /// The compiled text.
    pub program: Program,
    /// Where it stands, without `${` and `}`.
    pub span: Span,
    /// What of the row it reads.
    pub row: RowUse,
    pub(crate) places: Places,
}

/// Which values of its row an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowUse {
    /// Only these: the keys `X` of `case.X` and `case['X']`; none at all as a rule. Evaluate these before the expression.
    Keys(Vec<Arc<str>>),
    /// `case` is used as a whole: all values must be evaluated.
    Whole,
}

/// Where the bytes of an expression stand in the file.
#[derive(Debug, Clone)]
pub(crate) enum Places {
    /// As they are, from this offset on.
    Straight(usize),
    /// One offset per byte, and one for the end: quotes, escapes, folded lines, indentation lie between.
    Mapped(Arc<[u32]>),
}

impl Expr {
    /// The expression's text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.program.text()
    }

    /// Where a part of the expression stands in the file, for example the sub-expression of an error.
    #[must_use]
    pub fn place(&self, part: Range<usize>) -> Span {
        self.places.place(self.span, part)
    }
}

impl Places {
    /// The place in the file of a range of the text; never outside of `within`.
    pub(crate) fn place(&self, within: Span, part: Range<usize>) -> Span {
        let (start, end) = match self {
            Self::Straight(base) => (base.saturating_add(part.start), base.saturating_add(part.end)),
            Self::Mapped(offsets) => {
                let at = |index: usize| offsets.get(index).or(offsets.last()).map_or(within.start, |at| *at as usize);
                let start = at(part.start);
                // The end is that of the last character, so that a line break behind it is left out.
                let end = match part.end.checked_sub(1) {
                    Some(last) if last >= part.start => (at(last) + 1).max(at(part.end).min(at(last) + 4)),
                    _ => start,
                };
                (start, end)
            }
        };
        let start = start.clamp(within.start, within.end.max(within.start));
        Span { start, end: end.clamp(start, within.end.max(start)), ..within }
    }
}

impl Template {
    /// The value under a key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Template> {
        self.entries()?.iter().find(|(known, _)| &*known.text == key).map(|(_, value)| value)
    }

    /// The entries, if this is a map.
    #[must_use]
    pub fn entries(&self) -> Option<&[(Key, Template)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Template]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is text without holes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The expression, if this is one hole.
    #[must_use]
    pub fn hole(&self) -> Option<&Expr> {
        match &self.kind {
            Kind::Hole(expr) => Some(expr),
            _ => None,
        }
    }

    /// The key `X` if this is exactly `${case.X}` or `${case['X']}`: the row's node goes into this spot.
    #[must_use]
    pub fn row_key(&self) -> Option<&str> {
        let hole = self.hole()?;
        match hole.program.references() {
            [only] if only.range.len() == hole.text().trim().len() => match only.path.as_slice() {
                [root, key] if root == "case" => Some(key),
                _ => None,
            },
            _ => None,
        }
    }

    /// What it is, with an article, for messages.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Float(_) => "a number",
            Kind::Text(_) | Kind::Mixed(_) => "text",
            Kind::Hole(_) => "a hole",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Calls `visit` with every expression in here, in the order of the file.
    pub fn each_expr<'t>(&'t self, visit: &mut dyn FnMut(&'t Expr)) {
        match &self.kind {
            Kind::Hole(expr) => visit(expr),
            Kind::Mixed(pieces) => {
                for piece in pieces {
                    if let Piece::Hole(expr) = piece {
                        visit(expr);
                    }
                }
            }
            Kind::List(items) => items.iter().for_each(|item| item.each_expr(visit)),
            Kind::Map(entries) => entries.iter().for_each(|(_, value)| value.each_expr(visit)),
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_) => {}
        }
    }
}
