//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Refusal;

fn form(refusal: &'static Refusal) -> String {
    let filled = refusal
        .refuse(refusal.ids[0])
        .with("account", "caller@shop-test.iam.gserviceaccount.com")
        .with("permission", "iam.serviceAccounts.getAccessToken")
        .with("project", "1071284184436");
    let form = filled.form();
    format!("{}\n{:?}\n{}", form.status, form.headers, form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_iamcredentials::refusals() {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in tokenrig_iamcredentials::refusals() {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        for argument in ["{account}", "{permission}", "{project}"] {
            assert!(!form(refusal).contains(argument), "{:?} leaves {argument} open", refusal.ids);
        }
    }
}
