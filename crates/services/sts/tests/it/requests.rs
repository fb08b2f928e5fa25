//! How a request may be put, and how it may not.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_policy::{Binding, Identity};
use tokenrig_sts::Settings;

use crate::rig::{ACCESS_TOKEN, EXCHANGE, JWT, PROVIDER, Rig, form, good, pool_name};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_good_token_is_exchanged_for_a_federated_one() {
    let rig = Rig::new();
    let answer = rig.exchange(&rig.token(json!({}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    assert!(answer.headers["cache-control"].to_str().unwrap().contains("no-store"));
    let token = answer.body["access_token"].as_str().unwrap();
    let expected = json!({
        "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3598,
    });
    assert_eq!(answer.body, expected);
    let caller = rig.cloud.caller(token).unwrap();
    assert_eq!(
        caller.identity.member().to_string(),
        format!("principal://iam.googleapis.com/{}/subject/alice", pool_name())
    );
    assert!(matches!(&caller.identity, Identity::Federated { provider, .. } if provider == PROVIDER));
    assert_eq!(caller.scopes, ["https://www.googleapis.com/auth/iam"]);
    let record = rig.last();
    assert_eq!((record.surface.as_str(), record.of.as_str(), record.answer.status), ("sts", "sts.token", 200));
    let names: Vec<_> = record.checks.iter().map(|check| check.name.as_str()).collect();
    let all = "request audience provider issuer key signature token-audience times mapping size";
    assert_eq!(names.join(" "), all);
    assert!(record.checks.iter().all(|check| check.ok));
}

#[tokio::test]
async fn the_decision_holds_no_token_whole() {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let answer = rig.exchange(&token).await;
    let kept = serde_json::to_string(&rig.last()).unwrap();
    assert!(!kept.contains(&token) && !kept.contains(answer.body["access_token"].as_str().unwrap()));
    for field in 0..6 {
        let mut fields = good("x");
        fields[field].1 = &token;
        rig.form("/v1/token", &fields).await;
        let kept = serde_json::to_string(&rig.last()).unwrap();
        assert!(!kept.contains(&token), "{}", fields[field].0);
    }
}

#[rstest]
#[case::plain(FORM)]
#[case::with_charset("application/x-www-form-urlencoded; charset=UTF-8")]
#[case::with_charset_and_no_space("application/x-www-form-urlencoded;charset=UTF-8")]
#[case::unknown("text/plain")]
#[tokio::test]
async fn a_form_is_a_form_whatever_its_type_says(#[case] kind: &str) {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let mut fields = good(&token);
    fields.reverse();
    assert_eq!(rig.post("/v1/token", &[("content-type", kind)], form(&fields)).await.status, 200);
}

#[rstest]
#[case::plain("application/json")]
#[case::with_charset("Application/JSON; charset=UTF-8")]
#[tokio::test]
async fn json_has_the_names_of_the_rest_reference(#[case] kind: &str) {
    let rig = Rig::new();
    let body = json!({
        "grantType": EXCHANGE, "audience": format!("//iam.googleapis.com/{PROVIDER}"),
        "requestedTokenType": ACCESS_TOKEN, "resource": ["ignored"],
        "subjectToken": rig.token(json!({})), "subjectTokenType": JWT,
    });
    assert_eq!(rig.post("/v1/token", &[("content-type", kind)], body.to_string()).await.status, 200);
}

#[rstest]
#[case::with_a_line_break(|token: &str| format!("{token}\n"))]
#[case::with_spaces(|token: &str| format!(" {token}\r\n"))]
#[tokio::test]
async fn white_space_around_the_subject_token_does_not_matter(#[case] put: fn(&str) -> String) {
    let rig = Rig::new();
    assert_eq!(rig.exchange(&put(&rig.token(json!({})))).await.status, 200);
}

#[rstest]
#[case::standard("Basic Y2xpZW50OnNlY3JldD8=")]
#[case::url_safe_without_padding("Basic Y2xpZW50OnNlY3JldD8")]
#[case::a_bearer("Bearer ya29.x")]
#[case::nonsense("?")]
#[tokio::test]
async fn credentials_of_a_client_are_not_looked_at(#[case] authorization: &str) {
    let rig = Rig::new();
    let headers = [("content-type", FORM), ("authorization", authorization)];
    assert_eq!(rig.post("/v1/token", &headers, form(&good(&rig.token(json!({}))))).await.status, 200);
}

#[rstest]
#[case::once(r#"{"userProject": "shop-test"}"#, 200)]
#[case::twice("%7B%22userProject%22%3A%20%22shop-test%22%7D", 200)]
#[case::empty("", 200)]
#[case::for_itself(r#"{"bindCertFingerprint":"x"}"#, 200)]
#[case::broken("{", 400)]
#[case::a_boundary(r#"{"accessBoundary":{"accessBoundaryRules":[]}}"#, 501)]
#[tokio::test]
async fn options_are_read_however_often_they_were_encoded(#[case] options: &str, #[case] status: u16) {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let fields = [&good(&token)[..], &[("options", options)]].concat();
    let answer = rig.form("/v1/token", &fields).await;
    assert_eq!(answer.status, status, "{}", answer.body);
}

#[tokio::test]
async fn a_user_project_needs_its_permission_only_if_that_is_set() {
    let settings = Settings { user_project_needs_permission: true, ..Settings::default() };
    let rig = Rig::with(|_| {}, settings);
    let token = rig.token(json!({}));
    let fields = [&good(&token)[..], &[("options", r#"{"userProject":"shop-test"}"#)]].concat();
    assert_eq!(rig.form("/v1/token", &fields).await.status, 400);
    assert_eq!(rig.refused(), ("permission".to_owned(), "sts-user-project-denied".to_owned()));
    let member = format!("principal://iam.googleapis.com/{}/subject/alice", pool_name());
    let binding = Binding::of("roles/serviceusage.serviceUsageConsumer", [member]);
    rig.cloud.policies().add(&rig.cloud.project().resource(), [binding]);
    assert_eq!(rig.form("/v1/token", &fields).await.status, 200);
}

#[rstest]
#[case::empty("")]
#[case::blank(" ")]
#[tokio::test]
async fn without_a_scope_the_token_is_for_everything(#[case] scope: &str) {
    let rig = Rig::new();
    let token = rig.token(json!({}));
    let mut fields = good(&token);
    fields[2].1 = scope;
    let answer = rig.form("/v1/token", &fields).await;
    let caller = rig.cloud.caller(answer.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.scopes, ["https://www.googleapis.com/auth/cloud-platform"]);
}

#[rstest]
#[case::nothing("application/json", "")]
#[case::a_list("application/json", "[]")]
#[case::a_number("application/json", r#"{"audience":1}"#)]
#[case::json_as_a_form(FORM, r#"{"grantType":"x"}"#)]
#[case::an_empty_form(FORM, "")]
#[tokio::test]
async fn a_body_that_holds_no_request_is_refused(#[case] kind: &str, #[case] body: &'static str) {
    let rig = Rig::new();
    let answer = rig.post("/v1/token", &[("content-type", kind)], body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"].is_string() && answer.body["error_description"].is_string());
    assert_eq!(rig.refused().0, "request");
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_refused() {
    let rig = Rig::new();
    let body = form(&good(&"a".repeat(1 << 20)));
    let answer = rig.post("/v1/token", &[("content-type", FORM)], body).await;
    assert_eq!((answer.status, answer.body["error"].as_str()), (400, Some("invalid_request")));
    assert_eq!(rig.refused().0, "request");
}

#[rstest]
#[case::get("GET", "/v1/token")]
#[case::put("PUT", "/v1/introspect")]
#[case::sign_in("POST", "/v1/oauthtoken")]
#[case::revoke("POST", "/v1/revoke")]
#[tokio::test]
async fn what_is_not_played_says_so(#[case] method: &str, #[case] path: &str) {
    let rig = Rig::new();
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let answer = rig.send(request).await;
    assert_eq!((answer.status, &answer.body["error"]), (501, &json!("unimplemented")));
    assert_eq!(rig.refused().1, "sts-not-played");
    assert_eq!(rig.cloud.unplayed().list(), [(format!("{method} sts.googleapis.com{path}"), 1)]);
}

#[tokio::test]
async fn of_a_long_path_a_decision_keeps_the_start() {
    let rig = Rig::new();
    let request = Request::get(format!("/{}", "a".repeat(10_000))).body(Body::empty()).unwrap();
    assert_eq!(rig.send(request).await.status, 501);
    assert_eq!(rig.last().of.len(), "GET ".len() + 200);
}

#[rstest]
#[case::saml("urn:ietf:params:oauth:token-type:saml2")]
#[case::certificate("urn:ietf:params:oauth:token-type:mtls")]
#[tokio::test]
async fn other_kinds_of_subject_tokens_are_not_played(#[case] kind: &str) {
    let rig = Rig::new();
    let mut fields = good("x");
    fields[5].1 = kind;
    assert_eq!(rig.form("/v1/token", &fields).await.status, 501);
}

#[tokio::test]
async fn a_quota_counts_every_exchange_and_only_if_it_is_set() {
    const QUOTA: &str = "sts.googleapis.com/requests";
    let rig = Rig::with(|foundation| _ = foundation.settings.quotas.insert(QUOTA.into(), 2), Settings::default());
    let token = rig.token(json!({}));
    assert_eq!(rig.exchange(&token).await.status, 200);
    assert_eq!(rig.exchange("x").await.status, 400);
    let answer = rig.exchange(&token).await;
    assert_eq!((answer.status, answer.body["error"].as_str()), (429, Some("quota_exceeded")));
    assert_eq!(rig.refused(), ("request".to_owned(), "sts-rate-limited".to_owned()));
    rig.advance(tokenrig_clock::seconds(60));
    assert_eq!(rig.exchange(&token).await.status, 200);
}

#[rstest]
#[case::half_a_minute(30, json!(28))]
#[case::an_hour(3600, json!(3598))]
#[case::a_day(86_400, json!(3599))]
#[case::two_seconds(2, Value::Null)]
#[tokio::test]
async fn expires_in_is_the_rest_of_the_subject_tokens_life(#[case] left: i64, #[case] told: Value) {
    let rig = Rig::new();
    let exp = rig.claims()["iat"].as_i64().unwrap() + left;
    let answer = rig.exchange(&rig.token(json!({ "exp": exp }))).await;
    assert_eq!((answer.status, &answer.body["expires_in"]), (200, &told));
}

#[tokio::test]
async fn a_token_in_its_last_second_is_an_internal_error_only_if_that_is_set() {
    for (set, status) in [(false, 200), (true, 500)] {
        let rig = Rig::with(|_| {}, Settings { one_second_left_fails: set, ..Settings::default() });
        let exp = rig.claims()["iat"].as_i64().unwrap() + 1;
        let answer = rig.exchange(&rig.token(json!({ "exp": exp }))).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.body.get("error").is_some(), set);
    }
}
