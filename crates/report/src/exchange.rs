//! What went over the wire, tokens opened and shortened.

use tokenrig_runner::{CommandReport, Exchange};

use crate::paint::{flat, safe};

/// Where the second of two facts on a line starts.
const COLUMN: usize = 31;
/// How many lines of a body are shown.
const BODY_LINES: usize = 30;
/// Headers that say nothing about the matter.
const DULL: [&str; 10] = [
    "date",
    "server",
    "vary",
    "x-xss-protection",
    "x-frame-options",
    "x-content-type-options",
    "alt-svc",
    "cache-control",
    "transfer-encoding",
    "content-length",
];

/// The lines of an exchange, without indentation.
pub(crate) fn lines(exchange: &Exchange) -> Vec<String> {
    let mut lines = Vec::new();
    let (host, path) = split(&exchange.url);
    let version = exchange.answer.as_ref().map_or("", |answer| answer.version);
    let first = format!("> {} {}", flat(&exchange.method), flat(path));
    lines.push(two(format!("{first} {version}").trim_end(), &format!("host: {}", flat(host))));
    lines.extend(headers('>', &exchange.request_headers));
    lines.extend(body('>', &exchange.request_body));
    match (&exchange.answer, &exchange.fault) {
        (Some(answer), _) => {
            let status = format!("< {} {}", answer.version, answer.status);
            let mut headers = headers('<', &answer.headers);
            // The first header that says something stands beside the status.
            if headers.is_empty() {
                lines.push(status);
            } else {
                let beside = headers.remove(0);
                lines.push(two(&status, beside.trim_start_matches("< ")));
            }
            lines.extend(headers);
            lines.extend(body('<', &answer.body));
        }
        (None, Some(fault)) => lines.push(format!("< no answer: {}", flat(fault))),
        (None, None) => lines.push("< no answer".to_owned()),
    }
    lines
}

/// The lines of a command and what it printed.
pub(crate) fn command(command: &CommandReport) -> Vec<String> {
    let mut lines = vec![format!("$ {}", flat(&command.line)), format!("exit code {}", command.exit)];
    for (name, text) in [("stdout", &command.stdout), ("stderr", &command.stderr)] {
        if text.trim().is_empty() {
            continue;
        }
        lines.push(format!("{name}:"));
        // What matters of a client's output is its end.
        let all: Vec<String> = safe(text).lines().map(str::to_owned).collect();
        let skipped = all.len().saturating_sub(BODY_LINES);
        if skipped > 0 {
            lines.push(format!("  … ({skipped} lines before)"));
        }
        lines.extend(all.into_iter().skip(skipped).map(|line| format!("  {line}")));
    }
    lines
}

fn headers(side: char, headers: &[(String, String)]) -> Vec<String> {
    let telling = headers.iter().filter(|(name, _)| !DULL.contains(&name.to_ascii_lowercase().as_str()));
    telling.map(|(name, value)| format!("{side} {}: {}", flat(name), flat(value))).collect()
}

fn body(side: char, body: &str) -> Vec<String> {
    if body.trim().is_empty() {
        return Vec::new();
    }
    // A page is told by its first lines; JSON is laid out.
    let laid_out = serde_json::from_str::<serde_json::Value>(body)
        .ok()
        .filter(|json| json.is_object() || json.is_array())
        .and_then(|json| serde_json::to_string_pretty(&json).ok())
        .filter(|pretty| pretty.len() > 100);
    let text = safe(laid_out.as_deref().unwrap_or(body));
    let all: Vec<&str> = text.trim_end().lines().collect();
    let mut lines: Vec<String> = all.iter().take(BODY_LINES).map(|line| format!("{side}   {line}")).collect();
    if all.len() > BODY_LINES {
        lines.push(format!("{side}   … ({} lines more)", all.len() - BODY_LINES));
    }
    lines
}

fn two(first: &str, second: &str) -> String {
    let gap = COLUMN.saturating_sub(first.chars().count()).max(2);
    format!("{first}{}{second}", " ".repeat(gap))
}

/// Host and the rest of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at..).unwrap_or_default()),
        None => (rest, "/"),
    }
}
