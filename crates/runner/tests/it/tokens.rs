//! Tokens as values to assert on, files with credentials, and tokens in what is shown.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokenrig_runner::redact;

use crate::fake::{Fake, google_token, ran};

fn id_token(iss: &str) -> String {
    google_token(&json!({ "iss": iss, "aud": "https://orders.example", "iat": 1_768_467_600, "exp": 1_768_471_200 }))
}

/// A call that answers with this token, and what is expected of it.
async fn judged(token: &str, expect: &str) -> crate::fake::Ran {
    let fake =
        Fake::new().with_keys().on("POST https://iamcredentials.googleapis.com/", 200, json!({ "token": token }));
    let text = format!(
        "scenario: a\ngiven: {{ issuers: {{ corp: {{}} }} }}\nsteps:\n  - call: iamcredentials.serviceAccounts.generateIdToken\n    with: {{ name: projects/-/serviceAccounts/a@b, audience: x }}\n    expect: {{ status: 200, token: {expect} }}\n"
    );
    ran(fake, &text).await
}

#[tokio::test]
async fn a_token_is_verified_with_the_keys_that_its_signer_publishes() {
    let token = id_token("https://accounts.google.com");
    judged(&token, "{ signer: google, lifetime: 1h, header: { alg: RS256 }, claims: { aud: https://orders.example } }")
        .await
        .passed();
    judged(&token, "{ lifetime: \"${it <= 3600}\" }").await.passed();

    let (head, _) = token.rsplit_once('.').unwrap();
    let (_, other) =
        id_token("https://somebody.example").rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let ran = judged(&format!("{head}.{other}"), "{ signer: google }").await;
    assert!(ran.messages()[0].starts_with("the token is not signed by Google: "), "{:?}", ran.messages());
}

#[tokio::test]
async fn a_token_of_another_signer_is_told() {
    let ran = judged(&id_token("https://accounts.google.com"), "{ signer: corp }").await;
    assert!(
        ran.messages()[0].starts_with("the token is not signed by https://corp.issuers.example: key google-1 of"),
        "{:?}",
        ran.messages()
    );
}

#[tokio::test]
async fn lifetime_and_claims_are_compared_after_the_signature() {
    let ran =
        judged(&id_token("https://accounts.google.com"), "{ lifetime: 2h, claims: { aud: y, sub: \"${absent}\" } }")
            .await;
    assert_eq!(
        ran.messages(),
        ["expected token.claims.aud `y`, found `https://orders.example`", "expected token.lifetime 2 h, found 1 h"]
    );
}

#[tokio::test]
async fn an_answer_without_a_token_says_where_to_look() {
    let ran = judged("opaque", "{ signer: google }").await;
    assert_eq!(ran.messages(), ["no token is in the answer; `at` says where else to look"]);
}

#[tokio::test]
async fn a_minted_token_is_verified_with_its_issuers_keys() {
    let text = "scenario: a\ngiven: { issuers: { corp: {} } }\nsteps:\n  - mint: corp\n    claims: { sub: alice }\n    expect: { token: { signer: corp, lifetime: 3600, claims: { sub: alice } } }\n";
    ran(Fake::new().with_keys(), text).await.passed();
}

#[tokio::test]
async fn a_key_file_is_made_when_it_is_asked_for_and_only_its_owner_may_read_it() {
    let key = json!({ "type": "service_account", "client_email": "c@p" }).to_string();
    let fake = Fake::new()
        .on(
            "POST https://iam.googleapis.com/v1/projects/-/serviceAccounts/c@p/keys",
            200,
            json!({ "privateKeyData": BASE64_STANDARD.encode(&key) }),
        )
        .on(
            "POST https://iam.googleapis.com/",
            200,
            json!({ "name": "projects/p/serviceAccounts/c@p", "email": "c@p" }),
        );
    let text = "scenario: a\ngiven: { iam.serviceAccounts: { caller: {} } }\nsteps:\n  - run: sh -c 'cat $KEY; stat -c %a $KEY'\n    env: { KEY: \"${key_file(caller)}\" }\n    expect: { stdout: \"${it.startsWith('{') && it.contains('}600')}\" }\n";
    let ran = ran(fake, text).await;
    ran.passed();
    assert!(ran.reports[0].steps[0].exchanges.is_empty(), "a private key is not for the report");
}

#[tokio::test]
async fn a_key_file_may_be_saved() {
    let fake = Fake::new()
        .on(
            "POST https://iam.googleapis.com/v1/projects/-/serviceAccounts/c@p/keys",
            200,
            json!({ "privateKeyData": BASE64_STANDARD.encode("the key") }),
        )
        .on(
            "POST https://iam.googleapis.com/",
            200,
            json!({ "name": "projects/p/serviceAccounts/c@p", "email": "c@p" }),
        );
    let text = "scenario: a\ngiven: { iam.serviceAccounts: { caller: {} } }\nsteps:\n  - advance: 1s\n    save: { key: key_file(caller) }\n  - run: cat ${key}\n    expect: { stdout: the key }\n";
    ran(fake, text).await.passed();
}

#[tokio::test]
async fn no_report_holds_a_whole_token() {
    let token = id_token("https://accounts.google.com");
    let answer = token.clone();
    let fake = Fake::new().by("GET https://a.example/", move |_| crate::fake::answer(500, &json!({ "echo": answer })));
    let text = format!(
        "scenario: a\nvars: {{ t: {token} }}\nsteps:\n  - http: GET https://a.example/?t=${{vars.t}}\n    as: ${{vars.t}}\n    headers: {{ x: \"${{vars.t}}\" }}\n    expect: {{ body: {{ echo: b }}, text: \"${{it == vars.t + 'x'}}\", that: [\"vars.t == text\"] }}\n"
    );
    let ran = ran(fake, &text).await;
    let report = &ran.reports[0];
    assert_eq!(ran.messages().len(), 3, "{:?}", ran.messages());
    let shown = format!("{:?} {:?}", report.outcome, report.steps);
    assert!(!shown.contains(&token), "{shown}");
    assert!(shown.contains("ID token, aud https://orders.example, 1 h left"), "{shown}");
    let whole: Value = json!({ "a": token });
    assert!(!redact::text(&whole.to_string()).contains(&token));
}
