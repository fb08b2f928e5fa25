//! What AWS answers: who signed a request, and what a machine knows of itself.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::json;
use tokenrig_clock::{Timestamp, seconds};
use tokenrig_cloud::{AwsIdentity, AwsRequest, Cloud};
use tokenrig_decision::{Check, Decision};

use crate::{assumptions::Settings, model, refusals};

/// The surface word of decisions about signed requests.
const STS: &str = "aws-sts";
/// The surface word of decisions about the metadata server.
const METADATA: &str = "aws-metadata";
/// Session tokens that are remembered.
const MOST_SESSIONS: usize = 1000;
/// The longest life of a session, in seconds.
const LONGEST_SESSION: i64 = 21_600;

/// AWS, of one rig. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Aws(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    settings: Settings,
    requests: AtomicU64,
    /// The end of each session of the metadata server, by its token.
    sessions: Mutex<BTreeMap<String, Timestamp>>,
}

/// A request to the metadata server, as far as it matters.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) verb: &'a str,
    pub(crate) path: &'a str,
    /// `X-aws-ec2-metadata-token`.
    pub(crate) session: Option<&'a str>,
    /// `X-aws-ec2-metadata-token-ttl-seconds`.
    pub(crate) lifetime: Option<&'a str>,
    /// Whether `X-Forwarded-For` is there.
    pub(crate) forwarded: bool,
}

/// What the metadata server answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Text.
    Text(String),
    /// A session token, and the seconds that it lives.
    Session(String, i64),
}

impl Aws {
    pub(crate) fn new(cloud: Cloud, settings: Settings) -> Self {
        Self(Arc::new(Inner { cloud, settings, requests: AtomicU64::new(0), sessions: Mutex::default() }))
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        &self.0.cloud
    }

    /// An id that no other request has.
    pub(crate) fn request_id(&self) -> String {
        let count = self.0.requests.fetch_add(1, Ordering::Relaxed).to_string();
        model::request_id(&self.cloud().derived_hex("aws request", &count))
    }

    /// `GetCallerIdentity`.
    pub(crate) fn caller_identity(&self, request: &AwsRequest, request_id: &str) -> (Decision, Option<AwsIdentity>) {
        let mut decision = Decision::of(STS, "sts.GetCallerIdentity");
        let parameters = request.parameters();
        let action = parameters.iter().find(|(name, _)| name == "Action").map_or("", |(_, value)| value.as_str());
        let shown: String = action.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        let check = Check::named("action").expected("GetCallerIdentity").found(shown.as_str());
        let known = check
            .holds(action == "GetCallerIdentity")
            .or_refuse(&refusals::ACTION_INVALID, "aws-action-invalid")
            .with("code", "InvalidAction")
            .with("message", format!("Could not find operation {shown} for version 2011-06-15"))
            .with("request_id", request_id)
            .mend(|| "this version of the rig plays GetCallerIdentity of AWS".to_owned());
        if !decision.add(known) {
            return (decision, None);
        }
        let check = Check::named("signature").expected("a signature by an access key of the rig");
        match self.cloud().aws().caller(request) {
            Ok(identity) => {
                decision.add(check.found(identity.arn.as_str()));
                (decision, Some(identity))
            }
            Err(refused) => {
                let mend = refused.to_string();
                let check = check
                    .found(json!({ "code": refused.code(), "message": refused.message() }))
                    .holds(false)
                    .or_refuse(&refusals::NOT_AUTHENTIC, "aws-not-authentic")
                    .with("code", refused.code())
                    .with("message", refused.message())
                    .with("request_id", request_id);
                decision.add(check.mend(|| format!("sign with the credentials of one of `aws.accounts`: {mend}")));
                (decision, None)
            }
        }
    }

    /// Answers a request to the metadata server.
    pub(crate) fn metadata(&self, asked: &Asked<'_>) -> (Decision, Option<Found>) {
        let path: String = asked.path.chars().take(200).collect();
        let mut decision = Decision::of(METADATA, format!("{} {path}", asked.verb));
        if asked.path == "/latest/api/token" && asked.verb == "PUT" {
            let found = self.open(asked, &mut decision);
            return (decision, found);
        }
        if !decision.add(self.session(asked)) {
            return (decision, None);
        }
        let found = if matches!(asked.verb, "GET" | "HEAD") { self.look(asked.path) } else { None };
        decision.add(
            Check::named("path")
                .expected("a path that this version of the rig plays")
                .found(path.as_str())
                .holds(found.is_some())
                .or_refuse(&refusals::NOT_FOUND, "aws-metadata-not-found")
                .mend(|| match self.cloud().aws().machine() {
                    None => "give one role in `aws.accounts`: the rig's machine then has it".to_owned(),
                    Some(_) => "ask for `/latest/meta-data/iam/security-credentials/`".to_owned(),
                }),
        );
        (decision, found.map(Found::Text))
    }

    fn open(&self, asked: &Asked<'_>, decision: &mut Decision) -> Option<Found> {
        let direct = Check::named("token").found(json!({ "forwarded": asked.forwarded })).holds(!asked.forwarded);
        let direct = direct
            .or_refuse(&refusals::SESSION_FORWARDED, "aws-metadata-session-forwarded")
            .mend(|| "ask for a session without `X-Forwarded-For`".to_owned());
        if !decision.add(direct) {
            return None;
        }
        let lifetime = asked.lifetime.and_then(|text| text.trim().parse::<i64>().ok());
        let lifetime = lifetime.filter(|lifetime| (1..=LONGEST_SESSION).contains(lifetime));
        decision.add(
            Check::named("token")
                .expected("X-aws-ec2-metadata-token-ttl-seconds: 1 to 21600")
                .found(asked.lifetime.map(|text| text.chars().take(40).collect::<String>()))
                .holds(lifetime.is_some())
                .or_refuse(&refusals::SESSION_REQUEST_INVALID, "aws-metadata-session-request-invalid")
                .mend(|| "say how long the session is to live".to_owned()),
        );
        let lifetime = lifetime?;
        let now = self.cloud().now();
        let mut token = self.cloud().derived_hex("aws session", &self.request_id());
        token.truncate(54);
        token.push_str("==");
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, end| *end > now);
        if sessions.len() >= MOST_SESSIONS {
            sessions.pop_first();
        }
        sessions.insert(token.clone(), now + seconds(lifetime));
        Some(Found::Session(token, lifetime))
    }

    /// A session that is shown must be good, even where none is needed.
    fn session(&self, asked: &Asked<'_>) -> Check {
        let sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let good = match asked.session {
            None => self.0.settings.without_session,
            Some(token) => sessions.get(token).is_some_and(|end| *end > self.cloud().now()),
        };
        let found = match asked.session {
            None => "none",
            Some(_) if good => "one that is good",
            Some(_) => "one that is unknown or over",
        };
        Check::named("token")
            .expected(if self.0.settings.without_session {
                "a good session token, or none"
            } else {
                "a good session token"
            })
            .found(found)
            .holds(good)
            .or_refuse(&refusals::SESSION_INVALID, "aws-metadata-session-invalid")
            .mend(|| "ask `PUT /latest/api/token` for a session token".to_owned())
    }

    fn look(&self, path: &str) -> Option<String> {
        let role = self.cloud().aws().machine()?;
        let below = path.strip_prefix("/latest/")?.trim_end_matches('/');
        Some(match below {
            "meta-data/placement/availability-zone" => format!("{}a", role.region),
            "meta-data/placement/region" => role.region,
            "meta-data/instance-id" => role.session,
            "meta-data/iam/security-credentials" => role.name,
            "dynamic/instance-identity/document" => {
                let zone = format!("{}a", role.region);
                json!({
                    "accountId": role.account, "availabilityZone": zone, "instanceId": role.session,
                    "region": role.region, "version": "2017-09-30",
                })
                .to_string()
            }
            other => {
                let name = other.strip_prefix("meta-data/iam/security-credentials/")?;
                if name != role.name {
                    return None;
                }
                model::credentials(&role, self.cloud().now(), self.0.settings.credentials_told).to_string()
            }
        })
    }
}
