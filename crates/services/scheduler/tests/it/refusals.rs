//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Refusal;

const ARGUMENTS: [(&str, &str); 8] = [
    ("account", "runner@shop-test.iam.gserviceaccount.com"),
    ("permission", "cloudscheduler.jobs.update"),
    ("resource", "projects/shop-test/locations/us-central1/jobs/tick"),
    ("project", "1071284184436"),
    ("location", "europe-west9"),
    ("job", "projects/shop-test/locations/us-central1/jobs/tick"),
    ("path", "timeZone"),
    ("what", "Job.target must be set."),
];

fn form(refusal: &'static Refusal) -> String {
    let filled =
        ARGUMENTS.iter().fold(refusal.refuse(refusal.ids[0]), |refused, (name, value)| refused.with(name, *value));
    let form = filled.form();
    format!("{}\n{:?}\n{}", form.status, form.headers, form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_scheduler::refusals() {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in tokenrig_scheduler::refusals() {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        for (argument, _) in ARGUMENTS {
            assert!(!form(refusal).contains(&format!("{{{argument}}}")), "{:?} leaves {argument} open", refusal.ids);
        }
    }
}
