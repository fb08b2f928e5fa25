//! Where the form of an answer comes from.

use serde::Serialize;

/// How well something about Google is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Somebody captured it from Google.
    Recorded,
    /// Google's documents, discovery documents or protos say so.
    Documented,
    /// An issue, a note or another emulator says so.
    Reported,
    /// Nobody has said so; it is the closest known form.
    Assumed,
}

/// Why we believe that Google answers like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// How well it is known.
    pub word: Word,
    /// A URL or words that a reader can follow.
    pub source: &'static str,
    /// When it was seen (`YYYY-MM-DD`), if that is known.
    pub date: Option<&'static str>,
    /// How much of the wire form the source proves: `full`, or the parts that it shows.
    pub proves: &'static str,
}

impl Evidence {
    /// Captured from Google on `date`.
    #[must_use]
    pub const fn recorded(source: &'static str, date: &'static str, proves: &'static str) -> Self {
        Self { word: Word::Recorded, source, date: Some(date), proves }
    }

    /// Captured from Google, nobody says when.
    #[must_use]
    pub const fn captured(source: &'static str, proves: &'static str) -> Self {
        Self { word: Word::Recorded, source, date: None, proves }
    }

    /// Said by Google.
    #[must_use]
    pub const fn documented(source: &'static str, proves: &'static str) -> Self {
        Self { word: Word::Documented, source, date: None, proves }
    }

    /// Said by somebody else.
    #[must_use]
    pub const fn reported(source: &'static str, proves: &'static str) -> Self {
        Self { word: Word::Reported, source, date: None, proves }
    }

    /// The closest known form; `because` says what it leans on.
    #[must_use]
    pub const fn assumed(because: &'static str) -> Self {
        Self { word: Word::Assumed, source: because, date: None, proves: "nothing" }
    }
}

/// Something that Google has not told, and what the rig does instead.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Assumption {
    /// The field of the service's settings that holds it.
    pub name: &'static str,
    /// What it decides, in a sentence.
    pub about: &'static str,
    /// What the rig does unless told otherwise.
    pub default: &'static str,
    /// What the default leans on.
    pub source: &'static str,
}
