//! Hostile texts and hostile values.

use std::thread;

use proptest::prelude::*;
use rstest::rstest;
use tokenrig_cel::{Dialect, EvalErrorKind, Program, Scope, Value};

use crate::value_in;

/// Runs on a stack as small as a test's or a runtime's worker has, and smaller.
fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap()
}

#[rstest]
#[case("(", "1", ")")]
#[case("[", "1", "]")]
#[case("{1: ", "1", "}")]
#[case("f(", "1", ")")]
#[case("x.f(", "1", ")")]
#[case("a[", "1", "]")]
#[case("!(", "a", ")")]
#[case("-(", "a", ")")]
#[case("true ? 1 : ", "1", "")]
#[case("a + (", "1", ")")]
#[case("xs.map(x, ", "1", ")")]
#[case("(", "", "")]
#[case("[?", "", "")]
fn thousands_of_levels_are_refused_before_they_are_parsed(
    #[case] open: &str,
    #[case] middle: &str,
    #[case] close: &str,
) {
    for levels in [65, 100, 3000, 20_000] {
        let text = format!("{}{middle}{}", open.repeat(levels), close.repeat(levels));
        on_a_small_stack(move || {
            let error = Program::compile(&text, Dialect::Scenario).unwrap_err();
            assert!(error.offset.end <= text.len());
            let expected = ["nested too deeply", "too long"];
            assert!(expected.iter().any(|words| error.message.contains(words)), "{}: {}", text.len(), error.message);
        });
    }
}

#[rstest]
#[case("(", "1", ")")]
#[case("[", "1", "]")]
#[case("{1: ", "1", "}")]
#[case("size(", "1", ")")]
#[case("!(", "a", ")")]
#[case("true ? 1 : ", "1", "")]
#[case("xs.map(x, ", "1", ")")]
fn sixty_levels_are_read_and_evaluated_on_a_small_stack(#[case] open: &str, #[case] middle: &str, #[case] close: &str) {
    let text = format!("{}{middle}{}", open.repeat(60), close.repeat(60));
    on_a_small_stack(move || {
        let program = Program::compile(&text, Dialect::Scenario).unwrap();
        let scope = Scope::new().with("a", true).with("xs", vec![Value::Null]);
        let _ = program.evaluate(&scope);
        let _ = program.explain(&scope);
    });
}

#[rstest]
#[case("a", " + a")]
#[case("a", ".b")]
#[case("a", "[0]")]
#[case("a", ".lowerAscii()")]
#[case("a", ".?b")]
#[case("a", " - -a")]
#[case("a", ".map(x, x)")]
fn long_chains_are_evaluated_or_refused_but_never_overflow(#[case] first: &str, #[case] link: &str) {
    for links in [50, 190, 400, 900, 1600] {
        let text = format!("{first}{}", link.repeat(links));
        on_a_small_stack(move || match Program::compile(&text, Dialect::Scenario) {
            Ok(program) => {
                assert!(links < 200, "{text}");
                let scope = Scope::new().with("a", 1i64);
                let _ = program.evaluate(&scope);
                let _ = program.explain(&scope);
            }
            Err(error) => assert!(links > 190 && !error.message.is_empty(), "{links}: {error:?}"),
        });
    }
}

#[test]
fn long_chains_of_logic_are_no_nesting() {
    for operator in ["&&", "||"] {
        let text = vec!["a"; 700].join(operator);
        on_a_small_stack(move || {
            let program = Program::compile(&text, Dialect::Scenario).unwrap();
            assert_eq!(program.evaluate(&Scope::new().with("a", true)), Ok(Value::Bool(true)));
        });
    }
}

#[test]
fn a_hundred_kilobytes_are_refused() {
    for text in
        ["a".repeat(100_000), "(".repeat(100_000), "'".repeat(100_000), "é".repeat(100_000), "1,".repeat(50_000)]
    {
        for dialect in
            [Dialect::AttributeMapping, Dialect::AttributeCondition, Dialect::IamCondition, Dialect::Scenario]
        {
            let error = Program::compile(&text, dialect).unwrap_err();
            assert!(error.message.contains("too long"), "{}", error.message);
        }
    }
}

#[rstest]
#[case("xs.all(a, xs.all(b, xs.all(c, xs.all(d, true))))")]
#[case("!xs.exists(a, xs.exists(b, xs.exists(c, false)))")]
#[case("xs.map(a, xs.map(b, xs.map(c, c)))")]
#[case("xs.filter(a, xs.filter(b, xs.exists_one(c, c == b)) == xs)")]
#[case("xs.map(a, text + text)")]
#[case("xs.map(a, text.replace('', text))")]
#[case("xs.map(a, text.split('').join(text))")]
#[case("xs.map(a, xs + xs + xs)")]
#[case("xs.all(a, xs.all(b, xs == xs))")]
#[case("xs.all(a, xs.all(b, [[[xs]]] == [[[xs]]]))")]
#[case("xs.all(a, !('y' in xs.map(b, text)))")]
#[case("xs.all(a, !text.matches('(x+x+)+y'))")]
#[case("xs.all(a, !text.matches(string(a) + 'y'))")]
#[case("xs.map(a, '%s%s%s'.format([xs, xs, text]))")]
#[case("true || xs.map(a, text + text) == []")]
fn too_many_steps_are_an_error_and_come_to_an_end(#[case] text: &str) {
    let xs: Vec<Value> = (0..3000).map(Value::Int).collect();
    let scope = Scope::new().with("xs", xs).with("text", "x".repeat(50_000));
    let outcome = value_in(text, &scope);
    match outcome {
        Err(error) => assert_eq!(error.kind, EvalErrorKind::Budget, "{text}: {}", error.message),
        Ok(_) => assert!(text.starts_with("true"), "{text} has a value"),
    }
}

#[test]
fn a_budget_that_is_used_up_is_not_forgiven_by_logic() {
    let xs: Vec<Value> = (0..3000).map(Value::Int).collect();
    let scope = Scope::new().with("xs", xs);
    let error = value_in("xs.all(a, xs.all(b, xs.all(c, true))) || true", &scope).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Budget);
    assert_eq!(error.message, "the expression takes too many steps, 2000000 are the most");
}

#[rstest]
#[case("a{1000}{1000}", "too large")]
#[case("(((((((((((((((((a{5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5}){5})", "too large")]
#[case("(?=x)", "look-around")]
#[case("\\\\1", "backreferences")]
fn a_hostile_pattern_is_refused(#[case] pattern: &str, #[case] words: &str) {
    let error = crate::value(&format!("'x'.matches('{pattern}')")).unwrap_err();
    assert!(error.message.contains(words), "{}", error.message);
}

#[test]
fn many_threads_compile_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            thread::spawn(move || {
                for n in 0..50 {
                    let text = format!("{n} + {}", thread % 2);
                    let program = Program::compile(&text, Dialect::Scenario).unwrap();
                    assert_eq!(program.evaluate(&Scope::new()), Ok(Value::Int(n + thread % 2)));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Nothing panics on any text, and every place that is told lies in it.
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![
        "\\PC{0,60}",
        "[a-c0-9.,?:!+*/%<>=&|(){}\\[\\]'\"\\\\ \n`uexr-]{0,40}",
        proptest::collection::vec(prop_oneof![
            Just("a"), Just("."), Just("?"), Just("("), Just(")"), Just("["), Just("]"), Just("{"), Just("}"), Just("'é'"),
            Just(" "), Just("1"), Just("map"), Just("x,"), Just("has"), Just(":"), Just("&&"), Just("-"), Just("!"), Just("in"),
            Just("optional"), Just("of"), Just("=="), Just("'"), Just("\n"), Just("// é"), Just("absent"), Just("1.5"),
        ], 0..30).prop_map(|words| words.concat()),
    ]) {
        for dialect in [Dialect::Scenario, Dialect::AttributeCondition] {
            match Program::compile(&text, dialect) {
                Ok(program) => {
                    let explanation = program.explain(&Scope::new().with("a", 1i64));
                    for part in &explanation.parts {
                        prop_assert_eq!(text.get(part.range.clone()), Some(&*part.text));
                    }
                    for reference in program.references() {
                        prop_assert!(text.get(reference.range.clone()).is_some());
                    }
                }
                Err(error) => prop_assert!(text.get(error.offset.clone()).is_some(), "{:?}", error),
            }
        }
    }
}
