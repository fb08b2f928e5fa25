//! What a machine of EC2 finds.

use rstest::rstest;
use tokenrig_aws::Settings;
use tokenrig_clock::{Clock as _, seconds};

use crate::support::Rig;

const META: &str = "http://169.254.169.254/latest/meta-data";
const SESSION: &str = "http://169.254.169.254/latest/api/token";

#[tokio::test]
async fn clients_find_region_role_and_credentials() {
    let rig = Rig::new();
    let zone = rig.ask("GET", &format!("{META}/placement/availability-zone"), &[]).await;
    assert_eq!((zone.status, zone.text.as_str()), (200, "eu-central-1a"));
    let role = rig.ask("GET", &format!("{META}/iam/security-credentials"), &[]).await;
    assert_eq!(role.text, "ci");
    let found = rig.ask("GET", &format!("{META}/iam/security-credentials/ci"), &[]).await.text;
    assert!(found.contains(&format!("\"AccessKeyId\":\"{}\"", rig.role().access_key_id)), "{found}");
    assert!(found.contains("\"Expiration\":\"2026-01-15T15:00:00Z\""), "{found}");
}

#[tokio::test]
async fn a_session_lives_as_long_as_was_asked_for() {
    let rig = Rig::with(Settings { without_session: false, ..Settings::default() });
    let url = format!("{META}/placement/region");
    assert_eq!(rig.ask("GET", &url, &[]).await.status, 401);
    let opened = rig.ask("PUT", SESSION, &[("x-aws-ec2-metadata-token-ttl-seconds", "300")]).await;
    assert_eq!(opened.headers["x-aws-ec2-metadata-token-ttl-seconds"], "300");
    let shown = [("x-aws-ec2-metadata-token", opened.text.as_str())];
    assert_eq!(rig.ask("GET", &url, &shown).await.text, "eu-central-1");
    rig.clock.advance_to(rig.clock.now() + seconds(300)).unwrap();
    assert_eq!(rig.ask("GET", &url, &shown).await.status, 401);
}

#[rstest]
#[case::no_lifetime(&[], 400, "aws-metadata-session-request-invalid")]
#[case::too_long(&[("x-aws-ec2-metadata-token-ttl-seconds", "21601")], 400, "aws-metadata-session-request-invalid")]
#[case::no_number(&[("x-aws-ec2-metadata-token-ttl-seconds", "long")], 400, "aws-metadata-session-request-invalid")]
#[case::by_a_proxy(&[("x-aws-ec2-metadata-token-ttl-seconds", "60"), ("x-forwarded-for", "10.0.0.1")], 403, "aws-metadata-session-forwarded")]
#[tokio::test]
async fn a_session_is_asked_for_in_its_form(#[case] headers: &[(&str, &str)], #[case] status: u16, #[case] id: &str) {
    let rig = Rig::new();
    assert_eq!(rig.ask("PUT", SESSION, headers).await.status, status);
    assert_eq!(rig.refused(), id);
}

#[rstest]
#[case::an_unknown_path("/placement/rack")]
#[case::another_role("/iam/security-credentials/admin")]
#[tokio::test]
async fn what_a_machine_does_not_have_is_not_found(#[case] path: &str) {
    let rig = Rig::new();
    assert_eq!(rig.ask("GET", &format!("{META}{path}"), &[]).await.status, 404);
    assert_eq!(rig.refused(), "aws-metadata-not-found");
}

#[tokio::test]
async fn a_made_up_session_is_refused_even_where_none_is_needed() {
    let rig = Rig::new();
    let answer = rig.ask("GET", &format!("{META}/instance-id"), &[("x-aws-ec2-metadata-token", "x")]).await;
    assert_eq!(answer.status, 401);
}
