//! Google's own resources as a given file: what gcloud prints as YAML or JSON.
//!
//! A resource is recognised by the pattern of its `name`, which the method table knows, by `kind` and `apiVersion`, or, if
//! it is a project, by `projectId` and `lifecycleState`. It is turned into the same given map that a person would write,
//! each value with its place. What only Google fills in is left out, and so are fields that no rig knows: nobody typed
//! them. There are no holes in such a file.

use tokenrig_protos::{
    Collection, Segment,
    prost_reflect::{Kind as FieldKind, MessageDescriptor},
    table,
};

use crate::{
    diagnostic::Diagnostic,
    given::has_location,
    knative,
    reader::list_all,
    source::Span,
    template::{Key, Kind, Style, Template},
    words::{COLLECTIONS, INNER},
    yaml::{Node, NodeKind, shorten},
};

/// Fields of a resource that Google fills in, whatever is given.
const FILLED_IN: &[&str] = &[
    "conditions",
    "createTime",
    "creator",
    "deleteTime",
    "deleted",
    "email",
    "etag",
    "expireTime",
    "generation",
    "lastAttemptTime",
    "lastModifier",
    "latestCreatedRevision",
    "latestReadyRevision",
    "name",
    "oauth2ClientId",
    "observedGeneration",
    "projectId",
    "reconciling",
    "satisfiesPzs",
    "scheduleTime",
    "state",
    "terminalCondition",
    "trafficStatuses",
    "uid",
    "uniqueId",
    "updateTime",
    "uri",
    "url",
    "urls",
    "userUpdateTime",
];

/// The resources of all files that Google wrote.
#[derive(Debug, Default)]
pub(crate) struct Pasted {
    projects: Vec<Project>,
    resources: Vec<Resource>,
}

#[derive(Debug)]
struct Project {
    id: Key,
    number: Option<Key>,
    span: Span,
}

/// A resource that was recognised.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) collection: &'static Collection,
    /// Id or number of the project that its name says.
    pub(crate) project: Option<Key>,
    pub(crate) location: Option<Key>,
    /// The id of what it is in: the pool of a provider.
    pub(crate) parent: Option<Key>,
    pub(crate) id: Key,
    /// Its fields, those alone that can be given.
    pub(crate) fields: Vec<(Key, Template)>,
    pub(crate) span: Span,
}

/// What a node is, if it is Google's own.
enum Form<'n> {
    /// By `kind` and `apiVersion`.
    Kind(&'n str),
    /// By the pattern of `name`.
    Name,
    Project,
    Policy,
}

fn form(node: &Node) -> Option<Form<'_>> {
    if let Some(kind) = text(node, "kind")
        && (text(node, "apiVersion").is_some() || kind.contains('#'))
    {
        return Some(Form::Kind(kind));
    }
    if text(node, "projectId").is_some() && text(node, "lifecycleState").is_some() {
        return Some(Form::Project);
    }
    if let Some(name) = text(node, "name")
        && ["projects/", "organizations/", "folders/", "locations/", "roles/"].iter().any(|way| name.starts_with(way))
    {
        return Some(Form::Name);
    }
    matches!(get(node, "bindings")?.kind, NodeKind::List(_)).then_some(Form::Policy)
}

/// Whether this is something that Google has printed, and no given map.
pub(crate) fn is_googles(node: &Node) -> bool {
    match &node.kind {
        NodeKind::List(items) => items.iter().all(|item| form(item).is_some()),
        _ => form(node).is_some(),
    }
}

impl Pasted {
    /// Takes what one document holds.
    pub(crate) fn take(&mut self, node: Node, out: &mut Vec<Diagnostic>) {
        let span = node.span;
        match node.kind {
            NodeKind::List(items) => items.into_iter().for_each(|item| self.take(item, out)),
            NodeKind::Map(_) => match form(&node) {
                Some(Form::Project) => self.project(&node),
                Some(Form::Kind(kind)) if knative::is_service(&node) => match knative::service(&node) {
                    Some(service) => self.resources.push(service),
                    None => out.push(unknown(span, &format!("a `{kind}` without a name"))),
                },
                Some(Form::Kind(kind)) => out.push(unknown(place(&node, "kind"), &format!("`{}`", shorten(kind)))),
                Some(Form::Name) => self.named(&node, out),
                Some(Form::Policy) => out.push(
                    Diagnostic::error(
                        "given::policy-alone",
                        place_of_key(&node, "bindings"),
                        "this is a policy, and nothing says whose",
                    )
                    .help("paste it as the value of `iamPolicy` of the resource that it belongs to"),
                ),
                None => out.push(unknown(span, "this resource")),
            },
            _ => out.push(unknown(span, "this")),
        }
    }

    fn project(&mut self, node: &Node) {
        if let Some(id) = key(node, "projectId") {
            self.projects.push(Project { id, number: key(node, "projectNumber"), span: node.span });
        }
    }

    fn named(&mut self, node: &Node, out: &mut Vec<Diagnostic>) {
        let Some(name) = key(node, "name") else { return };
        let known = COLLECTIONS.iter().filter(|word| word.played).map(|word| word.name).chain(providers());
        let found = known.filter_map(|name| table().collection(name)).find_map(|collection| {
            let parts = matched(collection, &name)?;
            Some((collection, parts))
        });
        let Some((collection, parts)) = found else {
            return out.push(not_found(&name));
        };
        if text(node, "state") == Some("DELETED")
            || matches!(get(node, "deleted"), Some(Node { kind: NodeKind::Bool(true), .. }))
        {
            // It is on its way out: nothing that could be given.
            return;
        }
        let Some((_, id)) = parts.last().cloned() else { return };
        let part = |of: &str| parts.iter().find(|(holder, _)| holder == of).map(|(_, key)| key.clone());
        let mut fields = pruned(node, &collection.message, FILLED_IN);
        if collection.name == "cloudfunctions.functions" && get(node, "environment").is_none() {
            // The older API has no such field, and functions of the first generation alone.
            if let Some((key, _)) =
                entries(node).iter().find(|(key, _)| matches!(&*key.text, "entryPoint" | "httpsTrigger"))
            {
                fields.push((named_key("environment", key.span), scalar("GEN_1", key.span)));
            }
        }
        self.resources.push(Resource {
            collection,
            project: part("projects"),
            location: part("locations"),
            parent: pools_of(collection).and_then(|pools| part(pools.rsplit('.').next()?)),
            id,
            fields,
            span: node.span,
        });
    }

    /// All of it as one given map. `documents` are those that people wrote: what they say of the project counts.
    pub(crate) fn document(self, documents: &[Template], out: &mut Vec<Diagnostic>) -> Option<Template> {
        let span = self.projects.first().map(|one| one.span).or(self.resources.first().map(|one| one.span))?;
        let mut document: Vec<(Key, Template)> = Vec::new();
        let said = documents.iter().find_map(|document| document.get("project"));
        let (id, number) = match said {
            Some(said) => {
                let own = |name: &str| Some(Key { text: said.get(name)?.text()?.into(), span: said.span });
                (own("projectId"), own("projectNumber"))
            }
            None => self.own_project(out),
        };
        if said.is_none()
            && let Some(any) = id.as_ref().or(number.as_ref())
        {
            let fields = [("projectId", &id), ("projectNumber", &number)].into_iter().filter_map(|(name, key)| {
                key.as_ref().map(|key| (named_key(name, key.span), scalar(&key.text, key.span)))
            });
            document.push((named_key("project", any.span), map(fields.collect(), any.span)));
        }
        let mut grouped = Grouped::default();
        for resource in self.resources {
            match resource.stranger(id.as_ref(), number.as_ref()) {
                Some(fault) => out.push(fault),
                None => grouped.add(resource, id.as_ref()),
            }
        }
        document.extend(grouped.collections(span));
        Some(map(document, span))
    }

    /// Id and number of the one project that all of it is of.
    fn own_project(&self, out: &mut Vec<Diagnostic>) -> (Option<Key>, Option<Key>) {
        if let [first, rest @ ..] = self.projects.as_slice() {
            for other in rest.iter().filter(|other| other.id.text != first.id.text) {
                let fault =
                    format!("`{}` is another project than `{}`", shorten(&other.id.text), shorten(&first.id.text));
                out.push(
                    Diagnostic::error("given::other-project", other.id.span, fault)
                        .also(first.id.span, "the rig's")
                        .help("a rig plays one project; leave the other out"),
                );
            }
            return (Some(first.id.clone()), first.number.clone());
        }
        let told = |numeric: bool| {
            let mut all = self.resources.iter().filter_map(|one| one.project.as_ref()).filter(|project| {
                &*project.text != "-" && project.text.bytes().all(|byte| byte.is_ascii_digit()) == numeric
            });
            let first = all.next()?;
            all.all(|other| other.text == first.text).then(|| first.clone())
        };
        (told(false), told(true))
    }
}

impl Resource {
    /// What is wrong with a resource of another project than the rig's. Accounts of other projects may be given.
    fn stranger(&self, id: Option<&Key>, number: Option<&Key>) -> Option<Diagnostic> {
        let (own, project) = (id?, self.project.as_ref()?);
        let same = |known: &Key| known.text == project.text;
        let numeric = project.text.bytes().all(|byte| byte.is_ascii_digit());
        let ours = same(own) || &*project.text == "-" || if numeric { number.is_none_or(same) } else { false };
        if ours || self.collection.name == "iam.serviceAccounts" {
            return None;
        }
        let fault =
            format!("this is of project `{}`, and the rig's is `{}`", shorten(&project.text), shorten(&own.text));
        let fault = Diagnostic::error("given::other-project", project.span, fault);
        Some(fault.help("a rig plays one project; leave the resource out"))
    }
}

/// An id and the fields of what has it.
type Entry = (Key, Vec<(Key, Template)>);

/// Resources by collection, providers by their pool.
#[derive(Default)]
struct Grouped {
    collections: Vec<(&'static str, Vec<Entry>)>,
    /// With the collection of their pool, and its id.
    providers: Vec<(&'static str, Key, Vec<Entry>)>,
}

impl Grouped {
    fn add(&mut self, mut resource: Resource, project: Option<&Key>) {
        let collection = resource.collection;
        if let Some(pool) = resource.parent {
            let entry = (resource.id, resource.fields);
            let Some(pools) = pools_of(collection) else { return };
            match self.providers.iter_mut().find(|(of, known, _)| *of == pools && known.text == pool.text) {
                Some((.., entries)) => entries.push(entry),
                None => self.providers.push((pools, pool, vec![entry])),
            }
            return;
        }
        if collection.name == "iam.serviceAccounts"
            && let Some((id, domain)) = resource.id.text.split_once('@')
            && project.is_some_and(|project| domain == format!("{}.iam.gserviceaccount.com", project.text))
        {
            resource.id = Key { text: id.into(), span: resource.id.span };
        }
        if let Some(location) = resource.location.filter(|_| has_location(collection)) {
            resource.fields.push((named_key("location", location.span), scalar(&location.text, location.span)));
        }
        self.entries(collection.name).push((resource.id, resource.fields));
    }

    fn entries(&mut self, collection: &'static str) -> &mut Vec<Entry> {
        let at = self.collections.iter().position(|(name, _)| *name == collection).unwrap_or_else(|| {
            self.collections.push((collection, Vec::new()));
            self.collections.len() - 1
        });
        &mut self.collections[at].1
    }

    /// All of them as entries of a given map. A pool that is named by its providers alone is given for their sake.
    fn collections(mut self, span: Span) -> Vec<(Key, Template)> {
        for (pools, pool, providers) in std::mem::take(&mut self.providers) {
            let place = pool.span;
            let providers = providers.into_iter().map(|(id, fields)| (id, map(fields, place))).collect();
            let providers = (named_key("providers", place), map(providers, place));
            let pools = self.entries(pools);
            match pools.iter_mut().find(|(id, _)| id.text == pool.text) {
                Some((_, fields)) => fields.push(providers),
                None => pools.push((pool, vec![providers])),
            }
        }
        let told = self.collections.into_iter().map(|(name, entries)| {
            let entries = entries.into_iter().map(|(id, fields)| (id, map(fields, span))).collect();
            (named_key(name, span), map(entries, span))
        });
        told.collect()
    }
}

/// The collections of providers, which are given inside of their pools.
fn providers() -> impl Iterator<Item = &'static str> {
    INNER.iter().copied().filter(|inner| inner.ends_with(".providers"))
}

/// The collection of the pools that hold what is in this one, if it holds providers.
fn pools_of(collection: &Collection) -> Option<&'static str> {
    collection.name.strip_suffix(".providers")
}

/// The segments that vary of a resource's name, each with the literal before it, if the name has the collection's form.
fn matched(collection: &Collection, name: &Key) -> Option<Vec<(String, Key)>> {
    let rule = collection.get?.rules.first()?;
    let variable = rule.template.variables().first()?;
    let segments = rule.template.segments().get(variable.start..variable.end)?;
    let mut parts = Vec::new();
    let mut given = name.text.split('/');
    let mut before = String::new();
    for segment in segments {
        let part = given.next().filter(|part| !part.is_empty())?;
        match segment {
            Segment::Literal(literal) if literal == part => before.clone_from(literal),
            Segment::One => parts.push((before.clone(), Key { text: part.into(), span: name.span })),
            _ => return None,
        }
    }
    given.next().is_none().then_some(parts)
}

fn not_found(name: &Key) -> Diagnostic {
    let to_come = COLLECTIONS.iter().filter(|word| !word.played).find(|word| {
        table().collection(word.name).is_some_and(|collection| matched(collection, name).is_some())
            || word.name.rsplit_once('.').is_some_and(|(_, last)| name.text.split('/').rev().nth(1) == Some(last))
    });
    if let Some(word) = to_come {
        let fault = format!("`{}` is known, but not played yet", word.name);
        return Diagnostic::error("service::not-played", name.span, fault)
            .help("leave it out: this version of tokenrig has nothing that would answer");
    }
    if name.text.contains("/keys/") {
        return Diagnostic::error("given::not-a-resource", name.span, "a key is given under `keys` of its account")
            .help(
                "its public half, `publicKeyData`, is not in what gcloud lists: `keys: { ID: { publicKeyData: … } }`",
            );
    }
    unknown(name.span, &format!("`{}`", shorten(&name.text)))
}

fn unknown(span: Span, what: &str) -> Diagnostic {
    let known: Vec<&str> = COLLECTIONS.iter().filter(|word| word.played).map(|word| word.name).collect();
    Diagnostic::error(
        "given::not-a-resource",
        span,
        format!("{what} looks like what gcloud prints, and cannot be given"),
    )
    .help(format!("read are projects, and resources of {}", list_all(known)))
}

/// The fields of a message that a node says, without those that Google fills in and without those that it does not know.
fn pruned(node: &Node, message: &MessageDescriptor, without: &[&str]) -> Vec<(Key, Template)> {
    let kept = entries(node).iter().filter(|(key, _)| !without.contains(&&*key.text));
    kept.filter_map(|(key, value)| {
        let field = message.get_field_by_json_name(&key.text)?;
        let value = match field.kind() {
            FieldKind::Message(inner) if !field.is_map() && !inner.full_name().starts_with("google.protobuf.") => {
                match &value.kind {
                    NodeKind::Map(_) => map(pruned(value, &inner, &[]), value.span),
                    NodeKind::List(items) => {
                        let items = items.iter().map(|item| map(pruned(item, &inner, &[]), item.span)).collect();
                        Template { kind: Kind::List(items), span: value.span, style: Style::Plain }
                    }
                    _ => literal(value),
                }
            }
            _ => literal(value),
        };
        Some((key.clone(), value))
    })
    .collect()
}

/// A value as it stands: nothing in it is a hole.
pub(crate) fn literal(node: &Node) -> Template {
    let kind = match &node.kind {
        NodeKind::Null => Kind::Null,
        NodeKind::Bool(value) => Kind::Bool(*value),
        NodeKind::Int(value) => Kind::Int(*value),
        NodeKind::Float(value) => Kind::Float(*value),
        NodeKind::Text(text) => Kind::Text(text.clone()),
        NodeKind::List(items) => Kind::List(items.iter().map(literal).collect()),
        NodeKind::Map(entries) => Kind::Map(entries.iter().map(|(key, value)| (key.clone(), literal(value))).collect()),
    };
    Template { kind, span: node.span, style: node.style }
}

pub(crate) fn map(entries: Vec<(Key, Template)>, span: Span) -> Template {
    Template { kind: Kind::Map(entries), span, style: Style::Plain }
}

pub(crate) fn scalar(text: &str, span: Span) -> Template {
    Template { kind: Kind::Text(text.into()), span, style: Style::Plain }
}

pub(crate) fn named_key(name: &str, span: Span) -> Key {
    Key { text: name.into(), span }
}

pub(crate) fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.kind {
        NodeKind::Map(entries) => entries,
        _ => &[],
    }
}

pub(crate) fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    entries(node).iter().find(|(key, _)| &*key.text == name).map(|(_, value)| value)
}

pub(crate) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    match &get(node, name)?.kind {
        NodeKind::Text(text) => Some(text),
        _ => None,
    }
}

/// A scalar under a key, as text: gcloud quotes numbers in YAML, other tools may not.
pub(crate) fn key(node: &Node, name: &str) -> Option<Key> {
    let value = get(node, name)?;
    let text = match &value.kind {
        NodeKind::Text(text) => text.clone(),
        NodeKind::Int(number) => number.to_string().into(),
        _ => return None,
    };
    Some(Key { text, span: value.span })
}

fn place(node: &Node, name: &str) -> Span {
    get(node, name).map_or(node.span, |value| value.span)
}

fn place_of_key(node: &Node, name: &str) -> Span {
    entries(node).iter().find(|(key, _)| &*key.text == name).map_or(node.span, |(key, _)| key.span)
}
