//! Jobs as they run on a clock.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp, minutes, seconds};
use tokenrig_scheduler::Settings;

use crate::support::{Over, Rig, TICK};

fn start() -> Timestamp {
    "2026-01-15T09:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn each_start_of_the_schedule_is_one_request_with_the_documented_headers() {
    let rig = Rig::new();
    rig.tick(|job| job["httpTarget"]["body"] = json!("eyJhIjoxfQ==")).await.ok();
    rig.advance(minutes(11)).await;
    let got = rig.got();
    assert_eq!(
        got.iter().map(|got| got.at.to_string()).collect::<Vec<_>>(),
        ["2026-01-15T09:05:00Z", "2026-01-15T09:10:00Z"]
    );
    let first = &got[0];
    assert_eq!((first.method.as_str(), first.url.as_str()), ("POST", "https://orders.example.com/tick"));
    assert_eq!(first.body, br#"{"a":1}"#);
    let names: Vec<&str> = first.headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "Content-Type",
        "User-Agent",
        "X-CloudScheduler",
        "X-CloudScheduler-JobName",
        "X-CloudScheduler-ScheduleTime",
        "Authorization",
    ];
    assert_eq!(names, expected);
    assert_eq!(first.header("User-Agent"), Some("Google-Cloud-Scheduler"));
    assert_eq!(first.header("X-CloudScheduler-JobName"), Some("tick"));
    assert_eq!(first.header("X-CloudScheduler-ScheduleTime"), Some("2026-01-15T01:05:00-08:00"));
    let token = first.header("Authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let claims = claims_of(&token);
    assert_eq!(
        (&claims["aud"], &claims["email"]),
        (&json!("https://orders.example.com/tick"), &json!(rig.runner.email))
    );
    let job = rig.get().await;
    assert_eq!((&job["status"], &job["lastAttemptTime"]), (&json!({}), &json!("2026-01-15T09:10:00Z")));
    assert_eq!(job["scheduleTime"], "2026-01-15T09:15:00Z");
}

/// The claims of a JWT, unverified.
fn claims_of(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_schedule_in_words_sends_no_time_of_the_schedule() {
    let rig = Rig::new();
    rig.tick(|job| job["schedule"] = json!("every 10 minutes")).await.ok();
    rig.advance(minutes(10)).await;
    let got = rig.got();
    assert_eq!((got.len(), got[0].header("X-CloudScheduler-ScheduleTime")), (1, None));
}

#[rstest]
#[case::none(json!({}), &[503; 9], &[300, 600])]
#[case::five(json!({ "retryCount": 5 }), &[503; 9], &[300, 305, 315, 335, 375, 455, 600, 605, 615])]
#[case::until_it_works(json!({ "retryCount": 5 }), &[500, 404], &[300, 305, 315, 600])]
#[case::window(json!({ "maxRetryDuration": "30s", "minBackoffDuration": "4s", "maxBackoffDuration": "10s" }), &[503; 9], &[300, 304, 312, 322, 600, 604, 612])]
#[case::count_and_window(json!({ "retryCount": 1, "maxRetryDuration": "20s", "minBackoffDuration": "10s" }), &[503; 3], &[300, 310, 330, 600])]
#[tokio::test]
async fn failures_are_tried_again_as_the_retry_config_says(
    #[case] config: Value,
    #[case] answers: &[u16],
    #[case] expected: &[i64],
) {
    let rig = Rig::new();
    rig.tick(|job| job["retryConfig"] = config).await.ok();
    rig.answers(answers);
    rig.advance(seconds(620)).await;
    assert_eq!(rig.times(start()), expected);
}

#[tokio::test]
async fn every_attempt_of_an_occurrence_has_its_time_and_the_job_shows_the_retry() {
    let rig = Rig::new();
    rig.tick(|job| job["retryConfig"] = json!({ "retryCount": 3 })).await.ok();
    rig.answers(&[503, 401]);
    rig.advance(seconds(301)).await;
    let job = rig.get().await;
    assert_eq!((&job["status"]["code"], &job["scheduleTime"]), (&json!(14), &json!("2026-01-15T09:05:05Z")));
    rig.advance(seconds(10)).await;
    assert_eq!(rig.get().await["status"]["code"], 16);
    rig.advance(seconds(100)).await;
    let times: Vec<_> =
        rig.got().iter().map(|got| got.header("X-CloudScheduler-ScheduleTime").unwrap().to_owned()).collect();
    assert_eq!(times, ["2026-01-15T01:05:00-08:00"; 3]);
    assert_eq!(rig.get().await["status"], json!({}));
}

#[rstest]
#[case::retries_overtake(true, &[300, 400, 550, 700])]
#[case::the_start_takes_their_place(false, &[300, 400, 550, 600])]
#[tokio::test]
async fn retries_and_the_next_start_do_not_run_beside_each_other(#[case] overtake: bool, #[case] expected: &[i64]) {
    let settings = Settings { retries_overtake: overtake, ..Settings::default() };
    let rig = Rig::with(settings, "2026-01-15T09:00:00Z", |_| {});
    let config = json!({
        "retryCount": 5, "minBackoffDuration": "100s", "maxBackoffDuration": "150s", "maxDoublings": 1,
    });
    rig.tick(|job| job["retryConfig"] = config).await.ok();
    rig.answers(&[503, 503, 503]);
    rig.advance(seconds(899)).await;
    assert_eq!(rig.times(start()), expected);
}

#[tokio::test]
async fn a_start_that_falls_due_during_an_attempt_waits_for_its_end() {
    let rig = Rig::new();
    rig.tick(|job| {
        job["schedule"] = json!("* * * * *");
        job["attemptDeadline"] = json!("150s");
    })
    .await
    .ok();
    rig.answers(&[0]);
    rig.advance(seconds(300)).await;
    // The first hangs until 210; the starts at 120 and 180 are one, made at once after it.
    assert_eq!(rig.times(start()), [60, 210, 240, 300]);
}

#[tokio::test]
async fn an_attempt_that_overruns_its_deadline_is_told_with_its_code() {
    let rig = Rig::new();
    rig.tick(|job| job["attemptDeadline"] = json!("30s")).await.ok();
    rig.answers(&[0]);
    rig.advance(seconds(329)).await;
    assert_eq!(rig.get().await["status"]["code"], -1);
    rig.advance(seconds(1)).await;
    assert_eq!(rig.get().await["status"]["code"], 4);
    let told = rig.deliveries.attempts(0);
    assert_eq!((&told[0]["code"], &told[0]["follows"]), (&json!("DEADLINE_EXCEEDED"), &json!("schedule")));
    assert_eq!(told[0]["next"], "2026-01-15T09:10:00Z");
}

#[tokio::test]
async fn a_forced_run_is_made_at_once_even_of_a_paused_job_and_bears_the_next_start() {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    let run = || rig.call(Over::Rest, "run", json!({ "name": TICK }));
    let told = run().await.ok();
    assert_eq!(told.get("lastAttemptTime"), None);
    rig.deliveries.settle().await;
    let got = rig.got();
    assert_eq!((got.len(), got[0].at), (1, start()));
    assert_eq!(got[0].header("X-CloudScheduler-ScheduleTime"), Some("2026-01-15T01:05:00-08:00"));
    rig.call(Over::Rest, "pause", json!({ "name": TICK })).await.ok();
    run().await.ok();
    rig.deliveries.settle().await;
    assert_eq!(rig.got().len(), 1);
    rig.advance(minutes(30)).await;
    assert!(rig.got().is_empty());
}

#[tokio::test]
async fn a_forced_run_does_not_wait_for_one_in_flight() {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    rig.answers(&[0]);
    rig.advance(seconds(300)).await;
    rig.call(Over::Rest, "run", json!({ "name": TICK })).await.ok();
    rig.deliveries.settle().await;
    assert_eq!(rig.got().len(), 2);
    assert_eq!(rig.deliveries.in_flight().len(), 1);
}

#[tokio::test]
async fn a_deleted_job_runs_no_more_and_a_pause_gives_up_retries() {
    let rig = Rig::new();
    rig.tick(|job| job["retryConfig"] = json!({ "retryCount": 5 })).await.ok();
    rig.answers(&[503]);
    rig.advance(seconds(301)).await;
    rig.call(Over::Rest, "pause", json!({ "name": TICK })).await.ok();
    rig.advance(seconds(60)).await;
    assert_eq!(rig.got().len(), 1);
    rig.call(Over::Rest, "resume", json!({ "name": TICK })).await.ok();
    rig.call(Over::Rest, "delete", json!({ "name": TICK })).await.ok();
    rig.advance(SignedDuration::from_hours(1)).await;
    assert!(rig.got().is_empty());
}

#[tokio::test]
async fn a_handler_in_app_engine_that_is_busy_is_asked_again_whatever_is_configured() {
    let rig = Rig::new();
    rig.tick(|job| {
        let job = job.as_object_mut().unwrap();
        job.remove("httpTarget");
        job.insert("appEngineHttpTarget".into(), json!({ "relativeUri": "/tick" }));
    })
    .await
    .ok();
    rig.answers(&[503, 503, 500]);
    rig.advance(seconds(400)).await;
    let got = rig.got();
    assert_eq!(got.len(), 3);
    assert_eq!(got[0].url, "https://shop-test.appspot.com/tick");
    assert_eq!(got[0].header("User-Agent"), Some("AppEngine-Google; (+http://code.google.com/appengine)"));
    assert_eq!(got[0].header("Authorization"), None);
    assert_eq!(rig.get().await["status"]["code"], 13);
}

#[tokio::test]
async fn a_topic_says_that_there_is_no_pubsub() {
    let rig = Rig::new();
    rig.tick(|job| {
        let job = job.as_object_mut().unwrap();
        job.remove("httpTarget");
        job.insert("pubsubTarget".into(), json!({ "topicName": "projects/shop-test/topics/t", "data": "AQ==" }));
    })
    .await
    .ok();
    rig.advance(seconds(300)).await;
    let status = rig.get().await["status"].clone();
    let text = "tokenrig does not play Pub/Sub: nothing was published to projects/shop-test/topics/t.";
    assert_eq!(status, json!({ "code": 12, "message": text }));
    assert_eq!(rig.deliveries.attempts(0)[0]["why"], text);
}

#[tokio::test]
async fn each_attempt_leaves_two_entries_in_the_log_of_executions() {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    rig.answers(&[503]);
    rig.advance(seconds(600)).await;
    let log: Vec<Value> = rig.cloud.audit().since(0).into_iter().map(|(_, entry)| entry).collect();
    let kinds: Vec<&str> =
        log.iter().map(|entry| entry["jsonPayload"]["@type"].as_str().unwrap().rsplit('.').next().unwrap()).collect();
    assert_eq!(kinds, ["AttemptStarted", "AttemptFinished", "AttemptStarted", "AttemptFinished"]);
    let failed = &log[1];
    assert_eq!(failed["logName"], "projects/shop-test/logs/cloudscheduler.googleapis.com%2Fexecutions");
    let labels = json!({ "job_id": "tick", "location": "us-central1", "project_id": "shop-test" });
    assert_eq!(failed["resource"], json!({ "type": "cloud_scheduler_job", "labels": labels }));
    assert_eq!((&failed["severity"], &failed["httpRequest"]["status"]), (&json!("ERROR"), &json!(503)));
    let payload = json!({
        "@type": "type.googleapis.com/google.cloud.scheduler.logging.AttemptFinished",
        "jobName": TICK,
        "targetType": "HTTP",
        "url": "https://orders.example.com/tick",
        "scheduledTime": "2026-01-15T09:05:00Z",
        "status": "UNAVAILABLE",
    });
    assert_eq!(failed["jsonPayload"], payload);
    assert_eq!((&log[3]["severity"], log[3]["jsonPayload"].get("status")), (&json!("INFO"), None));
}

#[tokio::test]
async fn the_same_happens_every_time() {
    let told = async || {
        let rig = Rig::new();
        for id in ["b", "a", "c"] {
            rig.tick(|job| {
                job["name"] = json!(format!("projects/shop-test/locations/us-central1/jobs/{id}"));
                job["retryConfig"] = json!({ "retryCount": 2 });
            })
            .await
            .ok();
        }
        rig.answers(&[503, 200, 500, 503]);
        rig.advance(minutes(10)).await;
        rig.deliveries.attempts(0)
    };
    let once = told().await;
    let names: Vec<_> =
        once.iter().take(3).map(|one| one["resource"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(told().await, once);
}
