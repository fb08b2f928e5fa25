use rstest::rstest;
use serde_json::{Value, json};

use crate::rig::{CRM, Rig};

#[rstest]
#[case::id("shop-test")]
#[case::number("1071284184436")]
#[tokio::test]
async fn a_project_is_read_by_id_and_by_number(#[case] name: &str) {
    let rig = Rig::new();
    let (status, project) = rig.call("GET", CRM, &format!("/v1/projects/{name}"), Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!((&project["projectId"], &project["projectNumber"]), (&json!("shop-test"), &json!("1071284184436")));
    assert_eq!(project["lifecycleState"], "ACTIVE");
}

#[tokio::test]
async fn a_project_that_is_missing_looks_like_one_that_is_closed() {
    let rig = Rig::new();
    let missing = rig.call("GET", CRM, "/v1/projects/nobodys", Value::Null).await;
    let closed = rig.call_as(&rig.stranger(), "GET", CRM, "/v1/projects/shop-test", Value::Null).await;
    assert_eq!(missing, closed);
    let body = json!({ "error": { "code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED" } });
    assert_eq!(missing, (403, body));
    assert_eq!(rig.last().refusal.as_deref(), Some("crm-project-not-visible"));
}

#[tokio::test]
async fn a_list_holds_what_the_caller_may_see() {
    let rig = Rig::new();
    let list = "/v1/projects?filter=lifecycleState:ACTIVE&pageSize=500";
    assert_eq!(rig.call("GET", CRM, list, Value::Null).await.1["projects"].as_array().unwrap().len(), 1);
    assert_eq!(rig.call_as(&rig.stranger(), "GET", CRM, list, Value::Null).await, (200, json!({})));
    let none = "/v1/projects?filter=lifecycleState:DELETE_REQUESTED";
    assert_eq!(rig.call("GET", CRM, none, Value::Null).await, (200, json!({})));
    assert_eq!(rig.call("GET", CRM, "/v1/projects?filter=labels.env:prod", Value::Null).await.0, 501);
}

#[tokio::test]
async fn a_projects_policy_is_read_changed_and_tested() {
    let rig = Rig::new();
    let options = json!({ "options": { "requestedPolicyVersion": 3 } });
    let (status, mut policy) = rig.call("POST", CRM, "/v1/projects/1071284184436:getIamPolicy", options).await;
    assert_eq!(status, 200);
    let who = rig.stranger();
    let viewer = json!({ "role": "roles/viewer", "members": [format!("serviceAccount:{}", who.email)] });
    policy["bindings"].as_array_mut().unwrap().push(viewer);
    let set = "/v1/projects/shop-test:setIamPolicy";
    let (status, _) = rig.call("POST", CRM, set, json!({ "policy": policy })).await;
    assert_eq!(status, 200);
    let stale = rig.call("POST", CRM, set, json!({ "policy": policy })).await;
    assert_eq!((stale.0, rig.refused(&stale).0.as_str()), (409, "iam-set-policy-etag-stale"));
    assert_eq!(rig.call_as(&who, "GET", CRM, "/v1/projects/shop-test", Value::Null).await.0, 200);
    assert_eq!(rig.call_as(&who, "POST", CRM, set, json!({ "policy": {} })).await.0, 403);
    let asked = json!({ "permissions": ["resourcemanager.projects.get", "resourcemanager.projects.delete"] });
    let test = "/v1/projects/shop-test:testIamPermissions";
    let (_, held) = rig.call_as(&who, "POST", CRM, test, asked.clone()).await;
    assert_eq!(held, json!({ "permissions": ["resourcemanager.projects.get"] }));
    assert_eq!(rig.call("POST", CRM, "/v1/projects/nobodys:testIamPermissions", asked).await, (200, json!({})));
}

#[tokio::test]
async fn a_policy_is_written_as_far_as_its_mask_says() {
    let rig = Rig::new();
    let read = async || rig.call("POST", CRM, "/v1/projects/shop-test:getIamPolicy", json!({})).await.1;
    let set = async |mask: &str, policy: Value| {
        let body = json!({ "policy": policy, "updateMask": mask });
        assert_eq!(rig.call("POST", CRM, "/v1/projects/shop-test:setIamPolicy", body).await.0, 200);
    };
    let bindings = read().await["bindings"].clone();
    let configs = json!([{ "service": "allServices", "auditLogConfigs": [{ "logType": "DATA_READ" }] }]);
    set("auditConfigs", json!({ "auditConfigs": configs })).await;
    assert_eq!((&read().await["auditConfigs"], &read().await["bindings"]), (&configs, &bindings));
    set("bindings,etag", json!({ "bindings": bindings })).await;
    assert_eq!(read().await["auditConfigs"], configs);
    set("auditConfigs", json!({ "auditConfigs": [] })).await;
    assert_eq!((&read().await["auditConfigs"], &read().await["bindings"]), (&Value::Null, &bindings));
}

#[tokio::test]
async fn a_project_has_an_application_that_who_may_see_it_is_told_of() {
    const HOST: &str = "appengine.googleapis.com";
    let rig = Rig::new();
    let expected = json!({
        "name": "apps/shop-test", "id": "shop-test", "authDomain": "gmail.com", "locationId": "us-central",
        "servingStatus": "SERVING", "defaultHostname": "shop-test.appspot.com",
        "serviceAccount": "shop-test@appspot.gserviceaccount.com",
    });
    assert_eq!(rig.call("GET", HOST, "/v1/apps/shop-test", Value::Null).await, (200, expected));
    let closed = rig.call_as(&rig.stranger(), "GET", HOST, "/v1/apps/shop-test", Value::Null).await;
    assert_eq!((closed.0, rig.refused(&closed).0.as_str()), (403, "appengine-app-not-visible"));
    assert_eq!(rig.call("GET", HOST, "/v1/apps/nobodys", Value::Null).await.0, 403);
}
