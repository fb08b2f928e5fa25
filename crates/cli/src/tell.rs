//! Words on stderr, in one form.

#![expect(clippy::disallowed_macros, reason = "a command prints")]

/// A mistake, and what to do about it.
pub(crate) fn error(message: &str, help: Option<&str>) {
    anstream::eprintln!("error: {message}");
    if let Some(help) = help {
        anstream::eprintln!("\nhelp: {help}");
    }
}

/// Something worth knowing.
pub(crate) fn note(message: &str) {
    anstream::eprintln!("note: {message}");
}

/// Text as it is.
pub(crate) fn text(text: &str) {
    anstream::eprint!("{text}");
}

/// What was asked for, on stdout. What cannot be written to is nobody's fault here.
pub(crate) fn data(text: &str) {
    use std::io::Write as _;
    let mut out = anstream::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
