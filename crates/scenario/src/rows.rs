//! Rows as templates: `${case.X}` alone puts the row's node, places and all, into its spot.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    diagnostic::Diagnostic,
    given,
    model::{Case, Given, Play, Scenario, Step},
    order,
    reader::Reader,
    sight::{Names, missing_value},
    steps::{self, StepContext},
    template::{Expr, Kind, RowUse, Template},
    things::Things,
};

/// How many nodes the rows may put into one case. Rows that use rows twice, and those twice again, end here.
const MAX_NODES: usize = 100_000;

/// What [`Scenario::play`] makes plays of.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) given: Part<Given, Vec<Template>>,
    pub(crate) steps: Vec<Part<Step, Template>>,
    pub(crate) things: Things,
    pub(crate) live: bool,
    pub(crate) deploys: bool,
    pub(crate) incomplete: bool,
}

/// Something that is the same for all rows, or is made for each.
#[derive(Debug)]
pub(crate) enum Part<T, S> {
    Fixed(Option<Arc<T>>),
    PerRow(S),
}

impl<T, S> Default for Part<T, S> {
    fn default() -> Self {
        Self::Fixed(None)
    }
}

impl Rows {
    /// The given of a row. What is wrong goes to `reader`.
    pub(crate) fn given(&self, reader: &mut Reader<'_>, row: &Case) -> Arc<Given> {
        match &self.given {
            Part::Fixed(given) => given.clone().unwrap_or_default(),
            Part::PerRow(documents) => {
                let mut budget = MAX_NODES;
                let documents: Vec<Template> = documents
                    .iter()
                    .map(|document| substitute(reader, document, row, &mut Vec::new(), &mut budget))
                    .collect();
                let mut given = given::read(reader, &documents);
                order::arrange(reader, &mut given, &self.things, Some(row));
                Arc::new(given)
            }
        }
    }

    /// One step of a row.
    pub(crate) fn step(&self, reader: &mut Reader<'_>, part: &Part<Step, Template>, row: &Case) -> Option<Arc<Step>> {
        match part {
            Part::Fixed(step) => step.clone(),
            Part::PerRow(template) => {
                let mut budget = MAX_NODES;
                let template = substitute(reader, template, row, &mut Vec::new(), &mut budget);
                let context = StepContext {
                    things: &self.things,
                    live: self.live,
                    deploys: self.deploys,
                    incomplete: self.incomplete,
                };
                steps::read(reader, &context, &template).map(Arc::new)
            }
        }
    }

    /// Checks what only shows with a row's values in place.
    /// `reading` are the steps that read the row.
    pub(crate) fn check(&self, reader: &mut Reader<'_>, names: &Names<'_>, row: &Case, reading: &[bool]) {
        if circle(reader, row) {
            return;
        }
        if matches!(self.given, Part::PerRow(_)) {
            let given = self.given(reader, row);
            names.given(reader, &given, Some(row));
        }
        for (index, (part, reads)) in self.steps.iter().zip(reading).enumerate() {
            if *reads && let Some(step) = self.step(reader, part, row) {
                names.step(reader, index, &step, Some(row));
            }
        }
    }
}

impl Scenario {
    /// What a case does. `case` is an index of [`Scenario::cases`]; one past the end is taken as a case without values.
    #[must_use]
    pub fn play(&self, case: usize) -> Play {
        // All rows were checked when the file was read: nothing new is wrong here.
        let mut reader = Reader::new(&self.sources);
        let none = Case { name: None, values: Vec::new(), span: self.title.span };
        let row = self.cases.get(case).unwrap_or(&none);
        Play {
            given: self.rows.given(&mut reader, row),
            steps: self.rows.steps.iter().filter_map(|part| self.rows.step(&mut reader, part, row)).collect(),
        }
    }
}

/// Whether a row's node goes into some spot of this.
pub(crate) fn has_spots(template: &Template) -> bool {
    match &template.kind {
        Kind::List(items) => items.iter().any(has_spots),
        Kind::Map(entries) => entries.iter().any(|(_, value)| has_spots(value)),
        Kind::Hole(_) => template.row_key().is_some(),
        _ => false,
    }
}

/// Whether anything in this reads the row.
pub(crate) fn reads_row(template: &Template) -> bool {
    let mut found = false;
    template.each_expr(&mut |expr| found |= expr.row != RowUse::Keys(Vec::new()));
    found
}

/// The same with the row's nodes in their spots. `inside` are the keys whose nodes this is a part of.
fn substitute(
    reader: &mut Reader<'_>,
    template: &Template,
    row: &Case,
    inside: &mut Vec<Arc<str>>,
    budget: &mut usize,
) -> Template {
    *budget = budget.saturating_sub(1);
    if let Some(key) = template.row_key() {
        let Some((known, value)) = row.values.iter().find(|(known, _)| &*known.text == key) else {
            // The row's own name is one of its values.
            if key == "case"
                && let Some(name) = &row.name
            {
                return Template { kind: Kind::Text(name.text.clone()), span: name.span, ..template.clone() };
            }
            missing_value(reader, row, key, template.span);
            return Template { kind: Kind::Null, ..template.clone() };
        };
        if *budget == 0 {
            too_large(reader, row);
            return Template { kind: Kind::Null, ..template.clone() };
        }
        if inside.contains(&known.text) {
            return Template { kind: Kind::Null, ..template.clone() };
        }
        inside.push(known.text.clone());
        let value = substitute(reader, value, row, inside, budget);
        inside.pop();
        return value;
    }
    let kind = match &template.kind {
        Kind::List(items) => {
            Kind::List(items.iter().map(|item| substitute(reader, item, row, inside, budget)).collect())
        }
        Kind::Map(entries) => Kind::Map(
            entries.iter().map(|(key, value)| (key.clone(), substitute(reader, value, row, inside, budget))).collect(),
        ),
        kind => kind.clone(),
    };
    Template { kind, ..*template }
}

fn too_large(reader: &mut Reader<'_>, row: &Case) {
    reader.push(
        Diagnostic::error(
            "case::too-large",
            row.span,
            format!("with all its values in place this row has more than {MAX_NODES} values"),
        )
        .help("values of a row that use each other many times grow without end"),
    );
}

/// Whether values of a row need each other in a circle; told with all places.
fn circle(reader: &mut Reader<'_>, row: &Case) -> bool {
    let needs: Vec<Vec<usize>> = row.values.iter().map(|(_, value)| needs_of(row, value)).collect();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    for start in 0..needs.len() {
        // (value, how many of its needs were looked at)
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((value, looked)) = path.last_mut() {
            let (value, next) = (*value, needs.get(*value).and_then(|needs| needs.get(*looked)).copied());
            *looked += 1;
            let Some(next) = next.filter(|next| !done.contains(next)) else {
                if next.is_none() {
                    done.insert(value);
                    path.pop();
                }
                continue;
            };
            if let Some(at) = path.iter().position(|(seen, _)| *seen == next) {
                let round: Vec<usize> = path.iter().skip(at).map(|(value, _)| *value).collect();
                tell_circle(reader, row, &round);
                return true;
            }
            path.push((next, 0));
        }
    }
    false
}

fn needs_of(row: &Case, value: &Template) -> Vec<usize> {
    let mut needs = BTreeSet::new();
    value.each_expr(&mut |expr: &Expr| match &expr.row {
        RowUse::Keys(keys) => {
            needs.extend(
                row.values.iter().enumerate().filter(|(_, (key, _))| keys.contains(&key.text)).map(|(at, _)| at),
            );
        }
        RowUse::Whole => needs.extend(0..row.values.len()),
    });
    needs.into_iter().collect()
}

fn tell_circle(reader: &mut Reader<'_>, row: &Case, round: &[usize]) {
    let keys: Vec<_> = round.iter().filter_map(|at| row.values.get(*at)).map(|(key, _)| key).collect();
    let Some((first, rest)) = keys.split_first() else { return };
    let message = match rest {
        [] => format!("`{}` of this row needs itself", first.text),
        _ => {
            let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.text)).collect();
            format!("{} of this row need each other", names.join(", "))
        }
    };
    let mut fault = Diagnostic::error("case::cycle", first.span, message);
    for key in rest.iter().take(6) {
        fault = fault.also(key.span, "");
    }
    reader.push(fault);
}

/// All keys of rows that anything in here reads; `None` if a row is read as a whole.
pub(crate) fn keys_read(template: &Template, keys: &mut BTreeSet<Arc<str>>) -> bool {
    let mut whole = false;
    template.each_expr(&mut |expr| match &expr.row {
        RowUse::Keys(read) => keys.extend(read.iter().cloned()),
        RowUse::Whole => whole = true,
    });
    whole
}
