//! Signed requests to AWS as subject tokens.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rstest::rstest;
use serde_json::json;
use tokenrig_clock::SignedDuration;
use tokenrig_cloud::{
    AwsKind, AwsRequest, AwsScope, NewAwsPrincipal, Provider, ProviderConfig, amz_date, aws_authorization,
};
use tokenrig_sts::Settings;

use crate::rig::{Answer, PROVIDER, Rig, good, pool_name};

const URL: &str = "https://sts.us-east-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
const AWS: &str = "urn:ietf:params:aws:token-type:aws4_request";

/// A rig whose provider trusts an account of AWS, of which one role is known.
fn rig(settings: Settings) -> Rig {
    let rig = Rig::with(|_| {}, settings);
    rig.cloud.aws().add("123456789012", None).unwrap();
    let role = NewAwsPrincipal {
        account: "123456789012".to_owned(),
        kind: AwsKind::Role,
        name: "ci".to_owned(),
        session: Some("i-1".to_owned()),
        access_key_id: None,
        secret_access_key: None,
        session_token: None,
    };
    rig.cloud.aws().add_principal(role).unwrap();
    rig.provider(|provider: &mut Provider| {
        provider.config = ProviderConfig::Aws { account_id: "123456789012".to_owned() };
        provider.attribute_mapping.clear();
    });
    rig
}

/// The role's request, with the target among its signed headers or beside them.
fn token(rig: &Rig, target_signed: bool) -> String {
    let role = rig.cloud.aws().principal("123456789012/ci").unwrap();
    let date = amz_date(rig.cloud.now());
    let target = format!("//iam.googleapis.com/{PROVIDER}");
    let mut request = AwsRequest::post(URL).unwrap();
    request.put("x-amz-date", &date);
    request.put("x-amz-security-token", role.session_token.as_ref().unwrap().reveal());
    if target_signed {
        request.put("x-goog-cloud-target-resource", &target);
    }
    let scope = AwsScope::sts(&date, "us-east-1");
    let signed = aws_authorization(&request, &role.access_key_id, role.secret_access_key.reveal(), &scope);
    request.put("authorization", &signed);
    request.put("x-goog-cloud-target-resource", &target);
    let headers: Vec<_> = request.headers.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    let token = json!({ "url": URL, "method": "POST", "headers": headers });
    utf8_percent_encode(&token.to_string(), NON_ALPHANUMERIC).to_string()
}

async fn exchange(rig: &Rig, token: &str) -> Answer {
    let mut fields = good(token);
    fields[5].1 = AWS;
    rig.form("/v1/token", &fields).await
}

#[tokio::test]
async fn a_signed_request_names_the_session_by_the_default_mapping() {
    let rig = rig(Settings::default());
    let answer = exchange(&rig, &token(&rig, true)).await;
    assert_eq!((answer.status, answer.body["expires_in"].as_i64()), (200, Some(899)));
    let caller = rig.cloud.caller(answer.body["access_token"].as_str().unwrap()).unwrap();
    let role = "arn:aws:sts::123456789012:assumed-role/ci";
    let members: Vec<String> = caller.identity.members().iter().map(ToString::to_string).collect();
    assert_eq!(members[0], format!("principal://iam.googleapis.com/{}/subject/{role}/i-1", pool_name()));
    assert_eq!(members[1], format!("principalSet://iam.googleapis.com/{}/attribute.aws_role/{role}", pool_name()));
    let names: Vec<_> = rig.last().checks.iter().map(|check| check.name.clone()).collect();
    assert_eq!(names.join(" "), "request audience provider signature token-audience aws account mapping size");
}

#[rstest]
#[case::as_google_recommends(true, false, 200)]
#[case::without_as_it_is_documented(false, false, 200)]
#[case::without_where_it_must_be(false, true, 400)]
#[tokio::test]
async fn the_target_need_not_be_signed_unless_that_is_set(
    #[case] signed: bool,
    #[case] needed: bool,
    #[case] status: u16,
) {
    let rig = rig(Settings { aws_target_signed: needed, ..Settings::default() });
    assert_eq!(exchange(&rig, &token(&rig, signed)).await.status, status);
}

#[tokio::test]
async fn a_pools_session_says_how_long_the_token_lives() {
    let rig = rig(Settings::default());
    let session = Some(SignedDuration::from_hours(2));
    rig.cloud.pools().update(&pool_name(), |pool| pool.session_duration = session).unwrap();
    assert_eq!(exchange(&rig, &token(&rig, true)).await.body["expires_in"], 7199);
}

#[tokio::test]
async fn the_decision_holds_no_signature_and_no_session_token() {
    let rig = rig(Settings::default());
    exchange(&rig, &token(&rig, true)).await;
    let kept = serde_json::to_string(&rig.last()).unwrap();
    let role = rig.cloud.aws().principal("123456789012/ci").unwrap();
    assert!(!kept.contains("Signature=") && !kept.contains(role.session_token.unwrap().reveal()));
}
