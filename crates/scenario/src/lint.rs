//! What would go wrong in a live run, where a prefix stands before every given id.

use std::collections::HashMap;

use crate::{
    diagnostic::Diagnostic,
    model::Case,
    reader::Reader,
    rows::{Part, Rows},
    sight::texts_of,
    source::Span,
    things::{Thing, Things},
};

/// The most characters of a given id: with its prefix it must fit into Google's 30 and 32.
const MAX_ID: usize = 16;
/// How many rows are looked at.
const MAX_LINTED_ROWS: usize = 100;

/// Ids that are too long for a prefix.
pub(crate) fn long_ids(reader: &mut Reader<'_>, things: &Things) {
    for thing in things.iter().filter(|thing| thing.known.resource.is_some()) {
        let id = &thing.id;
        if id.text.contains('@') || id.text.chars().count() <= MAX_ID {
            continue;
        }
        reader.push(
            Diagnostic::error("given::id-too-long", id.span, format!("a given id has at most {MAX_ID} characters"))
                .help("a live run puts a prefix before it; a scenario that only runs offline says `worlds: [offline]`"),
        );
    }
}

/// Ids written as whole values, where a live run has another name.
pub(crate) fn literal_ids(reader: &mut Reader<'_>, rows: &Rows, cases: &[Case]) {
    let ids: HashMap<&str, &Thing> = rows
        .things
        .iter()
        .filter(|thing| thing.known.resource.is_some() && !thing.id.text.contains('@'))
        .map(|thing| (&*thing.id.text, thing))
        .collect();
    if ids.is_empty() {
        return;
    }
    let mut scratch = Reader::new(reader.sources);
    let none = [Case { name: None, values: Vec::new(), span: Span::default() }];
    let cases = if cases.is_empty() { &none } else { cases };
    for (index, row) in cases.iter().take(MAX_LINTED_ROWS).enumerate() {
        for part in &rows.steps {
            // What no row changes was looked at with the first one.
            if index > 0 && matches!(part, Part::Fixed(_)) {
                continue;
            }
            let Some(step) = rows.step(&mut scratch, part, row) else { continue };
            for (text, span) in texts_of(&step) {
                let Some(thing) = ids.get(&*text) else { continue };
                let name = match &thing.known.name {
                    Some(name) => name.clone(),
                    None => format!("given['{}']['{}']", thing.known.collection, thing.known.key),
                };
                let fault = format!("`{text}` is a given id, and live it has another name");
                reader.push(
                    Diagnostic::warning("given::literal-id", span, fault).also(thing.id.span, "given here").help(
                        format!("if the resource is meant, write a hole such as `${{{name}.name.split('/')[5]}}`"),
                    ),
                );
            }
        }
    }
}
