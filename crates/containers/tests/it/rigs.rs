//! An image behind a service of a rig.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokenrig::Rig;
use tokenrig_containers::{Pull, images};

use crate::machine::{IMAGE, containers, is_ready};

const RUN: &str = "https://run.googleapis.com/v2/projects/shop-test/locations/us-central1/services";

/// A rig with an open service of this id.
async fn rig(service: &str, workload: Value) -> Rig {
    let rig = Rig::builder().workload_kind("image", images(Pull::Never)).workload(service, workload).start().await;
    let container = json!({ "image": "the/workload/counts", "args": ["of", "the", "template"] });
    let body = json!({ "template": { "containers": [container] }, "invokerIamDisabled": true });
    let request = Request::post(format!("{RUN}?serviceId={service}"))
        .header("authorization", format!("Bearer {}", rig.core().owner_token()))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())));
    let answer = rig.dialer().send(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    rig
}

async fn get(rig: &Rig, service: &str) -> (u16, String) {
    let url = format!("https://{service}-1071284184436.us-central1.run.app/hello");
    let answer = rig.dialer().send(Request::get(url).body(Full::new(Bytes::new())).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_service_answers_from_its_image_and_the_container_ends_with_the_rig() {
    if !is_ready().await {
        return;
    }
    let service = format!("orders-{}", std::process::id());
    let rig = rig(&service, json!({ "image": IMAGE })).await;
    let (status, body) = get(&rig, &service).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.starts_with("/server of the template \n"), "{body}");
    assert!(body.contains(&format!("\nK_SERVICE={service}\n")), "{body}");
    assert_eq!(containers(&service).await.len(), 1);
    rig.stop().await;
    assert!(containers(&service).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rig_that_is_dropped_leaves_no_container() {
    if !is_ready().await {
        return;
    }
    let service = format!("dropped-rig-{}", std::process::id());
    let rig = rig(&service, json!({ "image": IMAGE })).await;
    assert_eq!(get(&rig, &service).await.0, 200);
    drop(rig);
    assert!(crate::machine::is_gone(&service).await);
}

#[tokio::test]
async fn a_service_without_its_image_is_unavailable_and_says_why() {
    if !is_ready().await {
        return;
    }
    let rig = rig("orders", json!({ "image": "registry.tokenrig.invalid/orders:v1" })).await;
    assert_eq!(get(&rig, "orders").await.0, 503);
}

#[tokio::test]
async fn what_is_no_reference_of_an_image_is_told_when_the_rig_is_built() {
    let builder = Rig::builder().workload_kind("image", images(Pull::Never));
    let fault = builder.workload("orders", json!({ "image": ["orders"] })).try_start().await.unwrap_err();
    assert!(fault.to_string().contains("`image` of a workload: it is the reference of an image"), "{fault}");
}
