//! Credential access boundaries: the upper bound of what a downscoped token permits.

use serde_json::{Map, Value, json};

use crate::{
    attributes::Attributes, condition::Compiled, decide::scope, document::Condition, explain::failed,
    miss::FailedCondition, roles::Roles,
};

/// Rules of one boundary.
const MOST_RULES: usize = 10;
/// What stands before a role in `availablePermissions`.
const IN_ROLE: &str = "inRole:";

/// What a downscoped token permits at most, whatever its principal has: some roles on some resources. At most ten rules;
/// what none of them makes available is not permitted.
///
/// Source: <https://cloud.google.com/iam/docs/downscoping-short-lived-credentials>. Google honours boundaries at Cloud
/// Storage; here every API does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessBoundary {
    rules: Vec<BoundaryRule>,
}

/// One rule of a boundary.
#[derive(Debug, Clone)]
pub struct BoundaryRule {
    resource: String,
    roles: Vec<String>,
    condition: Option<(Condition, Compiled)>,
}

/// Why JSON is no access boundary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{place}` {why}")]
pub struct NotABoundary {
    /// The field, for example `accessBoundaryRules[1].availableResource`.
    pub place: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// What a boundary is asked about.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// The permission.
    pub permission: &'a str,
    /// The full name of the resource, then those of all that it is inside of.
    pub resources: &'a [String],
    /// What conditions read.
    pub attributes: &'a Attributes,
    /// Brings the resource of a rule to the form of `resources`.
    pub canonical: &'a dyn Fn(&str) -> String,
}

/// A permission that a boundary leaves out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outside {
    /// Whether the principal itself has the permission: then the boundary alone is in the way.
    pub granted: bool,
    /// The rule that came nearest, from 0.
    pub rule: usize,
    /// Its resource.
    pub resource: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// What kept it from making the permission available.
    pub near: BoundaryNear,
    /// Its condition, where that is what is wrong.
    pub condition: Option<FailedCondition>,
}

/// What kept a rule of a boundary from making a permission available; the nearer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundaryNear {
    /// Its condition did not hold.
    ConditionFalse,
    /// None of its roles holds the permission.
    RolesLackPermission,
    /// It is for another resource.
    OtherResource,
    /// It is for another resource, and none of its roles holds the permission.
    Nothing,
}

impl BoundaryNear {
    fn word(self) -> &'static str {
        match self {
            Self::ConditionFalse => "condition-false",
            Self::RolesLackPermission => "role-lacks-permission",
            Self::OtherResource => "other-resource",
            Self::Nothing => "other-resource-and-role-lacks-permission",
        }
    }
}

impl AccessBoundary {
    /// Reads Google's JSON: `{"accessBoundaryRules": [{"availableResource", "availablePermissions": ["inRole:roles/…"],
    /// "availabilityCondition"?: {"expression", "title"?, "description"?}}]}`. A field that a boundary does not have is
    /// wrong: without it the boundary might be wider than was meant. A condition that cannot be read never holds.
    ///
    /// # Errors
    ///
    /// [`NotABoundary`] for the first field that is wrong.
    pub fn from_json(boundary: &Map<String, Value>) -> Result<Self, NotABoundary> {
        known(boundary, "accessBoundary", &["accessBoundaryRules"])?;
        let place = "accessBoundaryRules";
        let rules = boundary.get(place).and_then(Value::as_array).ok_or_else(|| fault(place, "is no list"))?;
        if rules.is_empty() || rules.len() > MOST_RULES {
            return Err(fault(place, "has between 1 and 10 rules"));
        }
        let read = |(at, rule)| BoundaryRule::from_json(rule, &format!("{place}[{at}]"));
        Ok(Self { rules: rules.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// The rule that makes a permission available, if one does.
    ///
    /// # Errors
    ///
    /// The rule that came nearest, as that of a principal who has the permission itself.
    pub fn reaches(&self, asked: &Reach<'_>, roles: &Roles) -> Result<&BoundaryRule, Box<Outside>> {
        let permission = roles.permission(asked.permission);
        let mut nearest: Option<(BoundaryNear, usize, &BoundaryRule)> = None;
        for (at, rule) in self.rules.iter().enumerate() {
            let here = asked.resources.contains(&(asked.canonical)(&rule.resource));
            let holds = rule.roles.iter().any(|role| roles.holds(role, &permission));
            let near = match (here, holds) {
                (true, true) if rule.holds(asked) => return Ok(rule),
                (true, true) => BoundaryNear::ConditionFalse,
                (true, false) => BoundaryNear::RolesLackPermission,
                (false, true) => BoundaryNear::OtherResource,
                (false, false) => BoundaryNear::Nothing,
            };
            if nearest.is_none_or(|(best, ..)| near < best) {
                nearest = Some((near, at, rule));
            }
        }
        let (near, at, rule) = nearest.expect("a boundary is read with a rule at least");
        let condition = rule.condition.as_ref().filter(|_| near == BoundaryNear::ConditionFalse);
        Err(Box::new(Outside {
            granted: true,
            rule: at,
            resource: rule.resource.clone(),
            roles: rule.roles.clone(),
            near,
            condition: condition.map(|(condition, compiled)| compiled.explain(condition, &rule.scope(asked))),
        }))
    }
}

impl PartialEq for BoundaryRule {
    /// By what is written: the condition is compiled from it.
    fn eq(&self, other: &Self) -> bool {
        let written = |rule: &Self| rule.condition.as_ref().map(|(condition, _)| condition.clone());
        self.resource == other.resource && self.roles == other.roles && written(self) == written(other)
    }
}

impl Eq for BoundaryRule {}

impl BoundaryRule {
    fn from_json(rule: &Value, place: &str) -> Result<Self, NotABoundary> {
        let rule = rule.as_object().ok_or_else(|| fault(place, "is no object"))?;
        known(rule, place, &["availableResource", "availablePermissions", "availabilityCondition"])?;
        let resource = rule.get("availableResource").and_then(Value::as_str).filter(|name| name.starts_with("//"));
        let resource = resource.ok_or_else(|| fault(&at(place, "availableResource"), "is no full resource name"))?;
        let place_of_roles = at(place, "availablePermissions");
        let roles = rule.get("availablePermissions").and_then(Value::as_array).filter(|roles| !roles.is_empty());
        let roles = roles.ok_or_else(|| fault(&place_of_roles, "is no list of roles"))?.iter().map(|role| {
            let role = role.as_str().and_then(|text| text.strip_prefix(IN_ROLE)).filter(|role| !role.is_empty());
            role.map(str::to_owned).ok_or_else(|| fault(&place_of_roles, "takes `inRole:` and the name of a role"))
        });
        let roles = roles.collect::<Result<_, _>>()?;
        let condition = match rule.get("availabilityCondition") {
            None | Some(Value::Null) => None,
            Some(condition) => {
                let condition = read_condition(condition, &at(place, "availabilityCondition"))?;
                let compiled = Compiled::new(&condition.expression);
                Some((condition, compiled))
            }
        };
        Ok(Self { resource: resource.to_owned(), roles, condition })
    }

    /// The full name of the resource, as it is written.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    fn holds(&self, asked: &Reach<'_>) -> bool {
        self.condition.as_ref().is_none_or(|(_, compiled)| compiled.holds(&self.scope(asked)))
    }

    fn scope(&self, asked: &Reach<'_>) -> tokenrig_cel::Scope {
        scope(asked.attributes, asked.resources.first().unwrap_or(&self.resource))
    }
}

impl Outside {
    /// What a decision shows of it.
    pub(crate) fn found(&self) -> Value {
        let permissions: Vec<String> = self.roles.iter().map(|role| format!("{IN_ROLE}{role}")).collect();
        let mut found = Map::from_iter([
            ("miss".to_owned(), json!(self.near.word())),
            ("rule".to_owned(), json!(self.rule)),
            ("availableResource".to_owned(), json!(self.resource)),
            ("availablePermissions".to_owned(), json!(permissions)),
        ]);
        if let Some(condition) = &self.condition {
            found.insert("availabilityCondition".to_owned(), failed(condition));
        }
        json!({ "accessBoundary": found })
    }

    /// What would make it available; `role` is one that holds the permission.
    pub(crate) fn mend(&self, permission: &str, resource: &str, role: Option<&str>) -> String {
        let Self { rule, resource: own, .. } = self;
        let role = role.map_or_else(|| format!("a role that holds {permission}"), |role| format!("`{IN_ROLE}{role}`"));
        let what = match self.near {
            BoundaryNear::ConditionFalse => {
                let condition = self.condition.as_ref().map_or("", |condition| &condition.expression);
                format!(
                    "change the condition `{condition}` of rule {rule} ({own}), or make a request for which it is true"
                )
            }
            BoundaryNear::RolesLackPermission => format!("add {role} to rule {rule} ({own})"),
            BoundaryNear::OtherResource | BoundaryNear::Nothing => format!("add a rule with {role} for {resource}"),
        };
        format!("downscope the token with another access boundary: {what}")
    }
}

fn read_condition(condition: &Value, place: &str) -> Result<Condition, NotABoundary> {
    let condition = condition.as_object().ok_or_else(|| fault(place, "is no object"))?;
    known(condition, place, &["expression", "title", "description", "location"])?;
    let text = |name: &str| match condition.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(fault(&at(place, name), "is no text")),
    };
    let read = Condition {
        expression: text("expression")?,
        title: text("title")?,
        description: text("description")?,
        location: text("location")?,
    };
    if read.expression.is_empty() { Err(fault(&at(place, "expression"), "is missing")) } else { Ok(read) }
}

fn known(object: &Map<String, Value>, place: &str, names: &[&str]) -> Result<(), NotABoundary> {
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        // The name is the caller's: not endless.
        Some(name) => Err(fault(&at(place, &name.chars().take(100).collect::<String>()), "is no field of a boundary")),
    }
}

fn at(place: &str, name: &str) -> String {
    format!("{place}.{name}")
}

fn fault(place: &str, why: &'static str) -> NotABoundary {
    NotABoundary { place: place.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BUCKET: &str = "//storage.googleapis.com/projects/_/buckets/orders";
    const OBJECT: &str = "//storage.googleapis.com/projects/_/buckets/orders/objects/2026/a.csv";

    fn read(rules: Value) -> Result<AccessBoundary, NotABoundary> {
        AccessBoundary::from_json(json!({ "accessBoundaryRules": rules }).as_object().unwrap())
    }

    fn rule(resource: &str, role: &str) -> Value {
        json!({ "availableResource": resource, "availablePermissions": [format!("inRole:{role}")] })
    }

    fn reaches(rules: Value, permission: &str) -> Result<String, Box<Outside>> {
        let resources = [OBJECT, BUCKET].map(str::to_owned);
        let asked = Reach {
            permission,
            resources: &resources,
            attributes: &Attributes::at("2026-01-15T09:00:00Z".parse().unwrap()),
            canonical: &str::to_owned,
        };
        read(rules).unwrap().reaches(&asked, &Roles::default()).map(|rule| rule.resource().to_owned())
    }

    #[test]
    fn a_rule_reaches_what_is_inside_its_resource() {
        let both = json!([
            rule("//storage.googleapis.com/projects/_/buckets/o", "roles/owner"),
            rule(BUCKET, "roles/run.invoker")
        ]);
        assert_eq!(reaches(both, "run.routes.invoke"), Ok(BUCKET.to_owned()));
    }

    #[rstest]
    #[case::other_resource(json!([rule("//storage.googleapis.com/projects/_/buckets/order", "roles/run.invoker")]), 0, BoundaryNear::OtherResource)]
    #[case::slash(json!([rule(&format!("{BUCKET}/"), "roles/run.invoker")]), 0, BoundaryNear::OtherResource)]
    #[case::other_role(json!([rule("//x/y", "roles/run.invoker"), rule(BUCKET, "roles/run.viewer")]), 1, BoundaryNear::RolesLackPermission)]
    #[case::unknown_role(json!([rule(BUCKET, "roles/none")]), 0, BoundaryNear::RolesLackPermission)]
    #[case::neither(json!([rule("//x/y", "roles/none")]), 0, BoundaryNear::Nothing)]
    fn what_no_rule_makes_available_names_the_nearest(
        #[case] rules: Value,
        #[case] rule: usize,
        #[case] near: BoundaryNear,
    ) {
        let outside = reaches(rules, "run.routes.invoke").unwrap_err();
        assert_eq!((outside.rule, outside.near), (rule, near));
    }

    #[rstest]
    #[case::holds("resource.name.startsWith('projects/_/buckets/orders/objects/2026/')", true)]
    #[case::other_prefix("resource.name.startsWith('projects/_/buckets/orders/objects/2025/')", false)]
    #[case::listing("api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('2026')", false)]
    #[case::broken("resource.name.", false)]
    fn a_condition_narrows_its_rule(#[case] expression: &str, #[case] available: bool) {
        let mut rule = rule(BUCKET, "roles/run.invoker");
        rule["availabilityCondition"] = json!({ "title": "orders of 2026", "expression": expression });
        match reaches(json!([rule]), "run.routes.invoke") {
            Ok(_) => assert!(available),
            Err(outside) => {
                assert_eq!((available, outside.near), (false, BoundaryNear::ConditionFalse));
                assert_eq!(outside.condition.unwrap().expression, expression);
            }
        }
    }

    #[rstest]
    #[case::no_list(json!({}), "`accessBoundaryRules` is no list")]
    #[case::none(json!([]), "`accessBoundaryRules` has between 1 and 10 rules")]
    #[case::eleven(Value::from(vec![rule(BUCKET, "roles/owner"); 11]), "`accessBoundaryRules` has between 1 and 10 rules")]
    #[case::text(json!(["x"]), "`accessBoundaryRules[0]` is no object")]
    #[case::resource(json!([rule("orders", "roles/owner")]), "`accessBoundaryRules[0].availableResource` is no full resource name")]
    #[case::roles(json!([{ "availableResource": BUCKET }]), "`accessBoundaryRules[0].availablePermissions` is no list of roles")]
    #[case::permission(json!([{ "availableResource": BUCKET, "availablePermissions": ["storage.objects.get"] }]), "`accessBoundaryRules[0].availablePermissions` takes `inRole:` and the name of a role")]
    #[case::misspelt(json!([{ "availableResource": BUCKET, "availablePermissions": ["inRole:roles/owner"], "condition": {} }]), "`accessBoundaryRules[0].condition` is no field of a boundary")]
    #[case::condition(json!([{ "availableResource": BUCKET, "availablePermissions": ["inRole:roles/owner"], "availabilityCondition": {} }]), "`accessBoundaryRules[0].availabilityCondition.expression` is missing")]
    fn a_wrong_boundary_is_named_by_its_place(#[case] rules: Value, #[case] told: &str) {
        assert_eq!(read(rules).unwrap_err().to_string(), told);
    }
}
