//! Where included files come from.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::source::MAX_BYTES;

/// Gives the bytes of files that a document includes.
pub trait Loader {
    /// The bytes of a file, by its path relative to the first document's folder: `/` between the parts, no `..`. At most
    /// one byte more than [`MAX_BYTES`] needs to be given of a file that is too large.
    ///
    /// # Errors
    /// Why not, in words that fit after "cannot read `FILE`:".
    fn load(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// A folder of the file system. Files outside of it, by links too, are not read.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Loader for Folder {
    fn load(&self, path: &str) -> Result<Vec<u8>, String> {
        let root = self.0.canonicalize().map_err(|fault| fault.to_string())?;
        let file = root.join(path).canonicalize().map_err(|fault| words(&fault))?;
        if !file.starts_with(&root) {
            return Err("it is a link that leads out of the folder".to_owned());
        }
        read_file(&file)
    }
}

/// The bytes of a plain file, at most one more than [`MAX_BYTES`].
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    // Pipes and devices may never end.
    if !fs::metadata(path).map_err(|fault| words(&fault))?.is_file() {
        return Err("it is no plain file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|fault| words(&fault))?;
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|fault| fault.to_string())?;
    Ok(bytes)
}

/// What is wrong with a file, without the number that the system has for it.
fn words(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => fault.to_string(),
    }
}

/// Follows a path from the folder of a file: both relative to the first document's folder, `/` between the parts.
/// `None` if it leads out of that folder.
pub(crate) fn join(from: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') || path.contains(['\\', '\0']) || path.get(1..2) == Some(":") {
        return None;
    }
    let mut parts: Vec<&str> = from.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "a.yaml", Some("a.yaml"))]
    #[case("sub/b.yaml", "a.yaml", Some("sub/a.yaml"))]
    #[case("sub/b.yaml", "../a.yaml", Some("a.yaml"))]
    #[case("", "./x//a.yaml", Some("x/a.yaml"))]
    #[case("", "../a.yaml", None)]
    #[case("sub/b.yaml", "../../a.yaml", None)]
    #[case("", "/etc/passwd", None)]
    #[case("", "C:/x", None)]
    #[case("", "a\\b", None)]
    #[case("", "..", None)]
    #[case("", ".", None)]
    fn a_path_stays_in_the_folder(#[case] from: &str, #[case] path: &str, #[case] joined: Option<&str>) {
        assert_eq!(join(from, path).as_deref(), joined);
    }

    #[test]
    fn a_folder_reads_its_files_and_nothing_else() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), "a: 1").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let loader = Folder(folder.path().to_owned());
        assert_eq!(loader.load("a.yaml").unwrap(), b"a: 1");
        assert_eq!(loader.load("sub").unwrap_err(), "it is no plain file");
        assert!(loader.load("b.yaml").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
            assert_eq!(loader.load("link").unwrap_err(), "it is a link that leads out of the folder");
        }
    }
}
