//! Queues.

use serde_json::json;
use tokenrig_clock::minutes;

use crate::support::{QUEUE, Rig};

#[tokio::test]
async fn a_new_queue_has_googles_defaults_and_tells_its_state_when_it_is_read() {
    let rig = Rig::empty(&[200], Default::default());
    let (status, made) = rig.queue("work", json!({})).await;
    let limits = json!({ "maxDispatchesPerSecond": 500.0, "maxBurstSize": 100, "maxConcurrentDispatches": 1000 });
    let retry = json!({ "maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16 });
    assert_eq!(status, 200);
    assert_eq!(made["rateLimits"]["maxBurstSize"], limits["maxBurstSize"]);
    assert_eq!((&made["retryConfig"], made.get("state")), (&retry, None));
    let (_, read) = rig.rest("GET", &format!("/v2/{QUEUE}"), json!(null)).await;
    assert_eq!(read["state"], "RUNNING");
}

#[tokio::test]
async fn an_update_writes_what_its_mask_names_and_makes_what_is_not_there() {
    let rig = Rig::new(&[200]).await;
    let path = format!("/v2/{QUEUE}?updateMask=retryConfig.maxAttempts,retryConfig.maxDoublings");
    let (status, told) =
        rig.rest("PATCH", &path, json!({ "retryConfig": { "maxAttempts": 7, "minBackoff": "9s" } })).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        (&told["retryConfig"]["maxAttempts"], &told["retryConfig"]["minBackoff"]),
        (&json!(7), &json!("0.100s"))
    );
    assert_eq!(told["retryConfig"].get("maxDoublings"), None, "a masked 0 is a wish");
    let other = "/v2/projects/shop-test/locations/us-central1/queues/other";
    let (status, told) = rig.rest("PATCH", other, json!({ "rateLimits": { "maxDispatchesPerSecond": 1 } })).await;
    assert_eq!((status, &told["rateLimits"]["maxBurstSize"]), (200, &json!(10)));
    let (status, told) = rig.rest("PATCH", &format!("/v2/{QUEUE}?updateMask=nonsense"), json!({})).await;
    assert_eq!(status, 400, "{told}");
}

#[tokio::test]
async fn a_changed_rate_counts_for_tasks_that_wait() {
    let rig = Rig::new(&[200]).await;
    let path = format!("/v2/{QUEUE}?updateMask=rateLimits.maxDispatchesPerSecond");
    rig.rest("PATCH", &path, json!({ "rateLimits": { "maxDispatchesPerSecond": 1 } })).await;
    for _ in 0..12 {
        rig.task(json!({ "httpRequest": { "url": "https://orders.example.com/" } })).await;
    }
    rig.pass(minutes(1)).await;
    assert_eq!(rig.times()[9..], [0, 1_000, 2_000]);
}

#[tokio::test]
async fn locations_have_the_label_that_gcloud_reads() {
    let rig = Rig::new(&[200]).await;
    let (_, told) = rig.rest("GET", "/v2/projects/shop-test/locations?pageSize=100", json!(null)).await;
    let expected = json!([{
        "name": "projects/shop-test/locations/us-central1", "locationId": "us-central1",
        "labels": { "cloud.googleapis.com/region": "us-central1" },
    }]);
    assert_eq!(told["locations"], expected);
    let (status, _) = rig.rest("GET", "/v2/projects/shop-test/locations/europe-west4", json!(null)).await;
    assert_eq!(status, 200);
    let (status, _) = rig.rest("GET", "/v2/projects/shop-test/locations/nowhere", json!(null)).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn queues_come_in_pages() {
    let rig = Rig::new(&[200]).await;
    rig.queue("another", json!({})).await;
    let path = "/v2/projects/shop-test/locations/us-central1/queues?pageSize=1";
    let (_, first) = rig.rest("GET", path, json!(null)).await;
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = rig.rest("GET", &format!("{path}&pageToken={token}"), json!(null)).await;
    assert!(first["queues"][0]["name"].as_str().unwrap().ends_with("another"));
    assert_eq!((&second["queues"][0]["name"], second.get("nextPageToken")), (&json!(QUEUE), None));
    let (status, _) = rig.rest("GET", &format!("{path}&pageToken=%21"), json!(null)).await;
    assert_eq!(status, 400);
}
