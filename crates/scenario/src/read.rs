//! From text to model.

use std::path::Path;

use crate::{
    diagnostic::{Diagnostic, Faults},
    load::Loader,
    model::{Given, Scenario},
    source::{Sources, Span},
};

fn not_yet() -> Faults {
    Faults {
        sources: Sources::new(),
        diagnostics: vec![Diagnostic::error("file::unread", Span::default(), "reading is not built yet")],
    }
}

/// Reads a scenario from bytes. `name` is what messages call the file.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_scenario(_name: &str, _bytes: &[u8], _loader: &dyn Loader) -> Result<Scenario, Faults> {
    Err(not_yet())
}

/// Reads a given document from bytes; also gives the files it was read from.
///
/// # Errors
/// All that is wrong with it.
pub fn parse_given(_name: &str, _bytes: &[u8], _loader: &dyn Loader) -> Result<(Given, Sources), Faults> {
    Err(not_yet())
}

/// Reads a scenario file; included files are those of its folder.
///
/// # Errors
/// All that is wrong with it, a file that cannot be read among it.
pub fn read_scenario(_path: &Path) -> Result<Scenario, Faults> {
    Err(not_yet())
}

/// Reads a given file; included files are those of its folder.
///
/// # Errors
/// All that is wrong with it, a file that cannot be read among it.
pub fn read_given(_path: &Path) -> Result<(Given, Sources), Faults> {
    Err(not_yet())
}
