//! Parsing, by the `cel` crate, on one thread with a deep stack.
//!
//! The crate's parser goes deep for every level of brackets: in a debug build some 200 KiB a level. So no caller's
//! stack is used. The thread lives as long as the process; its stack is reserved, not taken, until it is needed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        OnceLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use cel::{
    Env, ParseError,
    common::ast::{IdedExpr, SourceInfo},
};

use crate::{
    dialect::Dialect,
    lower::{Lowered, lower},
    program::CompileError,
    scan::{MAX_NESTING, Tokens, fault},
};

const STACK: usize = 64 << 20;

struct Job {
    text: String,
    dialect: Dialect,
    answer: Sender<Result<Lowered, CompileError>>,
}

/// Parses and lowers a text whose length has been checked.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Lowered, CompileError> {
    // Before the thread is asked: most wrong texts are found here, and nothing deep passes.
    Tokens::of(text)?;
    static PARSER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let parser = PARSER.get_or_init(|| {
        let (sender, jobs) = channel();
        let started =
            thread::Builder::new().name("cel-parser".to_owned()).stack_size(STACK).spawn(move || serve(&jobs));
        started.ok().map(|_| sender)
    });
    let (answer, answered) = channel();
    let asked = parser.as_ref().and_then(|parser| {
        parser.send(Job { text: text.to_owned(), dialect, answer }).ok()?;
        answered.recv().ok()
    });
    asked
        .unwrap_or_else(|| Err(fault("the expression cannot be read: the parser's thread is not there", 0..text.len())))
}

fn serve(jobs: &Receiver<Job>) {
    for job in jobs {
        let parsed = catch_unwind(AssertUnwindSafe(|| read(&job.text, job.dialect)))
            .unwrap_or_else(|_| Err(fault("the expression cannot be read: the parser gave up", 0..job.text.len())));
        // Whoever asked may have gone.
        let _ = job.answer.send(parsed);
    }
}

fn read(text: &str, dialect: Dialect) -> Result<Lowered, CompileError> {
    let tokens = Tokens::of(text)?;
    let (expression, source) = tree(text, dialect)?;
    lower(text, &tokens, &expression, &source, dialect)
}

fn tree(text: &str, dialect: Dialect) -> Result<(IdedExpr, SourceInfo), CompileError> {
    // Without macros: we open them ourselves, with places.
    let parser = Env::default()
        .parser()
        .max_recursion_depth(u16::try_from(MAX_NESTING).unwrap_or(u16::MAX) + 8)
        .enable_optional_syntax(dialect == Dialect::Scenario)
        .enable_ident_escape_syntax(dialect == Dialect::Scenario);
    parser.parse_with_source_info(text).map_err(|errors| explain(text, &errors.errors))
}

/// The first fault in our words: the parser's own speak of its grammar.
fn explain(text: &str, errors: &[ParseError]) -> CompileError {
    let grammatical = errors.iter().find(|error| error.msg.starts_with("Syntax error") && error.pos.0 > 0);
    let Some(error) = grammatical.or_else(|| errors.iter().find(|error| error.pos.0 > 0)) else {
        return fault("this is no expression", 0..text.len());
    };
    let start = byte_at(text, error.pos);
    let tokens = match Tokens::of(text) {
        Ok(tokens) => tokens,
        Err(error) => return error,
    };
    let position = tokens.behind(start);
    let Some(token) = tokens.get(position) else {
        return fault("the expression ends too early", text.len()..text.len());
    };
    let range = token.start..token.end;
    let word = shortened(tokens.slice(range.clone()));
    let message = &*error.msg;
    let text = if message.contains("token recognition") {
        format!("{word} holds an escape that CEL does not know")
    } else if message.contains("reserved identifier") {
        format!("`{word}` is a reserved word")
    } else if message.contains("invalid int") || message.contains("invalid uint") {
        format!("`{word}` does not fit into 64 bits")
    } else if message.contains("invalid double") {
        format!("`{word}` is too large a number")
    } else if message.contains("unsupported syntax") {
        "optional fields and names in backticks are not known here".to_owned()
    } else if message.contains("invalid string") || message.contains("invalid bytes") {
        format!("{word} is not a valid text")
    } else if let Some(operator) = operator_meant(word.as_str()) {
        format!("`{word}` is no operator, it is written `{operator}`")
    } else if tokens.ends_operand(position.wrapping_sub(1)) && tokens.starts_operand(position) {
        match position.checked_sub(1).and_then(|before| tokens.get(before)) {
            Some(before) if tokens.slice(before.start..before.end) == "not" => {
                "`not` is no operator, it is written `!`".to_owned()
            }
            _ => format!("an operator is missing before `{word}`"),
        }
    } else {
        format!("`{word}` is not expected here")
    };
    fault(text, range)
}

/// The byte that a line and a column stand for, both counted from one, in characters.
fn byte_at(text: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line - 1).unwrap_or(0), usize::try_from(column - 1).unwrap_or(0));
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte)
}

/// What somebody means who knows other languages.
fn operator_meant(word: &str) -> Option<&'static str> {
    match word {
        "and" | "AND" => Some("&&"),
        "or" | "OR" => Some("||"),
        _ => None,
    }
}

fn shortened(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", word.get(..end).unwrap_or_default()),
        None => word.to_owned(),
    }
}
