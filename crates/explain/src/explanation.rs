//! What was found out, as data and as text.

use std::fmt;

use serde::Serialize;
use tokenrig_report::{flat, safe};

/// What was found out about a thing. Its `Display` is what a person reads.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What it is, in a line.
    pub title: String,
    /// More about it, in the order in which it is read.
    pub sections: Vec<Section>,
    /// What is wrong, and what to do about it.
    pub faults: Vec<Fault>,
    /// What could not be found out here, and why.
    pub not_checked: Vec<String>,
}

/// Lines that belong together.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Section {
    /// What they are about; may be empty.
    pub title: String,
    /// A name and what is said of it. Without a name the line stands for itself.
    pub lines: Vec<(String, String)>,
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// What is wrong.
    pub what: String,
    /// What to do about it; may be empty.
    pub help: String,
}

impl Explanation {
    /// An explanation with a title alone.
    #[must_use]
    pub fn of(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Whether nothing was found to be wrong.
    #[must_use]
    pub fn good(&self) -> bool {
        self.faults.is_empty()
    }

    pub(crate) fn fault(&mut self, what: impl Into<String>, help: impl Into<String>) {
        let fault = Fault { what: what.into(), help: help.into() };
        if !self.faults.iter().any(|known| known.what == fault.what) {
            self.faults.push(fault);
        }
    }

    pub(crate) fn section(&mut self, title: &str, lines: Vec<(String, String)>) {
        if !lines.is_empty() {
            self.sections.push(Section { title: title.to_owned(), lines });
        }
    }
}

/// A line with a name.
pub(crate) fn pair(name: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", flat(&self.title))?;
        for section in &self.sections {
            writeln!(f)?;
            if !section.title.is_empty() {
                writeln!(f, "{}", flat(&section.title))?;
            }
            let width = section.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(40);
            for (name, value) in &section.lines {
                let indent = " ".repeat(width + 4);
                let value = safe(value).replace('\n', &format!("\n{indent}"));
                let name = flat(name);
                writeln!(f, "{}", format!("  {name:<width$}  {value}").trim_end())?;
            }
        }
        let mut helps: Vec<&str> = Vec::new();
        if !self.faults.is_empty() {
            writeln!(f)?;
        }
        for fault in &self.faults {
            writeln!(f, "wrong: {}", flat(&fault.what))?;
            if !fault.help.is_empty() && !helps.contains(&fault.help.as_str()) {
                helps.push(&fault.help);
            }
        }
        if !self.not_checked.is_empty() {
            writeln!(f)?;
        }
        for what in &self.not_checked {
            writeln!(f, "not checked: {}", flat(what))?;
        }
        if !helps.is_empty() {
            writeln!(f)?;
        }
        for help in helps {
            writeln!(f, "help: {}", flat(help))?;
        }
        Ok(())
    }
}
