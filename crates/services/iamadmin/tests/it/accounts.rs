use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::seconds;
use tokenrig_protos::google::iam::admin::v1::{CreateServiceAccountRequest, GetServiceAccountRequest, ServiceAccount};

use crate::rig::{IAM, Over, Rig};

const ACCOUNTS: &str = "/v1/projects/shop-test/serviceAccounts";
const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";

async fn create(rig: &Rig, id: &str) -> (u16, Value) {
    rig.post(ACCOUNTS, json!({ "accountId": id, "serviceAccount": { "displayName": "Caller" } })).await
}

#[rstest]
#[tokio::test]
async fn an_account_is_made_and_read_on_either_wire(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let name = format!("projects/shop-test/serviceAccounts/{CALLER}");
    match over {
        Over::Rest => {
            let (status, made) = create(&rig, "caller").await;
            assert_eq!((status, &made["email"], &made["name"]), (200, &json!(CALLER), &json!(name)));
            assert_eq!(made["oauth2ClientId"], made["uniqueId"]);
            assert_eq!(made["displayName"], "Caller");
            for account in [CALLER, made["uniqueId"].as_str().unwrap()] {
                for project in ["-", "shop-test", "1071284184436"] {
                    let path = format!("/v1/projects/{project}/serviceAccounts/{}", account.replace('@', "%40"));
                    assert_eq!(rig.get(&path).await, (200, made.clone()));
                }
            }
        }
        Over::Grpc => {
            let path = "/google.iam.admin.v1.IAM/CreateServiceAccount";
            let request = CreateServiceAccountRequest {
                name: "projects/shop-test".into(),
                account_id: "caller".into(),
                ..Default::default()
            };
            let made: ServiceAccount = rig.grpc(IAM, path, &request).await.unwrap();
            assert_eq!((made.email.as_str(), made.unique_id.len()), (CALLER, 21));
            let path = "/google.iam.admin.v1.IAM/GetServiceAccount";
            let got: ServiceAccount = rig.grpc(IAM, path, &GetServiceAccountRequest { name }).await.unwrap();
            assert_eq!(got, made);
        }
    }
}

#[rstest]
#[case::too_short(
    "short",
    400,
    "iam-sa-create-id-length",
    "The account ID \"short\" does not have a length between 6 and 30."
)]
#[case::taken(
    "caller",
    409,
    "iam-sa-create-exists",
    "Service account caller already exists within project projects/shop-test."
)]
#[tokio::test]
async fn an_account_that_cannot_be_made_is_refused(
    #[case] id: &str,
    #[case] status: u16,
    #[case] refusal: &str,
    #[case] message: &str,
) {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let answer = create(&rig, id).await;
    assert_eq!(answer.0, status);
    assert_eq!(rig.refused(&answer), (refusal.to_owned(), message.to_owned()));
}

#[rstest]
#[case::upper_case("Caller")]
#[case::begins_with_a_digit("1caller")]
#[case::ends_with_a_hyphen("caller-")]
#[tokio::test]
async fn an_account_id_has_a_form(#[case] id: &str) {
    let rig = Rig::new();
    assert_eq!(create(&rig, id).await.0, 400);
    assert_eq!(rig.last().refusal.as_deref(), Some("iam-sa-field-invalid"));
    assert_eq!(rig.last().failed().unwrap().found, id);
}

#[rstest]
#[case::in_its_project("shop-test", 404, "iam-sa-get-unknown", "Unknown service account")]
#[case::anywhere(
    "-",
    403,
    "iam-permission-denied",
    "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist)."
)]
#[tokio::test]
async fn only_who_names_the_project_learns_that_an_account_is_missing(
    #[case] project: &str,
    #[case] status: u16,
    #[case] refusal: &str,
    #[case] message: &str,
) {
    let rig = Rig::new();
    let answer = rig.get(&format!("/v1/projects/{project}/serviceAccounts/{CALLER}")).await;
    assert_eq!(answer.0, status);
    assert_eq!(rig.refused(&answer), (refusal.to_owned(), message.to_owned()));
    assert!(answer.1["error"]["errors"][0]["reason"].is_string());
}

#[tokio::test]
async fn an_account_is_not_found_in_another_project() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    rig.cloud.add_project("other-project");
    assert_eq!(rig.get(&format!("/v1/projects/other-project/serviceAccounts/{CALLER}")).await.0, 404);
}

#[tokio::test]
async fn who_has_no_part_in_the_project_is_denied_and_the_permission_named() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let who = rig.stranger();
    let path = format!("/v1/projects/shop-test/serviceAccounts/{CALLER}");
    for (verb, path, body, permission) in [
        ("GET", path.clone(), Value::Null, "get"),
        ("GET", ACCOUNTS.to_owned(), Value::Null, "list"),
        ("POST", ACCOUNTS.to_owned(), json!({ "accountId": "another" }), "create"),
        ("DELETE", path.clone(), Value::Null, "delete"),
        ("PATCH", path.clone(), json!({ "serviceAccount": {} }), "update"),
        ("POST", format!("{path}:disable"), json!({}), "disable"),
        ("POST", format!("{path}:enable"), json!({}), "enable"),
        ("POST", format!("{path}:getIamPolicy"), Value::Null, "getIamPolicy"),
        ("POST", format!("{path}:setIamPolicy"), json!({ "policy": {} }), "setIamPolicy"),
    ] {
        let (status, answer) = rig.call_as(&who, verb, IAM, &path, body).await;
        let permission = format!("iam.serviceAccounts.{permission}");
        assert_eq!(status, 403, "{path}");
        assert_eq!(answer["error"]["details"][0]["metadata"]["permission"], json!(permission));
        assert_eq!(rig.last().failed().unwrap().name, "permission");
    }
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let (_, first) = rig.get(&format!("{ACCOUNTS}?pageSize=2")).await;
    let (_, second) =
        rig.get(&format!("{ACCOUNTS}?pageSize=2&pageToken={}", first["nextPageToken"].as_str().unwrap())).await;
    let emails: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["accounts"].as_array().unwrap())
        .map(|one| &one["email"])
        .collect();
    assert_eq!(emails.len(), 4);
    assert!(emails.contains(&&json!(CALLER)));
    assert_eq!(second["nextPageToken"], Value::Null);
    let answer = rig.get(&format!("{ACCOUNTS}?pageToken=%25")).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "iam-page-token-invalid"));
}

#[tokio::test]
async fn a_patch_writes_what_its_mask_names() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let path = format!("/v1/projects/-/serviceAccounts/{CALLER}");
    let body = json!({ "serviceAccount": { "displayName": "x", "description": "calls" }, "updateMask": "description" });
    let (status, changed) = rig.call("PATCH", IAM, &path, body).await;
    assert_eq!((status, &changed["displayName"], &changed["description"]), (200, &json!("Caller"), &json!("calls")));
    let body = json!({ "serviceAccount": { "disabled": true }, "updateMask": "disabled" });
    assert_eq!(rig.call("PATCH", IAM, &path, body).await.0, 400);
    let body = json!({ "displayName": "Now", "etag": "AAAA" });
    let answer = rig.call("PUT", IAM, &path, body).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "iam-etag-stale"));
    let body = json!({ "displayName": "Now", "etag": changed["etag"] });
    let (status, replaced) = rig.call("PUT", IAM, &path, body).await;
    assert_eq!((status, &replaced["displayName"], &replaced["description"]), (200, &json!("Now"), &Value::Null));
}

#[tokio::test]
async fn a_deleted_account_comes_back_by_its_unique_id_within_30_days() {
    let rig = Rig::new();
    let (_, made) = create(&rig, "caller").await;
    let path = format!("/v1/projects/shop-test/serviceAccounts/{CALLER}");
    assert_eq!(rig.call("DELETE", IAM, &path, Value::Null).await, (200, json!({})));
    assert_eq!(rig.get(&path).await.0, 404);
    let undelete = format!("/v1/projects/-/serviceAccounts/{}:undelete", made["uniqueId"].as_str().unwrap());

    let (_, other) = create(&rig, "caller").await;
    assert_ne!(other["uniqueId"], made["uniqueId"]);
    let answer = rig.post(&undelete, json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "iam-sa-undelete-exists"));

    rig.call("DELETE", IAM, &path, Value::Null).await;
    let (status, restored) = rig.post(&undelete, json!({})).await;
    assert_eq!((status, &restored["restoredAccount"]["uniqueId"]), (200, &made["uniqueId"]));

    let answer = rig.post(&undelete, json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (404, "iam-sa-undelete-unknown"));
    rig.call("DELETE", IAM, &path, Value::Null).await;
    rig.clock.advance_to(rig.cloud.now() + seconds(31 * 24 * 3600)).unwrap();
    assert_eq!(rig.post(&undelete, json!({})).await.0, 404);
}

#[tokio::test]
async fn an_account_is_disabled_and_enabled() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let path = format!("/v1/projects/-/serviceAccounts/{CALLER}");
    assert_eq!(rig.post(&format!("{path}:disable"), json!({})).await, (200, json!({})));
    assert_eq!(rig.get(&path).await.1["disabled"], true);
    assert_eq!(rig.post(&format!("{path}:enable"), json!({})).await.0, 200);
    assert_eq!(rig.get(&path).await.1["disabled"], Value::Null);
}

#[tokio::test]
async fn a_policy_is_set_read_and_tested() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let stranger = rig.stranger();
    let path = format!("/v1/projects/shop-test/serviceAccounts/{CALLER}");
    let (_, empty) = rig.post(&format!("{path}:getIamPolicy?options.requestedPolicyVersion=3"), Value::Null).await;
    assert_eq!(empty, json!({ "etag": "ACAB", "version": 1 }));
    let member = format!("serviceAccount:{}", stranger.email);
    let policy = json!({ "bindings": [{ "role": "roles/iam.serviceAccountTokenCreator", "members": [member] }] });
    let (status, set) = rig.post(&format!("{path}:setIamPolicy"), json!({ "policy": policy })).await;
    assert_eq!((status, &set["bindings"]), (200, &policy["bindings"]));
    let asked = json!({ "permissions": ["iam.serviceAccounts.signBlob", "iam.serviceAccounts.delete"] });
    let test = format!("/v1/projects/-/serviceAccounts/{CALLER}:testIamPermissions");
    let (status, held) = rig.call_as(&stranger, "POST", IAM, &test, asked.clone()).await;
    assert_eq!((status, held), (200, json!({ "permissions": ["iam.serviceAccounts.signBlob"] })));
    let nobody = "/v1/projects/shop-test/serviceAccounts/nobody@shop-test.iam.gserviceaccount.com:testIamPermissions";
    assert_eq!(rig.post(nobody, asked).await, (200, json!({})));
}

#[rstest]
#[case::conditions_below_version_3(json!(1), true, 400)]
#[case::conditions_without_version(Value::Null, true, 400)]
#[case::conditions_in_version_3(json!(3), true, 200)]
#[case::a_version_that_there_is_not(json!(2), false, 400)]
#[case::nothing_conditional_in_version_3(json!(3), false, 200)]
#[tokio::test]
async fn conditions_are_written_in_version_3_alone(
    #[case] version: Value,
    #[case] conditional: bool,
    #[case] expected: u16,
) {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let condition = conditional.then(|| json!({ "title": "never", "expression": "false" }));
    let binding = json!({ "role": "roles/viewer", "members": ["allUsers"], "condition": condition });
    let path = format!("/v1/projects/shop-test/serviceAccounts/{CALLER}:setIamPolicy");
    let body = json!({ "policy": { "version": version, "bindings": [binding] } });
    assert_eq!(rig.post(&path, body).await.0, expected);
    let refused = (expected == 400).then(|| "iam-set-policy-version-invalid".to_owned());
    assert_eq!(rig.last().refusal, refused);
}

#[tokio::test]
async fn permissions_are_tested_by_whole_names() {
    let rig = Rig::new();
    create(&rig, "caller").await;
    let path = format!("/v1/projects/shop-test/serviceAccounts/{CALLER}:testIamPermissions");
    let (status, _) = rig.post(&path, json!({ "permissions": ["iam.serviceAccounts.get", "iam.*"] })).await;
    assert_eq!((status, rig.last().refusal.as_deref()), (400, Some("iam-test-permissions-wildcard")));
}

#[tokio::test]
async fn the_owner_may_found_a_project_with_its_first_account_and_nobody_else_may() {
    let rig = Rig::new();
    let (path, body) = ("/v1/projects/partner-prod/serviceAccounts", json!({ "accountId": "reader" }));
    assert_eq!(rig.call_as(&rig.stranger(), "POST", IAM, path, body.clone()).await.0, 403);
    assert!(rig.cloud.find_project("partner-prod").is_none());
    let (status, made) = rig.post(path, body).await;
    assert_eq!((status, &made["email"]), (200, &json!("reader@partner-prod.iam.gserviceaccount.com")));
    assert!(rig.cloud.find_project("partner-prod").is_some());
}
