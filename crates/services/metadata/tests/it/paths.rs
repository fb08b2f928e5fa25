//! What stands where.

use rstest::rstest;
use serde_json::json;
use tokenrig_metadata::Settings;

use crate::support::Rig;

const OWNER: &str = "tokenrig-owner@shop-test.iam.gserviceaccount.com";
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");

#[rstest]
#[case("project/project-id", "shop-test")]
#[case("project/numeric-project-id", "1071284184436")]
#[case("universe/universe-domain", "googleapis.com")]
#[case("instance/zone", "projects/1071284184436/zones/us-central1-a")]
#[case("instance/region", "projects/1071284184436/regions/us-central1")]
#[case("instance/hostname", "tokenrig.us-central1-a.c.shop-test.internal")]
#[case("instance/service-accounts/default/email", OWNER)]
#[case("instance/service-accounts/default/aliases", "default\n")]
#[case(
    "instance/service-accounts/default/scopes",
    "https://www.googleapis.com/auth/cloud-platform\nhttps://www.googleapis.com/auth/userinfo.email\n"
)]
#[case("instance/service-accounts/tokenrig-owner@shop-test.iam.gserviceaccount.com/email", OWNER)]
#[case("instance/service-accounts/", "default/\ntokenrig-owner@shop-test.iam.gserviceaccount.com/\n")]
#[case("instance/service-accounts/default/", "aliases\nemail\nidentity\nscopes\ntoken\n")]
#[case("instance/attributes/", "")]
#[case("instance", "attributes/\nhostname\nid\nname\nregion\nservice-accounts/\nzone\n")]
#[case("", "instance/\nproject/\nuniverse/\n")]
#[case("project/project-id?alt=json", "\"shop-test\"")]
#[case("project/?recursive=true&alt=text", "numeric-project-id 1071284184436\nproject-id shop-test\n")]
#[tokio::test]
async fn what_clients_ask_for_is_there(#[case] path: &str, #[case] text: &str) {
    let rig = Rig::new();
    let answer = rig.get(path).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, text));
    let kind = if path.contains("alt=json") { "application/json" } else { "application/text" };
    assert_eq!(answer.header("content-type"), kind);
}

#[rstest]
#[case("default")]
#[case(OWNER)]
#[tokio::test]
async fn an_account_is_told_as_json(#[case] name: &str) {
    let answer = Rig::new().get(&format!("instance/service-accounts/{name}/?recursive=true")).await;
    let scopes = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];
    assert_eq!(answer.json(), json!({ "aliases": ["default"], "email": OWNER, "scopes": scopes }));
}

#[tokio::test]
async fn everything_can_be_had_at_once() {
    let all = Rig::new().get("?recursive=true").await.json();
    assert_eq!(
        all["project"],
        json!({ "attributes": {}, "numericProjectId": 1_071_284_184_436_u64, "projectId": "shop-test" })
    );
    assert_eq!(all["instance"]["serviceAccounts"]["default"]["email"], OWNER);
}

#[tokio::test]
async fn a_machine_is_recognised_without_the_header() {
    let rig = Rig::new();
    let answer = rig.ask("GET", "/", &[]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "computeMetadata/\n"));
    assert_eq!(rig.ask("HEAD", "/", &[FLAVOR]).await.status, 200);
    assert_eq!(rig.ask("GET", "/computeMetadata/", &[FLAVOR]).await.text, "v1/\n");
}

#[rstest]
#[case::no_header("GET", "/computeMetadata/v1/project/project-id", &[], 403, "metadata-flavor-missing", "flavor")]
#[case::another_flavor("GET", "/computeMetadata/v1/project/project-id", &[("metadata-flavor", "google")], 403, "metadata-flavor-missing", "flavor")]
#[case::no_such_path_and_no_header("GET", "/nothing", &[], 403, "metadata-flavor-missing", "flavor")]
#[case::by_a_proxy("GET", "/computeMetadata/v1/project/project-id", &[FLAVOR, ("x-forwarded-for", "10.0.0.1")], 403, "metadata-forwarded", "forwarded")]
#[case::detected_by_a_proxy("GET", "/", &[("x-forwarded-for", "10.0.0.1")], 403, "metadata-forwarded", "forwarded")]
#[case::no_such_path("GET", "/computeMetadata/v1/instance/nothing", &[FLAVOR], 404, "metadata-not-found", "path")]
#[case::below_a_leaf("GET", "/computeMetadata/v1/project/project-id/x", &[FLAVOR], 404, "metadata-not-found", "path")]
#[case::another_account("GET", "/computeMetadata/v1/instance/service-accounts/other/token", &[FLAVOR], 404, "metadata-account-not-found", "path")]
#[case::written("PUT", "/computeMetadata/v1/instance/guest-attributes/a/b", &[FLAVOR], 405, "metadata-method-not-allowed", "path")]
#[case::legacy("GET", "/computeMetadata/v1beta1/project/project-id", &[FLAVOR], 501, "metadata-not-played", "path")]
#[case::waiting("GET", "/computeMetadata/v1/instance/?recursive=true&wait_for_change=true", &[FLAVOR], 501, "metadata-not-played", "path")]
#[case::alt("GET", "/computeMetadata/v1/instance/?alt=xml", &[FLAVOR], 400, "metadata-parameter-invalid", "path")]
#[tokio::test]
async fn a_wrong_request_is_refused_and_known_to_come_from_here(
    #[case] verb: &str,
    #[case] path: &str,
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] id: &str,
    #[case] failed: &str,
) {
    let rig = Rig::new();
    let answer = rig.ask(verb, path, headers).await;
    assert_eq!(answer.status, status, "{answer:?}");
    let record = rig.cloud.decisions().last().unwrap();
    assert_eq!((record.refusal.as_deref(), record.answer.status), (Some(id), status));
    assert_eq!((record.surface.as_str(), record.failed().unwrap().name.as_str()), ("metadata", failed));
    assert_eq!(rig.cloud.unplayed().list().len(), usize::from(status == 501));
}

#[tokio::test]
async fn a_path_brings_no_markup_into_a_page() {
    let answer = Rig::new().ask("GET", "/computeMetadata/v1/'x'&y", &[]).await;
    assert!(answer.text.contains("/computeMetadata/v1/&#39;x&#39;&amp;y"), "{}", answer.text);
}

#[tokio::test]
async fn a_directory_may_be_answered_by_a_redirect() {
    let rig = Rig::with(Settings { redirects: true, ..Settings::default() });
    let answer = rig.get("instance").await;
    assert_eq!((answer.status, answer.header("location")), (301, "/computeMetadata/v1/instance/"));
    assert_eq!(rig.get("instance/").await.status, 200);
}

#[tokio::test]
async fn a_machine_without_its_account_knows_of_none() {
    let rig = Rig::new();
    rig.cloud.accounts().set_disabled(OWNER, true).unwrap();
    assert_eq!(rig.get("instance/service-accounts/").await.text, "");
    for path in ["default/token", "default/email", "default/identity?audience=a"] {
        assert_eq!(rig.get(&format!("instance/service-accounts/{path}")).await.status, 404);
    }
    rig.cloud.accounts().delete(OWNER).unwrap();
    assert_eq!(rig.get("project/project-id").await.status, 200);
}
