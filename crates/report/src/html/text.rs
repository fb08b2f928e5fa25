//! Texts from outside as a page may show them. Escaping is the templates' work.

use std::time::Duration;

use tokenrig_clock::Timestamp;

use crate::paint::safe;

/// Whether a character changes how others are read, and is not seen itself: marks of direction, joiners, tags.
fn hides(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text in which nothing is hidden: control characters and marks of direction are written out.
pub(super) fn shown(text: &str) -> String {
    let safe = safe(text);
    if !safe.contains(hides) {
        return safe;
    }
    let mut shown = String::with_capacity(safe.len());
    for c in safe.chars() {
        if hides(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// The same on one line.
pub(super) fn line(text: &str) -> String {
    shown(text).replace('\n', " ")
}

/// At most `most` characters, the last of which is `…` if there were more.
pub(super) fn start(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// An instant to the second.
pub(super) fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// A length of real time.
pub(super) fn took(took: Duration) -> String {
    match took.as_millis() {
        0..10_000 => format!("{} ms", took.as_millis()),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_written_out() {
        assert_eq!(shown("a\u{202e}b\u{0}c\u{1b}[31m\u{e0041}"), "a\\u{202e}b\\u{0}c\\u{1b}[31m\\u{e0041}");
        assert_eq!(shown("é\nü 漢 🙂"), "é\nü 漢 🙂");
        assert_eq!(line("a\nb"), "a b");
    }

    #[test]
    fn a_start_says_that_there_was_more() {
        assert_eq!(start("ééé", 3), "ééé");
        assert_eq!(start("éééé", 3), "éé…");
    }
}
