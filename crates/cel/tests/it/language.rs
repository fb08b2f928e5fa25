//! The language, one line each.

use rstest::rstest;
use serde_json::json;
use tokenrig_cel::{EvalErrorKind, Scope, Value};

use crate::{value, value_in};

#[rstest]
// numbers
#[case("1 + 2 * 3 - 4 / 2 % 2 == 7")]
#[case("-7 / 2 == -3 && -7 % 2 == -1")]
#[case("1 == 1u && 1 == 1.0 && 1u < 1.5 && 2 > 1.5")]
#[case("9223372036854775807 != 9223372036854775807.0 && 9223372036854775807 < 9223372036854775808u")]
#[case("!(double('NaN') == double('NaN')) && !(double('NaN') < 1.0)")]
#[case("-(-5) == 5 && --5 == 5 && 0x1F == 31 && -0x10 == -16 && 1e3 == 1000.0")]
// texts and bytes
#[case("'a' + \"b\" == 'ab' && b'a' + b'b' == b'ab' && r'\\d' == '\\\\d'")]
#[case("size('é😀') == 2 && 'é😀'.size() == 2 && size(b'é') == 2")]
#[case("'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')")]
#[case("'abc-12'.matches('[0-9]+') && !'abc'.matches('^b') && matches('abc', 'b')")]
#[case("'a' < 'b' && b'a' < b'b' && false < true")]
// conversions
#[case("int('42') == 42 && int(4.9) == 4 && int(-4.9) == -4 && uint('7') == 7u && double('1.5') == 1.5")]
#[case("string(1) == '1' && string(1.5) == '1.5' && string(true) == 'true' && string(b'x') == 'x'")]
#[case("bool('true') && !bool('0') && bytes('x') == b'x' && type(1) == int && type('') != int")]
#[case("type(type(1)) == type && type([]) == list && type({}) == map && type(null) == null_type")]
// logic
#[case("true || 1 / 0 == 1")]
#[case("1 / 0 == 1 || true")]
#[case("!(false && 1 / 0 == 1) && !(1 / 0 == 1 && false)")]
#[case("1 / 0 == 1 || false || true")]
#[case("true ? true : 1 / 0 == 1")]
// lists and maps
#[case("[1, 2] + [3] == [1, 2, 3] && [1, 2, 3][1] == 2 && 2 in [1, 2] && !(4 in [1, 2])")]
#[case(
    "{'a': 1, 'b': [2]} == {'b': [2], 'a': 1} && 'a' in {'a': 1} && {1: 'x'}[1u] == 'x' && {'a': {'b': 3}}.a.b == 3"
)]
#[case("has({'a': 1}.a) && !has({'a': 1}.b) && size({'a': 1}) == 1")]
#[case("[1, 2, 3].exists(x, x > 2) && [1, 2, 3].all(x, x > 0) && [1, 2, 3].exists_one(x, x == 2)")]
#[case("[1, 2, 3].existsOne(x, x == 2) && ![1, 1].exists_one(x, x == 1)")]
#[case("[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6]")]
#[case("[1, 2, 3].filter(x, x != 2) == [1, 3] && {'a': 1}.map(k, k) == ['a']")]
#[case("[[1, 2], [3]].map(x, x.map(x, x + 1)) == [[2, 3], [4]]")]
#[case("[[1, 2], [3]].map(x, x.map(y, size(x) + y)) == [[3, 4], [4]]")]
#[case("[1, 0].exists(x, 1 / x == 1) && [0, 1].exists(x, 1 / x == 1) && ![0, 2].all(x, 1 / x == 1)")]
// time
#[case("timestamp('2026-01-15T09:00:00Z') + duration('90m') == timestamp('2026-01-15T10:30:00Z')")]
#[case("timestamp('2026-01-15T09:00:00Z') - timestamp('2026-01-15T08:00:00Z') == duration('1h')")]
#[case("timestamp(0) < timestamp('1970-01-01T00:00:01Z') && int(timestamp('1969-12-31T23:59:59.5Z')) == -1")]
#[case("string(timestamp('2026-01-15T09:00:00.250+01:00')) == '2026-01-15T08:00:00.25Z'")]
#[case("string(duration('-90.5s')) == '-90.5s' && duration('1h').getMinutes() == 60")]
#[case(
    "timestamp('2026-03-01T00:30:00Z').getMonth() == 2 && timestamp('2026-03-01T00:30:00Z').getDate('-08:00') == 28"
)]
#[case(
    "timestamp('2026-03-01T00:30:00Z').getHours('Europe/Berlin') == 1 && timestamp('2026-03-01T00:30:00Z').getDayOfWeek() == 0"
)]
#[case(
    "timestamp('2026-12-31T00:00:00Z').getDayOfYear() == 364 && timestamp('2026-12-31T00:00:00.123Z').getMilliseconds() == 123"
)]
// the strings extension
#[case(
    "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'é1'.split('') == ['é', '1']"
)]
#[case(
    "'a,b'.split(',', 0) == [] && 'abc'.split('', 2) == ['a', 'bc'] && ['a', 'b'].join('-') == 'a-b' && [].join() == ''"
)]
#[case("'ÄbC'.lowerAscii() == 'Äbc' && 'abc'.upperAscii() == 'ABC' && ' x '.trim() == 'x' && 'éa'.reverse() == 'aé'")]
#[case(
    "'hello'.replace('l', 'L') == 'heLLo' && 'hello'.replace('l', 'L', 1) == 'heLlo' && 'ab'.replace('', '-') == '-a-b-'"
)]
#[case(
    "'äbc'.substring(1) == 'bc' && 'äbc'.substring(0, 2) == 'äb' && 'äbc'.charAt(0) == 'ä' && 'abc'.charAt(3) == ''"
)]
#[case("'ta©o©αT'.indexOf('©', 3) == 4 && 'ta©o©αT'.lastIndexOf('©', 3) == 2 && 'abc'.indexOf('x') == -1")]
#[case("'%s is %d, %.2f%%, %x'.format(['π', 3, 3.14159, 255]) == 'π is 3, 3.14%, ff'")]
#[case("'%s %s'.format([{'b': 1, 'a': [true, null]}, duration('1.5s')]) == '{a: [true, null], b: 1} 1.5s'")]
#[case("strings.quote('a\"b\\n') == '\"a\\\\\"b\\\\n\"'")]
// optionals
#[case("{'a': 1}.?a.orValue(2) == 1 && {'a': 1}.?b.orValue(2) == 2 && {'a': {}}.?a.b.c.orValue(3) == 3")]
#[case("[1][?5].hasValue() == false && [1][?0].value() == 1 && optional.none().or(optional.of(4)).value() == 4")]
#[case("[?{'a': 1}.?a, ?optional.none()] == [1] && {?'x': optional.none(), 'y': 1} == {'y': 1}")]
#[case("{'a': 1}.?a.optMap(x, x + 1).value() == 2 && !optional.of(1).optFlatMap(x, optional.none()).hasValue()")]
#[case("optional.ofNonZeroValue('').hasValue() == false && {'a b': 1}.`a b` == 1")]
// extract and absent
#[case("'projects/p/locations/l'.extract('locations/{name}') == 'l'")]
#[case("absent == absent && absent != null && [1].map(x, absent) == [absent]")]
// places for blanks
#[case(" // a remark\n [ 1 , // another\n 2 ,] . size ( ) == 2 ")]
fn it_is_true(#[case] text: &str) {
    assert_eq!(value(text), Ok(Value::Bool(true)), "{text}");
}

#[rstest]
#[case("1 / 0", "1 / 0", "a division by zero", EvalErrorKind::Other)]
#[case("2 + 9223372036854775807", "2 + 9223372036854775807", "the result of `+` is out of range", EvalErrorKind::Other)]
#[case("'é' + (1 + 'a')", "1 + 'a'", "`+` does not take int and string", EvalErrorKind::Type)]
#[case("[1].map(x, x.name)", "x.name", "int has no fields, so there is no `name`", EvalErrorKind::Type)]
#[case("(nobody).name", "nobody", "there is nothing named `nobody` here", EvalErrorKind::Missing)]
#[case("claims.sub.nick", "claims.sub.nick", "string has no fields, so there is no `nick`", EvalErrorKind::Type)]
#[case("'x' + claims.name", "claims.name", "there is no field `name`", EvalErrorKind::Missing)]
#[case("claims['na me']", "claims['na me']", "there is no key \"na me\"", EvalErrorKind::Missing)]
#[case("claims.groups[2]", "claims.groups[2]", "there is no item 2, the list has 2", EvalErrorKind::Missing)]
#[case("claims.groups[-1]", "claims.groups[-1]", "there is no item -1, the list has 2", EvalErrorKind::Missing)]
#[case("true && claims.sub", "claims.sub", "an operand of `&&` must be bool, this is string", EvalErrorKind::Type)]
#[case("1 ? 2 : 3", "1", "the condition of `? :` must be bool, this is int", EvalErrorKind::Type)]
#[case(
    "claims.sub.startsWith(1)",
    "claims.sub.startsWith(1)",
    "string has no `startsWith` that takes (int)",
    EvalErrorKind::Type
)]
#[case("size(1)", "size(1)", "`size` does not take (int)", EvalErrorKind::Type)]
#[case("1.lowerAscii()", "1.lowerAscii()", "int has no `lowerAscii`", EvalErrorKind::Type)]
#[case("int('x1')", "int('x1')", "`x1` is not an int", EvalErrorKind::Other)]
#[case("1.0 % 2.0", "1.0 % 2.0", "`%` does not take double and double", EvalErrorKind::Type)]
#[case(
    "'a'.matches('(')",
    "'a'.matches('(')",
    "the pattern is no regular expression: unclosed group",
    EvalErrorKind::Other
)]
#[case("{1: 'a', 1u: 'b'}", "1", "the map has a key twice", EvalErrorKind::Other)]
#[case("{1.5: 'a'}", "1.5", "a key of a map must be bool, int, uint or string", EvalErrorKind::Type)]
#[case("claims.sub.all(c, true)", "claims.sub", "`all` goes over lists and maps, this is string", EvalErrorKind::Type)]
#[case("'a'.substring(2)", "'a'.substring(2)", "the position 2 is out of range", EvalErrorKind::Other)]
#[case("jwt('x')", "jwt('x')", "there is no function `jwt` here", EvalErrorKind::Missing)]
#[case("absent.name", "absent.name", "absent has no fields, so there is no `name`", EvalErrorKind::Missing)]
#[case("optional.none().value()", "optional.none().value()", "the optional is empty", EvalErrorKind::Missing)]
#[case(
    "timestamp('9999-12-30T00:00:00Z') + duration('48h')",
    "timestamp('9999-12-30T00:00:00Z') + duration('48h')",
    "the result of `+` is out of range",
    EvalErrorKind::Other
)]
fn an_error_tells_what_and_where(
    #[case] text: &str,
    #[case] at: &str,
    #[case] message: &str,
    #[case] kind: EvalErrorKind,
) {
    let claims = json!({ "sub": "alice", "groups": ["a", "b"] });
    let error = value_in(text, &Scope::new().with("claims", claims)).unwrap_err();
    assert_eq!((&text[error.at.clone()], &*error.message, error.kind), (at, message, kind), "{text}");
}

#[test]
fn a_scope_brings_functions_and_names() {
    let scope =
        Scope::new().with("it", 3i64).with("orders", json!({ "uri": "https://x" })).function("twice", |arguments| {
            match arguments {
                [Value::Int(number)] => Ok(Value::Int(number * 2)),
                _ => Err("`twice` takes one int".to_owned()),
            }
        });
    assert_eq!(value_in("twice(it) == 6 && orders.uri.startsWith('https')", &scope), Ok(Value::Bool(true)));
    let error = value_in("1 + twice('x')", &scope).unwrap_err();
    assert_eq!((&*error.message, error.at), ("`twice` takes one int", 4..14));
}

#[test]
fn a_name_of_a_macro_hides_the_scope_and_a_leading_dot_does_not() {
    let scope = Scope::new().with("x", 7i64);
    assert_eq!(value_in("[1].map(x, x)[0] == 1 && [1].map(x, .x)[0] == 7 && x == 7", &scope), Ok(Value::Bool(true)));
}

#[test]
fn a_claim_that_is_an_integer_is_an_int() {
    let scope = Scope::new().with("assertion", json!({ "n": 1, "d": 1.0 }));
    assert_eq!(
        value_in("type(assertion.n) == int && assertion.n + 1 == 2 && type(assertion.d) == double", &scope),
        Ok(Value::Bool(true))
    );
}

#[rstest]
#[case("'a b'", Some("a b"))]
#[case("12", Some("12"))]
#[case("12u", Some("12u"))]
#[case("1.0", Some("1.0"))]
#[case("1e300", Some("1e+300"))]
#[case("true", Some("true"))]
#[case("null", None)]
#[case("[1]", None)]
#[case("absent", None)]
#[case("double('NaN')", None)]
#[case("timestamp(0)", None)]
fn a_hole_in_a_text_takes_plain_values_only(#[case] text: &str, #[case] printed: Option<&str>) {
    assert_eq!(value(text).unwrap().to_text().as_deref(), printed);
}

#[rstest]
#[case(r#"{"a": [1, "x\n", null, true, 1.5], "": {}}"#)]
#[case("b'\\x00a'")]
#[case("[1u, 1, 1.0]")]
#[case("timestamp('2026-01-15T09:00:00.5Z')")]
#[case("duration('-1.5s')")]
#[case("[optional.none(), optional.of(1), absent, int]")]
fn a_value_prints_as_it_is_written(#[case] text: &str) {
    assert_eq!(value(text).unwrap().to_string(), text);
}
