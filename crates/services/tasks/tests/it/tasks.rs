//! Tasks: how they are kept, sent and tried again.

use rstest::rstest;
use serde_json::json;
use tokenrig_clock::{SignedDuration, minutes, seconds};

use crate::support::{QUEUE, Rig, header};

#[tokio::test]
async fn a_kept_task_holds_what_google_adds() {
    let rig = Rig::new(&[200]).await;
    let at = "2026-01-15T10:00:00.123456789Z";
    let request = json!({ "url": "https://orders.example.com/x", "headers": { "x-Mine": "1", "user-agent": "mine" } });
    let (status, told) = rig.task(json!({ "scheduleTime": at, "httpRequest": request })).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["httpRequest"]["headers"], json!({ "x-Mine": "1", "User-Agent": "Google-Cloud-Tasks" }));
    assert_eq!(told["httpRequest"]["httpMethod"], "POST");
    assert_eq!(
        (&told["dispatchDeadline"], &told["scheduleTime"]),
        (&json!("600s"), &json!("2026-01-15T10:00:00.123456Z"))
    );
    let id = told["name"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!(id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
}

#[tokio::test]
async fn an_app_engine_task_has_its_own_family_of_headers() {
    let rig = Rig::new(&[500, 0, 200]).await;
    let request = json!({ "relativeUri": "/tick", "body": "dGVh", "appEngineRouting": { "service": "web" } });
    let (status, told) = rig.task(json!({ "appEngineHttpRequest": request })).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["appEngineHttpRequest"]["headers"]["Content-Type"], "application/octet-stream");
    assert_eq!(told["appEngineHttpRequest"]["appEngineRouting"]["host"], "web.shop-test.appspot.com");
    rig.pass(minutes(1)).await;
    let arrived = rig.arrived();
    assert_eq!(&*arrived[0].1.url, "https://web-dot-shop-test.appspot.com/tick");
    let sent = |attempt: usize, name: &str| header(&arrived[attempt].1, name).map(str::to_owned);
    let executions: Vec<_> = (0..3).map(|attempt| sent(attempt, "X-AppEngine-TaskExecutionCount").unwrap()).collect();
    assert_eq!(executions, ["0", "1", "1"]);
    assert_eq!(sent(1, "X-AppEngine-TaskRetryReason").as_deref(), Some("App Error"));
    assert_eq!(sent(2, "X-AppEngine-TaskPreviousResponse").as_deref(), Some("0"));
    assert_eq!(sent(2, "X-AppEngine-TaskRetryReason").as_deref(), Some("Instance Unavailable"));
}

#[rstest]
#[case::as_large_as_can_be(1_048_569, 200)]
#[case::a_byte_more(1_048_570, 400)]
#[tokio::test]
async fn a_task_is_measured_as_it_is_kept(#[case] size: usize, #[case] status: u16) {
    let rig = Rig::new(&[200]).await;
    let url = "https://orders.example.com/";
    // Its name, times, deadline, verb, URL, agent and body, each with what protobuf puts before it.
    let name = format!("{QUEUE}/tasks/large").len() + 2;
    let (times, deadline, verb, agent) = (2 * (2 + 6), 2 + 3, 2, 2 + 2 + 10 + 2 + 18);
    let url_size = url.len() + 2;
    let around = name + times + deadline + verb + url_size + agent + 4 + 4;
    let body = base64(size - around);
    let task = json!({ "name": format!("{QUEUE}/tasks/large"), "httpRequest": { "url": url, "body": body } });
    let (found, told) = rig.task(task).await;
    assert_eq!(found, status, "{told}");
}

/// So many zero bytes.
fn base64(count: usize) -> String {
    let whole = "A".repeat(count / 3 * 4);
    whole
        + match count % 3 {
            1 => "AA==",
            2 => "AAA=",
            _ => "",
        }
}

#[tokio::test]
async fn a_task_lives_for_a_month_whatever_happens() {
    let rig = Rig::new(&[200]).await;
    rig.rest("POST", &format!("/v2/{QUEUE}:pause"), json!({})).await;
    rig.task(json!({ "name": format!("{QUEUE}/tasks/old"), "httpRequest": { "url": "https://a.example.com" } })).await;
    let day = SignedDuration::from_hours(24);
    rig.pass(day * 30).await;
    assert_eq!(rig.rest("GET", &format!("/v2/{QUEUE}/tasks/old"), json!(null)).await.0, 401, "the token is over");
    assert_eq!(rig.tasks.told()[0].tasks.len(), 1);
    rig.pass(day).await;
    assert_eq!(rig.tasks.told()[0].tasks.len(), 0);
    assert_eq!(rig.arrived().len(), 0);
}

#[tokio::test]
async fn a_task_may_have_retries_of_its_own() {
    let rig = Rig::new(&[500]).await;
    let retry = json!({ "maxAttempts": 2, "minBackoff": "5s" });
    let (status, told) =
        rig.task(json!({ "retryConfig": retry, "httpRequest": { "url": "https://a.example.com" } })).await;
    assert_eq!((status, &told["retryConfig"]["maxAttempts"]), (200, &json!(2)), "{told}");
    rig.pass(minutes(10)).await;
    assert_eq!(rig.times(), [0, 5_000]);
}

#[tokio::test]
async fn a_run_that_fails_is_followed_by_a_retry_from_then_on() {
    let rig = Rig::new(&[500]).await;
    rig.rest(
        "PATCH",
        &format!("/v2/{QUEUE}?updateMask=retryConfig"),
        json!({ "retryConfig": { "minBackoff": "30s" } }),
    )
    .await;
    let request = json!({ "url": "https://a.example.com" });
    let task =
        json!({ "name": format!("{QUEUE}/tasks/t"), "scheduleTime": "2026-01-15T11:00:00Z", "httpRequest": request });
    rig.task(task).await;
    rig.pass(seconds(60)).await;
    assert_eq!(rig.rest("POST", &format!("/v2/{QUEUE}/tasks/t:run"), json!({})).await.0, 200);
    rig.pass(seconds(45)).await;
    assert_eq!(rig.times(), [60_000, 90_000]);
}

#[tokio::test]
async fn an_attempt_tells_its_task_how_it_went() {
    let rig = Rig::new(&[500]).await;
    rig.task(json!({ "name": format!("{QUEUE}/tasks/t"), "httpRequest": { "url": "https://a.example.com" } })).await;
    rig.pass(SignedDuration::ZERO).await;
    let (_, told) = rig.rest("GET", &format!("/v2/{QUEUE}/tasks/t"), json!(null)).await;
    let attempt = json!({
        "scheduleTime": "2026-01-15T09:00:00Z", "dispatchTime": "2026-01-15T09:00:00Z",
        "responseTime": "2026-01-15T09:00:00Z",
        "responseStatus": { "code": 13, "message": "INTERNAL(13): HTTP status code 500" },
    });
    assert_eq!(told["lastAttempt"], attempt);
    assert_eq!(told["firstAttempt"], json!({ "dispatchTime": "2026-01-15T09:00:00Z" }));
    assert_eq!((&told["dispatchCount"], &told["responseCount"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn tasks_come_in_pages() {
    let rig = Rig::new(&[200]).await;
    rig.rest("POST", &format!("/v2/{QUEUE}:pause"), json!({})).await;
    for id in ["b", "a", "c"] {
        rig.task(json!({ "name": format!("{QUEUE}/tasks/{id}"), "httpRequest": { "url": "https://a.example.com" } }))
            .await;
    }
    let path = format!("/v2/{QUEUE}/tasks?pageSize=2");
    let (_, first) = rig.rest("GET", &path, json!(null)).await;
    let (_, second) =
        rig.rest("GET", &format!("{path}&pageToken={}", first["nextPageToken"].as_str().unwrap()), json!(null)).await;
    assert_eq!((first["tasks"].as_array().unwrap().len(), second["tasks"].as_array().unwrap().len()), (2, 1));
    assert!(second["tasks"][0]["name"].as_str().unwrap().ends_with("/c"));
}
