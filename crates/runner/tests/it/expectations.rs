//! What is expected, and how it is told that it is not so.

use serde_json::{Value, json};
use tokenrig_decision::{Code, Evidence, Refusal, Wire};

use crate::fake::{Fake, Ran, catalogue, ran, ran_with};

/// One request whose answer has this status and body, and what is expected of it.
async fn judged(status: u16, body: Value, expect: &str) -> Ran {
    let fake = Fake::new().on("GET https://a.example/", status, body);
    ran(fake, &format!("scenario: a\nsteps:\n  - http: GET https://a.example/\n    expect: {expect}\n")).await
}

#[tokio::test]
async fn a_shape_holds_what_it_names_and_lists_are_whole() {
    let body = json!({ "a": 1, "b": { "c": "x", "d": [1, 2.0, { "e": null, "f": 1 }] }, "n": "5" });
    judged(200, body.clone(), "{ status: 200, body: { a: 1.0, b: { d: [1, 2, { e: null }] }, z: \"${absent}\" } }")
        .await
        .passed();
    let ran = judged(200, body, "{ body: { a: 2, b: { d: [1, 2], c: \"${absent}\" }, n: 5, y: { z: 1 } } }").await;
    assert_eq!(
        ran.messages(),
        [
            "expected body.a 2, found 1",
            "expected body.b.d 2 items, found 3 items",
            "expected body.b.c nothing, found `x`",
            "expected body.n 5, found `5`",
            "expected body.y a map, found nothing",
        ]
    );
    let report = &ran.reports[0];
    let failures: Vec<_> = report.failures().map(|(_, failure)| failure).collect();
    assert_eq!(report.sources.slice(failures[0].at.unwrap()), "2");
    assert_eq!(failures[0].label, "found 1");
    assert_eq!(failures[3].notes, ["one is text, the other a number; Google's 64-bit integers are text in JSON"]);
}

#[tokio::test]
async fn a_hole_with_it_is_a_test_and_its_parts_are_told() {
    judged(200, json!({ "n": 3 }), "{ status: \"${it in [200, 201]}\", body: { n: \"${it < 4}\" } }").await.passed();
    let ran = judged(200, json!({ "n": [1, 2] }), "{ body: { n: \"${size(it) > 1 + size(text)}\" } }").await;
    assert_eq!(ran.messages(), ["body.n is [1,2], for which `size(it) > 1 + size(text)` does not hold"]);
    let (_, failure) = ran.reports[0].failures().next().unwrap();
    assert!(failure.parts.contains(&("size(it)".into(), "2".into())), "{:?}", failure.parts);
    let ran = judged(200, json!({ "n": 1 }), "{ body: { n: \"${it + 1}\" } }").await;
    assert_eq!(ran.messages(), ["a test gives true or false; this gives a int"]);
}

#[tokio::test]
async fn header_names_ignore_case_and_nothing_else_does() {
    judged(200, json!({}), "{ headers: { Content-TYPE: \"${it.startsWith('application/json')}\", x: \"${absent}\" } }")
        .await
        .passed();
    let ran = judged(200, json!({ "Name": "ALICE" }), "{ body: { name: x, Name: alice } }").await;
    assert_eq!(ran.messages(), ["expected body.name `x`, found nothing", "expected body.Name `alice`, found `ALICE`"]);
    let (_, failure) = ran.reports[0].failures().nth(1).unwrap();
    assert_eq!(failure.notes, ["they differ in letter case only"]);
}

#[tokio::test]
async fn that_lists_what_must_be_true_and_tells_the_values_of_its_parts() {
    let ran = judged(
        200,
        json!({ "n": [1] }),
        "{ that: [\"status == 200\", \"size(body.n) == status - 198\", \"body.missing == 1\"] }",
    )
    .await;
    assert_eq!(ran.messages()[0], "`size(body.n) == status - 198` does not hold");
    let (_, failure) = ran.reports[0].failures().next().unwrap();
    let part = |text: &str| failure.parts.iter().find(|(known, _)| known == text).map(|(_, value)| value.as_str());
    assert_eq!((part("size(body.n)"), part("status - 198")), (Some("1"), Some("2")));
    let (_, missing) = ran.reports[0].failures().nth(1).unwrap();
    assert!(ran.reports[0].sources.slice(missing.at.unwrap()).contains("missing"), "{missing:?}");
}

#[tokio::test]
async fn a_row_is_put_in_its_spot_with_its_places() {
    let fake = Fake::new().on("GET https://a.example/", 418, json!({}));
    let text = "scenario: a\ncases:\n  - { case: one, status: 418, expect: { status: \"${case.status}\" } }\n  - { case: two, status: 418, expect: { status: 200 } }\nsteps:\n  - http: GET https://a.example/\n    expect: ${case.expect}\n";
    let ran = ran(fake, text).await;
    assert_eq!((ran.summary.passed, ran.messages()), (1, vec!["expected status 200, found 418".to_owned()]));
    let report = &ran.reports[1];
    let (_, failure) = report.failures().next().unwrap();
    assert!(report.sources.place(failure.at.unwrap()).contains(":4:"), "the place is the row's");
}

#[tokio::test]
async fn a_save_that_finds_nothing_comes_after_failed_expectations() {
    let fake = Fake::new().on("GET https://a.example/", 403, json!({ "error": 1 }));
    let text = "scenario: a\nsteps:\n  - http: GET https://a.example/\n    save: { t: body.token }\n    expect: { status: 200 }\n";
    let ran = ran(fake, text).await;
    let messages = ran.messages();
    assert_eq!(messages[0], "expected status 200, found 403");
    assert!(messages[1].starts_with("cannot save `t`: "), "{messages:?}");
}

#[tokio::test]
async fn a_step_without_expectations_fails_when_google_refuses() {
    let fake = Fake::new().on("GET https://iam.googleapis.com/", 403, json!({}));
    let text = "scenario: a\nsteps:\n  - call: iam.serviceAccounts.list\n    with: { name: projects/p }\n  - http: GET https://never.example/\n";
    let ran = ran(fake, text).await;
    assert_eq!(ran.messages(), ["this step expects nothing, so its status must be below 400; found 403"]);
    assert_eq!(ran.sent().len(), 1, "no step follows one that failed");
}

static DENIED: Refusal = Refusal {
    ids: &["shop-denied", "shop-closed"],
    when: "always",
    wire: Wire::Status {
        code: Code::PermissionDenied,
        message: "Permission '{permission}' denied.",
        details: &[],
        headers: &[],
        legacy_reason: None,
    },
    evidence: Evidence::assumed("a test"),
};
static LATE: Refusal = Refusal {
    ids: &["shop-late"],
    when: "always",
    wire: Wire::OAuth { status: 400, error: "invalid_grant", description: "late by {n}" },
    evidence: Evidence::assumed("a test"),
};
static ALL: [&Refusal; 2] = [&DENIED, &LATE];

async fn refused(expect: &str) -> Ran {
    let body =
        json!({ "error": { "code": 403, "message": "Permission 'a.b' denied.", "status": "PERMISSION_DENIED" } });
    let fake = Fake::new().on("GET https://a.example/", 403, body);
    let text = format!("scenario: a\nsteps:\n  - http: GET https://a.example/\n    expect: {{ refusal: {expect} }}\n");
    ran_with(fake, &text, catalogue(&ALL)).await
}

#[tokio::test]
async fn a_refusal_is_known_by_its_whole_form_and_every_id_with_that_form_passes() {
    refused("shop-denied").await.passed();
    refused("shop-closed").await.passed();
    let ran = refused("shop-late").await;
    assert_eq!(ran.messages(), ["expected refusal `shop-late`, found the form of `shop-denied` (and 1 more)"]);
    let (_, failure) = ran.reports[0].failures().next().unwrap();
    assert_eq!(failure.notes[0], "status: expected 400, found 403");
    let ran = refused("shop-deneid").await;
    assert_eq!(ran.messages(), ["`shop-deneid` is no refusal of the catalogue"]);
    assert_eq!(ran.reports[0].failures().next().unwrap().1.label, "did you mean `shop-denied`?");
}

fn decision(seq: u64, status: u16) -> Value {
    json!({
        "seq": seq, "at": "2026-01-15T09:00:00Z", "surface": "cloud-run-front", "of": "GET /", "answer": { "status": status },
        "refusal": "run-front-token-unverifiable",
        "checks": [
            { "name": "credential", "ok": true, "expected": null, "found": null },
            { "name": "audience", "ok": false, "expected": ["https://a"], "found": "orders" },
        ],
        "mend": "ask for another",
    })
}

async fn decided(fake: Fake, expect: &str) -> Ran {
    let fake = fake.on("GET https://a.example/", 401, json!({}));
    ran(fake, &format!("scenario: a\nsteps:\n  - http: GET https://a.example/\n    expect: {{ decision: {expect} }}\n"))
        .await
}

#[tokio::test]
async fn the_decision_is_that_of_the_steps_own_request() {
    let fake = || Fake::new().decided(decision(1, 401)).decided(decision(2, 200));
    decided(
        fake(),
        "{ failed: audience, refusal: run-front-token-unverifiable, expected: [\"https://a\"], found: orders }",
    )
    .await
    .passed();
    let ran = decided(fake(), "{ failed: audiences }").await;
    assert_eq!(ran.messages(), ["expected decision.failed `audiences`, found `audience`"]);
    let (step, failure) = ran.reports[0].failures().next().unwrap();
    assert_eq!(failure.notes, ["the checks made were credential, audience; did you mean `audience`?"]);
    assert_eq!(failure.help.as_deref(), Some("ask for another"));
    assert_eq!(step.decision.as_ref().unwrap().seq, 1);
    let ran = decided(fake(), "{ failed: null }").await;
    assert_eq!(ran.messages(), ["expected decision.failed null, found `audience`"]);
}

#[tokio::test]
async fn a_world_without_decisions_says_that_they_are_not_checked() {
    let fake = Fake { live: true, ..Fake::new() };
    let ran = decided(fake, "{ failed: audience }").await;
    ran.passed();
    assert_eq!(ran.reports[0].steps[0].not_checked, ["the decision is not checked here"]);
}

#[tokio::test]
async fn a_decision_that_was_not_made_is_missed() {
    let ran = decided(Fake::new(), "{ failed: audience }").await;
    assert_eq!(ran.messages(), ["a decision is expected and none was made"]);
}
