//! Requests that are wrong, and the exact words of the answer.

use http::Request;
use rstest::rstest;
use serde_json::{Value, json};

use crate::rig::{CLOUD_PLATFORM, Rig};

const ID_TOKEN: &str = "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:generateIdToken";
const PATCH: &str = "PATCH run.googleapis.com/v2/projects/p/locations/l/services/s";

#[rstest]
#[case::unknown_key(
    ID_TOKEN,
    r#"{"audienc":"x"}"#,
    "api-unknown-json-field",
    r#"Invalid JSON payload received. Unknown name "audienc": Cannot find field."#
)]
#[case::unknown_keys(
    ID_TOKEN,
    r#"{"a":1,"b":2}"#,
    "api-unknown-json-field",
    "Invalid JSON payload received. Unknown name \"a\": Cannot find field.\nInvalid JSON payload received. Unknown name \"b\": Cannot find field."
)]
#[case::unknown_key_deep_down(
    PATCH,
    r#"{"template":{"containers":[{"imag":"x"}]}}"#,
    "api-unknown-json-field",
    r#"Invalid JSON payload received. Unknown name "imag" at 'template.containers[0]': Cannot find field."#
)]
#[case::a_list(
    ID_TOKEN,
    r#"{"audience":["x"]}"#,
    "api-field-not-repeated",
    r#"Invalid JSON payload received. Unknown name "audience": Proto field is not repeating, cannot start list."#
)]
#[case::root_null(
    ID_TOKEN,
    "null",
    "api-json-root-not-object",
    r#"Invalid JSON payload received. Unknown name "": Root element must be a message."#
)]
#[case::root_list(
    ID_TOKEN,
    "[]",
    "api-json-root-not-object",
    r#"Invalid JSON payload received. Unknown name "": Root element must be a message."#
)]
#[case::no_json(
    ID_TOKEN,
    "audience=x",
    "api-json-malformed",
    "Invalid JSON payload received. Unexpected token.\naudience=x\n^"
)]
#[case::a_number_as_text_field(
    ID_TOKEN,
    r#"{"audience":5}"#,
    "api-value-invalid",
    "Invalid value at 'audience' (TYPE_STRING), 5"
)]
#[case::no_bool(
    ID_TOKEN,
    r#"{"audience":"x","includeEmail":"yes"}"#,
    "api-value-invalid",
    "Invalid value at 'include_email' (TYPE_BOOL), \"yes\""
)]
#[case::no_base64(
    "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:signBlob",
    r#"{"payload":"not base64!"}"#,
    "api-value-invalid",
    "Invalid value at 'payload' (TYPE_BYTES), Base64 decoding failed for \"not base64!\""
)]
#[case::no_enum_name(
    PATCH,
    r#"{"ingress":"ALL"}"#,
    "api-enum-invalid",
    "Invalid value at 'ingress' (type.googleapis.com/google.cloud.run.v2.IngressTraffic), \"ALL\""
)]
#[case::no_duration(
    PATCH,
    r#"{"template":{"timeout":"300"}}"#,
    "api-value-invalid",
    "Invalid value at 'template.timeout' (type.googleapis.com/google.protobuf.Duration), Field 'timeout', Illegal duration format; duration must end with 's'"
)]
#[case::no_message(
    PATCH,
    r#"{"template":"x"}"#,
    "api-value-invalid",
    "Invalid value at 'template' (type.googleapis.com/google.cloud.run.v2.RevisionTemplate), \"x\""
)]
#[case::too_big_a_number(
    PATCH,
    r#"{"template":{"maxInstanceRequestConcurrency":3000000000}}"#,
    "api-value-invalid",
    "Invalid value at 'template.max_instance_request_concurrency' (TYPE_INT32), 3000000000"
)]
#[case::two_of_a_oneof(
    PATCH,
    r#"{"binaryAuthorization":{"useDefault":true,"policy":"x"}}"#,
    "api-value-invalid",
    "Invalid value at 'binary_authorization' (oneof), oneof field 'binauthz_method' is already set. Cannot set 'policy'"
)]
#[case::unknown_parameter("GET iam.googleapis.com/v1/projects/p/serviceAccounts/a/keys?pageSiz=1", "", "api-unknown-query-parameter", r#"Invalid JSON payload received. Unknown name "pageSiz": Cannot bind query parameter. Field 'pageSiz' could not be found in request message."#)]
#[case::unknown_parameter_deep_down("POST iam.googleapis.com/v1/projects/p/serviceAccounts/a:getIamPolicy?options.version=1", "", "api-unknown-query-parameter", r#"Invalid JSON payload received. Unknown name "options.version": Cannot bind query parameter. Field 'version' could not be found in request message."#)]
#[tokio::test]
async fn a_wrong_request_is_refused_in_googles_words(
    #[case] target: &str,
    #[case] body: &str,
    #[case] id: &str,
    #[case] message: &str,
) {
    let rig = Rig::new();
    let (status, answer) = rig.rest(target, body).await;
    assert_eq!(answer["error"]["message"], message);
    assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    let record = rig.last();
    assert_eq!((record.refusal.as_deref(), record.failed().unwrap().name.as_str()), (Some(id), "request"));
    assert!(record.mend.is_some());
    if id != "api-json-malformed" {
        let violations = answer["error"]["details"][0]["fieldViolations"].as_array().unwrap();
        let told: Vec<&str> = violations.iter().map(|one| one["description"].as_str().unwrap()).collect();
        assert_eq!(told.join("\n"), message);
    }
}

#[tokio::test]
async fn a_violation_names_the_place_of_the_key() {
    let rig = Rig::new();
    let (_, answer) = rig.rest(PATCH, r#"{"template":{"x":1}}"#).await;
    assert_eq!(answer["error"]["details"][0]["fieldViolations"][0]["field"], "template");
}

#[tokio::test]
async fn a_key_cannot_forge_lines_of_the_answer() {
    let rig = Rig::new();
    let (_, answer) = rig.rest(ID_TOKEN, "{\"a\\nfield\\tb\":1}").await;
    let violations = answer["error"]["details"][0]["fieldViolations"].as_array().unwrap();
    assert_eq!(violations.len(), 1);
    assert!(violations[0].get("field").is_none());
}

#[rstest]
#[case::a_path_of_nobody(
    "GET iam.googleapis.com/v3/nothing",
    "tokenrig does not play GET /v3/nothing of iam.googleapis.com.",
    "GET iam.googleapis.com/v3/nothing"
)]
#[case::another_verb(
    "DELETE iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:signBlob",
    "tokenrig does not play DELETE /v1/projects/-/serviceAccounts/a:signBlob of iamcredentials.googleapis.com.",
    "DELETE iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a:signBlob"
)]
#[case::a_method_of_the_table(
    "GET iam.googleapis.com/v1/projects/p/serviceAccounts",
    "tokenrig does not play iam.projects.serviceAccounts.list.",
    "iam.projects.serviceAccounts.list"
)]
#[tokio::test]
async fn what_nobody_plays_says_so_and_is_listed(#[case] target: &str, #[case] message: &str, #[case] listed: &str) {
    let rig = Rig::new();
    for _ in 0..2 {
        let (status, answer) = rig.rest(target, "").await;
        assert_eq!(status, 501);
        assert_eq!(answer["error"]["status"], "UNIMPLEMENTED");
        assert_eq!(answer["error"]["message"], message);
    }
    assert_eq!(rig.cloud.unplayed().list(), [(listed.to_owned(), 2)]);
    assert_eq!(rig.last().answer.status, 501);
}

#[tokio::test]
async fn the_list_of_what_nobody_plays_is_bounded() {
    let rig = Rig::new();
    for at in 0..300 {
        rig.rest_as(None, &format!("GET iam.googleapis.com/v9/{at}"), "").await;
    }
    let list = rig.cloud.unplayed().list();
    assert!(list.len() <= 201, "{}", list.len());
    assert_eq!(list.iter().map(|(_, count)| count).sum::<u64>(), 300);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let rig = Rig::new();
    let (status, answer) = rig.rest(ID_TOKEN, &" ".repeat(10 * 1024 * 1024 + 1)).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["message"], "Request payload size exceeds the limit: 10485760 bytes.");
}

#[rstest]
#[case::another_project("someone-elses", 403)]
#[case::its_own("shop-test", 200)]
#[tokio::test]
async fn whose_quota_counts_is_the_callers_to_say_only_where_it_may(#[case] project: &str, #[case] status: u16) {
    let rig = Rig::new();
    let request = Request::post("/v1/projects/-/serviceAccounts/a:signBlob")
        .header("authorization", format!("bearer {}", rig.token(CLOUD_PLATFORM)))
        .header("x-goog-user-project", project);
    let answer = rig.send("iamcredentials.googleapis.com", request.body("{}".into()).unwrap()).await;
    assert_eq!(answer.status(), status, "{:?}", rig.last());
    assert_eq!(rig.last().refusal.as_deref(), (status == 403).then_some("api-user-project-denied"));
}

#[tokio::test]
async fn a_challenge_goes_along_with_a_401() {
    let rig = Rig::new();
    for (authorization, challenge) in [
        (None, r#"Bearer realm="https://accounts.google.com/""#),
        (Some("Bearer x"), r#"Bearer realm="https://accounts.google.com/", error="invalid_token""#),
    ] {
        let mut request = Request::post("/v1/projects/-/serviceAccounts/a:signBlob");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = rig.send("iamcredentials.googleapis.com", request.body("{}".into()).unwrap()).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["www-authenticate"], challenge);
        assert_eq!(answer.headers()["content-type"], "application/json; charset=UTF-8");
    }
}

#[tokio::test]
async fn an_answer_never_holds_the_token() {
    let rig = Rig::new();
    let token = rig.token(CLOUD_PLATFORM);
    let (_, text) = rig.rest_as(Some(&format!("Bearer {token}x")), ID_TOKEN, "{}").await;
    let record = serde_json::to_string(&rig.last()).unwrap();
    assert!(!text.contains(&token) && !record.contains(&token));
    let _: Value = serde_json::from_str(&text).unwrap();
}
