//! What names of a given document mean in expressions.

use serde_json::{Map, Value as Json, json};
use tokenrig_cel::{Scope, Value};
use tokenrig_scenario::Given;

use crate::world::Facts;

/// What is given, as the APIs return it.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    project: Map<String, Json>,
    /// Issuers, OAuth clients, AWS accounts and users.
    others: Vec<Entry>,
    resources: Vec<Entry>,
    /// By the document's index: where the resource is in [`resources`](Self::resources), once it is there.
    places: Vec<Option<usize>>,
    /// By the document's index: how expressions call it.
    names: Vec<(&'static str, String, Option<String>)>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// `run.services`, `issuers`.
    collection: &'static str,
    id: String,
    /// The name by which expressions see it, if it has one of its own.
    name: Option<String>,
    resource: Json,
    /// The same as CEL sees it.
    value: Value,
}

impl Entry {
    fn new(collection: &'static str, id: String, name: Option<String>, resource: Json) -> Self {
        Self { value: Value::from(&resource), collection, id, name, resource }
    }
}

impl Resources {
    /// What is there before anything was made: project, issuers and people.
    pub(crate) fn of(facts: &Facts, given: &Given) -> Self {
        let agents = facts.agents.iter().map(|(service, email)| (service.clone(), Json::from(email.as_str())));
        let project = [
            ("projectId", Json::from(facts.project_id.as_str())),
            ("projectNumber", Json::from(facts.project_number.as_str())),
            ("location", Json::from(facts.location.as_str())),
            ("organization", Json::from(facts.organization.as_deref())),
            ("agents", Json::Object(agents.collect())),
        ];
        let names = given.resources.iter().enumerate().map(|(index, resource)| {
            let named = given.names.iter().find(|named| named.resource == Some(index));
            let key = named.map_or_else(|| resource.id.text.to_string(), |named| named.key.clone());
            (resource.collection.name, key, named.and_then(|named| named.name.clone()))
        });
        let told = [("issuers", &facts.issuers), ("oauth2.clients", &facts.clients), ("aws.accounts", &facts.aws)];
        let others = told.into_iter().flat_map(|(collection, all)| {
            all.iter().map(move |(id, thing)| {
                let named = given.names.iter().find(|named| named.collection == collection && named.key == *id);
                let name = named.and_then(|named| named.name.clone());
                Entry::new(collection, id.clone(), name, Json::Object(thing.clone()))
            })
        });
        let users = given.names.iter().filter(|named| named.collection == "users").map(|user| {
            // Addresses are the same in any letter case.
            let told = facts.users.get(&user.key.to_ascii_lowercase()).cloned().map(Json::Object);
            let told = told.unwrap_or_else(|| json!({ "email": user.key }));
            Entry::new("users", user.key.clone(), user.name.clone(), told)
        });
        Self {
            project: project.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            others: others.chain(users).collect(),
            resources: Vec::new(),
            places: vec![None; given.resources.len()],
            names: names.collect(),
        }
    }

    /// Notes what became of the document's resource at `index`.
    pub(crate) fn put(&mut self, index: usize, resource: Json) {
        let Some((collection, id, name)) = self.names.get(index).cloned() else { return };
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(self.resources.len());
        }
        self.resources.push(Entry::new(collection, id, name, resource));
    }

    /// The resource name of the document's resource at `index`.
    pub(crate) fn name(&self, index: usize) -> Option<String> {
        let entry = self.resources.get((*self.places.get(index)?)?)?;
        entry.resource.get("name").and_then(Json::as_str).map(str::to_owned)
    }

    /// Gives all names their values.
    pub(crate) fn enter(&self, scope: &mut Scope) {
        scope.set("project", Value::from(&self.project));
        let mut collections: Vec<(&str, Vec<(&str, Value)>)> = Vec::new();
        for entry in self.others.iter().chain(&self.resources) {
            if let Some(name) = &entry.name {
                scope.set(name.clone(), entry.value.clone());
            }
            match collections.iter_mut().find(|(name, _)| *name == entry.collection) {
                Some((_, entries)) => entries.push((&entry.id, entry.value.clone())),
                None => collections.push((entry.collection, vec![(&entry.id, entry.value.clone())])),
            }
        }
        let given = collections.into_iter().map(|(name, entries)| (name, Value::map(entries)));
        scope.set("given", Value::map(given.collect::<Vec<_>>()));
    }

    /// The project: `projectId`, `projectNumber`, `location`, `organization` (null if it is in none), `agents`.
    #[must_use]
    pub fn project(&self) -> &Map<String, Json> {
        &self.project
    }

    /// A given resource as Google returns it, by its collection (`run.services`, `issuers`) and given id.
    #[must_use]
    pub fn get(&self, collection: &str, id: &str) -> Option<&Json> {
        self.others
            .iter()
            .chain(&self.resources)
            .find(|entry| entry.collection == collection && entry.id == id)
            .map(|entry| &entry.resource)
    }

    /// All that is given: collection, id, resource; issuers, OAuth clients, AWS accounts and users first, then resources in the order in
    /// which they were made.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        let all = self.others.iter().chain(&self.resources);
        all.map(|entry| (entry.collection, entry.id.as_str(), &entry.resource))
    }
}
