//! Several given documents as one: what has the same name is the same thing, and each may say a part of it.

use std::{collections::HashMap, sync::Arc};

use crate::{
    diagnostic::Diagnostic,
    reader::Reader,
    template::{Key, Kind, Piece, Template},
    yaml::shorten,
};

/// Lists whose items are added: of a policy each document may say some bindings.
const ADDED: &[&str] = &["bindings"];
/// What each document says for itself.
const OWN: &str = "include";

/// All documents as one map. Maps are joined key by key; where two documents say something else about the same key, that
/// is told, and the first one counts.
pub(crate) fn merged(reader: &mut Reader<'_>, documents: &[Template]) -> Option<Template> {
    let mut maps = Vec::with_capacity(documents.len());
    for document in documents {
        if reader.entries(document, "a given document").is_some() {
            maps.push(document);
        }
    }
    let mut maps = maps.into_iter();
    let mut first = maps.next()?.clone();
    let mut path = Vec::new();
    for document in maps {
        if let (Kind::Map(known), Kind::Map(more)) = (&mut first.kind, &document.kind) {
            join(reader, known, more, &mut path);
        }
    }
    Some(first)
}

fn join(reader: &mut Reader<'_>, known: &mut Vec<(Key, Template)>, more: &[(Key, Template)], path: &mut Vec<Arc<str>>) {
    let mut places: HashMap<Arc<str>, usize> =
        known.iter().enumerate().map(|(index, (key, _))| (Arc::clone(&key.text), index)).collect();
    for (key, value) in more {
        match places.get(&key.text).and_then(|index| known.get_mut(*index)) {
            _ if path.is_empty() && &*key.text == OWN => {}
            Some((_, known)) => {
                path.push(Arc::clone(&key.text));
                both(reader, known, value, path);
                path.pop();
            }
            None => {
                places.insert(Arc::clone(&key.text), known.len());
                known.push((key.clone(), value.clone()));
            }
        }
    }
}

fn both(reader: &mut Reader<'_>, known: &mut Template, value: &Template, path: &mut Vec<Arc<str>>) {
    match (&mut known.kind, &value.kind) {
        (Kind::Map(known), Kind::Map(more)) => return join(reader, known, more, path),
        // `caller:` with nothing after it says that it is there.
        (_, Kind::Null) => return,
        (Kind::Null, _) => {
            *known = value.clone();
            return;
        }
        (Kind::List(known), Kind::List(more)) if path.last().is_some_and(|key| ADDED.contains(&&**key)) => {
            let new: Vec<Template> =
                more.iter().filter(|item| !known.iter().any(|known| same(known, item))).cloned().collect();
            known.extend(new);
            return;
        }
        _ => {}
    }
    if !same(known, value) {
        // Names of what is known are short; others may have any length.
        let path: Vec<String> = path.iter().map(|key| shorten(key)).collect();
        let name = path.join(".");
        let fault =
            Diagnostic::error("given::contradiction", value.span, format!("`{name}` is something else elsewhere"))
                .also(known.span, "and this here")
                .help("what has one name is one thing: let one document say it, or give the other thing another name");
        reader.push(fault);
    }
}

/// Whether two values are the same, wherever they stand.
fn same(one: &Template, other: &Template) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(one), Kind::Bool(other)) => one == other,
        (Kind::Int(one), Kind::Int(other)) => one == other,
        (Kind::Float(one), Kind::Float(other)) => one.to_bits() == other.to_bits(),
        (Kind::Text(one), Kind::Text(other)) => one == other,
        (Kind::Hole(one), Kind::Hole(other)) => one.text() == other.text(),
        (Kind::Mixed(one), Kind::Mixed(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|pieces| match pieces {
                    (Piece::Text(one), Piece::Text(other)) => one == other,
                    (Piece::Hole(one), Piece::Hole(other)) => one.text() == other.text(),
                    _ => false,
                })
        }
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            let value = |key: &Key| other.iter().find(|(known, _)| known.text == key.text).map(|(_, value)| value);
            one.len() == other.len() && one.iter().all(|(key, one)| value(key).is_some_and(|other| same(one, other)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::{GivenText, Loader, parse_givens};

    struct None;

    impl Loader for None {
        fn load(&self, _: &str) -> Result<Vec<u8>, String> {
            Err("there is none".to_owned())
        }
    }

    fn both(one: &str, other: &str) -> Result<crate::Given, Vec<(&'static str, String)>> {
        let text =
            |name: &str, text: &str| GivenText { name: name.to_owned(), bytes: text.into(), loader: Box::new(None) };
        match parse_givens(vec![text("one", one), text("other", other)]) {
            Ok((given, _)) => Ok(given),
            Err(faults) => Err(faults.diagnostics.into_iter().map(|fault| (fault.code, fault.message)).collect()),
        }
    }

    const POOL: &str = "iam.workloadIdentityPools: { partners: { displayName: P, providers: { corp: { oidc: { issuerUri: 'https://a.example' }, attributeMapping: { google.subject: assertion.sub } } } } }";

    #[test]
    fn each_document_may_say_a_part_of_a_pool_and_of_a_policy() {
        let other = "iam.workloadIdentityPools: { partners: { displayName: P, providers: { aws: { aws: { accountId: '123456789012' } } } } }\nissuers: { corp: {} }";
        let given = both(POOL, other).unwrap();
        let ids: Vec<&str> = given.resources.iter().map(|resource| &*resource.id.text).collect();
        assert_eq!(ids, ["partners", "corp", "aws"]);
        assert!(given.resources.iter().skip(1).all(|provider| provider.parent == Some(0)));

        let policy = |role: &str, member: &str| {
            format!(
                "iam.serviceAccounts: {{ caller: {{ iamPolicy: {{ bindings: [{{ role: {role}, members: ['{member}'] }}] }} }} }}"
            )
        };
        let given = both(&policy("roles/a", "user:a@x.example"), &policy("roles/b", "user:b@x.example")).unwrap();
        let bindings = given.resources[0].policy.as_ref().unwrap().get("bindings").unwrap();
        assert_eq!(bindings.items().unwrap().len(), 2);
        // A binding that both say is there once.
        let one = policy("roles/a", "user:a@x.example");
        let given = both(&one, &one).unwrap();
        assert_eq!(given.resources[0].policy.as_ref().unwrap().get("bindings").unwrap().items().unwrap().len(), 1);
    }

    #[test]
    fn what_one_document_refers_to_another_may_hold() {
        let policy = "run.services: { orders: { iamPolicy: { bindings: [{ role: roles/run.invoker, members: ['serviceAccount:${caller.email}'] }] } } }";
        assert_eq!(both(policy, "iam.serviceAccounts: { caller: }").unwrap().resources.len(), 2);
    }

    #[rstest]
    #[case::a_value("project: { location: us-east1 }", "project: { location: us-east4 }", "project.location")]
    #[case::a_kind("issuers: { corp: { alg: RS256 } }", "issuers: { corp: [] }", "issuers.corp")]
    #[case::deep(POOL, &POOL.replace("a.example", "b.example"), "iam.workloadIdentityPools.partners.providers.corp.oidc.issuerUri")]
    fn a_contradiction_is_told_with_both_places(#[case] one: &str, #[case] other: &str, #[case] name: &str) {
        let faults = both(one, other).unwrap_err();
        let told = faults.iter().find(|(code, _)| *code == "given::contradiction").unwrap();
        assert_eq!(told.1, format!("`{name}` is something else elsewhere"));
    }
}
