//! The way by other accounts.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Over, Rig};

const CREATOR: &str = "roles/iam.serviceAccountTokenCreator";

/// `caller` may act as `first`, `first` as `second`, `second` as `target`.
fn chain() -> Rig {
    let rig = Rig::new();
    rig.create("first");
    rig.create("second");
    rig.grant_on("first", CREATOR, "caller");
    rig.grant_on("second", CREATOR, "first");
    rig.grant_on("target", CREATOR, "second");
    rig
}

async fn through(rig: &Rig, over: Over, delegates: &[&str]) -> Answer {
    let named = delegates.iter().map(|id| format!("projects/-/serviceAccounts/{}", rig.account(id).email));
    asked(rig, over, json!(named.collect::<Vec<_>>())).await
}

async fn asked(rig: &Rig, over: Over, delegates: Value) -> Answer {
    let body = json!({ "audience": "a", "delegates": delegates });
    rig.call(over, &rig.token("caller"), "generateIdToken", &rig.account("target").email, body).await
}

#[rstest]
#[tokio::test]
async fn each_account_of_the_way_may_act_as_the_next(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = chain();
    let answer = through(&rig, over, &["first", "second"]).await;
    assert_eq!(answer.code, 0, "{answer:?}");
    let record = rig.last();
    let steps: Vec<_> = record.checks.iter().filter(|check| check.name == "permission").collect();
    let permissions: Vec<_> = steps.iter().map(|step| step.expected["permission"].as_str().unwrap()).collect();
    assert_eq!(
        permissions,
        [
            "iam.serviceAccounts.implicitDelegation",
            "iam.serviceAccounts.implicitDelegation",
            "iam.serviceAccounts.getOpenIdToken"
        ]
    );
    let members: Vec<_> = steps.iter().map(|step| step.expected["member"].as_str().unwrap()).collect();
    assert_eq!(
        members,
        ["caller", "first", "second"].map(|id| format!("serviceAccount:{id}@shop-test.iam.gserviceaccount.com"))
    );
}

#[rstest]
#[case::nobody_between(&[], "iam.serviceAccounts.getOpenIdToken")]
#[case::the_second_left_out(&["first"], "iam.serviceAccounts.getOpenIdToken")]
#[case::the_first_left_out(&["second"], "iam.serviceAccounts.implicitDelegation")]
#[case::the_wrong_way_round(&["second", "first"], "iam.serviceAccounts.implicitDelegation")]
#[tokio::test]
async fn a_gap_in_the_way_is_refused(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] delegates: &[&str],
    #[case] permission: &str,
) {
    let rig = chain();
    let answer = through(&rig, over, delegates).await;
    let message = format!("Permission '{permission}' denied on resource (or it may not exist).");
    assert_eq!(answer.refused(), (7, message.as_str()));
}

#[tokio::test]
async fn a_role_without_delegation_carries_no_further() {
    let rig = Rig::new();
    rig.create("first");
    rig.grant_on("first", "roles/iam.serviceAccountOpenIdTokenCreator", "caller");
    rig.grant_on("target", CREATOR, "first");
    let answer = through(&rig, Over::Rest, &["first"]).await;
    assert_eq!(answer.code, 7);
    assert_eq!(rig.last().refusal.as_deref(), Some("iamcredentials-implicitdelegation-denied"));
}

#[tokio::test]
async fn a_disabled_delegate_carries_nobody() {
    let rig = chain();
    rig.cloud.accounts().set_disabled(&rig.account("second").email, true).unwrap();
    let answer = through(&rig, Over::Rest, &["first", "second"]).await;
    assert_eq!(answer.code, 5);
    assert_eq!(rig.last().refusal.as_deref(), Some("iamcredentials-account-disabled"));
}

#[tokio::test]
async fn a_delegate_that_is_not_there_is_denied() {
    let rig = chain();
    let answer = asked(&rig, Over::Rest, json!(["projects/-/serviceAccounts/gone@shop-test.iam.gserviceaccount.com"]));
    assert_eq!(answer.await.code, 7);
}

#[tokio::test]
async fn a_delegate_may_be_named_by_its_address_alone() {
    let rig = chain();
    let delegates = ["first", "second"].map(|id| rig.account(id).email.clone());
    assert_eq!(asked(&rig, Over::Rest, json!(delegates)).await.code, 0);
}

#[rstest]
#[case::of_a_project(json!(["projects/shop-test/serviceAccounts/first@shop-test.iam.gserviceaccount.com"]))]
#[case::no_account(json!(["projects/-/serviceAccounts/default"]))]
#[case::empty(json!([""]))]
#[case::too_many(json!(vec!["first@shop-test.iam.gserviceaccount.com"; 21]))]
#[tokio::test]
async fn a_wrong_list_of_delegates_is_refused(#[case] delegates: Value) {
    let rig = chain();
    assert_eq!(asked(&rig, Over::Rest, delegates).await.code, 3);
    assert_eq!(rig.last().failed().unwrap().name, "request");
}
