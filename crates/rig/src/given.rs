//! From given documents to a rig that holds what they say.

use std::path::PathBuf;

use tokenrig_report::Look;
use tokenrig_runner::given::{self, GivenFault};
use tokenrig_scenario::{Faults, Given, GivenText, Loader, Sources, parse_givens};

use crate::{
    builder::RigBuilder,
    rig::{Rig, StartFault},
};

/// Where a given document comes from.
#[derive(Debug, Clone)]
pub(crate) enum GivenSource {
    /// A file; it includes those of its folder.
    File(PathBuf),
    /// Text, which has no folder.
    Text(String),
}

/// The files of a document that has no folder: none.
struct NoFolder;

impl Loader for NoFolder {
    fn load(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("a document that is no file includes none".to_owned())
    }
}

/// Reads what is given, starts the rig and puts everything in place by Google's own admin calls.
pub(crate) async fn start(mut builder: RigBuilder) -> Result<Rig, StartFault> {
    let documents = std::mem::take(&mut builder.given);
    if documents.is_empty() {
        return Rig::start(builder).await;
    }
    let (given, sources) = read(documents)?;
    let foundation = given::foundation(&given).map_err(|fault| refused(&fault, &sources))?;
    builder = builder.foundation(&foundation).map_err(|fault| StartFault::Given(fault.to_string()))?;
    let rig = Rig::start(builder).await?;
    given::apply(&rig, &given).await.map_err(|fault| refused(&fault, &sources))?;
    // What was there before anybody asked counts at once, however long a change takes to spread.
    rig.core().cloud().policies().settle();
    Ok(rig)
}

/// All documents as one, or all faults of all of them.
fn read(documents: Vec<GivenSource>) -> Result<(Given, Sources), StartFault> {
    let text = |document| match document {
        GivenSource::File(path) => GivenText::of(&path),
        GivenSource::Text(text) => {
            Ok(GivenText { name: "given".to_owned(), bytes: text.into_bytes(), loader: Box::new(NoFolder) })
        }
    };
    let read = documents.into_iter().map(text).collect::<Result<Vec<_>, Faults>>().and_then(parse_givens);
    read.map_err(|faults| StartFault::Given(begun(&tokenrig_report::diagnostics(&faults, &Look::default()))))
}

fn refused(fault: &GivenFault, sources: &Sources) -> StartFault {
    StartFault::Given(begun(&tokenrig_report::given_fault(fault, sources, &Look::default())))
}

/// On lines of its own, behind "the rig did not start:".
fn begun(told: &str) -> String {
    format!("what is given is wrong\n\n{}", told.trim_end())
}
