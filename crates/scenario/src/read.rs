//! From bytes to model.

use std::{collections::HashSet, path::Path};

use crate::{
    diagnostic::{Diagnostic, Faults, Severity},
    document, given,
    include::{Includer, decode},
    load::{Folder, Loader, read_file},
    model::{Given, Scenario},
    order,
    reader::Reader,
    sight::{Names, takes_names},
    source::{Source, Sources, Span},
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

/// Reads a given document from bytes; also gives the files it was read from.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_given(name: &str, bytes: &[u8], loader: &dyn Loader) -> Result<(Given, Sources), Faults> {
    let mut sources = Sources::new();
    let mut out = Vec::new();
    let given = decode(name, bytes, &mut sources, &mut out).and_then(|id| {
        let mut includer = Includer::new(loader, name);
        let first = includer.document(id, &sources, &mut out)?;
        let own = name.rsplit('/').next().unwrap_or(name).to_owned();
        includer.follow(&first, &mut vec![own], &mut sources, &mut out);
        let documents = includer.finish(first, &mut out);
        let mut reader = Reader::new(&sources);
        let mut given = given::read(&mut reader, &documents);
        let things = Things::of(&given);
        order::arrange(&mut reader, &mut given, &things, None);
        let incomplete = out.iter().chain(&reader.out).any(takes_names);
        let names = Names { things: Some(&things), given_file: true, incomplete, ..Names::default() };
        names.given(&mut reader, &given, None);
        out.append(&mut reader.out);
        Some(given)
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
    let bytes = read_file(path).map_err(|why| unreadable(&name, &why))?;
    parse_scenario(&name, &bytes, &folder_of(path))
}

/// Reads a given file; included files are those of its folder.
///
/// # Errors
/// All that is wrong with it, a file that cannot be read among it.
pub fn read_given(path: &Path) -> Result<(Given, Sources), Faults> {
    let name = name_of(path);
    let bytes = read_file(path).map_err(|why| unreadable(&name, &why))?;
    parse_given(&name, &bytes, &folder_of(path))
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

fn unreadable(name: &str, why: &str) -> Faults {
    let mut sources = Sources::new();
    let id = sources.add(Source::new(name, ""));
    let fault = Diagnostic::error("file::unreadable", Span::new(id, 0, 0), format!("cannot read the file: {why}"));
    Faults { sources, diagnostics: vec![fault] }
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
