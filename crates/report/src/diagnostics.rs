//! Faults of files at their places.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Snippet, normalize_untrusted_str};
use tokenrig_scenario::{Diagnostic, Faults, Severity, Source, Sources, Span};

use crate::paint::Look;

/// All faults of a file as text, each followed by an empty line.
#[must_use]
pub fn diagnostics(faults: &Faults, look: &Look) -> String {
    let mut text = String::new();
    for diagnostic in &faults.diagnostics {
        text.push_str(&one(diagnostic, &faults.sources, look));
        text.push_str("\n\n");
    }
    text
}

fn one(diagnostic: &Diagnostic, sources: &Sources, look: &Look) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code));
    let places: Vec<Place<'_>> = diagnostic
        .labels
        .iter()
        .map(|label| Place { span: label.span, label: &label.text, primary: label.primary })
        .collect();
    group = group.elements(snippets(sources, &places));
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(normalize_untrusted_str(note)));
    }
    let mut report = vec![group];
    if let Some(help) = &diagnostic.help {
        report.push(Group::with_title(Level::HELP.secondary_title(normalize_untrusted_str(help))));
    }
    look.renderer().render(&report)
}

/// A place and what is said of it.
pub(crate) struct Place<'a> {
    pub(crate) span: Span,
    pub(crate) label: &'a str,
    pub(crate) primary: bool,
}

/// One snippet per file, the primary place's first.
pub(crate) fn snippets<'a>(sources: &'a Sources, places: &[Place<'a>]) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut files: Vec<(&'a Source, Vec<Annotation<'a>>)> = Vec::new();
    let mut ordered: Vec<&Place<'a>> = places.iter().collect();
    ordered.sort_by_key(|place| !place.primary);
    for place in ordered {
        let Some(source) = sources.get(place.span.source) else { continue };
        let kind = if place.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(first_line(source, place.span));
        if !place.label.is_empty() {
            annotation = annotation.label(place.label);
        }
        match files.iter_mut().find(|(known, _)| known.name == source.name) {
            Some((_, annotations)) => annotations.push(annotation),
            None => files.push((source, vec![annotation])),
        }
    }
    files
        .into_iter()
        .map(|(source, annotations)| Snippet::source(&*source.text).path(&*source.name).annotations(annotations))
        .collect()
}

/// The part of a span in its first line: underlining a whole block would hide what is said of it.
fn first_line(source: &Source, span: Span) -> std::ops::Range<usize> {
    let end = span.end.min(source.text.len());
    let start = span.start.min(end);
    let text = source.text.get(start..end).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim_end().len();
    start..start + line
}
