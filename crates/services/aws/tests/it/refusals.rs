//! The wire form of every refusal, as a client gets it.

#[test]
fn every_refusal_has_its_wire_form() {
    for refusal in tokenrig_aws::refusals() {
        let refused = refusal
            .refuse(refusal.ids[0])
            .with("code", "SignatureDoesNotMatch")
            .with("message", "It does not match.")
            .with("request_id", "00000000-0000-0000-0000-000000000000");
        let form = refused.form();
        insta::assert_snapshot!(refusal.ids[0], format!("{}\n{:?}\n{}", form.status, form.headers, form.body));
    }
}
