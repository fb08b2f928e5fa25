//! A world whose answers are scripted: what was sent is noted, what comes back is said beforehand.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokenrig_clock::Timestamp;
use tokenrig_decision::Record;
use tokenrig_jose::{Algorithm, JwkSet, forge::flawed, pool, protected_header, sign};
use tokenrig_runner::{
    Advanced, Answer, CaseReport, Catalogue, Event, Facts, Foundation, MintOrder, Options, Outcome, Plan, Received,
    Request, Selection, Site, SiteFault, Summary, Who, World, WorldFault, WorldName, run,
};

pub(crate) const START: &str = "2026-01-15T09:00:00Z";
pub(crate) const ISSUER: &str = "https://corp.issuers.example";
pub(crate) const KID: &str = "corp-1";
pub(crate) const GOOGLE_KID: &str = "google-1";

/// What a request is answered with; the first script whose start matches `METHOD URL` is taken.
pub(crate) type Script = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) scripts: Vec<(String, Script)>,
    pub(crate) lacks: Vec<&'static str>,
    pub(crate) received: Vec<Received>,
    pub(crate) live: bool,
    pub(crate) state: Arc<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) sent: Mutex<Vec<Request>>,
    pub(crate) foundations: Mutex<Vec<Foundation>>,
    pub(crate) calls: Mutex<Vec<String>>,
    /// Decisions, each given to the first request that is answered with its status.
    pub(crate) decisions: Mutex<Vec<Record>>,
    pub(crate) now: Mutex<Option<Timestamp>>,
}

pub(crate) fn answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        version: "HTTP/2",
        headers: vec![("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())],
        body: body.to_string().into_bytes(),
        ..Answer::default()
    }
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Answers requests whose `METHOD URL` starts like this.
    pub(crate) fn on(self, start: &str, status: u16, body: Value) -> Self {
        self.by(start, move |_| answer(status, &body))
    }

    pub(crate) fn by(mut self, start: &str, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        self.scripts.push((start.to_owned(), Box::new(script)));
        self
    }

    pub(crate) fn decided(self, record: Value) -> Self {
        self.state.decisions.lock().unwrap().push(serde_json::from_value(record).unwrap());
        self
    }

    /// Google's keys and the issuer's, as everybody fetches them.
    pub(crate) fn with_keys(self) -> Self {
        let set = |kid: &str, n: usize| {
            let keys: JwkSet = [pool::rsa(n).public().to_jwk(kid)].into_iter().collect();
            json!({ "keys": keys.keys().iter().map(|key| key.members().clone()).collect::<Vec<_>>() })
        };
        self.on("GET https://www.googleapis.com/oauth2/v3/certs", 200, set(GOOGLE_KID, 1))
            .on(
                &format!("GET {ISSUER}/.well-known/openid-configuration"),
                200,
                json!({ "jwks_uri": format!("{ISSUER}/certs") }),
            )
            .on(&format!("GET {ISSUER}/certs"), 200, set(KID, 0))
    }

    pub(crate) fn state(&self) -> Arc<State> {
        self.state.clone()
    }
}

/// An ID token as Google signs it.
pub(crate) fn google_token(claims: &Value) -> String {
    sign(&protected_header(Algorithm::Rs256, GOOGLE_KID), claims.as_object().unwrap(), pool::rsa(1))
}

/// The world of a fake.
struct FakeWorld(Arc<Fake>);

impl Fake {
    pub(crate) fn world(self) -> Arc<dyn World> {
        Arc::new(FakeWorld(Arc::new(self)))
    }
}

impl World for FakeWorld {
    fn kind(&self) -> WorldName {
        if self.0.live { WorldName::Live } else { WorldName::Offline }
    }

    fn offers(&self, need: &str) -> Result<(), String> {
        if self.0.lacks.contains(&need) { Err("this build leaves it out".to_owned()) } else { Ok(()) }
    }

    fn open(&self, foundation: Foundation) -> BoxFuture<'_, Result<Box<dyn Site>, WorldFault>> {
        let issuers =
            foundation.issuers.keys().map(|id| (id.clone(), Map::from_iter([("issuer".to_owned(), json!(ISSUER))])));
        let facts = Facts {
            project_id: "shop-test".to_owned(),
            project_number: "1071284184436".to_owned(),
            location: "us-central1".to_owned(),
            agents: BTreeMap::from([(
                "pubsub".to_owned(),
                "service-1@gcp-sa-pubsub.iam.gserviceaccount.com".to_owned(),
            )]),
            issuers: issuers.collect(),
            ..Facts::default()
        };
        *self.0.state.now.lock().unwrap() = Some(foundation.now.unwrap_or_else(|| START.parse().unwrap()));
        self.0.state.foundations.lock().unwrap().push(foundation);
        let site: Box<dyn Site> = Box::new(FakeSite { fake: self.0.clone(), facts });
        Box::pin(async move { Ok(site) })
    }
}

struct FakeSite {
    fake: Arc<Fake>,
    facts: Facts,
}

impl FakeSite {
    fn called(&self, what: String) {
        self.fake.state.calls.lock().unwrap().push(what);
    }
}

impl Site for FakeSite {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn now(&self) -> Timestamp {
        self.fake.state.now.lock().unwrap().unwrap()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        let line = format!("{} {}", request.method, request.url);
        let script = self.fake.scripts.iter().find(|(start, _)| line.starts_with(start.as_str()));
        let result = match script {
            Some((_, script)) => Ok(script(&request)),
            None => Err(SiteFault::Connection(format!("nothing is scripted for {line}"))),
        };
        self.fake.state.sent.lock().unwrap().push(request);
        Box::pin(async move { result })
    }

    fn mint(&self, order: MintOrder) -> BoxFuture<'_, Result<String, SiteFault>> {
        let mut header = protected_header(Algorithm::Rs256, KID);
        for (name, value) in &order.header {
            if value.is_null() {
                header.shift_remove(name);
            } else {
                header.insert(name.clone(), value.clone());
            }
        }
        let key = pool::rsa(0);
        let token = match order.flaw {
            Some(flaw) => flawed(flaw, &header, &order.claims, key, self.now()),
            None => sign(&header, &order.claims, key),
        };
        Box::pin(async move { Ok(token) })
    }

    fn credentials(&self, who: Who) -> BoxFuture<'_, Result<String, SiteFault>> {
        let token = match who {
            Who::Owner => "ya29.owner-of-the-project".to_owned(),
            Who::Account(email) => format!("ya29.{email}"),
        };
        Box::pin(async move { Ok(token) })
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, SiteFault>> {
        *self.fake.state.now.lock().unwrap() = Some(to);
        Box::pin(async move { Ok(Advanced { now: to, in_flight: Vec::new() }) })
    }

    fn decisions(&self, since: u64) -> BoxFuture<'_, Option<Vec<Record>>> {
        // A decision of the script is made once something was sent that is no part of `given`.
        let sent = self.fake.state.sent.lock().unwrap().len();
        let records = match (self.fake.live, sent) {
            (true, _) => None,
            (false, 0) => Some(Vec::new()),
            (false, _) => {
                let all = self.fake.state.decisions.lock().unwrap();
                Some(all.iter().filter(|record| record.seq > since).cloned().collect())
            }
        };
        Box::pin(async move { records })
    }

    fn received(&self, service: &str, since: u64) -> BoxFuture<'_, Result<Vec<Received>, SiteFault>> {
        self.called(format!("received {service}"));
        let received = self.fake.received.iter().filter(|request| request.seq > since).cloned().collect();
        Box::pin(async move { Ok(received) })
    }

    fn environment(&self, needs: &[String]) -> BoxFuture<'_, Result<Vec<(String, String)>, SiteFault>> {
        let env = vec![("WORLD".to_owned(), "fake".to_owned()), ("NEEDS".to_owned(), needs.join(","))];
        Box::pin(async move { Ok(env) })
    }

    fn set_workload(&self, service: &str, workload: &Value) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.called(format!("workload {service} {workload}"));
        Box::pin(async { Ok(()) })
    }

    fn patch_issuer(&self, issuer: &str, fields: &Map<String, Value>) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.called(format!("issuer {issuer} {}", json!(fields)));
        Box::pin(async { Ok(()) })
    }

    fn rotate_keys(&self, of: &str) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.called(format!("keys {of}"));
        Box::pin(async { Ok(()) })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), SiteFault>> {
        self.called("close".to_owned());
        Box::pin(async { Ok(()) })
    }
}

/// What came of a run.
pub(crate) struct Ran {
    pub(crate) summary: Summary,
    pub(crate) reports: Vec<Arc<CaseReport>>,
    pub(crate) state: Arc<State>,
}

impl Ran {
    /// The messages of all failures.
    pub(crate) fn messages(&self) -> Vec<String> {
        let failures = self.reports.iter().flat_map(|report| report.failures());
        failures.map(|(_, failure)| failure.message.clone()).collect()
    }

    #[track_caller]
    pub(crate) fn passed(&self) -> &Self {
        let broken = self.reports.iter().filter(|report| !matches!(report.outcome, Outcome::Passed));
        let broken: Vec<_> =
            broken.map(|report| format!("{}: {:?}\n{:#?}", report.id, report.outcome, report.steps)).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(!self.reports.is_empty());
        self
    }

    /// `METHOD URL` of everything that was sent.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.state.sent.lock().unwrap().iter().map(|request| format!("{} {}", request.method, request.url)).collect()
    }

    pub(crate) fn last(&self) -> Request {
        self.state.sent.lock().unwrap().last().cloned().unwrap()
    }
}

pub(crate) fn options() -> Options {
    Options { jobs: NonZeroUsize::new(2).unwrap(), keep_all: true, ..Options::default() }
}

/// Runs the text of one scenario.
pub(crate) async fn ran(fake: Fake, text: &str) -> Ran {
    ran_with(fake, text, options()).await
}

pub(crate) async fn ran_with(fake: Fake, text: &str, options: Options) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenarios/theme/name.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    std::fs::write(file.with_file_name("body.bin"), b"\x00\xffbytes").unwrap();
    let plan = Plan::read(&Selection { paths: vec![file], ..Selection::default() }).unwrap();
    if let Some(wrong) = plan.wrong.first() {
        panic!("{}", wrong.faults);
    }
    let state = fake.state();
    let mut reports = Vec::new();
    let world = fake.world();
    let summary = tokenrig_clock::real::within(
        Duration::from_secs(60),
        run(world, &plan, &options, |event| {
            if let Event::CaseEnded(report) = event {
                reports.push(report);
            }
        }),
    )
    .await
    .unwrap();
    reports.sort_by_key(|report| report.number);
    Ran { summary, reports, state }
}

pub(crate) fn catalogue(refusals: &'static [&'static tokenrig_decision::Refusal]) -> Options {
    Options { catalogue: Catalogue::new(refusals), ..options() }
}
