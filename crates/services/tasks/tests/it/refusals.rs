//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Refusal;

const ARGUMENTS: &[(&str, &str)] = &[
    ("account", "caller@shop-test.iam.gserviceaccount.com"),
    ("field", "RetryConfig.minBackoff"),
    ("id", "a.b"),
    ("location", "nowhere"),
    ("most", "500"),
    ("parent", "projects/shop-test/locations/us-central1/queues/work"),
    ("permission", "cloudtasks.tasks.create"),
    ("project", "shop-test"),
    ("queue", "projects/shop-test/locations/us-central1/queues/other"),
    ("resource", "projects/shop-test/locations/us-central1/queues/work"),
    ("what", "Task must have an httpRequest or an appEngineHttpRequest."),
];

fn form(refusal: &'static Refusal) -> String {
    let refused = refusal.refuse(refusal.ids[0]);
    let form = ARGUMENTS.iter().fold(refused, |refused, (name, value)| refused.with(name, *value)).form();
    format!("{}\n{:?}\n{}", form.status, form.headers, form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_tasks::refusals() {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in tokenrig_tasks::refusals() {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        for (argument, _) in ARGUMENTS {
            assert!(!form(refusal).contains(&format!("{{{argument}}}")), "{:?} leaves {argument} open", refusal.ids);
        }
    }
}
