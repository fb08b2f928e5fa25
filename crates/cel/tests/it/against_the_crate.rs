//! Our evaluation held against the `cel` crate's own, on expressions that are made up.
//!
//! Where the two are meant to differ, the family leaves it out: comparisons of numbers that a double cannot hold exactly
//! and of NaN, getters of instants that were written with an offset.

use std::{sync::Arc, thread};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use tokenrig_cel::{Dialect, Key, Map, Program, Scope, Value};

/// What an expression is meant to give. Now and then it gives something else, so that errors are compared, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Ints,
    Texts,
    Map,
    Instant,
    Length,
}

const TYPES: &[Type] = &[
    Type::Bool,
    Type::Int,
    Type::Uint,
    Type::Double,
    Type::Text,
    Type::Ints,
    Type::Texts,
    Type::Map,
    Type::Instant,
    Type::Length,
];

fn claims() -> serde_json::Value {
    json!({ "sub": "repo:acme/shop", "n": 3, "level": 2.5, "on": true, "groups": ["a", "ü", "ops"], "ids": [1, 2, 3],
            "deep": { "x": { "y": "z" } }, "nothing": null })
}

fn leaves(of: Type) -> &'static [&'static str] {
    match of {
        Type::Bool => &["true", "false", "c.on", "has(c.sub)", "has(c.nobody)", "has(c.deep.x.q)", "c.nobody"],
        Type::Int => &["0", "1", "-3", "7", "c.n", "9223372036854775807", "c.ids[1]", "c.ids[9]", "x"],
        Type::Uint => &["0u", "1u", "8u"],
        Type::Double => &["0.0", "1.5", "-2.25", "c.level", "1e3"],
        Type::Text => {
            &["''", "'a'", "'ü-b'", "c.sub", "c.deep.x.y", "c['sub']", "c.deep.nobody", "'a,b,,c'", "'12'", "x"]
        }
        Type::Ints => &["[]", "[1, 2]", "c.ids", "[3, 1, 2, 1]"],
        Type::Texts => &["[]", "['a']", "c.groups", "['b', 'a', 'ü']"],
        Type::Map => &["{}", "{'a': 1}", "c", "c.deep", "{'a': 1, 'b': 'x'}", "{1: 2, true: 3}", "c.nothing"],
        Type::Instant => &["timestamp('2026-01-15T09:00:00Z')", "timestamp(0)", "timestamp('1969-12-31T23:59:59.5Z')"],
        Type::Length => &["duration('1h')", "duration('-90s')", "duration('0.5s')"],
    }
}

/// How a type is made of others: `#` stands for them in turn.
fn forms(of: Type) -> &'static [(&'static str, &'static [Type])] {
    use Type::{Bool, Double, Instant, Int, Ints, Length, Map, Text, Texts, Uint};
    match of {
        Bool => &[
            ("# && #", &[Bool, Bool]),
            ("# || #", &[Bool, Bool]),
            ("# && # && #", &[Bool, Bool, Bool]),
            ("# || # || #", &[Bool, Bool, Bool]),
            ("!#", &[Bool]),
            ("# ? # : #", &[Bool, Bool, Bool]),
            ("# == #", &[Int, Int]),
            ("# == #", &[Int, Uint]),
            ("# != #", &[Text, Text]),
            ("# == #", &[Ints, Ints]),
            ("# == #", &[Map, Map]),
            ("# == #", &[Text, Int]),
            ("# < #", &[Int, Int]),
            ("# <= #", &[Uint, Int]),
            ("# > #", &[Double, Double]),
            ("# >= #", &[Text, Text]),
            ("# < #", &[Bool, Bool]),
            ("# < #", &[Instant, Instant]),
            ("# == #", &[Length, Length]),
            ("# in #", &[Int, Ints]),
            ("# in #", &[Text, Texts]),
            ("# in #", &[Text, Map]),
            ("#.contains(#)", &[Text, Text]),
            ("#.startsWith(#)", &[Text, Text]),
            ("#.endsWith(#)", &[Text, Text]),
            ("#.matches('^[a-ü]+')", &[Text]),
            ("#.exists(x, #)", &[Ints, Bool]),
            ("#.all(x, x > #)", &[Ints, Int]),
            ("#.exists_one(x, x == #)", &[Texts, Text]),
            ("#.exists(x, x == #)", &[Map, Text]),
            ("#.all(x, #)", &[Texts, Bool]),
            ("bool(#)", &[Text]),
            ("#[?#].hasValue()", &[Ints, Int]),
            ("#.?a.hasValue()", &[Map]),
            ("type(#) == type(#)", &[Int, Uint]),
        ],
        Int => &[
            ("# + #", &[Int, Int]),
            ("# - #", &[Int, Int]),
            ("# * #", &[Int, Int]),
            ("# / #", &[Int, Int]),
            ("# % #", &[Int, Int]),
            ("-#", &[Int]),
            ("# ? # : #", &[Bool, Int, Int]),
            ("size(#)", &[Text]),
            ("#.size()", &[Ints]),
            ("size(#)", &[Map]),
            ("int(#)", &[Uint]),
            ("int(#)", &[Double]),
            ("int(#)", &[Text]),
            ("int(#)", &[Instant]),
            ("#[#]", &[Ints, Int]),
            ("#.a", &[Map]),
            ("#.indexOf(#)", &[Text, Text]),
            ("#.lastIndexOf(#)", &[Text, Text]),
            ("#.indexOf(#, #)", &[Text, Text, Int]),
            ("#.lastIndexOf(#, #)", &[Text, Text, Int]),
            ("#[?#].orValue(#)", &[Ints, Int, Int]),
            ("#.?a.orValue(#)", &[Map, Int]),
            ("#.getFullYear()", &[Instant]),
            ("#.getDayOfYear()", &[Instant]),
            ("#.getDayOfWeek('+05:30')", &[Instant]),
            ("#.getHours('America/Los_Angeles')", &[Instant]),
            ("#.getMilliseconds()", &[Instant]),
            ("#.getMinutes()", &[Length]),
            ("#.getMilliseconds()", &[Length]),
        ],
        Uint => &[
            ("# + #", &[Uint, Uint]),
            ("# - #", &[Uint, Uint]),
            ("# * #", &[Uint, Uint]),
            ("# / #", &[Uint, Uint]),
            ("# % #", &[Uint, Uint]),
            ("uint(#)", &[Int]),
            ("uint(#)", &[Text]),
        ],
        Double => &[
            ("# + #", &[Double, Double]),
            ("# - #", &[Double, Double]),
            ("# * #", &[Double, Double]),
            ("-#", &[Double]),
            ("double(#)", &[Int]),
            ("double(#)", &[Text]),
        ],
        Text => &[
            ("# + #", &[Text, Text]),
            ("# ? # : #", &[Bool, Text, Text]),
            ("string(#)", &[Int]),
            ("string(#)", &[Double]),
            ("string(#)", &[Bool]),
            ("string(#)", &[Instant]),
            ("string(#)", &[Length]),
            ("string(bytes(#))", &[Text]),
            ("#[#]", &[Texts, Int]),
            ("#.join('-')", &[Texts]),
            ("#.lowerAscii()", &[Text]),
            ("#.upperAscii()", &[Text]),
            ("#.trim()", &[Text]),
            ("#.reverse()", &[Text]),
            ("#.replace(#, #)", &[Text, Text, Text]),
            ("#.replace(#, #, #)", &[Text, Text, Text, Int]),
            ("#.substring(#)", &[Text, Int]),
            ("#.substring(#, #)", &[Text, Int, Int]),
            ("#.charAt(#)", &[Text, Int]),
            ("strings.quote(#)", &[Text]),
            ("'%s|%d|%.3f|%x'.format([#, #, #, #])", &[Text, Int, Double, Int]),
            ("'%s %s %s'.format([#, #, #])", &[Map, Texts, Instant]),
            ("'%e %b %o %X'.format([#, #, #, #])", &[Double, Int, Uint, Text]),
        ],
        Ints => &[
            ("# + #", &[Ints, Ints]),
            ("[#, #]", &[Int, Int]),
            ("#.map(x, #)", &[Ints, Int]),
            ("#.map(x, x % 2 == 0, x + #)", &[Ints, Int]),
            ("#.filter(x, #)", &[Ints, Bool]),
            ("#.map(x, size(x))", &[Texts]),
            ("[?#[?#], #]", &[Ints, Int, Int]),
        ],
        Texts => &[
            ("# + #", &[Texts, Texts]),
            ("[#, #]", &[Text, Text]),
            ("#.split(#)", &[Text, Text]),
            ("#.split(#, #)", &[Text, Text, Int]),
            ("#.map(x, x + #)", &[Texts, Text]),
            ("#.filter(x, x != #)", &[Texts, Text]),
        ],
        Map => &[
            ("{'a': #, 'b': #}", &[Int, Text]),
            ("{#: #}", &[Text, Int]),
            ("{?'a': #[?#]}", &[Ints, Int]),
            ("# ? # : #", &[Bool, Map, Map]),
        ],
        Instant => &[("# + #", &[Instant, Length]), ("# - #", &[Instant, Length]), ("timestamp(#)", &[Int])],
        Length => &[("# + #", &[Length, Length]), ("# - #", &[Instant, Instant]), ("# - #", &[Length, Length])],
    }
}

/// Texts of expressions of a type.
fn expressions(of: Type, depth: u32) -> BoxedStrategy<String> {
    let leaf = proptest::sample::select(leaves(of)).prop_map(str::to_owned).boxed();
    if depth == 0 {
        return leaf;
    }
    let astray = proptest::sample::select(TYPES).prop_flat_map(|other| expressions(other, 0)).boxed();
    // One form is chosen before its parts are made up: making them all up would take far longer than the comparison.
    let made = proptest::sample::select(forms(of)).prop_flat_map(move |(form, parts)| {
        let parts: Vec<_> = parts.iter().map(|part| expressions(*part, depth - 1)).collect();
        parts.prop_map(move |parts| {
            let mut pieces = form.split('#');
            let mut text = pieces.next().unwrap_or_default().to_owned();
            for (part, piece) in parts.iter().zip(pieces) {
                text.push_str(&format!("({part}){piece}"));
            }
            text
        })
    });
    prop_oneof![3 => leaf, 8 => made, 1 => astray].boxed()
}

/// Errors of ours for what the crate lets pass against the specification.
const LAXER: &[&str] = &[
    // It adds the keys of the map.
    "`+` does not take list and map",
];

fn theirs(value: &cel::Value) -> Option<Value> {
    Some(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(flag) => Value::Bool(*flag),
        cel::Value::Int(number) => Value::Int(*number),
        cel::Value::UInt(number) => Value::Uint(*number),
        cel::Value::Float(number) => Value::Double(*number),
        cel::Value::String(text) => Value::from(text.as_str()),
        cel::Value::Bytes(bytes) => Value::Bytes(Arc::from(bytes.as_slice())),
        cel::Value::List(items) => Value::list(items.iter().map(theirs).collect::<Option<Vec<_>>>()?),
        cel::Value::Map(map) => {
            let entries = map.map.iter().map(|(key, value)| {
                let key = match key {
                    cel::objects::Key::Int(number) => Key::Int(*number),
                    cel::objects::Key::Uint(number) => Key::Uint(*number),
                    cel::objects::Key::Bool(flag) => Key::Bool(*flag),
                    cel::objects::Key::String(text) => Key::String(Arc::from(text.as_str())),
                };
                Some((key, theirs(value)?))
            });
            Value::from(Map::new(entries.collect::<Option<Vec<_>>>()?))
        }
        cel::Value::Timestamp(at) => {
            let nanos = i32::try_from(at.timestamp_subsec_nanos()).ok()?;
            Value::Timestamp(jiff::Timestamp::new(at.timestamp(), nanos).ok()?)
        }
        cel::Value::Duration(length) => Value::Duration(jiff::SignedDuration::from_nanos(length.num_nanoseconds()?)),
        _ => return None,
    })
}

/// Stricter than `==`: the type of a number counts, and a NaN is a NaN.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => format!("{ours:?}") == format!("{theirs:?}"),
    }
}

#[test]
fn both_evaluations_agree() {
    // The crate parses and evaluates on this stack.
    let run = || {
        let mut env = cel::Env::stdlib().with_optional_support(true);
        env.add_extension(cel::extensions::strings).unwrap();
        let env = Arc::new(env);
        let mut context = cel::Context::with_env(env.clone());
        let names = Scope::new().with("c", claims());
        let values = cel::Program::compile(
            "{'sub': 'repo:acme/shop', 'n': 3, 'level': 2.5, 'on': true, 'groups': ['a', 'ü', 'ops'], 'ids': [1, 2, 3], \
             'deep': {'x': {'y': 'z'}}, 'nothing': null}",
        );
        context.add_variable_from_value("c", values.unwrap().execute(&cel::Context::default()).unwrap());
        let expressions = proptest::sample::select(TYPES).prop_flat_map(|of| expressions(of, 3));
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let count = std::cell::Cell::new(0);
        runner
            .run(&expressions, |text| {
                let program = Program::compile(&text, Dialect::Scenario)
                    .map_err(|error| TestCaseError::fail(format!("{text}: {error:?}")))?;
                let ours = program.evaluate(&names);
                let compiled = env.compile(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
                let crates = compiled.execute(&context);
                match (&ours, &crates) {
                    (Ok(ours), Ok(value)) => {
                        count.set(count.get() + 1);
                        if let Some(theirs) = theirs(value) {
                            prop_assert!(same(ours, &theirs), "{}: ours {:?}, the crate's {:?}", text, ours, theirs);
                        }
                    }
                    (Err(_), Err(_)) => {}
                    (Err(error), Ok(_)) if LAXER.iter().any(|words| error.message.contains(words)) => {}
                    _ => prop_assert!(false, "{}: ours {:?}, the crate's {:?}", text, ours, crates),
                }
                prop_assert_eq!(format!("{:?}", program.explain(&names).result), format!("{ours:?}"), "{}", text);
                Ok(())
            })
            .unwrap();
        assert!(count.get() > 50, "only {} expressions had a value", count.get());
    };
    thread::Builder::new().stack_size(256 << 20).spawn(run).unwrap().join().unwrap();
}
