use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    pools::{self, POOLS},
    rig::{IAM, Rig},
};

const ORGPOLICY: &str = "orgpolicy.googleapis.com";
const POLICIES: &str = "/v2/projects/shop-test/policies";
const KEYS: &str = "/v1/projects/-/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com/keys";

async fn create(rig: &Rig, constraint: &str, rule: Value) -> (u16, Value) {
    let body = json!({ "name": format!("projects/shop-test/policies/{constraint}"), "spec": { "rules": [rule] } });
    rig.call("POST", ORGPOLICY, POLICIES, body).await
}

#[tokio::test]
async fn a_constraint_is_set_read_changed_and_deleted() {
    let rig = Rig::new();
    let (status, made) = create(&rig, "iam.disableServiceAccountKeyCreation", json!({ "enforce": true })).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["name"], "projects/1071284184436/policies/iam.disableServiceAccountKeyCreation");
    let one = format!("{POLICIES}/iam.disableServiceAccountKeyCreation");
    assert_eq!(rig.call("GET", ORGPOLICY, &one, Value::Null).await, (200, made.clone()));
    assert_eq!(rig.call("GET", ORGPOLICY, POLICIES, Value::Null).await.1, json!({ "policies": [made] }));
    let again = create(&rig, "iam.disableServiceAccountKeyCreation", json!({ "enforce": true })).await;
    assert_eq!((again.0, rig.refused(&again).0.as_str()), (409, "orgpolicy-create-exists"));

    let off = json!({ "spec": { "rules": [{ "enforce": false }] } });
    let (_, changed) = rig.call("PATCH", ORGPOLICY, &format!("{one}?updateMask=policy.spec"), off.clone()).await;
    assert_eq!(changed["spec"]["rules"], json!([{ "enforce": false }]));
    let stale = json!({ "etag": made["etag"], "spec": {} });
    let answer = rig.call("PATCH", ORGPOLICY, &one, stale).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (409, "iam-etag-stale"));
    assert_eq!(rig.call("DELETE", ORGPOLICY, &one, Value::Null).await, (200, json!({})));
    let answer = rig.call("GET", ORGPOLICY, &one, Value::Null).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (404, "orgpolicy-unknown"));
}

#[rstest]
#[case::made("iam.disableServiceAccountKeyCreation", "", "iam-sa-key-creation-disabled")]
#[case::uploaded("iam.disableServiceAccountKeyUpload", ":upload", "iam-sa-key-upload-disabled")]
#[tokio::test]
async fn a_key_that_the_organization_forbids_is_refused(
    #[case] constraint: &str,
    #[case] verb: &str,
    #[case] refusal: &str,
) {
    let rig = Rig::new();
    create(&rig, constraint, json!({ "enforce": true })).await;
    let answer = rig.post(&format!("{KEYS}{verb}"), json!({})).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, refusal));
    assert_eq!(rig.last().failed().unwrap().name, "resource");
    let violation = &answer.1["error"]["details"][0]["violations"][0];
    assert_eq!(violation["type"], format!("constraints/{constraint}"));
    let subject = violation["subject"].as_str().unwrap();
    assert!(subject.ends_with("?configvalue=tokenrig-owner%40shop-test.iam.gserviceaccount.com"), "{subject}");
}

#[tokio::test]
async fn a_provider_trusts_only_issuers_that_the_organization_allows() {
    let rig = Rig::new();
    pools::create(&rig, "partners").await;
    let values = json!({ "values": { "allowedValues": ["https://login.corp.example"] } });
    assert_eq!(create(&rig, "iam.workloadIdentityPoolProviders", values).await.0, 200);
    let make = async |id: &str, issuer: &str| {
        let provider =
            json!({ "oidc": { "issuerUri": issuer }, "attributeMapping": { "google.subject": "assertion.sub" } });
        rig.post(&format!("{POOLS}/partners/providers?workloadIdentityPoolProviderId={id}"), provider).await
    };
    assert_eq!(make("corp-oidc", "https://login.corp.example").await.0, 200);
    let answer = make("other-oidc", "https://other.example").await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "wif-provider-issuer-not-allowed"));
    let violation = json!({
        "type": "constraints/iam.workloadIdentityPoolProviders",
        "description": "Org Policy violated for value: 'https://other.example'.",
        "subject": "orgpolicy:projects/shop-test/locations/global/workloadIdentityPools/partners",
    });
    assert_eq!(answer.1["error"]["details"][0]["violations"][0], violation);
    let path = format!("{POOLS}/partners/providers/corp-oidc?updateMask=oidc.issuerUri");
    let body = json!({ "oidc": { "issuerUri": "https://other.example" } });
    assert_eq!(rig.call("PATCH", IAM, &path, body).await.0, 400);
}

#[tokio::test]
async fn a_policy_may_name_nobody_outside_of_the_permitted_customers() {
    let rig = Rig::new();
    let values = json!({ "values": { "allowedValues": ["C0abc"] } });
    assert_eq!(create(&rig, "iam.allowedPolicyMemberDomains", values).await.0, 200);
    let account = "/v1/projects/shop-test/serviceAccounts/tokenrig-owner@shop-test.iam.gserviceaccount.com";
    let set = async |member: &str| {
        let policy = json!({ "bindings": [{ "role": "roles/iam.serviceAccountUser", "members": [member] }] });
        rig.post(&format!("{account}:setIamPolicy"), json!({ "policy": policy })).await
    };
    let answer = set("allUsers").await;
    let message = "One or more users named in the policy do not belong to a permitted customer.".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (400, ("iam-set-policy-domain-restricted".to_owned(), message)));
    assert_eq!(
        answer.1["error"]["details"][0]["violations"][0],
        json!({
            "type": "constraints/iam.allowedPolicyMemberDomains",
            "description": "User allUsers is not in permitted organization.",
        })
    );
    assert_eq!(set(&format!("serviceAccount:{}", rig.stranger().email)).await.0, 200);
}

#[rstest]
#[case::a_constraint_that_nobody_heeds("compute.vmExternalIpAccess", json!({ "denyAll": true }), 501, "iam-use-unplayed")]
#[case::a_rule_of_the_other_kind("iam.disableServiceAccountKeyCreation", json!({ "denyAll": true }), 400, "orgpolicy-field-invalid")]
#[case::no_rule("iam.workloadIdentityPoolProviders", json!({}), 400, "orgpolicy-field-invalid")]
#[case::a_condition(
    "iam.disableServiceAccountKeyCreation",
    json!({ "enforce": true, "condition": { "expression": "true" } }),
    501,
    "iam-use-unplayed"
)]
#[tokio::test]
async fn what_would_not_be_heeded_is_not_taken(
    #[case] constraint: &str,
    #[case] rule: Value,
    #[case] status: u16,
    #[case] refusal: &str,
) {
    let rig = Rig::new();
    let answer = create(&rig, constraint, rule).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (status, refusal));
}

#[tokio::test]
async fn who_has_no_part_in_the_project_may_not_set_constraints() {
    let rig = Rig::new();
    let answer = rig.call_as(&rig.stranger(), "GET", ORGPOLICY, POLICIES, Value::Null).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (403, "orgpolicy-permission-denied"));
}
