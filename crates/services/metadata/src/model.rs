//! The tree of metadata, and how it is written.

use serde_json::{Map, Value};

/// One entry of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Entries by name.
    Directory(Vec<(String, Node)>),
    /// A text.
    Text(String),
    /// A number: text by itself, a number in JSON.
    Number(String),
    /// Texts, a line each.
    Lines(Vec<String>),
    /// Made anew for each request, and left out of a recursive answer: `token`, `identity`.
    Made,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alt {
    Text,
    Json,
}

impl Node {
    /// A directory.
    pub(crate) fn directory(entries: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Directory(entries.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
    }

    /// The entry at a path, its parts between slashes.
    pub(crate) fn find<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Self> {
        path.into_iter().try_fold(self, |node, part| match node {
            Self::Directory(entries) => entries.iter().find(|(name, _)| name == part).map(|(_, node)| node),
            _ => None,
        })
    }

    /// The names of a directory, a line each, those of directories with a slash; the text of a leaf.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Directory(entries) => entries
                .iter()
                .map(|(name, node)| {
                    let slash = if matches!(node, Self::Directory(_)) { "/" } else { "" };
                    format!("{name}{slash}\n")
                })
                .collect(),
            Self::Text(text) | Self::Number(text) => text.clone(),
            Self::Lines(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
            Self::Made => String::new(),
        }
    }

    /// The whole of it as JSON; names as JSON has them (`projectId`), but those of attributes as they are.
    pub(crate) fn json(&self) -> Value {
        self.json_of(true)
    }

    fn json_of(&self, camel: bool) -> Value {
        match self {
            Self::Directory(entries) => {
                let told = entries.iter().filter(|(_, node)| *node != Self::Made);
                let told = told.map(|(name, node)| {
                    let written = if camel { camel_case(name) } else { name.clone() };
                    (written, node.json_of(name != "attributes"))
                });
                Value::Object(told.collect::<Map<_, _>>())
            }
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(text) => text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from),
            Self::Lines(lines) => Value::from(lines.clone()),
            Self::Made => Value::Null,
        }
    }

    /// The whole of it as lines of path and value.
    pub(crate) fn lines(&self) -> String {
        let mut all = String::new();
        self.lines_under("", &mut all);
        all
    }

    fn lines_under(&self, path: &str, all: &mut String) {
        match self {
            Self::Directory(entries) => {
                for (name, node) in entries {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                    node.lines_under(&below, all);
                }
            }
            Self::Made => {}
            leaf => {
                for line in leaf.text().lines() {
                    all.push_str(&format!("{path} {line}\n"));
                }
            }
        }
    }
}

/// `numeric-project-id` as `numericProjectId`. An address stays as it is.
fn camel_case(name: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    let mut written = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        match c {
            '-' => raise = true,
            c if raise => {
                written.push(c.to_ascii_uppercase());
                raise = false;
            }
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> Node {
        let account = || {
            Node::directory([
                ("aliases", Node::Lines(vec!["default".into()])),
                ("email", Node::Text("a-b@c.d".into())),
                ("token", Node::Made),
            ])
        };
        Node::directory([
            ("attributes", Node::directory([("ssh-keys", Node::Text("x".into()))])),
            ("numeric-project-id", Node::Number("107".into())),
            ("service-accounts", Node::Directory(vec![("default".into(), account()), ("a-b@c.d".into(), account())])),
        ])
    }

    #[test]
    fn a_directory_lists_its_names_and_marks_directories() {
        assert_eq!(tree().text(), "attributes/\nnumeric-project-id\nservice-accounts/\n");
        let account = tree().find(["service-accounts", "default"]).unwrap().text();
        assert_eq!(account, "aliases\nemail\ntoken\n");
        assert_eq!(tree().find(["service-accounts", "default", "aliases"]).unwrap().text(), "default\n");
        assert_eq!(tree().find(["service-accounts", "default", "email", "x"]), None);
    }

    #[test]
    fn the_whole_is_json_with_names_of_json_and_without_what_is_made() {
        let account = json!({ "aliases": ["default"], "email": "a-b@c.d" });
        let whole = json!({
            "attributes": { "ssh-keys": "x" },
            "numericProjectId": 107,
            "serviceAccounts": { "default": account, "a-b@c.d": account },
        });
        assert_eq!(tree().json(), whole);
        assert!(tree().lines().starts_with("attributes/ssh-keys x\nnumeric-project-id 107\n"));
    }
}
