//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Refusal;

fn form(refusal: &'static Refusal) -> String {
    let filled = refusal
        .refuse(refusal.ids[0])
        .with("path", "/computeMetadata/v1/instance/nothing")
        .with("verb", "PUT")
        .with("name", "format")
        .with("what", "waiting for a change");
    let form = filled.form();
    let headers: Vec<String> = form.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n{}\n{}", form.status, headers.concat(), form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_metadata::refusals() {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in tokenrig_metadata::refusals() {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        assert!(!form(refusal).contains(['{', '}']), "{:?}", refusal.ids);
    }
}
