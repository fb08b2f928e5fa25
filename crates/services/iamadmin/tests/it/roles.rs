use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::seconds;
use tokenrig_protos::google::iam::admin::v1::{CreateRoleRequest, Role};

use crate::rig::{IAM, Over, Rig};

const ROLES: &str = "/v1/projects/shop-test/roles";
const MINTER: &str = "/v1/projects/shop-test/roles/tokenMinter";

async fn create(rig: &Rig, id: &str) -> (u16, Value) {
    let role = json!({ "title": "Minter", "includedPermissions": ["iam.serviceAccounts.getOpenIdToken"] });
    rig.post(ROLES, json!({ "roleId": id, "role": role })).await
}

#[rstest]
#[tokio::test]
async fn a_custom_role_is_made_and_holds_its_permissions(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    if over == Over::Rest {
        let (status, made) = create(&rig, "tokenMinter").await;
        assert_eq!((status, &made["name"]), (200, &json!("projects/shop-test/roles/tokenMinter")));
        assert_eq!(rig.get(MINTER).await, (200, made));
    } else {
        let request = CreateRoleRequest {
            parent: "projects/1071284184436".into(),
            role_id: "tokenMinter".into(),
            role: Some(Role {
                included_permissions: vec!["iam.serviceAccounts.getOpenIdToken".into()],
                ..Default::default()
            }),
        };
        let made: Role = rig.grpc(IAM, "/google.iam.admin.v1.IAM/CreateRole", &request).await.unwrap();
        assert_eq!(made.name, "projects/shop-test/roles/tokenMinter");
    }
    assert!(rig.cloud.roles().holds("projects/shop-test/roles/tokenMinter", "iam.serviceAccounts.getOpenIdToken"));
}

#[tokio::test]
async fn googles_roles_are_anybodys_to_read() {
    let rig = Rig::new();
    let who = rig.stranger();
    let (status, role) = rig.call_as(&who, "GET", IAM, "/v1/roles/run.invoker", Value::Null).await;
    assert_eq!((status, &role["name"]), (200, &json!("roles/run.invoker")));
    assert!(role["includedPermissions"].as_array().unwrap().contains(&json!("run.routes.invoke")));
    let (_, list) = rig.call_as(&who, "GET", IAM, "/v1/roles?pageSize=1000", Value::Null).await;
    let all = list["roles"].as_array().unwrap();
    assert!(all.len() > 40 && all.iter().all(|role| role["includedPermissions"].is_null()));
    let answer = rig.get("/v1/roles/nobodys.role").await;
    let message = "The role named roles/nobodys.role was not found.".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (404, ("iam-role-unknown".to_owned(), message)));
    assert_eq!(rig.call_as(&who, "GET", IAM, ROLES, Value::Null).await.0, 403);
}

#[rstest]
#[case::taken("tokenMinter", json!({}), 409, "iam-role-create-exists")]
#[case::a_hyphen("token-minter", json!({}), 400, "iam-role-name-invalid")]
#[case::a_name("other", json!({ "name": "roles/other" }), 400, "iam-role-create-name-given")]
#[case::no_permission("other", json!({ "includedPermissions": ["everything"] }), 400, "iam-role-field-invalid")]
#[tokio::test]
async fn a_role_that_cannot_be_made_is_refused(
    #[case] id: &str,
    #[case] role: Value,
    #[case] status: u16,
    #[case] refusal: &str,
) {
    let rig = Rig::new();
    create(&rig, "tokenMinter").await;
    let answer = rig.post(ROLES, json!({ "roleId": id, "role": role })).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (status, refusal));
}

#[tokio::test]
async fn a_role_is_patched_by_its_mask_and_guarded_by_its_etag() {
    let rig = Rig::new();
    let (_, made) = create(&rig, "tokenMinter").await;
    let body = json!({ "stage": "GA", "title": "x" });
    let (status, changed) = rig.call("PATCH", IAM, &format!("{MINTER}?updateMask=stage"), body).await;
    assert_eq!((status, &changed["stage"], &changed["title"]), (200, &json!("GA"), &json!("Minter")));
    assert_ne!(changed["etag"], made["etag"]);
    let stale = json!({ "title": "x", "etag": made["etag"] });
    let answer = rig.call("PATCH", IAM, MINTER, stale).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "iam-etag-stale"));
}

#[tokio::test]
async fn a_deleted_role_comes_back_within_7_days_and_keeps_its_id_for_37() {
    let rig = Rig::new();
    create(&rig, "tokenMinter").await;
    assert_eq!(rig.call("DELETE", IAM, MINTER, Value::Null).await.1["deleted"], true);
    assert_eq!(rig.get(ROLES).await.1["roles"], Value::Null);
    assert_eq!(rig.get(&format!("{ROLES}?showDeleted=true")).await.1["roles"].as_array().unwrap().len(), 1);
    let undelete = format!("{MINTER}:undelete");
    assert_eq!(rig.post(&undelete, json!({})).await.0, 200);
    let answer = rig.post(&undelete, json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "iam-role-not-deleted"));

    rig.call("DELETE", IAM, MINTER, Value::Null).await;
    rig.clock.advance_to(rig.cloud.now() + seconds(8 * 24 * 3600)).unwrap();
    assert_eq!(rig.post(&undelete, json!({})).await.0, 400);
    let answer = create(&rig, "tokenMinter").await;
    let message = "You can't create a role_id (tokenMinter) which has been marked for deletion.".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (400, ("iam-role-create-deleted".to_owned(), message)));
    rig.clock.advance_to(rig.cloud.now() + seconds(30 * 24 * 3600)).unwrap();
    assert_eq!(create(&rig, "tokenMinter").await.0, 200);
    assert_eq!(rig.get(MINTER).await.1["deleted"], Value::Null);
}
