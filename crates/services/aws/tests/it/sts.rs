//! Who signed a request.

use rstest::rstest;
use tokenrig_clock::{Clock as _, minutes};

use crate::support::Rig;

const URL: &str = "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";

#[tokio::test]
async fn aws_says_who_signed() {
    let rig = Rig::new();
    let answer = rig.signed(URL, &[]).await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"text/xml".parse().unwrap()));
    assert!(answer.text.contains("<Account>123456789012</Account>"), "{}", answer.text);
    assert!(answer.text.contains("<Arn>arn:aws:sts::123456789012:assumed-role/ci/i-"), "{}", answer.text);
    let json = rig.signed(URL, &[("accept", "application/json")]).await;
    assert!(json.text.contains("\"Arn\":\"arn:aws:sts::123456789012:assumed-role/ci/i-"), "{}", json.text);
}

#[rstest]
#[case::another_action(&URL.replace("GetCallerIdentity", "AssumeRole"), 400, "aws-action-invalid", "InvalidAction")]
#[case::no_action("https://sts.eu-central-1.amazonaws.com/", 400, "aws-action-invalid", "InvalidAction")]
#[case::another_region(&URL.replace("eu-central-1", "eu-west-1"), 403, "aws-not-authentic", "SignatureDoesNotMatch")]
#[tokio::test]
async fn what_is_not_signed_for_this_is_refused(
    #[case] url: &str,
    #[case] status: u16,
    #[case] id: &str,
    #[case] code: &str,
) {
    let rig = Rig::new();
    let answer = rig.signed(url, &[]).await;
    assert_eq!((answer.status, rig.refused().as_str()), (status, id));
    assert!(answer.text.contains(&format!("<Code>{code}</Code>")), "{}", answer.text);
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let rig = Rig::new();
    let answer = rig.ask("GET", URL, &[]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("<Code>MissingAuthenticationToken</Code>"), "{}", answer.text);
}

#[tokio::test]
async fn a_replay_is_refused_after_a_quarter_of_an_hour() {
    let rig = Rig::new();
    let role = rig.role();
    let before = rig.cloud.now();
    rig.clock.advance_to(rig.clock.now() + minutes(16)).unwrap();
    let date = tokenrig_cloud::amz_date(before);
    let token = role.session_token.as_ref().unwrap().reveal();
    let mut request = tokenrig_cloud::AwsRequest::post(URL).unwrap();
    request.put("x-amz-date", &date);
    request.put("x-amz-security-token", token);
    let scope = tokenrig_cloud::AwsScope::sts(&date, "eu-central-1");
    let secret = role.secret_access_key.reveal();
    let signed = tokenrig_cloud::aws_authorization(&request, &role.access_key_id, secret, &scope);
    let headers = [("x-amz-date", &*date), ("x-amz-security-token", token), ("authorization", &*signed)];
    let answer = rig.ask("POST", URL, &headers).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("Signature expired: 20260115T090000Z"), "{}", answer.text);
}
