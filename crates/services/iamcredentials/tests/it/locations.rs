//! getAllowedLocations.

use tokenrig_iamcredentials::{AllowedLocations, Settings};
use tokenrig_policy::PoolRef;

use crate::support::{Answer, Rig};

async fn of_account(rig: &Rig, token: &str, id: &str) -> Answer {
    let path = format!("/v1/projects/-/serviceAccounts/{}/allowedLocations", rig.account(id).email);
    rig.rest("GET", &path, token, "").await
}

#[tokio::test]
async fn an_account_may_be_used_from_everywhere() {
    let rig = Rig::new();
    let answer = of_account(&rig, &rig.token("caller"), "caller").await;
    assert_eq!(answer.body["encodedLocations"], "0x0", "{answer:?}");
}

#[tokio::test]
async fn anothers_locations_need_a_permission() {
    let rig = Rig::new();
    let token = rig.token("caller");
    let answer = of_account(&rig, &token, "target").await;
    let denied = "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist).";
    assert_eq!(answer.refused(), (7, denied));
    rig.grant_on("target", "roles/iam.serviceAccountUser", "caller");
    assert_eq!(of_account(&rig, &token, "target").await.body["encodedLocations"], "0x0");
}

#[tokio::test]
async fn an_identity_of_a_pool_asks_for_its_pool() {
    let rig = Rig::new();
    let token = rig.token_of(rig.alice());
    let path = "/v1/projects/1071284184436/locations/global/workloadIdentityPools/partners/allowedLocations";
    assert_eq!(rig.rest("GET", path, &token, "").await.body["encodedLocations"], "0x0");
    let answer = rig.rest("GET", path, &rig.token("caller"), "").await;
    let denied = "Permission 'iam.workloadIdentityPools.get' denied on resource (or it may not exist).";
    assert_eq!(answer.refused(), (7, denied));
    let owner = rig.token_of(rig.cloud.owner().identity());
    assert_eq!(rig.rest("GET", path, &owner, "").await.code, 0);
    let other = path.replace("partners", "others");
    assert_eq!(rig.rest("GET", &other, &owner, "").await.refused(), (5, "Requested entity was not found."));
}

#[tokio::test]
async fn real_locations_can_be_served() {
    let allowed_locations = AllowedLocations { locations: vec!["europe-west4".into()], encoded: "0xA30".into() };
    let rig = Rig::with(Settings { allowed_locations, ..Settings::default() }, |_| {});
    let answer = of_account(&rig, &rig.token("caller"), "caller").await;
    assert_eq!(answer.body, serde_json::json!({ "locations": ["europe-west4"], "encodedLocations": "0xA30" }));
}

#[tokio::test]
async fn an_identity_of_a_workforce_pool_asks_for_its_pool() {
    let rig = Rig::new();
    let token = rig.token_of(rig.somebody_of(PoolRef::workforce("employees")));
    let path = "/v1/locations/global/workforcePools/employees/allowedLocations";
    assert_eq!(rig.rest("GET", path, &token, "").await.body["encodedLocations"], "0x0");
    let answer = rig.rest("GET", path, &rig.token("caller"), "").await;
    let denied = "Permission 'iam.workforcePools.get' denied on resource (or it may not exist).";
    assert_eq!(answer.refused(), (7, denied));
}
