//! From bytes to model.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Faults, Severity},
    document, given,
    include::{Includer, decode},
    load::{Folder, Loader, read_file},
    model::{Given, Scenario},
    order,
    reader::Reader,
    sight::{Names, takes_names},
    source::{Source, SourceId, Sources, Span},
    template::Template,
    things::Things,
};

/// How many faults are told of one file; more help nobody.
const MAX_FAULTS: usize = 100;

/// Reads a scenario from bytes. `name` is what messages call the file, with `/` between the parts.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_scenario(name: &str, bytes: &[u8], loader: &dyn Loader) -> Result<Scenario, Faults> {
    let mut sources = Sources::new();
    let mut out = Vec::new();
    let scenario = decode(name, bytes, &mut sources, &mut out)
        .and_then(|id| document::scenario(id, &mut sources, loader, &mut out));
    match (sort(out, &sources), scenario) {
        (Ok(warnings), Some(mut scenario)) => {
            scenario.sources = sources;
            scenario.warnings = warnings;
            Ok(scenario)
        }
        (Ok(diagnostics) | Err(diagnostics), _) => Err(Faults { sources, diagnostics }),
    }
}

/// A given document that was read from somewhere.
pub struct GivenText {
    /// What messages call it, with `/` between the parts.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Gives the files that it includes.
    pub loader: Box<dyn Loader>,
}

impl GivenText {
    /// That of a file, which includes files of its folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> Result<Self, Faults> {
        let name = name_of(path);
        let bytes = read_file(path).map_err(|why| only_unreadable(&name, &why))?;
        Ok(Self { name, bytes, loader: Box::new(folder_of(path)) })
    }
}

impl std::fmt::Debug for GivenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenText").field("name", &self.name).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Reads a given document from bytes; also gives the files it was read from.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_given(name: &str, bytes: &[u8], loader: &dyn Loader) -> Result<(Given, Sources), Faults> {
    as_one(|reading| reading.document(name, bytes, loader))
}

/// Reads several given documents as one: what has the same name in two of them is the same thing, and each may say a part of
/// it. Of none it is an empty one.
///
/// # Errors
/// All that is wrong with them, contradictions among it.
pub fn parse_givens(documents: Vec<GivenText>) -> Result<(Given, Sources), Faults> {
    as_one(|reading| {
        for GivenText { name, bytes, loader } in &documents {
            reading.document(name, bytes, &**loader);
        }
    })
}

/// Given documents while they are read.
#[derive(Default)]
struct Reading {
    sources: Sources,
    out: Vec<Diagnostic>,
    documents: Vec<Template>,
    /// Whether one could not be read at all.
    incomplete: bool,
}

impl Reading {
    fn document(&mut self, name: &str, bytes: &[u8], loader: &dyn Loader) {
        let (sources, out) = (&mut self.sources, &mut self.out);
        let mut includer = Includer::new(loader, name);
        let first = decode(name, bytes, sources, out).and_then(|id| includer.document(id, sources, out));
        let Some(first) = first else {
            self.incomplete = true;
            return;
        };
        let own = name.rsplit('/').next().unwrap_or(name).to_owned();
        includer.follow(&first, &mut vec![own], sources, out);
        self.documents.extend(includer.finish(first, out));
    }
}

fn as_one(read: impl FnOnce(&mut Reading)) -> Result<(Given, Sources), Faults> {
    let mut reading = Reading::default();
    read(&mut reading);
    let Reading { sources, mut out, documents, incomplete } = reading;
    let given = (!incomplete || !documents.is_empty()).then(|| {
        let mut reader = Reader::new(&sources);
        let mut given = given::read(&mut reader, &documents);
        let things = Things::of(&given);
        order::arrange(&mut reader, &mut given, &things, None);
        let incomplete = incomplete || out.iter().chain(&reader.out).any(takes_names);
        let names = Names { things: Some(&things), given_file: true, incomplete, ..Names::default() };
        names.given(&mut reader, &given, None);
        out.append(&mut reader.out);
        given
    });
    match (sort(out, &sources), given) {
        (Ok(_), Some(given)) => Ok((given, sources)),
        (Ok(diagnostics) | Err(diagnostics), _) => Err(Faults { sources, diagnostics }),
    }
}

/// Reads a scenario file; included files are those of its folder.
///
/// # Errors
/// All that is wrong with it, a file that cannot be read among it.
pub fn read_scenario(path: &Path) -> Result<Scenario, Faults> {
    let name = name_of(path);
    let bytes = read_file(path).map_err(|why| only_unreadable(&name, &why))?;
    parse_scenario(&name, &bytes, &folder_of(path))
}

/// Reads a given file; included files are those of its folder.
///
/// # Errors
/// All that is wrong with it, a file that cannot be read among it.
pub fn read_given(path: &Path) -> Result<(Given, Sources), Faults> {
    let name = name_of(path);
    let bytes = read_file(path).map_err(|why| only_unreadable(&name, &why))?;
    parse_given(&name, &bytes, &folder_of(path))
}

/// Reads several given files as one, as [`parse_givens`] does; each includes files of its own folder.
///
/// # Errors
/// All that is wrong with them, files that cannot be read and contradictions among it.
pub fn read_givens(paths: &[PathBuf]) -> Result<(Given, Sources), Faults> {
    as_one(|reading| {
        for path in paths {
            let name = name_of(path);
            match read_file(path) {
                Ok(bytes) => reading.document(&name, &bytes, &folder_of(path)),
                Err(why) => {
                    let id = reading.sources.add(Source::new(name, ""));
                    reading.out.push(unreadable(id, &why));
                    reading.incomplete = true;
                }
            }
        }
    })
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn folder_of(path: &Path) -> Folder {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Folder(folder.to_owned()),
        _ => Folder(".".into()),
    }
}

fn unreadable(id: SourceId, why: &str) -> Diagnostic {
    Diagnostic::error("file::unreadable", Span::new(id, 0, 0), format!("cannot read the file: {why}"))
}

fn only_unreadable(name: &str, why: &str) -> Faults {
    let mut sources = Sources::new();
    let id = sources.add(Source::new(name, ""));
    Faults { sources, diagnostics: vec![unreadable(id, why)] }
}

/// In the order of the text, each fault once. `Err` if any is an error; then there is at least one.
fn sort(mut out: Vec<Diagnostic>, sources: &Sources) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let mut seen = HashSet::new();
    out.retain(|fault| seen.insert((fault.code, fault.span(), fault.message.clone())));
    out.sort_by_key(|fault| (fault.span().source, fault.span().start));
    let errors = out.iter().filter(|fault| fault.severity == Severity::Error).count();
    if errors > MAX_FAULTS {
        out.retain(|fault| fault.severity == Severity::Error);
    }
    let more = out.len().saturating_sub(MAX_FAULTS);
    if more > 0 {
        out.truncate(MAX_FAULTS);
        let place = out.last().map(Diagnostic::span).unwrap_or_default();
        let rest = format!("{more} more faults follow, which are not listed");
        out.push(match errors {
            0 => Diagnostic::warning("file::more", place, rest),
            _ => Diagnostic::error("file::more", place, rest),
        });
    }
    debug_assert!(out.iter().all(|fault| sources.get(fault.span().source).is_some()), "every place is of a known file");
    if errors > 0 { Err(out) } else { Ok(out) }
}
