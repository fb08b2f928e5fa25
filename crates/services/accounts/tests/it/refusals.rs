//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Refusal;

fn form(refusal: &'static Refusal) -> String {
    let filled = refusal
        .refuse(refusal.ids[0])
        .with("value", "password")
        .with("what", "the grant authorization_code: nobody can sign in")
        .with("verb", "POST")
        .with("host", "oauth2.googleapis.com")
        .with("path", "/revoke");
    let form = filled.form();
    format!("{}\n{:?}\n{}", form.status, form.headers, form.body)
}

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_accounts::refusals() {
        insta::assert_snapshot!(refusal.ids[0], form(refusal));
    }
}

#[test]
fn every_refusal_says_when_and_from_where() {
    for refusal in tokenrig_accounts::refusals() {
        assert!(!refusal.when.is_empty() && !refusal.evidence.source.is_empty(), "{:?}", refusal.ids);
        for argument in ["{value}", "{what}", "{verb}", "{host}", "{path}"] {
            assert!(!form(refusal).contains(argument), "{:?} leaves {argument} open", refusal.ids);
        }
    }
}
