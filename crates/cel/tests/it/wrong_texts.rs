//! What is wrong with a text, in words that a person understands, and where.

use rstest::rstest;
use tokenrig_cel::{Dialect, Program};

#[rstest]
#[case("a +", "", "the expression ends too early")]
#[case("", "", "an expression is expected here, the text is empty")]
#[case("a b", "b", "an operator is missing before `b`")]
#[case("'é' == é", "é", "`é` does not belong in an expression")]
#[case("'é' == 1 1", "1", "an operator is missing before `1`")]
#[case("'é'\n  == ==\n", "==", "`==` is not expected here")]
#[case("a : b", ":", "`:` is not expected here")]
#[case("a..b", ".", "`.` is not expected here")]
#[case("f(1,)", ")", "`)` is not expected here")]
#[case("a ? b", "", "the expression ends too early")]
#[case("x + in", "in", "`in` is not expected here")]
#[case("a.in", "in", "`in` is not expected here")]
#[case("1 + while", "while", "`while` is a reserved word")]
#[case("9999999999999999999", "9999999999999999999", "`9999999999999999999` does not fit into 64 bits")]
#[case("99999999999999999999u", "99999999999999999999u", "`99999999999999999999u` does not fit into 64 bits")]
#[case("1e999", "1e999", "`1e999` is too large a number")]
#[case("'a' + '\\q'", "'\\q'", "'\\q' holds an escape that CEL does not know")]
#[case("'a", "'", "this text is never closed")]
#[case("f(a, [1, 2)", ")", "`)` does not close the `[` before it")]
#[case("has(a)", "has(a)", "`has` takes one field, as in `has(a.b)`")]
#[case("xs.map(a.b, 1)", "map", "the first argument of `map` must be a plain name")]
#[case("xs.exists(x)", "exists", "`exists` takes a name and an expression, as in `xs.exists(x, x > 1)`")]
#[case("Message{a: 1}", "{a: 1}", "messages such as `Message{…}` are not known here")]
#[case("a.startswith('x')", "startswith", "there is no function `startswith` here, did you mean `startsWith`?")]
#[case("a.nothingLikeIt('x')", "nothingLikeIt", "there is no function `nothingLikeIt` here")]
#[case("startsWith(a, 'x')", "startsWith", "`startsWith` is called on a value, as in `x.startsWith(…)`")]
#[case("a.int()", "int", "`int` is called as `int(…)`")]
#[case("a.contains()", "contains", "`contains` takes 1 argument, not 0")]
#[case("a.split(1, 2, 3)", "split", "`split` takes 1 to 2 arguments, not 3")]
#[case("size()", "size", "`size` takes 1 argument, not 0")]
#[case("a.none()", "none", "`none` is called as `optional.none(…)`")]
#[case("a == 'x' and b", "and", "`and` is no operator, it is written `&&`")]
#[case("a = 'x'", "=", "`=` is no operator, equality is `==`")]
#[case("“a”", "“", "typographic quotes do not delimit texts: write ' or \"")]
#[case("${a}", "$", "`$` does not belong in an expression: names stand bare")]
fn it_is_told_what_is_wrong_and_where(#[case] text: &str, #[case] at: &str, #[case] message: &str) {
    let error = Program::compile(text, Dialect::Scenario).unwrap_err();
    assert_eq!((&text[error.offset.clone()], &*error.message), (at, message));
}

#[test]
fn the_place_is_the_right_one_of_several() {
    let error = Program::compile("é == '' && 1 1".replace('é', "'é'").as_str(), Dialect::Scenario).unwrap_err();
    assert_eq!(error.offset, 16..17);
    let error = Program::compile("'é'\n+ 'ü' 'x'", Dialect::Scenario).unwrap_err();
    assert_eq!(error.offset, 12..15);
}

#[test]
fn optional_syntax_is_refused_in_googles_places_in_words() {
    for text in ["assertion.?sub", "assertion[?'sub']", "[?assertion]", "assertion.`x`"] {
        let error = Program::compile(text, Dialect::AttributeMapping).unwrap_err();
        assert_eq!(error.message, "optional fields and names in backticks are not known here", "{text}");
    }
}
