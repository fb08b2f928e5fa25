//! The attribute condition of a provider.

use serde_json::{Value as Json, json};
use tokenrig_cel::{Dialect, Explanation, Program, Scope, Value};
use tokenrig_decision::Check;
use tokenrig_jose::Map;

use super::{mapping::Mapped, shown};
use crate::refusals;

/// What a condition came to.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The check; of one that is not true with the value of every sub-expression.
    pub(crate) check: Check,
    /// Whether it reads the subject that was mapped.
    pub(crate) reads_subject: bool,
}

/// Evaluates a condition. An empty one is none.
pub(crate) fn condition(text: &str, claims: &Value, mapped: &Mapped<'_>) -> Option<Condition> {
    if text.trim().is_empty() {
        return None;
    }
    let check = Check::named("condition").expected(text);
    let program = match Program::compile(text, Dialect::AttributeCondition) {
        Ok(program) => program,
        Err(fault) => {
            let check = refuse(check.found(json!({ "error": fault.message })).holds(false), claims)
                .mend(|| "the provider's `attributeCondition` is no valid CEL expression".to_owned());
            return Some(Condition { check, reads_subject: false });
        }
    };
    let mut scope = Scope::new().with("assertion", claims.clone());
    for name in ["google", "attribute"] {
        if program.variables().iter().any(|read| read == name) {
            scope.set(name, mapped.under(name));
        }
    }
    let check = match program.evaluate(&scope) {
        Ok(Value::Bool(true)) => check.finds(|| true.into()),
        _ => unmet(check, &program.explain(&scope), claims),
    };
    let mut paths = program.references().iter().map(|reference| reference.path.iter().map(String::as_str));
    let reads_subject =
        paths.any(|mut path| path.next() == Some("google") && path.next().is_none_or(|name| name == "subject"));
    Some(Condition { check, reads_subject })
}

fn unmet(check: Check, explanation: &Explanation, claims: &Value) -> Check {
    let mut found = Map::new();
    match &explanation.result {
        Ok(value) => found.insert("result".to_owned(), value.to_json()),
        Err(fault) => found.insert("error".to_owned(), json!(fault.message)),
    };
    let values = explanation.parts.iter().map(|part| {
        let value = part.value.as_ref().map_or_else(|why| json!(format!("no value: {why}")), Value::to_json);
        (part.text.clone(), value)
    });
    found.insert("values".to_owned(), Json::Object(values.collect()));
    // The innermost part that has no value is the cause; those around it fail because it does.
    let without = explanation.parts.iter().filter_map(|part| Some((part, part.value.as_ref().err()?)));
    let cause = without.min_by_key(|(part, _)| part.text.len());
    refuse(check.found(shown::value(Json::Object(found))).holds(false), claims).mend(|| match cause {
        Some((part, why)) => {
            let text = &part.text;
            format!("`{text}` has no value ({why}): send the claim, or change the provider's `attributeCondition`")
        }
        None => "send a token whose claims make the provider's `attributeCondition` true, or change it".to_owned(),
    })
}

fn refuse(check: Check, claims: &Value) -> Check {
    let id = match claims.get("sub") {
        Some(_) => "sts-attribute-condition-false",
        None => "sts-sub-missing-with-condition",
    };
    check.or_refuse(&refusals::CONDITION_FALSE, id)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{super::mapping::map, *};

    fn judged(text: &str, claims: Json) -> Option<Condition> {
        let lines = [("google.subject", "assertion.sub"), ("attribute.team", "assertion.team")];
        let lines = lines.map(|(name, expression)| (name.to_owned(), expression.to_owned()));
        let claims = Value::from(claims);
        let (mapped, _) = map(&lines, &claims, false);
        condition(text, &claims, &mapped)
    }

    #[rstest]
    #[case::claim("assertion.team == 'sales'", true)]
    #[case::attribute("attribute.team == 'sales' && google.subject.startsWith('al')", true)]
    #[case::another_value("assertion.team == 'Sales'", false)]
    #[case::no_claim("assertion.none == 'x'", false)]
    #[case::guarded("has(assertion.none) || assertion.team in ['sales']", true)]
    #[case::no_boolean("assertion.team", false)]
    #[case::no_expression("assertion.team ==", false)]
    fn a_condition_lets_in_only_if_it_is_true(#[case] text: &str, #[case] ok: bool) {
        let condition = judged(text, json!({ "sub": "alice", "team": "sales" })).unwrap();
        assert_eq!(condition.check.ok(), ok);
        let id = condition.check.refused().map(|refused| refused.id());
        assert_eq!(id, (!ok).then_some("sts-attribute-condition-false"));
    }

    #[rstest]
    #[case("")]
    #[case(" \n")]
    fn no_condition_is_no_check(#[case] text: &str) {
        assert!(judged(text, json!({ "sub": "alice" })).is_none());
    }

    #[test]
    fn a_condition_that_is_false_shows_the_value_of_each_part() {
        let claims = json!({ "sub": "alice", "team": "sales" });
        let Condition { check, reads_subject } =
            judged("assertion.team == 'it' && attribute.team == 'it'", claims).unwrap();
        assert!(!reads_subject);
        assert_eq!(check.finding()["result"], json!(false));
        assert_eq!(check.finding()["values"]["assertion.team"], json!("sales"));
    }

    #[rstest]
    #[case("assertion.sub == 'x' && attribute.team == 'x' && google.groups == []", false)]
    #[case("assertion.team == 'x' && google['subject'] == 'x'", true)]
    #[case("size(google) == 1", true)]
    fn whether_a_condition_reads_the_mapped_subject_is_known(#[case] text: &str, #[case] reads: bool) {
        assert_eq!(judged(text, json!({ "team": "it" })).unwrap().reads_subject, reads);
    }

    #[test]
    fn a_claim_that_is_missing_is_named_in_the_mend() {
        let Condition { check, .. } = judged("assertion.sub.startsWith('a')", json!({ "team": "it" })).unwrap();
        assert_eq!(check.refused().unwrap().id(), "sts-sub-missing-with-condition");
        assert!(check.mending().unwrap().starts_with("`assertion.sub` has no value"), "{:?}", check.mending());
    }
}
