//! Attribute mapping and condition: from the claims of a subject token to a federated identity.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tokenrig_cel::{Dialect, Program, Scope, Value};
use tokenrig_decision::Check;
use tokenrig_jose::Map;

use crate::refusals;

/// Bytes of `google.subject`.
const LONGEST_SUBJECT: usize = 127;
/// Bytes of all mapped values of a workload identity.
const LARGEST_ATTRIBUTES: usize = 8192;

/// What the mapping made of the claims.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) subject: String,
    pub(crate) groups: Vec<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// `google.*` and `attribute.*` as the condition sees them.
    google: Vec<(String, Value)>,
    custom: Vec<(String, Value)>,
}

/// Why a mapping gives no identity.
#[derive(Debug)]
enum Fault {
    SubjectUnobtainable { why: String },
    NotString { attribute: String, found: &'static str },
    GroupsNotList { found: &'static str },
    GroupNotString { found: &'static str },
}

/// Evaluates the mapping. The check tells what came of every attribute.
pub(crate) fn map<'a>(mapping: impl Iterator<Item = (&'a str, &'a str)> + Clone, claims: &Map) -> (Mapped, Check) {
    let assertion = Value::from(&Json::Object(claims.clone()));
    let scope = Scope::new().with("assertion", assertion);
    let mut mapped = Mapped::default();
    let mut fault = None;
    let mut seen = serde_json::Map::new();
    let note = |told: &mut Option<Fault>, new: Fault| {
        told.get_or_insert(new);
    };
    let mut subject_told = false;
    for (attribute, expression) in mapping.clone() {
        let value = match Program::compile(expression, Dialect::AttributeMapping) {
            Ok(program) => program.evaluate(&scope).map_err(|fault| fault.message),
            Err(fault) => Err(fault.message),
        };
        seen.insert(
            attribute.to_owned(),
            match &value {
                Ok(value) => value.to_json(),
                Err(why) => json!(format!("no value: {why}")),
            },
        );
        match (attribute, value) {
            ("google.subject", Ok(value)) => {
                subject_told = true;
                match value.as_str() {
                    Some("") => note(&mut fault, Fault::SubjectUnobtainable { why: "it is empty".to_owned() }),
                    Some(text) => {
                        text.clone_into(&mut mapped.subject);
                        mapped.google.push(("subject".to_owned(), value));
                    }
                    None if matches!(value, Value::Null) => {
                        note(&mut fault, Fault::SubjectUnobtainable { why: "it is null".to_owned() });
                    }
                    None => {
                        note(&mut fault, Fault::NotString { attribute: attribute.to_owned(), found: value.type_name() })
                    }
                }
            }
            ("google.subject", Err(why)) => {
                subject_told = true;
                note(&mut fault, Fault::SubjectUnobtainable { why });
            }
            ("google.groups", Ok(value)) => match groups(&value) {
                Ok(groups) => {
                    mapped.groups = groups;
                    mapped.google.push(("groups".to_owned(), value));
                }
                Err(new) => note(&mut fault, new),
            },
            // A claim that is not there leaves its attribute out: assumed, see `missing_attribute` in assumptions.rs.
            (_, Err(_)) => {}
            (attribute, Ok(value)) => {
                let name = attribute.strip_prefix("attribute.").unwrap_or(attribute).to_owned();
                match value.as_str() {
                    Some(text) => {
                        mapped.attributes.insert(name.clone(), text.to_owned());
                        mapped.custom.push((name, value));
                    }
                    None if matches!(value, Value::Null) => {}
                    None => {
                        note(&mut fault, Fault::NotString { attribute: attribute.to_owned(), found: value.type_name() })
                    }
                }
            }
        }
    }
    if !subject_told {
        note(&mut fault, Fault::SubjectUnobtainable { why: "it is not mapped".to_owned() });
    }
    let expected: serde_json::Map<_, _> =
        mapping.map(|(attribute, expression)| (attribute.to_owned(), json!(expression))).collect();
    (mapped, check(expected, seen, fault))
}

fn groups(value: &Value) -> Result<Vec<String>, Fault> {
    let items = value.as_list().ok_or(Fault::GroupsNotList { found: value.type_name() })?;
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or(Fault::GroupNotString { found: item.type_name() }))
        .collect()
}

fn check(expected: serde_json::Map<String, Json>, seen: serde_json::Map<String, Json>, fault: Option<Fault>) -> Check {
    let check = Check::named("mapping").expected(expected).found(seen).holds(fault.is_none());
    match fault {
        None => check,
        Some(Fault::SubjectUnobtainable { why }) => {
            check.or_refuse(&refusals::SUBJECT_UNOBTAINABLE, "sts-google-subject-unobtainable").mend(|| {
                format!(
                    "`google.subject` has no value ({why}): map it to a claim that the token has, in the provider's `attributeMapping`"
                )
            })
        }
        Some(Fault::NotString { attribute, found }) => {
            let id = if found == "list" { "sts-mapped-attribute-list" } else { "sts-mapped-attribute-boolean" };
            let mend = format!(
                "`{attribute}` is mapped to a {found}: wrap the expression so that it gives a string, or send the claim as one"
            );
            check.or_refuse(&refusals::ATTRIBUTE_NOT_STRING, id).with("attribute", attribute).mend(|| mend)
        }
        Some(Fault::GroupsNotList { found }) => check
            .or_refuse(&refusals::GROUPS_NOT_LIST, "sts-groups-not-list")
            .mend(|| format!("`google.groups` is mapped to a {found}: it takes a list of strings")),
        Some(Fault::GroupNotString { found }) => check
            .or_refuse(&refusals::GROUP_NOT_STRING, "sts-groups-elements-not-string")
            .mend(|| format!("an element of `google.groups` is a {found}: all must be strings")),
    }
}

/// Evaluates the condition, with the value of every sub-expression beside it.
pub(crate) fn condition(text: &str, claims: &Map, mapped: &Mapped) -> Check {
    let scope = Scope::new()
        .with("assertion", Value::from(&Json::Object(claims.clone())))
        .with("google", Value::map(mapped.google.clone()))
        .with("attribute", Value::map(mapped.custom.clone()));
    let check = Check::named("condition").expected(text);
    let program = match Program::compile(text, Dialect::AttributeCondition) {
        Ok(program) => program,
        Err(fault) => {
            return refuse(check.found(json!({ "error": fault.message })).holds(false), claims)
                .mend(|| "the provider's `attributeCondition` is no valid CEL expression".to_owned());
        }
    };
    if program.evaluate(&scope) == Ok(Value::Bool(true)) {
        return check.found(true);
    }
    let explanation = program.explain(&scope);
    let mut found = serde_json::Map::new();
    match &explanation.result {
        Ok(value) => found.insert("result".to_owned(), value.to_json()),
        Err(fault) => found.insert("error".to_owned(), json!(fault.message)),
    };
    let values: serde_json::Map<_, _> = explanation
        .parts
        .iter()
        .map(|part| {
            let value = match &part.value {
                Ok(value) => value.to_json(),
                Err(why) => json!(format!("no value: {why}")),
            };
            (part.text.clone(), value)
        })
        .collect();
    found.insert("values".to_owned(), Json::Object(values));
    let told = explanation
        .parts
        .iter()
        .filter_map(|part| part.value.as_ref().err().map(|why| format!("`{}` has no value ({why})", part.text)))
        .next();
    refuse(check.found(found).holds(false), claims).mend(|| match told {
        Some(told) => format!("{told}: send the claim, or change the provider's `attributeCondition`"),
        None => "send a token whose claims make the provider's `attributeCondition` true, or change it".to_owned(),
    })
}

fn refuse(check: Check, claims: &Map) -> Check {
    let id =
        if claims.contains_key("sub") { "sts-attribute-condition-false" } else { "sts-sub-missing-with-condition" };
    check.or_refuse(&refusals::CONDITION_FALSE, id)
}

/// Bounds what was mapped.
pub(crate) fn size(mapped: &Mapped) -> Check {
    let subject = mapped.subject.len();
    let all = subject
        + mapped.groups.iter().map(String::len).sum::<usize>()
        + mapped.attributes.values().map(String::len).sum::<usize>();
    let check = Check::named("size")
        .expected(json!({ "google.subject": format!("at most {LONGEST_SUBJECT} bytes"), "all": format!("at most {LARGEST_ATTRIBUTES} bytes") }))
        .found(json!({ "google.subject": subject, "all": all }));
    if subject > LONGEST_SUBJECT {
        return check
            .holds(false)
            .or_refuse(&refusals::SUBJECT_TOO_LONG, "sts-subject-over-127-bytes")
            .mend(|| "map `google.subject` to something of at most 127 bytes, for example with `extract`".to_owned());
    }
    check
        .holds(all <= LARGEST_ATTRIBUTES)
        .or_refuse(&refusals::ATTRIBUTES_TOO_LARGE, "sts-mapped-attributes-over-limit")
        .with("limit", (LARGEST_ATTRIBUTES / 1024).to_string())
        .mend(|| "map fewer or shorter values".to_owned())
}
