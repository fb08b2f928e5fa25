//! What has an id in `given`, and what expressions call it.

use std::collections::HashMap;

use tokenrig_protos::prost_reflect::MessageDescriptor;

use crate::{
    aws,
    model::{Given, GivenName},
    template::Key,
    words::is_reserved,
};

/// The ids of a given document, for expressions.
#[derive(Debug, Default)]
pub(crate) struct Things {
    list: Vec<Thing>,
    by_name: HashMap<String, usize>,
    /// By collection and key.
    by_key: HashMap<&'static str, HashMap<String, usize>>,
    /// What `mint` calls principals of AWS.
    principals: Vec<String>,
}

/// Something that has an id.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) id: Key,
    pub(crate) known: GivenName,
    /// Why it has no name of its own.
    pub(crate) nameless: &'static str,
    /// What Google returns for it; `None` for issuers, users, OAuth clients and AWS accounts.
    pub(crate) message: Option<MessageDescriptor>,
}

impl Things {
    pub(crate) fn of(given: &Given) -> Self {
        let mut list: Vec<Thing> = Vec::new();
        let mut add = |collection, id: &Key, parent: Option<&Key>, resource, message| {
            let key = match parent {
                Some(parent) => format!("{}/{}", parent.text, id.text),
                None => id.text.to_string(),
            };
            let known = GivenName { collection, key, name: None, resource, span: id.span };
            list.push(Thing { id: id.clone(), known, nameless: "", message });
        };
        for (id, _) in &given.issuers {
            add("issuers", id, None, None, None);
        }
        for (id, _) in &given.users {
            add("users", id, None, None, None);
        }
        for (id, _) in &given.clients {
            add("oauth2.clients", id, None, None, None);
        }
        for (id, _) in &given.aws {
            add("aws.accounts", id, None, None, None);
        }
        for (index, resource) in given.resources.iter().enumerate() {
            let parent = resource.parent.and_then(|parent| given.resources.get(parent)).map(|parent| &parent.id);
            let message = resource.collection.message.clone();
            add(resource.collection.name, &resource.id, parent, Some(index), Some(message));
        }
        let mut in_collection: HashMap<(&str, &str), usize> = HashMap::new();
        let mut of_name: HashMap<String, usize> = HashMap::new();
        for thing in &list {
            *in_collection.entry((thing.known.collection, &thing.id.text)).or_default() += 1;
            *of_name.entry(name_of(&thing.id.text)).or_default() += 1;
        }
        let keys: Vec<bool> = list
            .iter()
            .map(|thing| in_collection.get(&(thing.known.collection, &*thing.id.text)).copied() == Some(1))
            .collect();
        let mut by_name = HashMap::new();
        for (index, (thing, alone)) in list.iter_mut().zip(keys).enumerate() {
            if alone {
                thing.known.key = thing.id.text.to_string();
            }
            let name = name_of(&thing.id.text);
            thing.nameless = if !is_identifier(&name) {
                "the id is no identifier"
            } else if is_reserved(&name) {
                "the id is a word that already means something"
            } else if of_name.get(&name).copied() != Some(1) {
                "the id is given more than once"
            } else {
                thing.known.name = Some(name.clone());
                by_name.insert(name, index);
                ""
            };
        }
        let mut by_key: HashMap<&'static str, HashMap<String, usize>> = HashMap::new();
        for (index, thing) in list.iter().enumerate() {
            by_key.entry(thing.known.collection).or_default().insert(thing.known.key.clone(), index);
        }
        Self { list, by_name, by_key, principals: aws::principal_names(given) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Thing> {
        self.list.iter()
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Thing> {
        self.by_name.get(name).and_then(|index| self.list.get(*index))
    }

    pub(crate) fn at(&self, collection: &str, key: &str) -> Option<&Thing> {
        self.by_key.get(collection)?.get(key).and_then(|index| self.list.get(*index))
    }

    /// Principals of AWS that sign requests: `ACCOUNT/ROLE`, `ACCOUNT/user/NAME`.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &str> {
        self.principals.iter().map(String::as_str)
    }

    pub(crate) fn of_collection<'t>(&'t self, collection: &'t str) -> impl Iterator<Item = &'t Thing> {
        self.list.iter().filter(move |thing| thing.known.collection == collection)
    }

    /// The thing that a path of an expression means: `orders.uri`, `given['run.services'].orders.uri`; and how many parts
    /// of the path name it.
    pub(crate) fn meant(&self, path: &[String]) -> Option<(&Thing, usize)> {
        match path {
            [given, collection, key, ..] if given == "given" => Some((self.at(collection, key)?, 3)),
            [name, ..] => Some((self.named(name)?, 1)),
            [] => None,
        }
    }
}

/// How an expression writes an id.
pub(crate) fn name_of(id: &str) -> String {
    id.replace('-', "_")
}

/// Whether CEL can read it as one name.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
