//! Queues with many tasks keep their pace, and a million of them are as cheap each as a few.

use serde_json::json;
use tokenrig_clock::{minutes, seconds};

use crate::support::Rig;

#[tokio::test]
async fn ten_thousand_tasks_are_drained_at_the_rate_of_their_queue() {
    let rig = Rig::new(&[200]).await;
    for _ in 0..10_000 {
        let answer = rig.task(json!({ "httpRequest": { "url": "https://orders.example.com/" } })).await;
        assert_eq!(answer.0, 200);
    }
    rig.pass(minutes(5)).await;
    let times = rig.times();
    assert_eq!(times.len(), 10_000);
    // A burst of 100, then 500 a second.
    assert_eq!((times[99], times[100], times[9_999]), (0, 2, 19_800));
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[tokio::test]
async fn a_slow_queue_holds_up_no_other_one() {
    let rig = Rig::new(&[200]).await;
    rig.queue("slow", json!({ "rateLimits": { "maxDispatchesPerSecond": 0.1 } })).await;
    for id in 0..12 {
        let task = json!({ "task": { "httpRequest": { "url": format!("https://slow.example.com/{id}") } } });
        rig.rest("POST", "/v2/projects/shop-test/locations/us-central1/queues/slow/tasks", task).await;
        rig.task(json!({ "httpRequest": { "url": "https://orders.example.com/" } })).await;
    }
    rig.pass(seconds(15)).await;
    let of = |host: &str| rig.arrived().iter().filter(|(_, request)| request.url.contains(host)).count();
    assert_eq!((of("orders"), of("slow")), (12, 11));
}
