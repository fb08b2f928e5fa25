//! Parts, places, names.

use serde_json::json;
use tokenrig_cel::{Dialect, Program, Scope, Value};

fn parts(text: &str, scope: &Scope) -> Vec<(String, String)> {
    let explanation = Program::compile(text, Dialect::Scenario).unwrap().explain(scope);
    let shown =
        |value: Result<Value, String>| value.map_or_else(|error| format!("! {error}"), |value| value.to_string());
    explanation
        .parts
        .into_iter()
        .map(|part| {
            assert_eq!(text[part.range.clone()], part.text);
            (part.text, shown(part.value))
        })
        .collect()
}

fn expected(parts: &[(&str, &str)]) -> Vec<(String, String)> {
    parts.iter().map(|(text, value)| ((*text).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_part_that_was_evaluated_is_told_once() {
    let scope = Scope::new().with("body", json!({ "expires_in": 3600, "scope": "é" })).with("status", 200i64);
    assert_eq!(
        parts("status == 200 && body.expires_in <= 60 * 60 - 1", &scope),
        expected(&[
            ("status == 200 && body.expires_in <= 60 * 60 - 1", "false"),
            ("status == 200", "true"),
            ("status", "200"),
            ("body.expires_in <= 60 * 60 - 1", "false"),
            ("body.expires_in", "3600"),
            ("body", "{\"expires_in\": 3600, \"scope\": \"é\"}"),
            ("60 * 60 - 1", "3599"),
            ("60 * 60", "3600"),
        ])
    );
}

#[test]
fn what_was_not_reached_and_what_failed_is_told_apart() {
    let scope = Scope::new().with("a", json!({}));
    assert_eq!(
        parts("has(a.x) ? a.x : a.y == 1", &scope),
        expected(&[
            ("has(a.x) ? a.x : a.y == 1", "! there is no field `y`"),
            ("has(a.x)", "false"),
            ("a", "{}"),
            ("a.y == 1", "! there is no field `y`"),
            ("a.y", "! there is no field `y`"),
            ("a", "{}"),
        ])
    );
}

#[test]
fn parentheses_stay_with_what_they_hold_and_offsets_are_bytes() {
    let scope = Scope::new().with("xs", json!(["é", "ü"]));
    assert_eq!(
        parts("('ö' + (xs[0])).size() == -2 || (('ü') in (xs) )", &scope),
        expected(&[
            ("('ö' + (xs[0])).size() == -2 || (('ü') in (xs) )", "true"),
            ("('ö' + (xs[0])).size() == -2", "false"),
            ("('ö' + (xs[0])).size()", "2"),
            ("'ö' + (xs[0])", "\"öé\""),
            ("xs[0]", "\"é\""),
            ("xs", "[\"é\", \"ü\"]"),
            ("('ü') in (xs)", "true"),
            ("xs", "[\"é\", \"ü\"]"),
        ])
    );
}

#[test]
fn of_a_macro_only_the_list_and_the_result_are_told() {
    let scope = Scope::new().with("xs", json!([1, 2]));
    assert_eq!(
        parts("!xs.exists(x, x == size(xs) + 1)", &scope),
        expected(&[
            ("!xs.exists(x, x == size(xs) + 1)", "true"),
            ("xs.exists(x, x == size(xs) + 1)", "false"),
            ("xs", "[1, 2]")
        ])
    );
}

#[test]
fn an_explanation_and_an_evaluation_agree() {
    let scope = Scope::new().with("a", json!({ "b": [1, { "c": "x" }] }));
    for text in ["a.b[1].c == 'x'", "a.?b[?9].orValue(1)", "a.b[0] + a.b[1]", "a['b'].map(x, x)", "nobody", "has(a.b)"]
    {
        let program = Program::compile(text, Dialect::Scenario).unwrap();
        assert_eq!(program.explain(&scope).result, program.evaluate(&scope), "{text}");
    }
}

#[test]
fn a_function_is_called_once_for_an_explanation() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let scope = Scope::new().function("file", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Value::from("path"))
    });
    parts("file('a') == 'path' && true", &scope);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn free_names_are_told_with_their_paths_and_places() {
    let text = "xs.exists(x, x == it.a['b c'].d[i].e) && has(given['run.services'].orders) && absent != jwt(it.?z)[y]";
    let program = Program::compile(text, Dialect::Scenario).unwrap();
    assert_eq!(program.variables(), ["xs", "it", "i", "given", "y"]);
    let references: Vec<_> = program
        .references()
        .iter()
        .map(|reference| (reference.path.join("/"), &text[reference.range.clone()]))
        .collect();
    assert_eq!(
        references,
        [
            ("xs", "xs"),
            ("it/a/b c/d", "it.a['b c'].d"),
            ("i", "i"),
            ("given/run.services/orders", "has(given['run.services'].orders)"),
            ("it/z", "it.?z"),
            ("y", "y"),
        ]
        .map(|(path, text)| (path.to_owned(), text))
    );
    let functions: Vec<_> = program.custom_functions().iter().map(|(name, at)| (&**name, &text[at.clone()])).collect();
    assert_eq!(functions, [("jwt", "jwt")]);
}
