//! What may stand where.

use rstest::rstest;
use serde_json::json;
use tokenrig_cel::{
    Dialect::{self, AttributeCondition, AttributeMapping, IamCondition, Scenario},
    Program, Scope, Value,
};

#[rstest]
#[case("assertion.sub.lowerAscii()", &[AttributeMapping, AttributeCondition, Scenario])]
#[case("assertion.sub.split('/').join('-')", &[AttributeMapping, AttributeCondition, Scenario])]
#[case("assertion.sub.extract('a/{b}')", &[AttributeMapping, AttributeCondition, IamCondition, Scenario])]
#[case("assertion.sub.upperAscii()", &[Scenario])]
#[case("assertion.?sub", &[Scenario])]
#[case("assertion[?'sub']", &[Scenario])]
#[case("{?'a': assertion.b}", &[Scenario])]
#[case("assertion.`a-b`", &[Scenario])]
#[case("assertion.sub.optMap(x, x)", &[Scenario])]
#[case("jwt(assertion.sub)", &[Scenario])]
#[case("api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['a'])", &[IamCondition])]
fn a_function_works_only_where_google_has_it(#[case] text: &str, #[case] places: &[Dialect]) {
    for dialect in [AttributeMapping, AttributeCondition, IamCondition, Scenario] {
        assert_eq!(Program::compile(text, dialect).is_ok(), places.contains(&dialect), "{text} as {dialect:?}");
    }
}

#[rstest]
#[case(AttributeMapping, 2048)]
#[case(AttributeCondition, 4096)]
#[case(IamCondition, 4096)]
#[case(Scenario, 16_384)]
fn the_length_is_bounded_in_characters(#[case] dialect: Dialect, #[case] most: usize) {
    let text = |characters: usize| format!("'{}'", "é".repeat(characters - 2));
    assert!(Program::compile(&text(most), dialect).is_ok());
    let error = Program::compile(&text(most + 1), dialect).unwrap_err();
    assert_eq!(error.message, format!("the expression is too long, {most} characters are the most"));
    assert_eq!(error.offset.end, text(most + 1).len());
}

#[test]
fn absent_is_a_name_like_others_outside_scenarios() {
    let program = Program::compile("absent", AttributeCondition).unwrap();
    assert_eq!(program.variables(), ["absent"]);
    assert_eq!(Program::compile("absent", Scenario).unwrap().variables(), Vec::<String>::new().as_slice());
}

#[test]
fn a_scope_brings_no_functions_to_googles_places() {
    assert!(Program::compile("jwt('x')", AttributeMapping).unwrap_err().message.contains("no function `jwt`"));
}

#[test]
fn the_default_mapping_of_an_aws_role_works() {
    let text = "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' \
                + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn";
    let program = Program::compile(text, AttributeMapping).unwrap();
    let role = |arn: &str| program.evaluate(&Scope::new().with("assertion", json!({ "arn": arn }))).unwrap();
    assert_eq!(role("arn:aws:sts::1:assumed-role/ci/session"), Value::from("arn:aws:sts::1:assumed-role/ci"));
    assert_eq!(role("arn:aws:iam::1:user/alice"), Value::from("arn:aws:iam::1:user/alice"));
}

#[test]
fn the_grants_of_a_delegated_admin_are_bounded() {
    let program = Program::compile(
        "api.getAttribute('modified', []).hasOnly(['roles/run.invoker', 'roles/viewer'])",
        IamCondition,
    )
    .unwrap();
    let holds = |api: serde_json::Value| program.evaluate(&Scope::new().with("api", api)).unwrap();
    assert_eq!(holds(json!({ "modified": ["roles/viewer"] })), Value::Bool(true));
    assert_eq!(holds(json!({ "modified": ["roles/viewer", "roles/owner"] })), Value::Bool(false));
    assert_eq!(holds(json!({})), Value::Bool(true));
}
