use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::seconds;

use crate::rig::{IAM, Rig};

pub(crate) const POOLS: &str = "/v1/projects/shop-test/locations/global/workloadIdentityPools";
pub(crate) const NAME: &str = "projects/1071284184436/locations/global/workloadIdentityPools/partners";

pub(crate) async fn create(rig: &Rig, id: &str) -> (u16, Value) {
    let body = json!({ "displayName": "Partners", "description": "", "disabled": false });
    rig.post(&format!("{POOLS}?workloadIdentityPoolId={id}"), body).await
}

#[tokio::test]
async fn a_pool_is_there_when_its_operation_is_answered_and_has_the_projects_number() {
    let rig = Rig::new();
    let (status, operation) = create(&rig, "partners").await;
    assert_eq!((status, &operation["done"]), (200, &json!(true)));
    assert_eq!(operation["response"]["name"], NAME);
    assert_eq!(operation["response"]["@type"], "type.googleapis.com/google.iam.v1.WorkloadIdentityPool");
    let (_, pool) = rig.get(&format!("{POOLS}/partners")).await;
    assert_eq!(pool["name"], NAME);
    assert_eq!((&pool["state"], &pool["displayName"]), (&json!("ACTIVE"), &json!("Partners")));
    let (status, again) = rig.get(&format!("/v1/{}", operation["name"].as_str().unwrap())).await;
    assert_eq!((status, again), (200, operation));
    let answer = rig.get(&format!("{POOLS}/partners/operations/other")).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (404, "wif-operation-unknown"));
}

#[rstest]
#[case::too_short("abc")]
#[case::reserved("gcp-partners")]
#[case::upper_case("Partners")]
#[case::none("")]
#[tokio::test]
async fn a_pool_has_an_id_of_its_form(#[case] id: &str) {
    let rig = Rig::new();
    let answer = create(&rig, id).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-pool-field-invalid"));
    assert_eq!(rig.last().failed().unwrap().found, id);
}

#[tokio::test]
async fn who_may_not_make_a_pool_is_told_where() {
    let rig = Rig::new();
    let path = format!("{POOLS}?workloadIdentityPoolId=partners");
    let answer = rig.call_as(&rig.stranger(), "POST", IAM, &path, json!({})).await;
    let message = "Permission 'iam.workloadIdentityPools.create' denied on resource '//iam.googleapis.com/projects/shop-test/locations/global' (or it may not exist).";
    assert_eq!((answer.0, rig.refused(&answer)), (403, ("wif-pool-create-denied".to_owned(), message.to_owned())));
    let answer = rig.post("/v1/projects/nobodys/locations/global/workloadIdentityPools", json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (403, "wif-pool-create-denied"));
    assert_eq!(rig.post("/v1/projects/shop-test/locations/europe/workloadIdentityPools", json!({})).await.0, 400);
}

#[tokio::test]
async fn a_deleted_pool_keeps_its_id_for_30_days() {
    let rig = Rig::new();
    create(&rig, "partners").await;
    let path = format!("{POOLS}/partners");
    let (_, deleted) = rig.call("DELETE", IAM, &path, Value::Null).await;
    assert_eq!(deleted["response"]["state"], "DELETED");
    assert_eq!(deleted["response"]["expireTime"], "2026-02-14T09:00:00Z");
    assert_eq!(rig.get(POOLS).await.1, json!({}));
    assert_eq!(
        rig.get(&format!("{POOLS}?showDeleted=true")).await.1["workloadIdentityPools"].as_array().unwrap().len(),
        1
    );
    let answer = create(&rig, "partners").await;
    let message = "Requested entity already exists".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (409, ("wif-pool-create-exists".to_owned(), message)));
    let answer = rig.call("PATCH", IAM, &path, json!({ "disabled": true })).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-deleted"));
    assert_eq!(rig.post(&format!("{path}:undelete"), json!({})).await.1["response"]["state"], "ACTIVE");
    let answer = rig.post(&format!("{path}:undelete"), json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-not-deleted"));
    rig.call("DELETE", IAM, &path, Value::Null).await;
    rig.clock.advance_to(rig.cloud.now() + seconds(30 * 24 * 3600)).unwrap();
    assert_eq!(rig.get(&path).await.0, 404);
    assert_eq!(create(&rig, "partners").await.0, 200);
}

#[tokio::test]
async fn a_patch_writes_what_its_mask_names() {
    let rig = Rig::new();
    create(&rig, "partners").await;
    let path = format!("{POOLS}/partners");
    let body = json!({ "displayName": "x", "disabled": true });
    let (status, operation) = rig.call("PATCH", IAM, &format!("{path}?updateMask=disabled"), body).await;
    let pool = &operation["response"];
    assert_eq!((status, &pool["displayName"], &pool["disabled"]), (200, &json!("Partners"), &json!(true)));
    let long = json!({ "displayName": "x".repeat(33) });
    let answer = rig.call("PATCH", IAM, &path, long).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-pool-field-invalid"));
}

#[tokio::test]
async fn a_pool_has_a_policy() {
    let rig = Rig::new();
    create(&rig, "partners").await;
    let who = rig.stranger();
    let path = format!("{POOLS}/partners");
    let member = format!("serviceAccount:{}", who.email);
    let policy = json!({ "bindings": [{ "role": "roles/iam.workloadIdentityPoolViewer", "members": [member] }] });
    assert_eq!(rig.call_as(&who, "GET", IAM, &path, Value::Null).await.0, 403);
    assert_eq!(rig.post(&format!("{path}:setIamPolicy"), json!({ "policy": policy })).await.0, 200);
    assert_eq!(rig.call_as(&who, "GET", IAM, &path, Value::Null).await.0, 200);
    let (_, held) = rig
        .call_as(
            &who,
            "POST",
            IAM,
            &format!("/v1/{NAME}:testIamPermissions"),
            json!({ "permissions": ["iam.workloadIdentityPools.get", "iam.workloadIdentityPools.delete"] }),
        )
        .await;
    assert_eq!(held, json!({ "permissions": ["iam.workloadIdentityPools.get"] }));
    assert_eq!(rig.post(&format!("{path}:getIamPolicy"), json!({})).await.1["bindings"], policy["bindings"]);
}

#[tokio::test]
async fn what_the_rig_does_not_play_of_pools_is_unimplemented() {
    let rig = Rig::new();
    let path = format!("{POOLS}?workloadIdentityPoolId=spiffe-pool");
    let answer = rig.post(&path, json!({ "mode": "TRUST_DOMAIN" })).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (501, "iam-use-unplayed"));
}

#[rstest]
#[case::two_minutes("120s", 200)]
#[case::twelve_hours("43200s", 200)]
#[case::less_than_two_minutes("119s", 400)]
#[case::more_than_twelve_hours("43201s", 400)]
#[case::a_fraction("120.5s", 400)]
#[tokio::test]
async fn a_session_lasts_between_two_minutes_and_twelve_hours(#[case] session: &str, #[case] expected: u16) {
    let rig = Rig::new();
    let body = json!({ "sessionDuration": session });
    let (status, _) = rig.post(&format!("{POOLS}?workloadIdentityPoolId=partners"), body).await;
    assert_eq!(status, expected);
    if expected == 400 {
        assert_eq!(rig.last().refusal.as_deref(), Some("wif-pool-field-invalid"));
        return;
    }
    let (_, pool) = rig.get(&format!("{POOLS}/partners")).await;
    assert_eq!(pool["sessionDuration"], session);
    let path = format!("{POOLS}/partners?updateMask=sessionDuration");
    assert_eq!(rig.call("PATCH", IAM, &path, json!({ "sessionDuration": "300s" })).await.0, 200);
    assert_eq!(rig.get(&format!("{POOLS}/partners")).await.1["sessionDuration"], "300s");
}
