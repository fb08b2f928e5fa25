//! Reports that are files: written whole or not at all, and never held in memory.

use std::{
    fmt, fs,
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use tempfile::NamedTempFile;
use tokenrig_clock::Timestamp;
use tokenrig_runner::{Event, WrongFile};

use crate::{Html, Json, Junit, Look};

/// The forms that a report can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JUnit's XML, for build servers.
    Junit,
    /// JSON, for programs: `report.schema.json` describes it.
    Json,
    /// One page for people.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Junit, Self::Json, Self::Html];

    /// Its word in `--report`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.word() == text).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(|format| format!("`{}`", format.word())).collect();
            format!("there is no report `{text}`: {} are", known.join(", "))
        })
    }
}

/// What a report says about how it came to be.
#[derive(Debug, Clone)]
pub struct Head {
    /// How the program was called, for commands to type again.
    pub look: Look,
    /// The program's version.
    pub version: String,
    /// When the run started, in real time.
    pub at: Timestamp,
}

/// What makes a report of events.
pub(crate) trait Report: fmt::Debug + Send {
    /// Files that are wrong and do not run.
    fn files(&mut self, files: &[WrongFile]);

    /// Something happened.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Writes all of it.
    fn write(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// A report that becomes a file when the run has ended. Until then nothing is seen of it; a file that stood in its place
/// stays as it was if anything goes wrong.
#[derive(Debug)]
pub struct FileReport {
    path: PathBuf,
    out: Out,
    report: Box<dyn Report>,
    /// The first thing that went wrong. The run goes on all the same.
    fault: Option<io::Error>,
}

#[derive(Debug)]
enum Out {
    /// A file beside the one that it will replace.
    Beside(NamedTempFile),
    /// A device or a pipe, which nothing can replace.
    Straight(fs::File),
}

impl FileReport {
    /// A report to a file. The folder must be there.
    ///
    /// # Errors
    ///
    /// What the system says if nothing can be written there.
    pub fn create(format: Format, path: &Path, head: &Head) -> io::Result<Self> {
        // A link stays a link: what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let special = fs::metadata(&path).is_ok_and(|known| !known.is_file());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let out = if special {
            Out::Straight(fs::OpenOptions::new().write(true).open(&path)?)
        } else {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
            let mut builder = tempfile::Builder::new();
            let (start, end) = (format!(".{name}."), ".part");
            builder.prefix(&start).suffix(end);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                // As any new file: the mask of whoever runs it takes away from this.
                builder.permissions(fs::Permissions::from_mode(0o666));
            }
            Out::Beside(builder.tempfile_in(folder)?)
        };
        let spool = || if special { Spool::anywhere() } else { Spool::in_folder(folder) };
        let report: Box<dyn Report> = match format {
            Format::Junit => Box::new(Junit::new()),
            Format::Json => Box::new(Json::new(head.clone(), spool()?)),
            Format::Html => Box::new(Html::new(head.clone(), spool()?)),
        };
        Ok(Self { path, out, report, fault: None })
    }

    /// Where it will be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes files that are wrong and do not run.
    pub fn files(&mut self, files: &[WrongFile]) {
        self.report.files(files);
    }

    /// Notes what happened.
    pub fn event(&mut self, event: &Event) {
        if self.fault.is_none() {
            self.fault = self.report.event(event).err();
        }
    }

    /// Writes the report, of as much of the run as was told.
    ///
    /// # Errors
    ///
    /// The first thing that went wrong, here or before. Then no part of the report is left anywhere.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match self.out {
            Out::Straight(file) => {
                let mut out = BufWriter::new(file);
                self.report.write(&mut out)?;
                out.flush()
            }
            Out::Beside(file) => {
                let mut out = BufWriter::with_capacity(64 << 10, file);
                self.report.write(&mut out)?;
                let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.persist(&self.path).map(drop).map_err(|fault| fault.error)
            }
        }
    }
}

/// Text that waits on the disk until its place is known.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<fs::File>,
    length: u64,
}

/// A piece of a [`Spool`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    at: u64,
    length: u64,
}

impl Piece {
    /// Bytes.
    pub(crate) fn length(self) -> u64 {
        self.length
    }
}

impl Spool {
    /// A file without a name in a folder: the disk that will hold the report is the one that may be full.
    fn in_folder(folder: &Path) -> io::Result<Self> {
        tempfile::tempfile_in(folder).map(Self::of)
    }

    pub(crate) fn anywhere() -> io::Result<Self> {
        tempfile::tempfile().map(Self::of)
    }

    fn of(file: fs::File) -> Self {
        Self { file: BufWriter::with_capacity(64 << 10, file), length: 0 }
    }

    pub(crate) fn put(&mut self, text: &[u8]) -> io::Result<Piece> {
        self.file.write_all(text)?;
        let piece = Piece { at: self.length, length: text.len() as u64 };
        self.length += piece.length;
        Ok(piece)
    }

    /// Copies a piece. Pieces that follow each other are read best in their order.
    pub(crate) fn copy(&mut self, piece: Piece, out: &mut dyn Write) -> io::Result<()> {
        self.file.flush()?;
        let mut file = self.file.get_ref();
        file.seek(SeekFrom::Start(piece.at))?;
        io::copy(&mut file.take(piece.length), out)?;
        // What is written next goes to the end again.
        self.file.get_ref().seek(SeekFrom::End(0)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_any_order() {
        let mut spool = Spool::anywhere().unwrap();
        let pieces = ["one", "", "three"].map(|text| spool.put(text.as_bytes()).unwrap());
        let mut out = Vec::new();
        spool.copy(pieces[2], &mut out).unwrap();
        let four = spool.put(b"four").unwrap();
        for piece in [pieces[0], pieces[1], four, pieces[2]] {
            spool.copy(piece, &mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "threeonefourthree");
    }
}
