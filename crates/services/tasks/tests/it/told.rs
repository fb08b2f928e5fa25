//! What is kept can be given again.

use serde_json::json;

use crate::support::{QUEUE, Rig};

#[tokio::test]
async fn queues_and_tasks_are_told_as_they_are_given() {
    let rig = Rig::empty(&[200], Default::default());
    rig.queue("work", json!({ "rateLimits": { "maxDispatchesPerSecond": 1 }, "retryConfig": { "maxAttempts": 5 } }))
        .await;
    rig.rest("POST", &format!("/v2/{QUEUE}:pause"), json!({})).await;
    let auth = json!({ "serviceAccountEmail": "caller@shop-test.iam.gserviceaccount.com", "audience": "x" });
    let request = json!({ "url": "https://a.example.com", "body": "dGVh", "oidcToken": auth });
    let (status, made) = rig
        .task(json!({ "name": format!("{QUEUE}/tasks/t"), "scheduleTime": "2026-01-15T11:00:00Z", "httpRequest": request }))
        .await;
    assert_eq!(status, 200, "{made}");
    let told = rig.tasks.told().remove(0);
    assert_eq!(
        (told.id.as_str(), &told.fields["state"], &told.fields["location"]),
        ("work", &json!("PAUSED"), &json!("us-central1"))
    );
    assert!(told.fields["rateLimits"].get("maxBurstSize").is_none() && told.fields.get("name").is_none());
    let task = &told.tasks["t"];
    assert_eq!((&task["scheduleTime"], &task["httpRequest"]["body"]), (&json!("2026-01-15T11:00:00Z"), &json!("dGVh")));
    assert!(task.get("createTime").is_none() && task.get("name").is_none(), "{task}");

    let again = Rig::empty(&[200], Default::default());
    let mut fields = told.fields.clone();
    fields.shift_remove("location");
    assert_eq!(again.queue("work", fields.into()).await.0, 200);
    again.rest("POST", &format!("/v2/{QUEUE}:pause"), json!({})).await;
    let mut task = task.clone();
    task["name"] = json!(format!("{QUEUE}/tasks/t"));
    assert_eq!(again.task(task).await.0, 200);
    assert_eq!(again.tasks.told(), rig.tasks.told());
}
