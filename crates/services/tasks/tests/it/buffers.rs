//! Requests that become tasks.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::SignedDuration;

use crate::support::{QUEUE, Rig, header};

async fn rig() -> Rig {
    let rig = Rig::empty(&[200], Default::default());
    let target = json!({ "uriOverride": { "host": "orders.example.com", "queryOverride": { "queryParams": "a=1" } } });
    let made = rig.queue("work", json!({ "httpTarget": target })).await;
    assert_eq!(made.0, 200, "{made:?}");
    rig
}

#[rstest]
#[case("POST", "v2beta3", b"{\"not\": \"a task\"}".as_slice())]
#[case("PUT", "v2", b"\x00\xff\xfe".as_slice())]
#[case("GET", "v2beta3", b"".as_slice())]
#[tokio::test]
async fn any_request_is_sent_on_as_it_came(#[case] verb: &str, #[case] version: &str, #[case] body: &[u8]) {
    let rig = rig().await;
    let headers = [("content-type", "application/x-mine"), ("x-mine", "here"), ("x-goog-api-client", "gl-x")];
    let path = format!("/{version}/{QUEUE}/tasks/mine:buffer");
    let (status, told) = rig.send(verb, &path, &headers, body.to_vec()).await;
    assert_eq!((status, &told["task"]["name"]), (200, &json!(format!("{QUEUE}/tasks/mine"))), "{told}");
    rig.pass(SignedDuration::ZERO).await;
    let sent = &rig.arrived()[0].1;
    assert_eq!((sent.method.as_str(), &*sent.url, &*sent.body), (verb, "https://orders.example.com?a=1", body));
    assert_eq!((header(sent, "x-mine"), header(sent, "content-type")), (Some("here"), Some("application/x-mine")));
    assert_eq!((header(sent, "authorization"), header(sent, "x-goog-api-client")), (None, None));
}

#[tokio::test]
async fn without_a_name_the_server_gives_one_and_without_a_host_there_is_no_task() {
    let rig = rig().await;
    let (status, told) = rig.send("POST", &format!("/v2beta3/{QUEUE}/tasks:buffer"), &[], b"x".to_vec()).await;
    assert!(status == 200 && told["task"]["name"].as_str().unwrap().starts_with(QUEUE), "{told}");
    rig.queue("plain", json!({})).await;
    let path = "/v2beta3/projects/shop-test/locations/us-central1/queues/plain/tasks:buffer";
    let (status, told) = rig.send("POST", path, &[], b"x".to_vec()).await;
    assert_eq!((status, &told["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_ne!(told, Value::Null);
}
