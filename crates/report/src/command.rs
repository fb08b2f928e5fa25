//! The command that runs just one case again, to be copied into a POSIX shell.

use tokenrig_runner::CaseId;

use crate::paint::Look;

/// The command for a case: `tokenrig run scenarios/a.yaml --filter "case:its name"`.
#[must_use]
pub fn again(id: &CaseId, look: &Look) -> String {
    let Look { program, options, .. } = look;
    let file = id.file.to_string_lossy();
    // It must not be taken for an option.
    let file = if file.starts_with('-') { format!("./{file}") } else { file.into_owned() };
    let mut command = format!("{program} run {}", quoted(&file));
    if !options.is_empty() {
        command.push_str(&format!(" {options}"));
    }
    if let Some(case) = &id.case {
        command.push_str(&format!(" --filter {}", quoted_always(&filter(case))));
    }
    command
}

/// A name with control characters cannot be copied from a screen; the longest part without any finds the case as well.
fn filter(case: &str) -> String {
    let part = case.split(char::is_control).max_by_key(|part| part.chars().count()).unwrap_or_default();
    format!("case:{}", if part.len() == case.len() { part } else { part.trim() })
}

/// A word for a POSIX shell, in quotes where it needs them.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '@' | '+' | ',');
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted_always(text) }
}

/// A word for a POSIX shell in double quotes; in single ones if it holds what double ones do not keep.
fn quoted_always(text: &str) -> String {
    if text.contains(['$', '`', '\\', '"', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(file: &str, case: Option<&str>) -> String {
        let id = CaseId { file: file.into(), case: case.map(str::to_owned), ..CaseId::default() };
        again(&id, &Look { options: "--now 2026-03-02T09:00:00Z".to_owned(), ..Look::default() })
    }

    #[test]
    fn a_shell_makes_of_the_command_the_very_words_that_are_meant() {
        for (file, case) in [
            ("scenarios/a.yaml", Some("plain")),
            ("a b/it's.yaml", Some("it's $HOME, `id`, \"quoted\" and \\ back!")),
            ("-rf.yaml", Some("--jobs")),
            ("ünï.yaml", None),
        ] {
            let line = command(file, case).replacen("tokenrig", "printf '%s\\n'", 1);
            let shown = std::process::Command::new("sh").args(["-c", &line]).output().expect("sh is there");
            let shown = String::from_utf8(shown.stdout).expect("it is text");
            let words: Vec<&str> = shown.lines().collect();
            let file = if file.starts_with('-') { format!("./{file}") } else { file.to_owned() };
            let filter = case.map(|case| format!("case:{case}"));
            let mut expected = vec!["run", &file, "--now", "2026-03-02T09:00:00Z"];
            expected.extend(filter.iter().flat_map(|filter| ["--filter", filter.as_str()]));
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn a_name_that_no_screen_shows_is_found_by_a_part_of_it() {
        assert_eq!(filter("a\u{1b}[2J wiped \n"), "case:[2J wiped");
    }
}
