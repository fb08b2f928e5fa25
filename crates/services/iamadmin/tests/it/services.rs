use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_protos::google::{api::serviceusage::v1::DisableServiceRequest, longrunning::Operation};

use crate::rig::{Over, Rig, USAGE};

const RUN: &str = "/v1/projects/shop-test/services/run.googleapis.com";

#[rstest]
#[tokio::test]
async fn a_service_is_switched_off_and_on(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    if over == Over::Rest {
        let (status, operation) = rig.call("POST", USAGE, &format!("{RUN}:disable"), json!({})).await;
        assert_eq!((status, &operation["done"]), (200, &json!(true)));
        assert_eq!(operation["response"]["service"]["state"], "DISABLED");
    } else {
        let request = DisableServiceRequest {
            name: "projects/shop-test/services/run.googleapis.com".into(),
            ..Default::default()
        };
        let path = "/google.api.serviceusage.v1.ServiceUsage/DisableService";
        assert!(rig.grpc::<Operation>(USAGE, path, &request).await.unwrap().done);
    }
    assert!(!rig.cloud.service_enabled("run.googleapis.com"));
    let (_, service) = rig.call("GET", USAGE, RUN, Value::Null).await;
    assert_eq!(service["name"], "projects/1071284184436/services/run.googleapis.com");
    assert_eq!(service["state"], "DISABLED");
    let listed = async |state: &str| {
        let path = format!("/v1/projects/shop-test/services?filter=state:{state}&pageSize=200");
        rig.call("GET", USAGE, &path, Value::Null).await.1["services"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(listed("DISABLED").await, 1);
    assert!(listed("ENABLED").await > 5);
    let batch = json!({ "serviceIds": ["run.googleapis.com", "eventarc.googleapis.com"] });
    let (status, operation) = rig.call("POST", USAGE, "/v1/projects/shop-test/services:batchEnable", batch).await;
    assert_eq!((status, operation["response"]["services"].as_array().unwrap().len()), (200, 2));
    assert!(rig.cloud.service_enabled("run.googleapis.com"));
    assert_eq!(rig.call("POST", USAGE, &format!("{RUN}:enable"), json!({})).await.0, 200);
}

#[tokio::test]
async fn who_has_no_part_in_the_project_may_not_switch_its_services() {
    let rig = Rig::new();
    let answer = rig.call_as(&rig.stranger(), "POST", USAGE, &format!("{RUN}:enable"), json!({})).await;
    let message = "Permission denied to enable service [run.googleapis.com]".to_owned();
    assert_eq!((answer.0, rig.refused(&answer)), (403, ("serviceusage-permission-denied".to_owned(), message)));
    assert_eq!(rig.call("GET", USAGE, "/v1/projects/nobodys/services", Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_service_has_a_name_of_its_form() {
    let rig = Rig::new();
    let answer = rig.call("GET", USAGE, "/v1/folders/1/services/run.googleapis.com", Value::Null).await;
    assert_eq!((answer.0, rig.refused(&answer).0.as_str()), (400, "serviceusage-field-invalid"));
}
