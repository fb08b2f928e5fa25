use rstest::rstest;
use serde_json::{Value, json};

use crate::rig::{CLOUD_PLATFORM, Rig};

const ID_TOKEN: &str = "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a%40b:generateIdToken";

#[rstest]
#[case::bools_as_text(json!({"audience": "x", "includeEmail": "true", "useEmailAzp": "true"}), "projects/-/serviceAccounts/a@b x true true ")]
#[case::null_is_nothing(json!({"audience": "x", "delegates": null}), "projects/-/serviceAccounts/a@b x false false ")]
#[case::an_empty_list(json!({"audience": "x", "delegates": []}), "projects/-/serviceAccounts/a@b x false false ")]
#[case::proto_spelling(json!({"audience": "x", "include_email": true}), "projects/-/serviceAccounts/a@b x true false ")]
#[case::the_path_wins(json!({"audience": "x", "name": "projects/-/serviceAccounts/other"}), "projects/-/serviceAccounts/a@b x false false ")]
#[tokio::test]
async fn a_body_is_read_by_the_rules_of_json(#[case] body: Value, #[case] token: &str) {
    let rig = Rig::new();
    let (status, answer) = rig.rest(ID_TOKEN, &body.to_string()).await;
    assert_eq!((status, answer), (200, json!({ "token": token })));
}

#[rstest]
#[case("AQID-_8", "AQID+/8=")]
#[case("AQID+/8=", "AQID+/8=")]
#[case("AQID+/8", "AQID+/8=")]
#[tokio::test]
async fn bytes_come_in_either_alphabet_and_go_out_in_the_standard_one(#[case] sent: &str, #[case] got: &str) {
    let rig = Rig::new();
    let target = "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b:signBlob?alt=json";
    let (_, answer) = rig.rest(target, &json!({ "payload": sent, "delegates": null }).to_string()).await;
    assert_eq!(answer, json!({ "keyId": "k", "signedBlob": got }));
}

#[rstest]
#[case::none("", "")]
#[case::empty("", "{}")]
#[case::spaces("", "  \n")]
#[case::options("?options.requestedPolicyVersion=3&alt=json&prettyPrint=true&$.xgafv=2&key=k&fields=*&quotaUser=q", "")]
#[tokio::test]
async fn a_post_without_a_body_takes_its_fields_from_the_query(#[case] query: &str, #[case] body: &str) {
    let rig = Rig::new();
    let (status, answer) =
        rig.rest(&format!("POST iam.googleapis.com/v1/projects/-/serviceAccounts/a:getIamPolicy{query}"), body).await;
    assert_eq!(status, 200);
    assert_eq!(answer.get("version").cloned(), (!query.is_empty()).then(|| json!(3)));
    assert_eq!(answer["etag"], "cHJvamVjdHMvLS9zZXJ2aWNlQWNjb3VudHMvYQ==");
}

#[rstest]
#[case::names("keyTypes=USER_MANAGED&keyTypes=SYSTEM_MANAGED", json!(["USER_MANAGED", "SYSTEM_MANAGED"]))]
#[case::numbers("key_types=1&%24alt=json%3Benum-encoding%3Dint", json!([1]))]
#[case::raw("keyTypes=2&$alt=json;enum-encoding=int", json!([2]))]
#[tokio::test]
async fn repeated_enums_come_from_the_query_and_go_out_as_asked(#[case] query: &str, #[case] kinds: Value) {
    let rig = Rig::new();
    let target = format!("GET iam.googleapis.com/v1/projects/p/serviceAccounts/a/keys?{query}");
    let (_, answer) = rig.rest(&target, "").await;
    let found: Vec<&Value> = answer["keys"].as_array().unwrap().iter().map(|key| &key["keyType"]).collect();
    assert_eq!(json!(found), kinds);
}

#[tokio::test]
async fn an_update_has_its_name_in_the_path_its_mask_in_the_query_and_an_operation_as_answer() {
    let rig = Rig::new();
    let target = "PATCH europe-west4-run.googleapis.com/v2/projects/p/locations/l/services/s?updateMask=customAudiences,template.serviceAccount";
    let body = json!({
        "name": "ignored",
        "customAudiences": ["x"],
        "labels": { "b": "2", "a": "1" },
        "template": { "timeout": "300s", "scaling": { "maxInstanceCount": "3" } },
        "createTime": "2026-01-15T09:00:00Z",
        "ingress": "INGRESS_TRAFFIC_ALL",
    });
    let (status, answer) = rig.rest(target, &body.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    insta::assert_json_snapshot!(answer, @r#"
    {
      "name": "projects/p/locations/l/operations/o",
      "done": true,
      "response": {
        "@type": "type.googleapis.com/google.cloud.run.v2.Service",
        "name": "projects/p/locations/l/services/s",
        "description": "custom_audiences template.service_account",
        "generation": "7",
        "labels": {
          "a": "1",
          "b": "2"
        },
        "createTime": "2026-01-15T09:00:00Z",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": {
          "scaling": {
            "maxInstanceCount": 3
          },
          "timeout": "300s"
        },
        "customAudiences": [
          "x"
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn a_create_takes_its_id_from_the_query_and_its_resource_from_the_body() {
    let rig = Rig::new();
    let target = "POST run.googleapis.com/v2/projects/p/locations/l/services?serviceId=orders&validateOnly=false";
    let (_, answer) = rig.rest(target, "{}").await;
    assert_eq!(answer["response"]["name"], "projects/p/locations/l/services/orders");
}

#[tokio::test]
async fn maps_go_out_in_order() {
    let rig = Rig::new();
    let target =
        "GET iam.googleapis.com/v1/projects/p/locations/global/workloadIdentityPools/q/providers/r?prettyPrint=false";
    let bearer = format!("Bearer {}", rig.token(CLOUD_PLATFORM));
    let (_, text) = rig.rest_as(Some(&bearer), target, "").await;
    assert_eq!(
        text,
        r#"{"name":"projects/p/locations/global/workloadIdentityPools/q/providers/r","state":"ACTIVE","attributeMapping":{"attribute.a":"assertion.sub","attribute.b":"assertion.sub","attribute.c":"assertion.sub","attribute.d":"assertion.sub","attribute.e":"assertion.sub","google.subject":"assertion.sub"}}"#
    );
}

#[tokio::test]
async fn a_token_may_stand_in_the_query() {
    let rig = Rig::new();
    let target = format!(
        "GET iam.googleapis.com/v1/projects/p/serviceAccounts/a/keys?access_token={}",
        rig.token(CLOUD_PLATFORM)
    );
    assert_eq!(rig.rest_as(None, &target, "").await, (200, "{}\n".to_owned()));
}

#[tokio::test]
async fn who_may_not_call_is_told_so_before_the_body_is_looked_at() {
    let rig = Rig::new();
    let (status, _) = rig.rest_as(None, ID_TOKEN, "no json").await;
    assert_eq!((status, rig.last().refusal.as_deref()), (401, Some("api-token-missing")));
}
