//! The page of a run: what stands in it, and that nothing from outside acts in it.

use std::sync::Arc;

use serde_json::json;
use tokenrig_report::Format;
use tokenrig_runner::{CaseId, CaseReport, Event, Outcome, Skip, Started, Summary, WorldName};

use crate::{
    files::{of, written},
    sample,
};

/// What a name, a value, a header or a body may hold to deceive a page.
const HOSTILE: [&str; 6] = [
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></details></pre><h1>owned",
    "\u{202e}gnp.exe",
    "a\u{0}b\u{1b}[2J\r",
    "{{ 7*7 }} ${x} <!-- ]]>",
];

/// A case in which everything that can come from outside is hostile.
pub(crate) fn hostile(text: &str, number: usize) -> CaseReport {
    let mut report = sample::failed();
    let own = || text.to_owned();
    report.number = number;
    report.id = CaseId { scenario: own(), title: own(), case: Some(own()), file: own().into(), ..report.id };
    for step in &mut report.steps {
        step.title = Some(own());
        step.what = own();
        step.not_checked = vec![own()];
        for failure in &mut step.failures {
            failure.message = own();
            failure.label = own();
            failure.notes = vec![own()];
            failure.help = Some(own());
            failure.parts = vec![(own(), own())];
        }
        for exchange in &mut step.exchanges {
            exchange.method = own();
            exchange.url = format!("https://{text}/{text}?{text}");
            exchange.request_headers = vec![(own(), own())];
            exchange.request_body = own();
            for token in &mut exchange.tokens {
                token.place = own();
                token.shortened = own();
                token.claims = [(own(), json!([text]))].into_iter().collect();
                token.header = [(own(), json!(text))].into_iter().collect();
            }
            if let Some(answer) = &mut exchange.answer {
                answer.headers = vec![(own(), own())];
                answer.body = own();
            }
        }
        for record in &mut step.decisions {
            record.surface = own();
            record.of = own();
            record.refusal = Some(own());
            record.mend = Some(own());
            for check in &mut record.checks {
                check.name = own();
                check.expected = json!([text]);
                check.found = json!({ text: text });
            }
        }
    }
    report
}

pub(crate) fn ended(reports: impl IntoIterator<Item = CaseReport>) -> Vec<Event> {
    let mut summary = Summary::default();
    let mut events: Vec<Event> = reports
        .into_iter()
        .map(|report| {
            summary.count(&report);
            Event::CaseEnded(Arc::new(report))
        })
        .collect();
    let cases = events.len();
    events.insert(0, Event::Started(Started { world: WorldName::Offline, scenarios: 1, cases, jobs: 2 }));
    events.push(Event::Ended(summary));
    events
}

#[test]
fn what_failed_comes_first_and_everything_of_it_is_there() {
    let page = written(Format::Html);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("`{text}` is not on the page"));
    assert!(at("id=\"failed\"") < at("id=\"skipped\"") && at("id=\"skipped\"") < at("id=\"passed\""));
    for text in [
        "the file is empty",
        "expected status 200, found 401",
        "help:</b> ask for the ID token",
        "&#34;https://accounts.google.com&#34;",
        "2026-01-15T10:00:00Z",
        "needs `saml`",
        "no port is free",
        "google.auth.exceptions.RefreshError",
        "Step 2, client to Cloud Run: GET /hello: 401 run-front-token-unverifiable",
        "cargo xtask run scenarios/federation/cloud-run.yaml --filter",
    ] {
        at(text);
    }
}

#[test]
fn nothing_from_outside_acts_or_hides() {
    let plain = of(Format::Html, &[], &ended([sample::failed()]));
    for text in HOSTILE {
        let page = of(Format::Html, &[], &ended([hostile(text, 0)]));
        // The same elements as without it: whatever was in the texts has made none.
        for tag in ["<script", "</script", "<img", "<h1", "<style", "</style", "</details", "</pre", "<!--", "<svg"] {
            let count = |page: &str| page.matches(tag).count();
            assert_eq!(count(&page), count(&plain), "{tag} by {text:?}");
        }
        let hidden = page.chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(hidden, None, "{text:?}");
        assert!(!page.contains("onerror=alert(1)>"), "{text:?}");
    }
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    let page = written(Format::Html);
    assert!(page.contains("default-src 'none'"));
    for word in ["src=", "<link", "@import", "url(http", "fetch("] {
        assert!(!page.contains(word), "{word}");
    }
    // Links lead to places of the page only.
    let links = page.match_indices("href=\"").map(|(at, _)| &page[at..]);
    assert!(links.clone().count() > 0);
    assert!(links.into_iter().all(|link| link.starts_with("href=\"#")));
}

#[test]
fn two_hundred_cases_stay_below_two_megabytes_and_say_what_was_left_out() {
    let mut case = sample::failed();
    let step = case.steps[0].clone();
    case.steps = std::iter::repeat_n(step, 8).collect();
    for outcome in [Outcome::Failed, Outcome::Passed] {
        let cases = (0..200).map(|number| {
            let mut case = CaseReport { number, outcome: outcome.clone(), ..case.clone() };
            if outcome == Outcome::Passed {
                case.steps.iter_mut().for_each(|step| step.failures.clear());
            }
            case
        });
        let page = of(Format::Html, &[], &ended(cases));
        assert!(page.len() <= 2_000_000, "{} bytes", page.len());
        assert_eq!(page.matches("<details class=\"case ").count(), 200);
        assert!(page.contains("Details are left out"));
        assert!(page.contains("Cloud Run lets it in"), "the first cases have all their details");
    }
}

#[test]
fn a_run_in_which_nothing_ran_is_a_page_too() {
    assert!(of(Format::Html, &[], &[]).contains("No case has run"));
    let skipped = Outcome::Skipped(Skip::Other("it must wait".to_owned()));
    let page = of(Format::Html, &[], &ended([CaseReport { outcome: skipped, steps: Vec::new(), ..sample::failed() }]));
    assert!(page.contains("Every case was skipped") && page.contains("it must wait"));
}
