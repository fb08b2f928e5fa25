//! The wire form of every refusal, as a client gets it.

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_cloudrun::refusals() {
        let form = refusal.refuse(refusal.ids[0]).form();
        insta::assert_snapshot!(refusal.ids[0], format!("{}\n{:?}\n{}", form.status, form.headers, form.body));
    }
}
