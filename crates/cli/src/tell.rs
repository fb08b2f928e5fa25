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

/// What was asked for, on stdout. Gives `code` back; 3 if it cannot be written. Who stops reading has read enough.
pub(crate) fn data(text: &str, code: u8) -> u8 {
    use std::io::Write as _;
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            error(&format!("cannot write to the standard output: {fault}"), None);
            3
        }
        _ => code,
    }
}
