//! What a person wrote wrong, said so that it can be mended.

use std::fmt;

use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file does not run.
    Error,
    /// The file runs; something in it deserves a look.
    Warning,
}

/// A place and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands beside the underlined text; may be empty.
    pub text: String,
    /// Whether this is the place of the fault itself. Exactly one label of a diagnostic is.
    pub primary: bool,
}

/// A text to put in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What to replace.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// One fault. It is data; making text of it is the reports' business, [`Faults`] knows a plain form for tests and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `AREA::fault`, for example `given::unknown-field`. Stable.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// Where, the primary place first.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// A change of the text that mends it, where there is just one.
    pub patch: Option<Patch>,
    /// Further facts.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label { span, text: String::new(), primary: true }],
            help: None,
            patch: None,
            notes: Vec::new(),
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// The same with words beside the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.first_mut() {
            label.text = text.into();
        }
        self
    }

    /// The same with one more place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with a change of the text that mends it.
    #[must_use]
    pub fn patch(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.patch = Some(Patch { span, replacement: replacement.into() });
        self
    }

    /// The place of the fault.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels.iter().find(|label| label.primary).map(|label| label.span).unwrap_or_default()
    }
}

/// All that is wrong with a file, in the order of the text, with the files that the places are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The file and what it includes.
    pub sources: Sources,
    /// At least one, and at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Faults {
    /// The plain form: code, message, places, help; one fact a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let word = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            writeln!(f, "{word}[{}]: {}", diagnostic.code, diagnostic.message)?;
            for label in &diagnostic.labels {
                let arrow = if label.primary { "-->" } else { "..." };
                write!(f, "  {arrow} {}", self.sources.place(label.span))?;
                let quoted = self.sources.slice(label.span);
                let quoted = quoted.lines().next().unwrap_or_default();
                if !quoted.is_empty() {
                    let shortened: String =
                        quoted.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
                    write!(f, " `{shortened}{}`", if quoted.chars().nth(80).is_some() { "…" } else { "" })?;
                }
                if !label.text.is_empty() {
                    write!(f, " {}", label.text)?;
                }
                f.write_str("\n")?;
            }
            for note in &diagnostic.notes {
                writeln!(f, "  note: {note}")?;
            }
            if let Some(help) = &diagnostic.help {
                writeln!(f, "  help: {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
