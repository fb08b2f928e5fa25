//! What must come of a step.

use crate::{
    compile,
    diagnostic::Diagnostic,
    model::{Expect, ExpectDecision, ExpectToken},
    reader::{Reader, did_you_mean},
    steps::a_map,
    template::{Expr, Key, Kind, Template},
    words,
    yaml::shorten,
};

/// Reads `expect` of a step that does `verb`.
pub(crate) fn read(reader: &mut Reader<'_>, value: &Template, verb: &str) -> Expect {
    let mut expect = Expect { span: value.span, ..Expect::default() };
    let known = words::expect_keys(verb);
    for (key, value) in reader.entries(value, "`expect`").unwrap_or_default() {
        if !known.contains(&&*key.text) {
            unknown(reader, key, verb);
            continue;
        }
        let slot = match &*key.text {
            "token" => {
                expect.token = Some(token(reader, value));
                continue;
            }
            "decision" => {
                expect.decision = Some(decision(reader, value));
                continue;
            }
            "that" => {
                expect.that = that(reader, value);
                continue;
            }
            "status" => {
                integer(reader, value, "`status`", 100..=599);
                &mut expect.status
            }
            "exit" => {
                integer(reader, value, "`exit`", 0..=255);
                &mut expect.exit
            }
            "count" => {
                integer(reader, value, "`count`", 0..=i64::MAX);
                &mut expect.count
            }
            "headers" => {
                a_map(reader, value, "`headers`");
                &mut expect.headers
            }
            "refusal" => {
                if !matches!(value.kind, Kind::Null) {
                    reader.text(value, "`refusal`");
                }
                &mut expect.refusal
            }
            "text" => text(reader, value, "`text`", &mut expect.text),
            "method" => text(reader, value, "`method`", &mut expect.method),
            "path" => text(reader, value, "`path`", &mut expect.path),
            "url" => text(reader, value, "`url`", &mut expect.url),
            "stdout" => text(reader, value, "`stdout`", &mut expect.stdout),
            "stderr" => text(reader, value, "`stderr`", &mut expect.stderr),
            _ => &mut expect.body,
        };
        *slot = Some(value.clone());
    }
    expect
}

fn text<'e>(
    reader: &mut Reader<'_>,
    value: &Template,
    what: &str,
    slot: &'e mut Option<Template>,
) -> &'e mut Option<Template> {
    reader.text(value, what);
    slot
}

fn unknown(reader: &mut Reader<'_>, key: &Key, verb: &str) {
    let known = words::expect_keys(verb);
    if words::has(words::EXPECT, &key.text) {
        let fault = format!("`{}` is nothing that `{verb}` has", key.text);
        let fault = Diagnostic::error("expect::not-here", key.span, fault);
        let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        return reader.push(fault.help(format!("after `{verb}` there is {}", words.join(", "))));
    }
    reader.unknown(key, known.iter().copied(), "expect::unknown-key", &format!("`expect` after `{verb}`"));
}

fn token(reader: &mut Reader<'_>, value: &Template) -> ExpectToken {
    let mut token = ExpectToken { span: value.span, ..ExpectToken::default() };
    for (key, value) in reader.entries(value, "`token`").unwrap_or_default() {
        let slot = match &*key.text {
            "signer" => text(reader, value, "`signer`", &mut token.signer),
            "header" => {
                a_map(reader, value, "`header`");
                &mut token.header
            }
            "claims" => {
                a_map(reader, value, "`claims`");
                &mut token.claims
            }
            "lifetime" => {
                if !matches!(value.kind, Kind::Int(_)) {
                    crate::steps::duration(reader, value, "`lifetime`", false);
                }
                &mut token.lifetime
            }
            "at" => {
                if value.hole().is_none() {
                    reader.push(
                        Diagnostic::error("file::wrong-type", value.span, "`at` is a hole that gives the token")
                            .help("for example `at: ${body.token}`"),
                    );
                }
                &mut token.at
            }
            _ => {
                reader.unknown(key, words::names(words::EXPECT_TOKEN), "expect::unknown-key", "`token`");
                continue;
            }
        };
        *slot = Some(value.clone());
    }
    token
}

fn decision(reader: &mut Reader<'_>, value: &Template) -> ExpectDecision {
    let mut decision = ExpectDecision { span: value.span, ..ExpectDecision::default() };
    for (key, value) in reader.entries(value, "`decision`").unwrap_or_default() {
        let slot = match &*key.text {
            "failed" => &mut decision.failed,
            "refusal" => &mut decision.refusal,
            "expected" => &mut decision.expected,
            "found" => &mut decision.found,
            _ => {
                reader.unknown(key, words::names(words::EXPECT_DECISION), "expect::unknown-key", "`decision`");
                continue;
            }
        };
        if matches!(&*key.text, "failed" | "refusal") && !matches!(value.kind, Kind::Null) {
            reader.text(value, &format!("`{}`", key.text));
        }
        *slot = Some(value.clone());
    }
    decision
}

fn that(reader: &mut Reader<'_>, value: &Template) -> Vec<Expr> {
    let items = reader.items(value, "`that`").unwrap_or_default();
    let mut lines = Vec::new();
    for item in items {
        // Comes with the row.
        if item.row_key().is_some() {
            continue;
        }
        let Some(source) = reader.source(item.span) else { continue };
        if let Some(expr) = compile::bare(item, source, &mut reader.out) {
            lines.push(expr);
        }
    }
    lines
}

fn integer(reader: &mut Reader<'_>, value: &Template, what: &str, range: std::ops::RangeInclusive<i64>) {
    match &value.kind {
        Kind::Int(number) if range.contains(number) => {}
        Kind::Hole(_) => {}
        Kind::Int(number) => {
            let fault = format!("{what} cannot be {number}");
            reader.push(Diagnostic::error("expect::out-of-range", value.span, fault));
        }
        Kind::Text(text) if text.parse().is_ok_and(|number| range.contains(&number)) => {
            let fault = format!("{what} is a number, and this is text: nothing would equal it");
            let fault = Diagnostic::error("file::wrong-type", value.span, fault);
            reader.push(fault.help(format!("write `{text}` without quotes")).patch(value.span, &**text));
        }
        Kind::Text(text) => {
            let fault = Diagnostic::error(
                "file::wrong-type",
                value.span,
                format!("{what} is a number, and this is the text `{}`", shorten(text)),
            );
            let written = Key { text: text.clone(), span: value.span };
            reader.push(did_you_mean(fault, &written, &[]).help("a test is written with `it`: `\"${it >= 400}\"`"));
        }
        _ => {
            let fault = format!("{what} is a number, and this is {}", value.what());
            reader.push(Diagnostic::error("file::wrong-type", value.span, fault));
        }
    }
}
