//! The wire form of every refusal, as a client gets it.

use tokenrig_decision::Word;

#[test]
fn every_refusal_has_its_wire_form_and_evidence() {
    let arguments = [
        ("permission", "iam.workloadIdentityPools.create"),
        ("resource", "//iam.googleapis.com/projects/shop-test/locations/global"),
        ("id", "caller"),
        ("project", "shop-test"),
        ("key", "attribute.repository_ow ner"),
        ("name", "projects/shop-test/roles/tokenMinter"),
        ("parent", "projects/shop-test"),
        ("field", "account_id"),
        ("what", "enable service [run.googleapis.com]"),
        ("email", "caller@shop-test.iam.gserviceaccount.com"),
        ("escaped", "caller%40shop-test.iam.gserviceaccount.com"),
        ("issuer", "https://login.corp.example"),
        ("pool", "projects/shop-test/locations/global/workloadIdentityPools/partners"),
    ];
    for refusal in tokenrig_iamadmin::refusals() {
        assert!(!refusal.evidence.source.is_empty() && !refusal.when.is_empty());
        assert!(refusal.evidence.word == Word::Assumed || refusal.evidence.proves != "nothing");
        let mut refused = refusal.refuse(refusal.ids[0]);
        for (name, value) in arguments {
            refused = refused.with(name, value);
        }
        let form = refused.form();
        insta::assert_snapshot!(refusal.ids[0], format!("{}\n\n{}", form.status, form.body));
    }
}
