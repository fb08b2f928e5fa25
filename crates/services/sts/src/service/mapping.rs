//! Attribute mapping: from the claims of a subject token to a federated identity.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};
use tokenrig_cel::{Dialect, Program, Scope, Value};
use tokenrig_cloud::IdentityPool;
use tokenrig_decision::Check;
use tokenrig_policy::PoolRef;

use super::shown;
use crate::refusals;

const SUBJECT: &str = "google.subject";
const GROUPS: &str = "google.groups";
/// Bytes of `google.subject`.
const LONGEST_SUBJECT: usize = 127;
/// Bytes of all mapped values of a workload identity.
const LARGEST_ATTRIBUTES: usize = 8 << 10;
/// Bytes of all mapped values of a workforce identity.
const LARGEST_WORKFORCE_ATTRIBUTES: usize = 16 << 10;

/// What the mapping made of the claims.
#[derive(Debug, Default)]
pub(crate) struct Mapped<'a> {
    /// `google.subject`.
    pub(crate) subject: String,
    /// `google.groups`.
    pub(crate) groups: Vec<String>,
    /// All that have a value, by their whole names.
    values: Vec<(&'a str, Value)>,
}

impl Mapped<'_> {
    /// `attribute.NAME` by NAME.
    #[must_use]
    pub(crate) fn attributes(&self) -> BTreeMap<String, String> {
        let custom = self.values.iter().filter_map(|(name, value)| Some((name.strip_prefix("attribute.")?, value)));
        custom.filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned()))).collect()
    }

    /// What stands under `google` or `attribute` in a condition.
    #[must_use]
    pub(crate) fn under(&self, prefix: &str) -> Value {
        let name = |name: &'_ str| name.strip_prefix(prefix)?.strip_prefix('.').map(str::to_owned);
        Value::map(self.values.iter().filter_map(|(full, value)| Some((name(full)?, value.clone()))))
    }
}

/// Why a mapping gives no identity.
#[derive(Debug)]
enum Fault {
    SubjectUnobtainable { why: String },
    AttributeUnobtainable { attribute: String, why: String },
    NotString { attribute: String, found: &'static str },
    GroupsNotList { found: &'static str },
    GroupNotString { found: &'static str },
}

/// Evaluates a mapping. The check tells what came of every attribute.
///
/// `missing_fails`: whether an attribute that has no value refuses, see `missing_attribute_fails` in assumptions.rs.
pub(crate) fn map<'a>(mapping: &'a [(String, String)], claims: &Value, missing_fails: bool) -> (Mapped<'a>, Check) {
    let scope = Scope::new().with("assertion", claims.clone());
    let mut mapped = Mapped::default();
    let mut first: Option<Fault> = None;
    let mut seen = Vec::with_capacity(mapping.len());
    for (attribute, expression) in mapping {
        let program = Program::compile(expression, Dialect::AttributeMapping).map_err(|fault| fault.message);
        let value = program.and_then(|program| program.evaluate(&scope).map_err(|fault| fault.message));
        seen.push(value.clone());
        if let Err(fault) = mapped.take(attribute, value, missing_fails) {
            first.get_or_insert(fault);
        }
    }
    if first.is_none() && !mapping.iter().any(|(attribute, _)| attribute == SUBJECT) {
        first = Some(Fault::SubjectUnobtainable { why: "it is not mapped".to_owned() });
    }
    let told = Arc::new((mapping.to_vec(), seen));
    let check = Check::named("mapping")
        .expects({
            let told = Arc::clone(&told);
            move || told.0.iter().map(|(attribute, expression)| (attribute.clone(), json!(expression))).collect()
        })
        .finds(move || {
            let value = |value: &Result<Value, String>| match value {
                Ok(value) => value.to_json(),
                Err(why) => json!(format!("no value: {why}")),
            };
            let (mapping, seen) = &*told;
            let seen = mapping.iter().zip(seen).map(|((attribute, _), seen)| (attribute.clone(), value(seen)));
            shown::value(Json::Object(seen.collect()))
        });
    (mapped, judge(check.holds(first.is_none()), first))
}

impl<'a> Mapped<'a> {
    fn take(&mut self, attribute: &'a str, value: Result<Value, String>, missing_fails: bool) -> Result<(), Fault> {
        let value = match value {
            Ok(Value::Null) => Err("it is null".to_owned()),
            Ok(Value::String(text)) if attribute == SUBJECT && text.is_empty() => Err("it is empty".to_owned()),
            value => value,
        };
        let value = match value {
            Ok(value) => value,
            Err(why) if attribute == SUBJECT => return Err(Fault::SubjectUnobtainable { why }),
            Err(why) if missing_fails => {
                return Err(Fault::AttributeUnobtainable { attribute: attribute.to_owned(), why });
            }
            Err(_) => return Ok(()),
        };
        match (attribute, value.as_str()) {
            (GROUPS, _) => self.groups = groups(&value)?,
            (SUBJECT, Some(text)) => text.clone_into(&mut self.subject),
            (_, Some(_)) => {}
            (_, None) => {
                return Err(Fault::NotString { attribute: attribute.to_owned(), found: value.type_name() });
            }
        }
        self.values.push((attribute, value));
        Ok(())
    }
}

fn groups(value: &Value) -> Result<Vec<String>, Fault> {
    let items = value.as_list().ok_or(Fault::GroupsNotList { found: value.type_name() })?;
    let text = |item: &Value| item.as_str().map(str::to_owned).ok_or(Fault::GroupNotString { found: item.type_name() });
    items.iter().map(text).collect()
}

fn judge(check: Check, fault: Option<Fault>) -> Check {
    let Some(fault) = fault else { return check };
    match fault {
        Fault::SubjectUnobtainable { why } => {
            check.or_refuse(&refusals::SUBJECT_UNOBTAINABLE, "sts-google-subject-unobtainable").mend(|| {
                format!(
                    "`google.subject` has no value ({why}): map it to a claim that the token has, in the provider's \
                     `attributeMapping`"
                )
            })
        }
        Fault::AttributeUnobtainable { attribute, why } => {
            let mend = format!("`{attribute}` has no value ({why}): send the claim, or change the `attributeMapping`");
            check
                .or_refuse(&refusals::ATTRIBUTE_UNOBTAINABLE, "sts-attribute-unobtainable")
                .with("attribute", attribute)
                .mend(|| mend)
        }
        Fault::NotString { attribute, found } => {
            let id = if found == "list" { "sts-mapped-attribute-list" } else { "sts-mapped-attribute-boolean" };
            let mend = format!(
                "`{attribute}` is mapped to a {found}: wrap the expression so that it gives a string, or send the \
                 claim as one"
            );
            check.or_refuse(&refusals::ATTRIBUTE_NOT_STRING, id).with("attribute", attribute).mend(|| mend)
        }
        Fault::GroupsNotList { found } => check
            .or_refuse(&refusals::GROUPS_NOT_LIST, "sts-groups-not-list")
            .mend(|| format!("`google.groups` is mapped to a {found}: it takes a list of strings")),
        Fault::GroupNotString { found } => check
            .or_refuse(&refusals::GROUP_NOT_STRING, "sts-groups-elements-not-string")
            .mend(|| format!("an element of `google.groups` is a {found}: all must be strings")),
    }
}

/// Whether the check is the refusal of a mapping that gives no subject.
pub(crate) fn lacks_subject(check: &Check) -> bool {
    check.refused().is_some_and(|refused| refused.id() == "sts-google-subject-unobtainable")
}

/// Bounds what was mapped. `most_groups`: of a workforce identity, see `most_workforce_groups` in assumptions.rs.
pub(crate) fn size(mapped: &Mapped<'_>, pool: &IdentityPool, most_groups: usize) -> Check {
    let (largest, most_groups) = match pool.reference {
        PoolRef::Workload { .. } => (LARGEST_ATTRIBUTES, None),
        PoolRef::Workforce { .. } => (LARGEST_WORKFORCE_ATTRIBUTES, Some(most_groups)),
    };
    let (subject, groups) = (mapped.subject.len(), mapped.groups.len());
    let texts = mapped.values.iter().filter_map(|(_, value)| value.as_str());
    let all = texts.map(str::len).sum::<usize>() + mapped.groups.iter().map(String::len).sum::<usize>();
    let check = Check::named("size")
        .expects(move || {
            let mut expected = json!({ "bytes of google.subject": LONGEST_SUBJECT, "bytes of all": largest });
            if let Some(most) = most_groups {
                expected["groups"] = json!(most);
            }
            expected
        })
        .finds(move || {
            let mut found = json!({ "bytes of google.subject": subject, "bytes of all": all });
            if most_groups.is_some() {
                found["groups"] = json!(groups);
            }
            found
        });
    if subject > LONGEST_SUBJECT {
        return check
            .holds(false)
            .or_refuse(&refusals::SUBJECT_TOO_LONG, "sts-subject-over-127-bytes")
            .mend(|| "map `google.subject` to something of at most 127 bytes, for example with `extract`".to_owned());
    }
    if let Some(most) = most_groups.filter(|most| groups > *most) {
        return check
            .holds(false)
            .or_refuse(&refusals::TOO_MANY_GROUPS, "sts-too-many-groups")
            .with("count", groups.to_string())
            .with("limit", most.to_string())
            .mend(|| "map only the groups that policies name".to_owned());
    }
    check
        .holds(all <= largest)
        .or_refuse(&refusals::ATTRIBUTES_TOO_LARGE, "sts-mapped-attributes-over-limit")
        .with("limit", (largest / 1024).to_string())
        .mend(|| "map fewer or shorter values".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn mapping(lines: &[(&str, &str)]) -> Vec<(String, String)> {
        lines.iter().map(|(name, expression)| ((*name).to_owned(), (*expression).to_owned())).collect()
    }

    fn alice() -> Value {
        Value::from(json!({ "sub": "alice", "groups": ["a", "b"], "admin": true, "n": null, "mixed": ["a", 1] }))
    }

    #[test]
    fn claims_become_subject_groups_and_attributes() {
        let lines = mapping(&[
            (SUBJECT, "'corp:' + assertion.sub"),
            (GROUPS, "assertion.groups"),
            ("attribute.admin", "string(assertion.admin)"),
            ("attribute.none", "assertion.none"),
            ("attribute.null", "assertion.n"),
        ]);
        let (mapped, check) = map(&lines, &alice(), false);
        assert!(check.ok());
        assert_eq!((mapped.subject.as_str(), mapped.groups.len()), ("corp:alice", 2));
        assert_eq!(mapped.attributes(), BTreeMap::from([("admin".to_owned(), "true".to_owned())]));
        assert_eq!(mapped.under("google").get("subject"), Some(&Value::from("corp:alice")));
        assert_eq!(mapped.under("attribute").get("admin"), Some(&Value::from("true")));
        assert_eq!(check.finding()["google.groups"], json!(["a", "b"]));
        assert!(check.finding()["attribute.none"].as_str().unwrap().starts_with("no value: "));
    }

    #[rstest]
    #[case::not_mapped("attribute.a", "'x'", "sts-google-subject-unobtainable")]
    #[case::no_claim(SUBJECT, "assertion.none", "sts-google-subject-unobtainable")]
    #[case::null(SUBJECT, "assertion.n", "sts-google-subject-unobtainable")]
    #[case::empty(SUBJECT, "''", "sts-google-subject-unobtainable")]
    #[case::no_expression(SUBJECT, "assertion.", "sts-google-subject-unobtainable")]
    #[case::boolean(SUBJECT, "assertion.sub == 'alice'", "sts-mapped-attribute-boolean")]
    #[case::boolean_attribute("attribute.admin", "assertion.admin", "sts-mapped-attribute-boolean")]
    #[case::list("attribute.groups", "assertion.groups", "sts-mapped-attribute-list")]
    #[case::groups(GROUPS, "assertion.sub", "sts-groups-not-list")]
    #[case::mixed_groups(GROUPS, "assertion.mixed", "sts-groups-elements-not-string")]
    fn a_mapping_that_gives_no_identity_is_refused(#[case] name: &str, #[case] expression: &str, #[case] id: &str) {
        let mut lines = mapping(&[(name, expression)]);
        if id != "sts-google-subject-unobtainable" && name != SUBJECT {
            lines.extend(mapping(&[(SUBJECT, "assertion.sub")]));
        }
        let (_, check) = map(&lines, &alice(), false);
        assert_eq!(check.refused().unwrap().id(), id);
        assert_eq!(lacks_subject(&check), id == "sts-google-subject-unobtainable");
    }

    #[test]
    fn an_attribute_without_value_refuses_only_if_that_is_set() {
        let lines = mapping(&[(SUBJECT, "assertion.sub"), ("attribute.none", "assertion.none")]);
        assert!(map(&lines, &alice(), false).1.ok());
        let (_, check) = map(&lines, &alice(), true);
        assert_eq!(
            check.refused().unwrap().message(),
            "Could not obtain a value for attribute.none from the given credential."
        );
    }

    #[rstest]
    #[case(127, 0, None)]
    #[case(128, 0, Some("sts-subject-over-127-bytes"))]
    #[case(92, 8100, None)]
    #[case(93, 8100, Some("sts-mapped-attributes-over-limit"))]
    fn sizes_are_counted_in_bytes(#[case] subject: usize, #[case] other: usize, #[case] refused: Option<&str>) {
        let lines = mapping(&[(SUBJECT, "assertion.sub"), ("attribute.a", "assertion.a"), (GROUPS, "[assertion.g]")]);
        // Two bytes a character, but for the first.
        let text = |bytes: usize| format!("{}{}", "x".repeat(bytes % 2), "é".repeat(bytes / 2));
        let claims = Value::from(json!({ "sub": text(subject), "a": text(other / 2), "g": text(other / 2) }));
        let (mapped, check) = map(&lines, &claims, false);
        assert!(check.ok());
        let pool = IdentityPool::named(PoolRef::workload("1", "partners"));
        assert_eq!(size(&mapped, &pool, 400).refused().map(|refused| refused.id()), refused);
        // Twice as much may be known of a person, but no longer subject.
        let pool = IdentityPool::named(PoolRef::workforce("employees"));
        let refused = refused.filter(|_| subject > LONGEST_SUBJECT);
        assert_eq!(size(&mapped, &pool, 400).refused().map(|refused| refused.id()), refused);
    }

    #[rstest]
    #[case(400, None)]
    #[case(401, Some("The current count of 401 mapped attribute google.groups exceeds the 400 count limit."))]
    fn only_of_a_workforce_identity_groups_are_counted(#[case] count: usize, #[case] said: Option<&str>) {
        let lines = mapping(&[(SUBJECT, "'alice'"), (GROUPS, "assertion.groups")]);
        let claims = Value::from(json!({ "groups": vec!["g"; count] }));
        let (mapped, _) = map(&lines, &claims, false);
        let of = |pool| size(&mapped, &IdentityPool::named(pool), 400);
        assert!(of(PoolRef::workload("1", "partners")).ok());
        let check = of(PoolRef::workforce("employees"));
        let found = check.refused().map(|refused| refused.message());
        assert!(found.is_some() == said.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().starts_with(said.unwrap_or_default()));
    }
}
