//! The wire form of every refusal.

use tokenrig_decision::Refusal;
use tokenrig_idp::refusals;

fn form(refusal: &'static Refusal) -> String {
    let refused = refusal
        .refuse(refusal.ids[0])
        .with("allow", "POST")
        .with("name", "metadata")
        .with("what", "the userinfo endpoint")
        .with("why", "connection refused");
    let form = refused.form();
    let headers: Vec<String> = form.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n{}\n{}", form.status, headers.concat(), form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in refusals::ALL {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in refusals::ALL {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        assert!(!form(refusal).contains(['{', '}']) || form(refusal).contains("{\"error\""), "{:?}", refusal.ids);
    }
}
