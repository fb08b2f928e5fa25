//! A token for who asks by GET.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_jose::Jws;

use crate::support::{Answer, rig, send};

const URL: &str = "https://corp.idp.tokenrig.test/subject-token";

async fn ask(query: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(format!("{URL}?{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(&rig().router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_token_has_the_claims_of_the_query_and_the_usual_ones() {
    let answer = ask("sub=alice&aud=https%3A%2F%2Fapp.example", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let jws = Jws::parse(answer.text()).unwrap();
    let expected = json!({
        "sub": "alice", "aud": "https://app.example", "iss": "https://corp.idp.tokenrig.test",
        "iat": 1_768_467_600, "exp": 1_768_471_200,
    });
    assert_eq!(Value::Object(jws.claims().unwrap().clone()), expected);
}

#[rstest]
#[case("format=json", "id_token")]
#[case("format=json&field=value", "value")]
#[tokio::test]
async fn a_token_stands_in_a_member_if_json_is_asked_for(#[case] query: &str, #[case] field: &str) {
    let answer = ask(query, &[]).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let object = answer.json();
    assert!(Jws::parse(object[field].as_str().unwrap()).is_ok());
    assert_eq!(object.as_object().unwrap().len(), 1);
}

#[rstest]
#[case::there(&[("metadata", "True")], 200)]
#[case::another(&[("metadata", "true")], 401)]
#[case::none(&[], 401)]
#[tokio::test]
async fn a_header_is_needed_if_the_query_says_so(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    assert_eq!(ask("sub=alice&header=Metadata:%20True", headers).await.status.as_u16(), status);
}

#[rstest]
#[case::format("format=xml")]
#[case::algorithm("alg=HS256")]
#[tokio::test]
async fn what_is_not_known_is_refused(#[case] query: &str) {
    assert_eq!(ask(query, &[]).await.status.as_u16(), 400);
}
