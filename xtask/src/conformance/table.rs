//! Cases and the table of them.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;

/// One case of a client.
pub(super) struct Row {
    client: String,
    version: String,
    pub(super) path: String,
    pub(super) case: String,
    pub(super) ok: bool,
    why: String,
}

impl Row {
    /// Reads a line of a suite.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        Some(Self {
            client: text("client")?,
            version: text("version")?,
            path: text("path")?,
            case: text("case")?,
            ok: value.get("ok")?.as_bool()?,
            why: text("why").unwrap_or_default(),
        })
    }
}

/// What failed and why, then one line per client and path.
pub(super) fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| !row.ok) {
        _ = writeln!(text, "FAIL {} {} › {} › {}", row.client, row.version, row.path, row.case);
        for line in row.why.lines() {
            _ = writeln!(text, "     {line}");
        }
        text.push('\n');
    }
    let mut groups: BTreeMap<[&str; 3], (usize, usize)> = BTreeMap::new();
    for row in rows {
        let (passed, all) = groups.entry([&row.client, &row.version, &row.path]).or_default();
        *passed += usize::from(row.ok);
        *all += 1;
    }
    let mut lines = vec![["client", "version", "path", "cases", "result"].map(str::to_owned)];
    lines.extend(groups.into_iter().map(|([client, version, path], (passed, all))| {
        let result = if passed == all { "pass".to_owned() } else { format!("{} failed", all - passed) };
        [client.to_owned(), version.to_owned(), path.to_owned(), all.to_string(), result]
    }));
    let widths: Vec<usize> =
        (0..5).map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)).collect();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_come_first_and_the_table_counts_the_cases_of_each_path() {
        let rows: Vec<Row> = [
            r#"{"client":"a","version":"1.0","path":"REST","case":"x","ok":true,"why":null}"#,
            r#"{"client":"a","version":"1.0","path":"REST","case":"y","ok":false,"why":"no\nluck"}"#,
            r#"{"client":"a","version":"1.0","path":"gRPC","case":"x","ok":true,"why":null}"#,
        ]
        .iter()
        .map(|line| Row::parse(line).unwrap())
        .collect();
        let expected = "\
FAIL a 1.0 › REST › y
     no
     luck

client  version  path  cases  result
a       1.0      REST  2      1 failed
a       1.0      gRPC  1      pass
";
        assert_eq!(render(&rows), expected);
    }

    #[test]
    fn a_line_that_is_no_case_is_noticed() {
        assert!(Row::parse("Traceback (most recent call last):").is_none());
        assert!(Row::parse(r#"{"client":"a"}"#).is_none());
    }
}
