//! The examples of the guide run. In a page, a block of YAML with a title is a file, a block of `console` holds commands and
//! what they print, one of `sh` is a script that ends well. The Rust ones are run by the crate `tokenrig`.

use std::path::Path;

use rstest::rstest;

use crate::support::Home;

/// A fenced block: what stands behind its fence, and its lines.
struct Block<'p> {
    info: &'p str,
    lines: Vec<&'p str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(info) if !open => {
                open = true;
                blocks.push(Block { info, lines: Vec::new() });
            }
            Some(_) => open = false,
            None if open => blocks.last_mut().expect("a block is open").lines.push(line),
            None => {}
        }
    }
    assert!(!open, "a block is not closed");
    blocks
}

/// Whether what was printed is what the page shows. A line `...` stands for any lines, `[..]` for any text of a line.
fn shows(expected: &[&str], printed: &str) -> Result<(), String> {
    let mut rest = printed.lines();
    let mut skips = false;
    for line in expected {
        if *line == "..." {
            skips = true;
            continue;
        }
        let found = if skips { rest.any(|one| is(line, one)) } else { rest.next().is_some_and(|one| is(line, one)) };
        if !found {
            return Err(format!("`{line}` is not there:\n{printed}"));
        }
        skips = false;
    }
    Ok(())
}

fn is(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else { return rest.trim_end().is_empty() };
    let mut rest = rest;
    for part in inner {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.trim_end().ends_with(last)
}

#[rstest]
#[case("test-your-app.md", 4)]
#[case("write-a-scenario.md", 4)]
#[case("reproduce-an-error.md", 3)]
#[tokio::test]
async fn the_examples_of_a_page_run(#[case] page: &str, #[case] least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let page = std::fs::read_to_string(path).unwrap();
    let home = Home::new();
    let mut done = 0;
    for block in blocks(&page) {
        let body = block.lines.join("\n");
        if let Some(name) = block.info.strip_prefix("yaml title=\"").and_then(|rest| rest.strip_suffix('"')) {
            home.write(name, &body);
        } else if block.info == "console" {
            console(&home, &block.lines).await;
        } else if block.info == "sh" {
            let ended = home.shell(&body).await;
            assert_eq!(ended.code, Some(0), "{body}\n{}\n{}", ended.stdout, ended.stderr);
        } else if block.info == "yaml" {
            assert!(tokenrig_scenario::as_json(&format!("{body}\na: 1\n")).is_some(), "{body}");
        } else {
            panic!("nobody runs a block of `{}`", block.info);
        }
        done += 1;
    }
    assert!(done >= least, "{done} examples");
}

async fn console(home: &Home, lines: &[&str]) {
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("$ ")).collect();
    assert_eq!(starts.first(), Some(&0), "a session begins with a command: {lines:?}");
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(lines.len());
        let command = &lines[*start][2..];
        let ended = home.shell(command).await;
        let printed = format!("{}{}", ended.stdout, ended.stderr);
        if let Err(why) = shows(&lines[start + 1..end], &printed) {
            panic!("{command}: {why}");
        }
    }
}

#[test]
fn what_a_page_shows_is_told_from_what_it_does_not() {
    let printed = "one 1\ntwo 2\nthree 3\n";
    assert_eq!(shows(&["one 1", "...", "three [..]"], printed), Ok(()));
    assert_eq!(shows(&["[..]1", "two [..]2"], printed), Ok(()));
    assert!(shows(&["one 1", "three 3"], printed).is_err(), "a line is left out");
    assert!(shows(&["...", "four"], printed).is_err());
    assert!(shows(&["one"], printed).is_err(), "a line is shown whole");
}
