//! Expressions of mappings, conditions, policies and scenarios: no text makes the compiler or the walk panic or run on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tokenrig_cel::{Dialect, Program, Scope, Value, closing_brace};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let dialects = [Dialect::AttributeMapping, Dialect::AttributeCondition, Dialect::IamCondition, Dialect::Scenario];
    let dialect = dialects[usize::from(*first) % dialects.len()];
    let _ = closing_brace(text);
    let Ok(program) = Program::compile(text, dialect) else { return };
    let claims = Value::from(json!({
        "sub": "repo:shop/orders", "groups": ["a", "b"], "n": 7, "f": 1.5, "b": true, "none": null, "m": { "k": [1, "x"] },
        "long": "é".repeat(100), "min": i64::MIN,
    }));
    let mut scope = Scope::new();
    for name in ["assertion", "google", "attribute", "request", "resource", "case", "body"] {
        scope.set(name, claims.clone());
    }
    let value = program.evaluate(&scope);
    let explained = program.explain(&scope);
    assert_eq!(explained.result.is_ok(), value.is_ok(), "to explain is to evaluate");
});
