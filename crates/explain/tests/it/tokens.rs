//! Tokens.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_explain::{Explanation, token};
use tokenrig_jose::{forge, pool, protected_header, sign};

const NOW: i64 = 1_768_467_600;

pub(crate) fn told(text: &str) -> Explanation {
    token(text.as_bytes(), "2026-01-15T09:00:00Z".parse().unwrap())
}

fn jwt(claims: &Value) -> String {
    let key = pool::rsa(0);
    let mut all = json!({ "iat": NOW - 60, "exp": NOW + 3540 });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    sign(&protected_header(key.algorithm(), "k"), all.as_object().unwrap(), key)
}

const GOOGLE: &str = "https://accounts.google.com";
const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";

#[rstest]
#[case::of_an_account(json!({ "iss": GOOGLE, "aud": "https://orders.example", "sub": "1", "email": CALLER }), "ID token of the service account caller@")]
#[case::without_email(json!({ "iss": GOOGLE, "aud": "https://orders.example", "sub": "1" }), "it holds no `email`")]
#[case::of_a_user(json!({ "iss": GOOGLE, "aud": "32555940559.apps.googleusercontent.com", "sub": "1", "email": "a@b.example" }), "ID token of the user a@b.example")]
#[case::iap(json!({ "iss": "https://cloud.google.com/iap", "aud": "/projects/1/apps/x", "sub": "a", "exp": NOW + 500 }), "IAP assertion")]
#[case::self_signed(json!({ "iss": CALLER, "sub": CALLER, "aud": "https://pubsub.googleapis.com/" }), "self-signed token of caller@")]
#[case::assertion(json!({ "iss": CALLER, "aud": "https://oauth2.googleapis.com/token", "target_audience": "x" }), "assertion for an ID token")]
#[case::delegation(json!({ "iss": CALLER, "sub": "a@b.example", "aud": "https://oauth2.googleapis.com/token", "scope": "x" }), "domain-wide delegation")]
#[case::github(json!({ "iss": "https://token.actions.githubusercontent.com", "sub": "repo:o/r:ref:refs/heads/main", "aud": "x" }), "issued by GitHub Actions")]
fn a_good_token_is_known_by_its_claims(#[case] claims: Value, #[case] title: &str) {
    let told = told(&jwt(&claims));
    assert!(told.title.contains(title) || told.to_string().contains(title), "{told}");
    assert!(told.good(), "{told}");
}

#[rstest]
#[case::expired(json!({ "iss": GOOGLE, "aud": "x", "exp": NOW - 252 }), "expired 4 min 12 s ago")]
#[case::from_the_future(json!({ "iss": GOOGLE, "aud": "x", "iat": NOW + 600 }), "10 min ahead")]
#[case::milliseconds(json!({ "iss": GOOGLE, "aud": "x", "exp": "2026-01-15" }), "no NumericDate")]
#[case::a_self_signed_one_for_a_day(json!({ "iss": CALLER, "sub": CALLER, "aud": "https://pubsub.googleapis.com/", "exp": NOW + 86_400 }), "its reader allows 1 h")]
#[case::no_audience(json!({ "iss": GOOGLE, "sub": "1" }), "no `aud`")]
// google-github-actions/auth#202
#[case::project_id(json!({ "iss": "https://corp.example", "sub": "a", "aud": "https://iam.googleapis.com/projects/my-project-id/locations/global/workloadIdentityPools/my-pool/providers/gh" }), "must be its number")]
#[case::pool_alone(json!({ "iss": "https://corp.example", "sub": "a", "aud": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p" }), "names a pool, not a provider")]
#[case::a_long_subject(json!({ "iss": "https://corp.example", "sub": "a".repeat(128), "aud": "x" }), "127 bytes")]
fn what_is_wrong_with_a_token_is_told(#[case] claims: Value, #[case] fault: &str) {
    let told = told(&jwt(&claims));
    assert!(told.faults.iter().any(|found| found.what.contains(fault)), "{told}");
}

#[test]
fn a_token_that_was_changed_is_told() {
    let whole = jwt(&json!({ "iss": GOOGLE, "aud": "x" }));
    let (unsigned, _) = whole.rsplit_once('.').unwrap();
    let claims = json!({ "iss": GOOGLE, "aud": "x", "exp": NOW + 60 });
    let none = forge::unsigned(json!({ "alg": "none" }).as_object().unwrap(), claims.as_object().unwrap());
    for (token, fault) in [
        (format!("{unsigned}.SIGNATURE_REMOVED_BY_GOOGLE"), "signature was taken off"),
        (none, "`alg` is `none`"),
        (unsigned.to_owned(), "three parts; this has 2"),
        (format!("{whole}.x.y"), "encrypted"),
        (format!("Bearer {whole}"), "scheme `Bearer`"),
        (format!("{whole}\n{whole}"), "2 tokens"),
        (format!("{}+/=", whole), "plain base64"),
        (format!("{{\"type\":\"authorized_user\",\"x\":\"{whole}\"}}"), "a file of credentials"),
        (String::new(), "empty"),
        ("$(gcloud auth print-identity-token)".to_owned(), ""),
    ] {
        let told = told(&token);
        let found = told.faults.iter().any(|found| found.what.contains(fault))
            || (fault.is_empty() && told.title.contains("variable"));
        assert!(found, "{token}: {told}");
    }
}

#[rstest]
#[case("ya29.c.b0AXv0zTPQaaaaaaaaaaaaaaaaaaaaaaaa", "access token of Google, as service accounts get")]
#[case("1//0gFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "refresh token")]
#[case("AIzaSyA-0000000000000000000000000000000", "API key")]
#[case("AKIAEXAMPLEEXAMPLE00", "AWS user")]
#[case("PHNhbWxwOlJlc3BvbnNlIHhtbG5zOnNhbWxwPSJ1cm4i", "SAML")]
#[case("ghs_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "GITHUB_TOKEN")]
fn an_opaque_credential_is_known_by_its_shape_and_never_told_whole(#[case] text: &str, #[case] what: &str) {
    let told = told(text);
    assert!(told.title.contains(what), "{told}");
    assert!(!told.to_string().contains(text.get(12..).unwrap()), "{told}");
}

#[test]
fn a_request_of_aws_is_judged_by_its_headers() {
    let header = |key: &str, value: &str| json!({ "key": key, "value": value });
    let request = json!({
        "url": "https://sts.evil.example?Action=GetCallerIdentity",
        "method": "POST",
        "headers": [header("Authorization", "AWS4-HMAC-SHA256 x"), header("host", "sts.evil.example"), header("x-amz-date", "x")],
    });
    let told = told(&request.to_string());
    assert!(told.title.contains("GetCallerIdentity"));
    let faults = told.to_string();
    assert!(faults.contains("x-goog-cloud-target-resource") && faults.contains("no endpoint of AWS"), "{told}");
}

#[test]
fn hostile_input_is_told_and_nothing_more() {
    for text in
        ["eyJ", "eyJ..", "\u{0}", "{", "[[[[", &"eyJ".repeat(100_000), &"\"".repeat(100_000), "....", "\u{202e}"]
    {
        let told = told(text).to_string();
        assert!(told.len() < 10_000 && !told.contains('\u{0}'), "{text:.20}");
    }
}
