//! How output looks.

use annotate_snippets::{
    Renderer,
    renderer::{AnsiColor, Style},
};

/// How output looks. Nothing is left out without colour.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whether escape sequences for colour are written.
    pub colour: bool,
    /// Whether a line on stderr shows progress and is written over: only if that is a terminal.
    pub bar: bool,
    /// Whether cases that pass have lines of their own.
    pub verbose: bool,
    /// How many columns there are.
    pub width: usize,
    /// How the program is called, for the command that runs a case again: `cargo xtask`, `tokenrig`.
    pub program: String,
    /// What else that command must say: `--world live`.
    pub options: String,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            colour: false,
            bar: false,
            verbose: false,
            width: 120,
            program: "tokenrig".to_owned(),
            options: String::new(),
        }
    }
}

impl Look {
    pub(crate) fn renderer(&self) -> Renderer {
        if self.colour { Renderer::styled() } else { Renderer::plain() }.term_width(self.width.max(60))
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Text that is good news.
    #[must_use]
    pub fn good(&self, text: &str) -> String {
        self.styled(AnsiColor::Green.on_default().bold(), text)
    }

    /// Text that is bad news.
    #[must_use]
    pub fn bad(&self, text: &str) -> String {
        self.styled(AnsiColor::BrightRed.on_default().bold(), text)
    }

    pub(crate) fn mild(&self, text: &str) -> String {
        self.styled(AnsiColor::Yellow.on_default().bold(), text)
    }

    pub(crate) fn strong(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    pub(crate) fn help(&self, text: &str) -> String {
        self.styled(AnsiColor::BrightCyan.on_default().bold(), text)
    }
}

/// Text from outside without control characters, so that it cannot move the cursor, and without those that turn the
/// direction of writing; line ends stay.
#[must_use]
pub fn safe(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let turns =
                matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let keep = !(c.is_control() || turns) || c == '\n';
            let shown = if c == '\t' { "    ".chars().collect::<Vec<_>>() } else { c.escape_unicode().collect() };
            if keep { vec![c] } else { shown }
        })
        .collect()
}

/// The same on one line.
#[must_use]
pub fn flat(text: &str) -> String {
    safe(text).replace('\n', " ")
}
