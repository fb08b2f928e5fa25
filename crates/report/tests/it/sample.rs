//! A run as a runner would tell it.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokenrig_decision::{Answer, CheckRecord, Record};
use tokenrig_runner::{
    AnswerShown, CaseId, CaseReport, CommandReport, Event, Exchange, Failure, Outcome, Skip, Started, StepReport,
    Summary, TokenShown, WorldName,
};
use tokenrig_scenario::{Source, SourceId, Sources, Span};

pub(crate) const FILE: &str = r#"scenario: A federated workload calls a private Cloud Run service
cases:
  - case: the service's own URL
    expect: { status: 200 }
  - case: the service's name in place of its URL
    expect: { status: 200, body: { greeting: hello } }

steps:
  - step: IAM Credentials mints an ID token
    call: iamcredentials.serviceAccounts.generateIdToken
    with: { audience: "${case.audience}" }

  - step: Cloud Run lets it in only if it was made for this very service
    http: GET ${orders.uri}/hello
    as: ${id_token}
    expect: ${case.expect}
"#;

pub(crate) fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.add(Source::new("scenarios/federation/cloud-run.yaml", FILE));
    sources
}

/// The place of the last occurrence of a text.
pub(crate) fn place(text: &str) -> Span {
    let start = FILE.rfind(text).expect("the sample holds it");
    Span::new(SourceId(0), start, start + text.len())
}

pub(crate) fn id(case: Option<&str>) -> CaseId {
    CaseId {
        scenario: "federation/cloud-run".to_owned(),
        file: "scenarios/federation/cloud-run.yaml".into(),
        title: "A federated workload calls a private Cloud Run service".to_owned(),
        case: case.map(str::to_owned),
        repeat: None,
    }
}

fn check(name: &str, ok: bool, expected: serde_json::Value, found: serde_json::Value) -> CheckRecord {
    CheckRecord { name: name.to_owned(), ok, expected, found }
}

fn decision() -> Record {
    Record {
        seq: 7,
        at: "2026-01-15T09:00:00Z".parse().unwrap(),
        surface: "cloud-run-front".to_owned(),
        of: "GET /hello".to_owned(),
        answer: Answer { status: 401 },
        refusal: Some("run-front-token-unverifiable".to_owned()),
        checks: vec![
            check("credential", true, json!(null), json!("Authorization: Bearer")),
            check("issuer", true, json!("https://accounts.google.com"), json!("https://accounts.google.com")),
            check(
                "audience",
                false,
                json!(["https://orders-4k2xq7w3ua-uc.a.run.app", "https://orders-1071284184436.us-central1.run.app"]),
                json!("orders"),
            ),
            check("permission", true, json!(null), json!("run.routes.invoke by roles/run.invoker")),
        ],
        mend: Some("ask for the ID token with the service's URL as audience".to_owned()),
    }
}

fn token() -> TokenShown {
    let map = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
    TokenShown {
        place: "request header authorization".to_owned(),
        shortened: "eyJhbGci…(ID token, aud orders, 1 h left)".to_owned(),
        header: map(json!({ "alg": "RS256", "kid": "6f7254101f56e41cf35c9926de84a2d552b4c6f1", "typ": "JWT" })),
        claims: map(json!({ "aud": "orders", "iss": "https://accounts.google.com", "exp": 1_768_471_200 })),
    }
}

pub(crate) fn failed() -> CaseReport {
    let exchange = Exchange {
        method: "GET".to_owned(),
        url: "https://orders-4k2xq7w3ua-uc.a.run.app/hello".to_owned(),
        request_headers: vec![(
            "authorization".to_owned(),
            "Bearer eyJhbGci…(ID token, aud orders, 1 h left)".to_owned(),
        )],
        answer: Some(AnswerShown {
            version: "HTTP/2",
            status: 401,
            headers: vec![
                ("date".to_owned(), "Thu, 15 Jan 2026 09:00:00 GMT".to_owned()),
                ("www-authenticate".to_owned(), "Bearer error=\"invalid_token\"".to_owned()),
                ("content-type".to_owned(), "text/html; charset=UTF-8".to_owned()),
            ],
            body: "<html>\n<h1>Error: Unauthorized</h1>\u{1b}[31m\n</html>\n".to_owned(),
            ..AnswerShown::default()
        }),
        tokens: vec![token()],
        ..Exchange::default()
    };
    let status = Failure {
        at: Some(place("200")),
        label: "found 401".to_owned(),
        expected: Some(json!(200)),
        found: Some(json!(401)),
        help: decision().mend,
        ..Failure::new("expected status 200, found 401")
    };
    let body = Failure {
        at: Some(place("hello }")),
        label: "found nothing".to_owned(),
        parts: vec![("it.size()".to_owned(), "3".to_owned()), ("case.dead".to_owned(), "1".to_owned())],
        ..Failure::new("expected body.greeting `hello`, found nothing")
    };
    CaseReport {
        id: id(Some("the service's name in place of its URL")),
        number: 1,
        sources: sources(),
        outcome: Outcome::Failed,
        steps: vec![StepReport {
            number: 2,
            title: Some("Cloud Run lets it in".to_owned()),
            what: "GET https://orders-4k2xq7w3ua-uc.a.run.app/hello".to_owned(),
            at: Some(place("GET ${orders.uri}/hello")),
            exchanges: vec![exchange],
            decision: Some(decision()),
            decisions: vec![decision()],
            failures: vec![status, body],
            ..StepReport::default()
        }],
        took: Duration::from_millis(6),
        kept: None,
    }
}

pub(crate) fn command_failed() -> CaseReport {
    let text =
        |n: i32| (0..12).map(|line| format!("line {line} of {}\n", if line == 7 { n } else { 0 })).collect::<String>();
    let stdout = Failure {
        at: Some(place("status: 200 }")),
        label: "differs".to_owned(),
        expected: Some(json!(text(1))),
        found: Some(json!(text(2))),
        ..Failure::new("expected stdout `line 0 …`, found `line 0 …`")
    };
    CaseReport {
        id: id(Some("a \"real\" client")),
        number: 3,
        sources: sources(),
        outcome: Outcome::Failed,
        steps: vec![StepReport {
            number: 1,
            what: "run python call.py".to_owned(),
            command: Some(CommandReport {
                line: "python call.py".to_owned(),
                exit: 1,
                stdout: text(2),
                stderr: "google.auth.exceptions.RefreshError\n".to_owned(),
            }),
            failures: vec![stdout],
            not_checked: vec!["the decision is not checked here".to_owned()],
            ..StepReport::default()
        }],
        took: Duration::from_millis(12_345),
        kept: None,
    }
}

/// All events, in an order in which two jobs could give them.
pub(crate) fn events() -> Vec<Event> {
    let report = |number, case: &str, outcome| CaseReport {
        id: id(Some(case)),
        number,
        sources: sources(),
        outcome,
        steps: Vec::new(),
        took: Duration::from_millis(4),
        kept: None,
    };
    let need = Skip::Need { need: "saml".to_owned(), why: "this build leaves it out".to_owned(), required: false };
    let broken = Outcome::Broken("the offline world could not be set up: no port is free".to_owned());
    let summary =
        Summary { passed: 1, failed: 2, broken: 1, skipped: 1, took: Duration::from_millis(410), ..Summary::default() };
    vec![
        Event::Started(Started { world: WorldName::Offline, scenarios: 1, cases: 5, jobs: 2 }),
        Event::CaseStarted(id(Some("the service's own URL"))),
        Event::CaseStarted(id(Some("the service's name in place of its URL"))),
        Event::CaseEnded(Arc::new(failed())),
        Event::CaseEnded(Arc::new(report(0, "the service's own URL", Outcome::Passed))),
        Event::CaseEnded(Arc::new(command_failed())),
        Event::CaseEnded(Arc::new(report(2, "with SAML", Outcome::Skipped(need)))),
        Event::CaseEnded(Arc::new(report(4, "without a world", broken))),
        Event::Ended(summary),
    ]
}
