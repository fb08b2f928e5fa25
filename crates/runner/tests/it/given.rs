//! Putting in place what is given.

use serde_json::{Value, json};
use tokenrig_runner::Outcome;

use crate::fake::{Fake, ran};

const POOL: &str = "projects/1071284184436/locations/global/workloadIdentityPools/partners";

fn cloud() -> Fake {
    let done = |response: Value| json!({ "name": "operations/1", "done": true, "response": response });
    Fake::new()
        .on("POST https://iam.googleapis.com/v1/projects/shop-test/locations/global/workloadIdentityPools?", 200, done(json!({ "@type": "x", "name": POOL })))
        .on(
            "POST https://iam.googleapis.com/v1/projects/1071284184436/locations/global/workloadIdentityPools/partners/providers?",
            200,
            done(json!({ "name": format!("{POOL}/providers/corp-oidc") })),
        )
        .by("POST https://iam.googleapis.com/v1/projects/shop-test/serviceAccounts", |request| {
            if request.url.contains(':') && request.url.contains("setIamPolicy") {
                return crate::fake::answer(200, &json!({}));
            }
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let email = format!("{}@shop-test.iam.gserviceaccount.com", body["accountId"].as_str().unwrap_or_default());
            crate::fake::answer(200, &json!({ "name": format!("projects/shop-test/serviceAccounts/{email}"), "email": email }))
        })
        .on("POST https://run.googleapis.com/v2/projects/shop-test/locations/europe-west4/services?", 200, done(json!({
            "name": "projects/shop-test/locations/europe-west4/services/orders", "uri": "https://orders-x.a.run.app" })))
        .on("POST https://run.googleapis.com/v2/projects/shop-test/locations/europe-west4/services/orders:setIamPolicy", 200, json!({}))
        .on("POST https://cloudresourcemanager.googleapis.com/v1/projects/shop-test:getIamPolicy", 200, json!({
            "etag": "BwX", "bindings": [{ "role": "roles/owner", "members": ["serviceAccount:o"] }] }))
        .on("POST https://cloudresourcemanager.googleapis.com/v1/projects/shop-test:setIamPolicy", 200, json!({}))
        .on("GET https://orders-x.a.run.app/", 200, json!({ "ok": true }))
}

const TEXT: &str = r#"
scenario: Everything given is there
given:
  project: { iamPolicy: { bindings: [{ role: roles/viewer, members: ["user:a@b.example"] }] } }
  issuers: { corp: {} }
  run.services:
    orders:
      location: europe-west4
      workload: { issuer: corp }
      iamPolicy: { bindings: [{ role: roles/run.invoker, members: ["serviceAccount:${caller.email}"] }] }
  iam.serviceAccounts:
    caller: { displayName: "for ${corp_oidc.name}", disabled: true }
  iam.workloadIdentityPools:
    partners:
      providers:
        corp-oidc:
          oidc: { issuerUri: "${corp.issuer}" }
          attributeMapping: { google.subject: assertion.sub }
steps:
  - http: GET ${orders.uri}/
    expect: { status: 200, that: ["given['run.services'].orders.name == orders.name"] }
"#;

#[tokio::test]
async fn given_is_googles_own_calls_creates_first_then_policies() {
    let ran = ran(cloud(), TEXT).await;
    ran.passed();
    let sent = ran.sent();
    let at = |end: &str| sent.iter().position(|line| line.contains(end)).unwrap_or_else(|| panic!("{end}: {sent:#?}"));
    assert!(at("workloadIdentityPools?") < at("providers?"));
    assert!(at("providers?") < at("serviceAccounts"), "the account refers to the provider");
    assert!(at(":disable") < at("services/orders:setIamPolicy"));
    assert!(at("locations/europe-west4/services?") < at("services/orders:setIamPolicy"));
    assert!(at("services/orders:setIamPolicy") < at("shop-test:setIamPolicy"));
    assert!(sent[at("workloadIdentityPools?")].contains("workloadIdentityPoolId=partners"));

    let bodies: Vec<Value> = ran
        .state
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap_or_default())
        .collect();
    assert_eq!(
        bodies[at("providers?")],
        json!({ "oidc": { "issuerUri": "https://corp.issuers.example" }, "attributeMapping": { "google.subject": "assertion.sub" } })
    );
    assert_eq!(
        bodies[at("services/orders:setIamPolicy")]["policy"]["bindings"][0]["members"][0],
        "serviceAccount:caller@shop-test.iam.gserviceaccount.com"
    );
    let project = &bodies[at("shop-test:setIamPolicy")]["policy"];
    assert_eq!(project["etag"], "BwX");
    assert_eq!(project["bindings"].as_array().unwrap().len(), 2, "the project's policy is added to the one there");
    assert!(
        ran.state.sent.lock().unwrap()[0]
            .headers
            .contains(&("authorization".into(), "Bearer ya29.owner-of-the-project".into()))
    );

    let calls = ran.state.calls.lock().unwrap().clone();
    assert_eq!(calls[0], "workload projects/shop-test/locations/europe-west4/services/orders {\"issuer\":\"corp\"}");
    assert_eq!(calls.last().unwrap(), "close");
}

#[tokio::test]
async fn what_google_refuses_of_given_is_told_at_its_place_and_is_no_failed_case() {
    let fake = Fake::new().on(
        "POST https://run.googleapis.com/",
        403,
        json!({ "error": { "code": 403, "message": "no such luck" } }),
    );
    let ran =
        ran(fake, "scenario: a\ngiven:\n  run.services: { orders: {} }\nsteps:\n  - http: GET ${orders.uri}\n").await;
    assert_eq!((ran.summary.broken, ran.summary.exit_code()), (1, 3));
    let report = &ran.reports[0];
    assert_eq!(
        report.outcome,
        Outcome::Broken("run.services.create refused what is given with 403: no such luck".into())
    );
    let (step, failure) = report.failures().next().unwrap();
    assert_eq!(report.sources.slice(failure.at.unwrap()), "orders");
    assert_eq!(step.exchanges[0].answer.as_ref().unwrap().status, 403);
    assert_eq!(ran.state.calls.lock().unwrap().last().unwrap(), "close");
}

#[tokio::test]
async fn a_workforce_pool_without_an_organization_is_told_before_google_is_asked() {
    let text =
        "scenario: a\ngiven:\n  iam.workforcePools: { employees: {} }\nsteps:\n  - http: GET https://x.example\n";
    let ran = ran(Fake::new(), text).await;
    let report = &ran.reports[0];
    assert_eq!(report.outcome, Outcome::Broken("a workforce pool belongs to an organization".into()));
    let (_, failure) = report.failures().next().unwrap();
    assert_eq!(report.sources.slice(failure.at.unwrap()), "employees");
    assert!(ran.sent().is_empty());
}
