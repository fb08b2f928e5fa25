//! What all readers of the model share: taking templates apart, and saying what is wrong with them.

use crate::{
    diagnostic::Diagnostic,
    source::{Source, Sources, Span},
    template::{Key, Kind, Template},
    words::{Word, nearest},
    yaml::shorten,
};

/// With how many known words an unknown one is compared.
const MAX_COMPARED: usize = 1_000;

/// Collects what is wrong while a model is made.
pub(crate) struct Reader<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) out: Vec<Diagnostic>,
}

/// `a`, `b` or `c`: names in a sentence.
pub(crate) fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, "or")
}

/// `a`, `b` and `c`.
pub(crate) fn list_all<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    joined(words, "and")
}

fn joined<'w>(words: impl IntoIterator<Item = &'w str>, link: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {link} {last}", rest.join(", ")),
    }
}

impl<'s> Reader<'s> {
    pub(crate) fn new(sources: &'s Sources) -> Self {
        Self { sources, out: Vec::new() }
    }

    pub(crate) fn push(&mut self, fault: Diagnostic) {
        self.out.push(fault);
    }

    pub(crate) fn source(&self, span: Span) -> Option<&'s Source> {
        self.sources.get(span.source)
    }

    /// The entries of a map; nothing at all counts as an empty one. `what` has its article: "a provider".
    pub(crate) fn entries<'t>(&mut self, value: &'t Template, what: &str) -> Option<&'t [(Key, Template)]> {
        match &value.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Null => Some(&[]),
            // The row's node comes later.
            Kind::Hole(_) if value.row_key().is_some() => Some(&[]),
            _ => {
                let fault = format!("{what} is a map, and this is {}", value.what());
                let fault = Diagnostic::error("file::wrong-type", value.span, fault);
                let example = match what {
                    "`expect`" if matches!(value.kind, Kind::Int(_)) => {
                        format!("write `{{ status: {} }}`", self.sources.slice(value.span))
                    }
                    "`decision`" if value.text().is_some() => {
                        format!("write `{{ failed: {} }}`, the name of the check", self.sources.slice(value.span))
                    }
                    "a row" => "a row is written `{ case: its name, key: value }`".to_owned(),
                    "a step" => "a step begins with its title or its verb: `- http: GET https://…`".to_owned(),
                    _ => "write `{ key: value }`, or lines of `key: value`".to_owned(),
                };
                self.push(fault.help(example));
                None
            }
        }
    }

    pub(crate) fn items<'t>(&mut self, value: &'t Template, what: &str) -> Option<&'t [Template]> {
        match &value.kind {
            Kind::List(items) => Some(items),
            Kind::Hole(_) if value.row_key().is_some() => Some(&[]),
            _ => {
                let fault = Diagnostic::error(
                    "file::wrong-type",
                    value.span,
                    format!("{what} is a list, and this is {}", value.what()),
                );
                let written = self.sources.slice(value.span);
                self.push(match value.kind {
                    Kind::Text(_) | Kind::Mixed(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_)
                        if !written.contains(['\n', ',']) =>
                    {
                        let list = format!("[{written}]");
                        fault.help(format!("write `{list}`, or lines that start with `- `")).patch(value.span, list)
                    }
                    _ => fault.help("write `[…]`, or lines that start with `- `"),
                });
                None
            }
        }
    }

    /// Text without holes.
    pub(crate) fn word(&mut self, value: &Template, what: &str) -> Option<Key> {
        match &value.kind {
            Kind::Text(text) if text.trim().is_empty() => {
                self.push(Diagnostic::error("file::empty", value.span, format!("{what} is empty")));
                None
            }
            Kind::Text(text) => Some(Key { text: text.clone(), span: value.span }),
            Kind::Hole(_) if value.row_key().is_some() => None,
            Kind::Hole(_) | Kind::Mixed(_) => {
                self.push(
                    Diagnostic::error("hole::not-here", value.span, format!("{what} has no holes"))
                        .help("it is known before anything runs; write it out, or make a scenario of its own"),
                );
                None
            }
            _ => {
                self.not_text(value, what);
                None
            }
        }
    }

    /// Text that may have holes.
    pub(crate) fn text(&mut self, value: &Template, what: &str) -> bool {
        match &value.kind {
            Kind::Text(_) | Kind::Mixed(_) | Kind::Hole(_) => true,
            _ => {
                self.not_text(value, what);
                false
            }
        }
    }

    pub(crate) fn not_text(&mut self, value: &Template, what: &str) {
        let fault =
            Diagnostic::error("file::wrong-type", value.span, format!("{what} is text, and this is {}", value.what()));
        let written = self.sources.slice(value.span).to_owned();
        self.push(match value.kind {
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => {
                let quoted = format!("\"{written}\"");
                fault.help(format!("quote it: `{quoted}`")).patch(value.span, quoted)
            }
            _ => fault,
        });
    }

    /// Checks a key against known words; says what is wrong with it. `owner` has its article: "a step".
    pub(crate) fn known(&mut self, key: &Key, words: &[Word], code: &'static str, owner: &str) -> bool {
        match words.iter().find(|word| *word.name == *key.text) {
            Some(word) if word.played => true,
            Some(_) => {
                self.not_played(key, &format!("`{}` of {owner}", key.text));
                false
            }
            None => {
                self.unknown(key, words.iter().map(|word| word.name), code, owner);
                false
            }
        }
    }

    /// A key that nobody knows.
    pub(crate) fn unknown<'w>(
        &mut self,
        key: &Key,
        words: impl IntoIterator<Item = &'w str>,
        code: &'static str,
        owner: &str,
    ) {
        let words: Vec<&str> = words.into_iter().collect();
        let what = if code.ends_with("field") { "field" } else { "key" };
        let fault = Diagnostic::error(code, key.span, format!("`{}` is not a {what} of {owner}", shorten(&key.text)));
        let fault = did_you_mean(fault, key, &words);
        self.push(fault);
    }

    /// A word whose service does not exist yet.
    pub(crate) fn not_played(&mut self, key: &Key, what: &str) {
        self.push(
            Diagnostic::error("service::not-played", key.span, format!("{what} is known, but not played yet"))
                .help("leave it out: this version of tokenrig has nothing that would answer"),
        );
    }
}

/// Adds the nearest known word, else the list of all if it is short.
pub(crate) fn did_you_mean(fault: Diagnostic, written: &Key, words: &[&str]) -> Diagnostic {
    // Comparing takes time, and thousands of words are no list that anybody reads.
    let near = if words.len() > MAX_COMPARED { None } else { nearest(&written.text, words.iter().copied()) };
    match near {
        Some(word) => fault.label(format!("did you mean `{word}`?")).patch(written.span, word),
        None if words.is_empty() => fault,
        None if words.len() <= 16 => fault.help(format!(
            "known here: {}",
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        )),
        None => fault,
    }
}
