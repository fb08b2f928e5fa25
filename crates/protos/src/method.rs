//! One method of Google, as its proto and our options describe it.

use prost_reflect::{DynamicMessage, ExtensionDescriptor, MessageDescriptor, MethodDescriptor, Value};

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

/// A text that lives as long as the table.
pub(crate) fn keep(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn flag(message: &DynamicMessage, field: &str) -> bool {
    message.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<&'static str> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(keep).collect()
}

fn option(options: &DynamicMessage, extension: &ExtensionDescriptor) -> DynamicMessage {
    options.get_extension(extension).as_message().expect("our options and google.api.http are messages").clone()
}

/// The extensions that the table reads.
pub(crate) struct Options {
    pub(crate) http: ExtensionDescriptor,
    pub(crate) api: ExtensionDescriptor,
    pub(crate) method: ExtensionDescriptor,
}

impl Method {
    /// Reads a method; `None` if it is not annotated.
    pub(crate) fn read(described: &MethodDescriptor, extensions: &Options) -> Option<Self> {
        let service = described.parent_service();
        let service_options = service.options();
        if !service_options.has_extension(&extensions.api) {
            return None;
        }
        let api = option(&service_options, &extensions.api);
        let options = described.options();
        let own = option(&options, &extensions.method);
        let id = text(&own, "id");
        let mut rules = Vec::new();
        read_rules(&option(&options, &extensions.http), &mut rules);
        let mut scopes = texts(&api, "scopes");
        scopes.extend(texts(&own, "scopes"));
        let google_name = match text(&api, "google_name") {
            same if same.is_empty() => service.full_name().to_owned(),
            other => other,
        };
        Some(Self {
            short: keep(short(&id)),
            id: keep(id),
            host: keep(text(&api, "host")),
            version: keep(text(&api, "version")),
            surface: keep(text(&api, "surface")),
            grpc_path: keep(format!("/{google_name}/{}", described.name())),
            service: keep(google_name),
            name: keep(described.name()),
            rules,
            input: described.input(),
            output: described.output(),
            grpc: !flag(&api, "rest_only"),
            regional: flag(&api, "regional"),
            federated: !flag(&api, "refuses_federated"),
            scopes,
        })
    }
}

fn read_rules(rule: &DynamicMessage, rules: &mut Vec<HttpRule>) {
    for verb in Verb::ALL {
        let field = verb.name().to_lowercase();
        if rule.has_field_by_name(&field) {
            let template = PathTemplate::parse(&text(rule, &field)).expect("our protos hold whole path templates");
            let body = match text(rule, "body").as_str() {
                "" => Body::None,
                "*" => Body::Star,
                field => Body::Field(keep(field)),
            };
            rules.push(HttpRule { verb, template, body });
        }
    }
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.as_deref().and_then(Value::as_list).unwrap_or_default() {
        read_rules(rule.as_message().expect("additional bindings are rules"), rules);
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
