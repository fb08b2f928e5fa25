//! Allow policies as Google's JSON writes them.

use serde_json::{Map, Value, json};

/// An allow policy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// The bindings, in the order in which they were written.
    pub bindings: Vec<Binding>,
    /// Base64; empty where none was sent.
    pub etag: String,
    /// `auditConfigs` as they were sent. `None` leaves those of the stored policy alone, an empty list clears them.
    pub audit_configs: Option<Vec<Value>>,
}

/// Members that have a role, maybe on a condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// `roles/NAME`, `projects/P/roles/NAME` or `organizations/N/roles/NAME`.
    pub role: String,
    /// The members as written. A text that is no [`Member`](crate::Member) matches nobody.
    pub members: Vec<String>,
    /// When it holds.
    pub condition: Option<Condition>,
}

/// A condition: `google.type.Expr`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The CEL expression.
    pub expression: String,
    /// A short name.
    pub title: String,
    /// More words.
    pub description: String,
    /// Where it comes from.
    pub location: String,
}

/// Why JSON is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct NotAPolicy {
    /// The field, for example `bindings[1].members[0]`.
    pub place: String,
    /// What is expected there.
    pub why: &'static str,
}

impl Policy {
    /// A policy of these bindings.
    #[must_use]
    pub fn of(bindings: impl IntoIterator<Item = Binding>) -> Self {
        Self { bindings: bindings.into_iter().collect(), ..Self::default() }
    }

    /// Whether any binding has a condition.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        self.bindings.iter().any(|binding| binding.condition.is_some())
    }

    /// The version that Google answers with: 3 with conditions, else 1.
    #[must_use]
    pub fn version(&self) -> i32 {
        if self.has_conditions() { 3 } else { 1 }
    }

    /// How many members all bindings have together, repeated ones too. Google allows 1,500.
    #[must_use]
    pub fn principals(&self) -> usize {
        self.bindings.iter().map(|binding| binding.members.len()).sum()
    }

    /// Reads Google's JSON. Fields that a policy does not have are left out.
    ///
    /// # Errors
    ///
    /// [`NotAPolicy`] for the first field that has the wrong type.
    pub fn from_json(value: &Value) -> Result<Self, NotAPolicy> {
        let object = value.as_object().ok_or_else(|| fault("policy", "expected an object"))?;
        let mut policy = Self { etag: text(object, "etag", "etag")?, ..Self::default() };
        for (i, binding) in list(object, "bindings", "bindings")?.iter().enumerate() {
            policy.bindings.push(Binding::from_json(binding, &format!("bindings[{i}]"))?);
        }
        if object.contains_key("auditConfigs") {
            policy.audit_configs = Some(list(object, "auditConfigs", "auditConfigs")?.to_vec());
        }
        Ok(policy)
    }

    /// Google's JSON, whole: as for a caller who asked for version 3.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("version".into(), json!(self.version()));
        if !self.etag.is_empty() {
            object.insert("etag".into(), json!(self.etag));
        }
        if !self.bindings.is_empty() {
            object.insert("bindings".into(), self.bindings.iter().map(Binding::to_json).collect());
        }
        if let Some(configs) = self.audit_configs.as_ref().filter(|configs| !configs.is_empty()) {
            object.insert("auditConfigs".into(), json!(configs));
        }
        Value::Object(object)
    }
}

impl Binding {
    /// A binding without condition.
    #[must_use]
    pub fn of<M: Into<String>>(role: impl Into<String>, members: impl IntoIterator<Item = M>) -> Self {
        Self { role: role.into(), members: members.into_iter().map(Into::into).collect(), condition: None }
    }

    /// The same on a condition, with its expression for a title.
    #[must_use]
    pub fn when(mut self, expression: impl Into<String>) -> Self {
        let expression = expression.into();
        self.condition = Some(Condition { title: expression.clone(), expression, ..Condition::default() });
        self
    }

    fn from_json(value: &Value, place: &str) -> Result<Self, NotAPolicy> {
        let object = value.as_object().ok_or_else(|| fault(place, "expected an object"))?;
        let mut binding = Self { role: text(object, "role", &format!("{place}.role"))?, ..Self::default() };
        for (i, member) in list(object, "members", &format!("{place}.members"))?.iter().enumerate() {
            let member = member.as_str().ok_or_else(|| fault(format!("{place}.members[{i}]"), "expected a string"))?;
            binding.members.push(member.to_owned());
        }
        match object.get("condition") {
            None | Some(Value::Null) => {}
            Some(Value::Object(condition)) => {
                let part = |key: &str| text(condition, key, &format!("{place}.condition.{key}"));
                binding.condition = Some(Condition {
                    expression: part("expression")?,
                    title: part("title")?,
                    description: part("description")?,
                    location: part("location")?,
                });
            }
            Some(_) => return Err(fault(format!("{place}.condition"), "expected an object")),
        }
        Ok(binding)
    }

    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("role".into(), json!(self.role));
        object.insert("members".into(), json!(self.members));
        if let Some(condition) = &self.condition {
            object.insert("condition".into(), condition.to_json());
        }
        Value::Object(object)
    }
}

impl Condition {
    /// Google's JSON; empty fields are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let fields = [
            ("expression", &self.expression),
            ("title", &self.title),
            ("description", &self.description),
            ("location", &self.location),
        ];
        for (key, value) in fields {
            if !value.is_empty() {
                object.insert(key.into(), json!(value));
            }
        }
        Value::Object(object)
    }
}

fn fault(place: impl Into<String>, why: &'static str) -> NotAPolicy {
    NotAPolicy { place: place.into(), why }
}

fn text(object: &Map<String, Value>, key: &str, place: &str) -> Result<String, NotAPolicy> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(fault(place, "expected a string")),
    }
}

fn list<'a>(object: &'a Map<String, Value>, key: &str, place: &str) -> Result<&'a [Value], NotAPolicy> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(fault(place, "expected a list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_googles_json_and_writes_it_back() {
        let json = json!({
            "version": 3,
            "etag": "BwXhqDVK2Xs=",
            "bindings": [
                { "role": "roles/run.invoker", "members": ["allUsers"] },
                { "role": "roles/iam.workloadIdentityUser", "members": ["user:a@b.c"],
                  "condition": { "expression": "request.time < timestamp('2027-01-01T00:00:00Z')", "title": "this year" } },
            ],
            "auditConfigs": [{ "service": "allServices" }],
        });
        assert_eq!(Policy::from_json(&json).unwrap().to_json(), json);
    }

    #[test]
    fn a_wrong_type_is_named_by_its_place() {
        let wrong = json!({ "bindings": [{ "role": "roles/viewer" }, { "role": "roles/viewer", "members": [7] }] });
        assert_eq!(Policy::from_json(&wrong).unwrap_err().to_string(), "bindings[1].members[0]: expected a string");
    }

    #[test]
    fn audit_configs_that_were_not_sent_differ_from_an_empty_list() {
        assert_eq!(Policy::from_json(&json!({})).unwrap().audit_configs, None);
        assert_eq!(Policy::from_json(&json!({ "auditConfigs": [] })).unwrap().audit_configs, Some(vec![]));
    }

    #[test]
    fn only_a_condition_makes_it_version_3() {
        assert_eq!(Policy::of([Binding::of("roles/viewer", ["allUsers"])]).version(), 1);
        assert_eq!(Policy::of([Binding::of("roles/viewer", ["allUsers"]).when("true")]).version(), 3);
    }
}
