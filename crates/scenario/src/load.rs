//! Where included files come from.

use std::path::PathBuf;

/// Gives the bytes of files that a document includes.
pub trait Loader {
    /// The bytes of a file, by its path relative to the first document's folder: `/` between the parts, no `..`.
    ///
    /// # Errors
    /// Why not, in words that fit after "cannot read `FILE`:".
    fn load(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A folder of the file system. Files outside of it, by links too, are not read.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Loader for Folder {
    fn load(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("not built yet".to_owned())
    }
}
