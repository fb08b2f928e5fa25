//! What the metadata server of one machine answers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_cloud::{AccessToken, AccessTokenOrder, Cloud, IdTokenOrder, ServiceAccount};
use tokenrig_decision::{Check, Decision};

use crate::{
    assumptions::{Platform, Settings},
    model::{Alt, Node},
    refusals,
};

/// The surface word of its decisions.
const SURFACE: &str = "metadata";
/// What all metadata stands under.
const ROOT: &str = "/computeMetadata/v1";

/// A request, as far as it matters.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) verb: &'a str,
    /// As it came, not decoded.
    pub(crate) path: &'a str,
    pub(crate) query: BTreeMap<String, String>,
    /// `Metadata-Flavor`.
    pub(crate) flavor: Option<&'a str>,
    /// `X-Forwarded-For`.
    pub(crate) forwarded: bool,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// `application/text`.
    Text(String),
    /// `application/json`.
    Json(Value),
    /// A bare token, `text/html`.
    Token(String),
    /// The same path with a slash.
    Redirect(String),
}

/// A machine and its account.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    account: String,
    settings: Settings,
    made_at: Timestamp,
    /// Access tokens that are still given, by the account's unique id and the scopes.
    tokens: Mutex<BTreeMap<(String, Vec<String>), AccessToken>>,
}

/// No more different lists of scopes than this are remembered.
const MAX_TOKENS: usize = 100;

impl Machine {
    pub(crate) fn new(cloud: Cloud, account: String, settings: Settings) -> Self {
        let made_at = cloud.now();
        Self(Arc::new(Inner { cloud, account, settings, made_at, tokens: Mutex::default() }))
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// Answers a request, with the decision that the answer stands on. Without an answer the decision has the refusal.
    pub(crate) fn answer(&self, asked: &Asked<'_>) -> (Decision, Option<Found>) {
        let below = asked.path.strip_prefix(ROOT).unwrap_or(asked.path);
        let mut decision = Decision::of(SURFACE, format!("{} {}", asked.verb, short(below)));
        // Whether a machine is one of Google's is asked without the header.
        let detection = matches!(asked.path, "/" | "");
        if !detection {
            decision.add(flavor(asked));
        }
        decision.add(forwarded(asked));
        if !matches!(asked.verb, "GET" | "HEAD") {
            decision.add(wrong_method(asked));
        }
        if decision.failed().is_some() {
            return (decision, None);
        }
        if detection {
            decision.add(Check::named("path").found("/"));
            return (decision, Some(Found::Text("computeMetadata/\n".to_owned())));
        }
        let found = self.look(asked, &mut decision);
        let found = if decision.failed().is_some() { None } else { found };
        (decision, found)
    }

    fn not_played(&self, asked: &Asked<'_>, what: &str) -> Check {
        self.cloud().unplayed().count_path(asked.verb, "metadata.google.internal", asked.path);
        Check::named("path")
            .expected("something that this version of the rig plays")
            .found(what)
            .holds(false)
            .or_refuse(&refusals::NOT_PLAYED, "metadata-not-played")
            .with("what", what)
            .mend(|| format!("use {ROOT}, without waiting"))
    }

    /// Looks up the path. A failed check says why nothing is found.
    fn look(&self, asked: &Asked<'_>, decision: &mut Decision) -> Option<Found> {
        for legacy in ["/0.1/", "/computeMetadata/v1beta1/"] {
            if asked.path.starts_with(legacy) {
                decision.add(self.not_played(asked, &format!("the legacy version {legacy}")));
                return None;
            }
        }
        if asked.query.get("wait_for_change").is_some_and(|value| value == "true") {
            decision.add(self.not_played(asked, "waiting for a change"));
            return None;
        }
        let account = self.account();
        let tree = self.tree(account.as_deref());
        let whole = Node::directory([("computeMetadata", Node::directory([("v1", tree)]))]);
        let parts: Vec<&str> = asked.path.split('/').filter(|part| !part.is_empty()).collect();
        let node = whole.find(parts.iter().copied());
        let of_account = matches!(parts.as_slice(), [_, _, "instance", "service-accounts", _, ..]);
        let id = if of_account { "metadata-account-not-found" } else { "metadata-not-found" };
        decision.add(
            Check::named("path")
                .expected(if of_account { "default, or the address of the machine's account" } else { "a known path" })
                .found(short(asked.path))
                .holds(node.is_some())
                .or_refuse(&refusals::NOT_FOUND, id)
                .with("path", short(asked.path))
                .mend(|| match (of_account, &account) {
                    (true, None) => format!("create or enable the machine's service account {}", self.0.account),
                    _ => format!("`{ROOT}/?recursive=true` shows all there is"),
                }),
        );
        let node = node?;
        if *node == Node::Made {
            let account = account?;
            decision.add(Check::named("account").found(account.email.as_str()));
            return match parts.last() {
                Some(&"identity") => self.identity(asked, &account, decision).map(Found::Token),
                _ => Some(Found::Json(self.token(asked, &account))),
            };
        }
        let directory = matches!(node, Node::Directory(_));
        if directory && self.0.settings.redirects && !asked.path.ends_with('/') {
            return Some(Found::Redirect(format!("{}/", asked.path)));
        }
        self.write(asked, node, directory, decision)
    }

    fn write(&self, asked: &Asked<'_>, node: &Node, directory: bool, decision: &mut Decision) -> Option<Found> {
        let whole = directory && asked.query.get("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let alt = match asked.query.get("alt").map(String::as_str) {
            Some("json") => Alt::Json,
            Some("text") => Alt::Text,
            None if whole => Alt::Json,
            None => Alt::Text,
            Some(other) => {
                decision.add(invalid("alt", "json or text", other));
                return None;
            }
        };
        Some(match (whole, alt) {
            (true, Alt::Json) => Found::Json(node.json()),
            (true, Alt::Text) => Found::Text(node.lines()),
            (false, Alt::Json) if directory => Found::Json(json!(node.text().lines().collect::<Vec<_>>())),
            (false, Alt::Json) => Found::Json(node.json()),
            (false, Alt::Text) => Found::Text(node.text()),
        })
    }

    /// The machine's account, if it can be used.
    fn account(&self) -> Option<Arc<ServiceAccount>> {
        self.0.cloud.accounts().get(&self.0.account).filter(|account| !account.disabled)
    }

    fn tree(&self, account: Option<&ServiceAccount>) -> Node {
        let Settings { name, id, scopes, .. } = &self.0.settings;
        let project = self.0.cloud.project();
        let (zone, region) = (self.zone(), &project.location);
        let text = |text: String| Node::Text(text);
        let accounts = account.map(|account| {
            let of = || {
                Node::directory([
                    ("aliases", Node::Lines(vec!["default".to_owned()])),
                    ("email", text(account.email.clone())),
                    ("identity", Node::Made),
                    ("scopes", Node::Lines(scopes.clone())),
                    ("token", Node::Made),
                ])
            };
            vec![("default".to_owned(), of()), (account.email.clone(), of())]
        });
        Node::directory([
            (
                "instance",
                Node::directory([
                    ("attributes", Node::Directory(Vec::new())),
                    ("hostname", text(format!("{name}.{zone}.c.{}.internal", project.id))),
                    ("id", Node::Number(id.to_string())),
                    ("name", text(name.clone())),
                    ("region", text(format!("projects/{}/regions/{region}", project.number))),
                    ("service-accounts", Node::Directory(accounts.unwrap_or_default())),
                    ("zone", text(format!("projects/{}/zones/{zone}", project.number))),
                ]),
            ),
            (
                "project",
                Node::directory([
                    ("attributes", Node::Directory(Vec::new())),
                    ("numeric-project-id", Node::Number(project.number.clone())),
                    ("project-id", text(project.id.clone())),
                ]),
            ),
            ("universe", Node::directory([("universe-domain", text("googleapis.com".to_owned()))])),
        ])
    }

    fn zone(&self) -> String {
        format!("{}-{}", self.0.cloud.project().location, self.0.settings.zone)
    }

    /// `…/token`: the same token until shortly before its end.
    fn token(&self, asked: &Asked<'_>, account: &ServiceAccount) -> Value {
        let Settings { platform, scopes, lifetime, renewed_before, .. } = &self.0.settings;
        let wanted = asked.query.get("scopes").filter(|wanted| !wanted.is_empty());
        let scopes = match (platform, wanted) {
            (Platform::Serverless, Some(wanted)) => wanted.split(',').map(str::to_owned).collect(),
            _ => scopes.clone(),
        };
        let now = self.0.cloud.now();
        let mut tokens = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, token| token.expires_at().duration_since(now) > *renewed_before);
        let key = (account.unique_id.clone(), scopes);
        let token = match tokens.get(&key) {
            Some(token) => token.clone(),
            None => {
                let order =
                    AccessTokenOrder { identity: account.identity(), scopes: key.1.clone(), lifetime: *lifetime };
                let token = self.0.cloud.mint().access_token(order);
                if tokens.len() < MAX_TOKENS {
                    tokens.insert(key, token.clone());
                }
                token
            }
        };
        json!({
            "access_token": token.reveal(),
            "expires_in": token.expires_at().duration_since(now).as_secs(),
            "token_type": "Bearer",
        })
    }

    /// `…/identity`: an ID token for any audience.
    fn identity(&self, asked: &Asked<'_>, account: &Arc<ServiceAccount>, decision: &mut Decision) -> Option<String> {
        let audience = asked.query.get("audience").map_or("", String::as_str);
        decision.add(
            Check::named("audience")
                .expected("a query parameter `audience`")
                .found(asked.query.get("audience").map(String::as_str))
                .holds(!audience.is_empty())
                .or_refuse(&refusals::AUDIENCE_MISSING, "metadata-identity-audience-missing")
                .mend(|| "say whom the token is for: `?audience=URL`".to_owned()),
        );
        let full = match asked.query.get("format").map(String::as_str) {
            None | Some("" | "standard") => false,
            Some("full") => true,
            Some(other) => {
                decision.add(invalid("format", "standard or full", other));
                return None;
            }
        };
        let licenses = match asked.query.get("licenses").map(|value| value.to_ascii_uppercase()).as_deref() {
            None | Some("" | "FALSE") => false,
            Some("TRUE") => true,
            Some(other) => {
                decision.add(invalid("licenses", "TRUE or FALSE", other));
                return None;
            }
        };
        if decision.failed().is_some() {
            return None;
        }
        let machine = self.0.settings.platform == Platform::ComputeEngine;
        let mut order = IdTokenOrder::by_metadata(account, audience, full || !machine);
        if full && machine {
            order = order.with_google("compute_engine", self.compute_engine(licenses));
        }
        Some(self.0.cloud.mint().id_token(&order))
    }

    /// What an ID token of format `full` says of the machine.
    fn compute_engine(&self, licenses: bool) -> Value {
        let project = self.0.cloud.project();
        let mut machine = json!({
            "instance_creation_timestamp": self.0.made_at.as_second(),
            "instance_id": self.0.settings.id.to_string(),
            "instance_name": self.0.settings.name,
            "project_id": project.id,
            "project_number": project.number.parse::<u64>().map_or(Value::Null, Value::from),
            "zone": self.zone(),
        });
        if licenses {
            machine["license_id"] = json!(self.0.settings.licenses);
        }
        machine
    }
}

fn flavor(asked: &Asked<'_>) -> Check {
    Check::named("flavor")
        .expected("Metadata-Flavor: Google")
        .found(asked.flavor.map(short))
        .holds(asked.flavor == Some("Google"))
        .or_refuse(&refusals::FLAVOR_MISSING, "metadata-flavor-missing")
        .with("path", short(asked.path))
        .mend(|| "send the header Metadata-Flavor: Google".to_owned())
}

fn forwarded(asked: &Asked<'_>) -> Check {
    Check::named("forwarded")
        .expected("no X-Forwarded-For")
        .found(if asked.forwarded { Some("X-Forwarded-For") } else { None })
        .holds(!asked.forwarded)
        .or_refuse(&refusals::FORWARDED, "metadata-forwarded")
        .with("path", short(asked.path))
        .mend(|| "ask the metadata server without a proxy between".to_owned())
}

fn wrong_method(asked: &Asked<'_>) -> Check {
    Check::named("path")
        .expected("GET or HEAD")
        .found(short(asked.verb))
        .holds(false)
        .or_refuse(&refusals::METHOD_NOT_ALLOWED, "metadata-method-not-allowed")
        .with("verb", short(asked.verb))
        .with("path", short(asked.path))
        .mend(|| "ask with GET".to_owned())
}

fn invalid(name: &'static str, expected: &str, found: &str) -> Check {
    Check::named("path")
        .expected(format!("`{name}` of {expected}"))
        .found(short(found))
        .holds(false)
        .or_refuse(&refusals::PARAMETER_INVALID, "metadata-parameter-invalid")
        .with("name", name)
        .mend(|| format!("`{name}` is {expected}"))
}

/// A path as it may be shown: bounded.
fn short(text: &str) -> String {
    const MOST: usize = 256;
    text.chars().take(MOST).collect()
}
