//! One method of Google, as its proto and our options describe it.

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::template::PathTemplate;

/// An HTTP verb of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of HTTP and say all there is")]
pub enum Verb {
    Get,
    Put,
    Post,
    Delete,
    Patch,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Post, Self::Delete, Self::Patch];

    /// The name in a request line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }

    /// The verb of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

/// What the body of a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing: fields that the path does not give are in the query.
    None,
    /// Every field that the path does not give.
    Star,
    /// This field, in proto spelling; all else is in the query.
    Field(&'static str),
}

/// One HTTP form of a method.
#[derive(Debug, Clone)]
pub struct HttpRule {
    /// The verb.
    pub verb: Verb,
    /// The path.
    pub template: PathTemplate,
    /// The body.
    pub body: Body,
}

/// One method of a Google API.
#[derive(Debug)]
pub struct Method {
    /// The discovery id, for example `iamcredentials.projects.serviceAccounts.generateIdToken`.
    pub id: &'static str,
    /// The id as scenarios write it: without `projects.` and `locations.` where another collection follows.
    pub short: &'static str,
    /// The public host, for example `iamcredentials.googleapis.com`.
    pub host: &'static str,
    /// The version as it stands in paths.
    pub version: &'static str,
    /// The word under which its decisions are kept.
    pub surface: &'static str,
    /// The service as Google calls it on the gRPC wire and in error details, for example
    /// `google.iam.credentials.v1.IAMCredentials`.
    pub service: &'static str,
    /// The name in Google's proto, for example `GenerateIdToken`.
    pub name: &'static str,
    /// `/SERVICE/NAME`, the path of a gRPC request.
    pub grpc_path: &'static str,
    /// Its HTTP forms; the first is the one that Google documents first.
    pub rules: Vec<HttpRule>,
    /// The request.
    pub input: MessageDescriptor,
    /// The answer.
    pub output: MessageDescriptor,
    /// Whether it can be called by gRPC.
    pub grpc: bool,
    /// Whether `LOCATION-HOST` answers it too.
    pub regional: bool,
    /// Whether the access token of a federated identity is taken.
    pub federated: bool,
    /// Scopes of which an access token must have one.
    pub scopes: Vec<&'static str>,
}

/// A method as the generated table holds it.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) host: &'static str,
    pub(crate) version: &'static str,
    pub(crate) surface: &'static str,
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    /// Verb, path template, and what the body holds: nothing, `*` or a field.
    pub(crate) rules: &'static [(Verb, &'static str, &'static str)],
    /// The full name of the request.
    pub(crate) input: &'static str,
    /// The full name of the answer.
    pub(crate) output: &'static str,
    pub(crate) grpc: bool,
    pub(crate) regional: bool,
    pub(crate) federated: bool,
    pub(crate) scopes: &'static [&'static str],
}

/// A text that lives as long as the table.
pub(crate) fn keep(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

impl Method {
    pub(crate) fn of(row: &Row, pool: &DescriptorPool) -> Self {
        let message =
            |name| pool.get_message_by_name(name).expect("the table and the messages are made of the same protos");
        let rules = row.rules.iter().map(|(verb, template, body)| HttpRule {
            verb: *verb,
            template: PathTemplate::parse(template).expect("our protos hold whole path templates"),
            body: match *body {
                "" => Body::None,
                "*" => Body::Star,
                field => Body::Field(field),
            },
        });
        Self {
            id: row.id,
            short: keep(short(row.id)),
            host: row.host,
            version: row.version,
            surface: row.surface,
            service: row.service,
            name: row.name,
            grpc_path: keep(format!("/{}/{}", row.service, row.name)),
            rules: rules.collect(),
            input: message(row.input),
            output: message(row.output),
            grpc: row.grpc,
            regional: row.regional,
            federated: row.federated,
            scopes: row.scopes.to_vec(),
        }
    }
}

/// The id without `projects` and `locations` where another collection follows.
fn short(id: &str) -> String {
    let parts: Vec<&str> = id.split('.').collect();
    // The last part is the method, the one before it the collection itself.
    let collection = parts.len().saturating_sub(2);
    let kept = parts
        .iter()
        .enumerate()
        .filter(|(at, part)| !(*at > 0 && *at < collection && matches!(**part, "projects" | "locations")));
    kept.map(|(_, part)| *part).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::short;

    #[rstest]
    #[case("iamcredentials.projects.serviceAccounts.generateIdToken", "iamcredentials.serviceAccounts.generateIdToken")]
    #[case("iam.projects.locations.workloadIdentityPools.create", "iam.workloadIdentityPools.create")]
    #[case("cloudresourcemanager.projects.get", "cloudresourcemanager.projects.get")]
    #[case("run.projects.locations.list", "run.locations.list")]
    #[case("iam.roles.get", "iam.roles.get")]
    fn the_short_name_leaves_out_what_a_project_implies(#[case] id: &str, #[case] expected: &str) {
        assert_eq!(short(id), expected);
    }
}
