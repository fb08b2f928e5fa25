//! Signed URLs.

use rstest::rstest;
use tokenrig_explain::{Explanation, url};

const V4: &str = "https://storage.googleapis.com/reports/q1.csv?X-Goog-Algorithm=GOOG4-RSA-SHA256\
    &X-Goog-Credential=signer%40shop-test.iam.gserviceaccount.com%2F20260115%2Fauto%2Fstorage%2Fgoog4_request\
    &X-Goog-Date=20260115T085500Z&X-Goog-Expires=600&X-Goog-SignedHeaders=host&X-Goog-Signature=0123456789abcdef0123456789abcdef0123";

fn told(text: &str) -> Explanation {
    url(text.as_bytes(), "2026-01-15T09:00:00Z".parse().unwrap())
}

#[test]
fn a_good_url_tells_signer_place_and_end() {
    let told = told(V4);
    assert!(told.good(), "{told}");
    let text = told.to_string();
    for part in [
        "signer@shop-test",
        "bucket",
        "reports",
        "2026-01-15T09:05:00Z, 5 min left",
        "storage is not played",
        "not checked",
    ] {
        assert!(text.to_lowercase().contains(&part.to_lowercase()), "{part}: {text}");
    }
    assert!(!text.contains("0123456789abcdef"), "{text}");
}

#[rstest]
#[case("X-Goog-Expires=600", "X-Goog-Expires=60", "expired 4 min ago")]
#[case("X-Goog-Expires=600", "X-Goog-Expires=700000", "seven days")]
#[case("X-Goog-Date=20260115T085500Z", "X-Goog-Date=20260115T100000Z", "begins 1 h from now")]
#[case("X-Goog-Date=20260115T085500Z", "X-Goog-Date=2026-01-15", "X-Goog-Date")]
#[case("%2F20260115%2F", "%2F20260114%2F", "is not that of")]
#[case("SignedHeaders=host", "SignedHeaders=x-a", "`host` is not")]
#[case("X-Goog-Signature=0123", "X-Goog-Signature=ZZ", "not hexadecimal")]
#[case("&X-Goog-Date", "&amp;X-Goog-Date", "escaped for HTML")]
#[case("&X-Goog-Date=20260115T085500Z", "", "`X-Goog-Date` is missing")]
#[case("?X-Goog-Algorithm", "?Expires=1&X-Goog-Algorithm", "V2 and of V4")]
#[case("https://storage.googleapis.com/", "gs://", "a name, not a place")]
fn what_is_wrong_with_a_url_is_told(#[case] part: &str, #[case] other: &str, #[case] fault: &str) {
    assert!(V4.contains(part));
    let told = told(&V4.replacen(part, other, 1));
    assert!(told.to_string().contains(fault) && !told.good(), "{told}");
}

#[test]
fn the_older_form_is_known() {
    let v2 = "https://storage.googleapis.com/b/o?GoogleAccessId=a%40b.example&Expires=1768467660&Signature=ab+c%3D";
    let told = told(v2);
    assert!(told.title.contains("version 2"));
    assert!(told.to_string().contains("1 min left") && told.to_string().contains("not percent-encoded"), "{told}");
}
