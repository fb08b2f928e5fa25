use tokenrig_decision::Word;
use tokenrig_wire::refusals;

#[test]
fn every_refusal_has_its_form_and_evidence() {
    let arguments = [
        ("service", "iamcredentials.googleapis.com"),
        ("method", "google.iam.credentials.v1.IAMCredentials.SignBlob"),
        ("project", "shop-test"),
        ("name", "x"),
        ("at", " at 'template'"),
        ("violations", "template\tone\n\ttwo"),
        ("field", "key_types[0]"),
        ("type", "type.googleapis.com/google.iam.admin.v1.ListServiceAccountKeysRequest.KeyType"),
        ("value", "\"X\""),
        ("near", "audience=x"),
        ("what", "y"),
        ("limit", "10485760"),
        ("verb", "GET"),
        ("host", "iam.googleapis.com"),
        ("path", "/v3/nothing"),
        ("id", "iam.projects.serviceAccounts.list"),
        ("email", "gone@shop-test.iam.gserviceaccount.com"),
        ("pool", "shop-test.svc.id.goog"),
        ("member", "allUsers"),
    ];
    for refusal in refusals::ALL {
        assert!(!refusal.evidence.source.is_empty() && !refusal.when.is_empty());
        assert!(refusal.evidence.word == Word::Assumed || refusal.evidence.proves != "nothing");
        let mut refused = refusal.refuse(refusal.ids[0]);
        for (name, value) in arguments {
            refused = refused.with(name, value);
        }
        let form = refused.form();
        let open = |(at, _): (usize, &str)| form.body[at + 1..].starts_with(|c: char| c.is_ascii_lowercase());
        assert!(!form.body.match_indices('{').any(open), "an argument is missing: {}", form.body);
        let headers: Vec<String> = form.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let text = format!("{}\n{}\n\n{}", form.status, headers.join("\n"), form.body);
        insta::assert_snapshot!(refusal.ids[0], text);
    }
}
