//! What a provider makes of claims, for people: no exchange, no signature, no clock.

use serde_json::{Value as Json, json};
use tokenrig_cel::{Dialect, Part, Program, Scope, Value};
use tokenrig_cloud::{Provider, ProviderConfig};
use tokenrig_decision::Check;
use tokenrig_jose::Map;
use tokenrig_policy::Identity;

use super::{aws, condition, mapping};
use crate::assumptions::Settings;

/// What a provider makes of claims, all of it even where an exchange would have stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Every line of the attribute mapping, in its order; the default one of an AWS provider without any.
    pub mapping: Vec<MappedAttribute>,
    /// The attribute condition, if there is one.
    pub condition: Option<Evaluated>,
    /// Whom the claims name, whatever the condition says and however large it is; `None` if `google.subject` has no value.
    pub identity: Option<Identity>,
    /// What an exchange would refuse of this: mapping, condition, size.
    pub faults: Vec<ReadingFault>,
}

/// A line of an attribute mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedAttribute {
    /// `google.subject`, `google.groups`, `attribute.NAME`.
    pub attribute: String,
    /// The expression, and what came of it.
    pub from: Evaluated,
}

/// An expression with its value and the values of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The text.
    pub expression: String,
    /// Its value, or why it has none.
    pub value: Result<Json, String>,
    /// Each sub-expression that was evaluated, in the order of the text; none if it does not compile.
    pub parts: Vec<(String, Result<Json, String>)>,
}

/// What an exchange would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingFault {
    /// The check: `mapping`, `condition` or `size`.
    pub check: &'static str,
    /// The id of the refusal.
    pub refusal: String,
    /// What would mend it.
    pub mend: String,
}

/// Reads claims as a provider does.
///
/// ```
/// use serde_json::json;
/// use tokenrig_cloud::{IdentityPool, Provider};
/// use tokenrig_policy::PoolRef;
/// use tokenrig_sts::read;
///
/// let pool = IdentityPool::named(PoolRef::workload("1071284184436", "partners"));
/// let provider = Provider {
///     attribute_mapping: vec![("google.subject".into(), "assertion.sub".into())],
///     attribute_condition: "assertion.team == 'sales'".into(),
///     ..Provider::named(pool.into(), "corp")
/// };
/// let reading = read(&provider, json!({ "sub": "alice", "team": "it" }).as_object().unwrap());
/// assert_eq!(reading.mapping[0].from.value, Ok(json!("alice")));
/// assert_eq!(reading.condition.unwrap().value, Ok(json!(false)));
/// assert_eq!(reading.faults[0].check, "condition");
/// ```
#[must_use]
pub fn read(provider: &Provider, claims: &Map) -> Reading {
    let lines = match provider.config {
        ProviderConfig::Aws { .. } if provider.attribute_mapping.is_empty() => aws::default_mapping(),
        _ => provider.attribute_mapping.clone(),
    };
    let claims = Value::from(claims);
    let scope = Scope::new().with("assertion", claims.clone());
    let told = lines.iter().map(|(attribute, expression)| MappedAttribute {
        attribute: attribute.clone(),
        from: evaluated(expression, Dialect::AttributeMapping, &scope),
    });
    let (mapped, check) = mapping::map(&lines, &claims, false);
    let judged = condition::condition(&provider.attribute_condition, &claims, &mapped);
    let size = mapping::size(&mapped, &provider.pool, Settings::default().most_workforce_groups);
    let scope = Scope::new()
        .with("assertion", claims.clone())
        .with("google", mapped.under("google"))
        .with("attribute", mapped.under("attribute"));
    let text = &provider.attribute_condition;
    let condition = judged.is_some().then(|| evaluated(text, Dialect::AttributeCondition, &scope));
    let faults = [("mapping", Some(check)), ("condition", judged.map(|judged| judged.check)), ("size", Some(size))];
    let faults = faults.into_iter().filter_map(|(name, check)| fault(name, &check?)).collect();
    let identity = (!mapped.subject.is_empty()).then(|| Identity::Federated {
        pool: provider.pool.reference.clone(),
        attributes: mapped.attributes(),
        groups: mapped.groups.clone(),
        subject: mapped.subject.clone(),
        provider: provider.name(),
    });
    Reading { mapping: told.collect(), condition, identity, faults }
}

fn evaluated(expression: &str, dialect: Dialect, scope: &Scope) -> Evaluated {
    let told = |value: Value| value.to_json();
    let (value, parts) = match Program::compile(expression, dialect) {
        Ok(program) => {
            let explanation = program.explain(scope);
            let parts = explanation.parts.into_iter().map(|Part { text, value, .. }| (text, value.map(told)));
            (explanation.result.map(told).map_err(|fault| fault.message), parts.collect())
        }
        Err(fault) => (Err(format!("it is no CEL that is taken here: {}", fault.message)), Vec::new()),
    };
    let value = match value {
        Ok(Json::Null) => Err("it is null".to_owned()),
        value => value,
    };
    Evaluated { expression: expression.to_owned(), value, parts }
}

fn fault(check: &'static str, judged: &Check) -> Option<ReadingFault> {
    let refused = judged.refused()?;
    let mend = judged.mending().map(str::to_owned).unwrap_or_default();
    Some(ReadingFault { check, refusal: refused.id().to_owned(), mend })
}

impl Evaluated {
    /// The value or the reason as JSON: `{"value": …}` or `{"error": …}`, beside the expression and its parts.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let given = |value: &Result<Json, String>| match value {
            Ok(value) => ("value", value.clone()),
            Err(why) => ("error", json!(why)),
        };
        let parts = self.parts.iter().map(|(text, value)| {
            let (name, value) = given(value);
            json!({ "expression": text, name: value })
        });
        let (name, value) = given(&self.value);
        json!({ "expression": self.expression, name: value, "parts": parts.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use tokenrig_cloud::IdentityPool;
    use tokenrig_policy::PoolRef;

    use super::*;

    fn corp() -> Provider {
        Provider::named(IdentityPool::named(PoolRef::workload("1071284184436", "partners")).into(), "corp")
    }

    fn provider(mapping: &[(&str, &str)], condition: &str) -> Provider {
        let line = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Provider {
            attribute_mapping: mapping.iter().map(line).collect(),
            attribute_condition: condition.to_owned(),
            ..corp()
        }
    }

    fn of(provider: &Provider, claims: Json) -> Reading {
        read(provider, claims.as_object().unwrap())
    }

    #[test]
    fn all_is_told_even_where_an_exchange_stops() {
        let lines =
            [("google.subject", "assertion.sub"), ("attribute.team", "assertion.team"), ("attribute.x", "assertion.")];
        let reading =
            of(&provider(&lines, "attribute.team == 'it'"), json!({ "sub": "é".repeat(64), "team": "sales" }));
        assert!(reading.mapping[2].from.value.is_err());
        let condition = reading.condition.unwrap();
        assert_eq!(condition.value, Ok(json!(false)));
        assert!(condition.parts.contains(&("attribute.team".to_owned(), Ok(json!("sales")))));
        assert_eq!(reading.faults.iter().map(|fault| fault.check).collect::<Vec<_>>(), ["condition", "size"]);
        let Some(Identity::Federated { subject, attributes, .. }) = reading.identity else { panic!("nobody") };
        assert_eq!((subject.len(), attributes["team"].as_str()), (128, "sales"));
    }

    #[test]
    fn without_a_subject_they_name_nobody() {
        let reading = of(&provider(&[("attribute.team", "assertion.team")], ""), json!({ "team": "sales" }));
        assert_eq!((reading.identity, reading.condition), (None, None));
        assert_eq!(reading.faults[0].refusal, "sts-google-subject-unobtainable");
    }

    #[test]
    fn an_aws_provider_has_a_mapping_of_its_own() {
        let aws = Provider { config: ProviderConfig::Aws { account_id: "1".to_owned() }, ..corp() };
        let reading = of(&aws, json!({ "arn": "arn:aws:sts::1:assumed-role/deploy/i-1" }));
        assert_eq!(reading.mapping[1].from.value, Ok(json!("arn:aws:sts::1:assumed-role/deploy")));
    }
}
