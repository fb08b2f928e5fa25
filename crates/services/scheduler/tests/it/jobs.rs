//! The methods of jobs, on both wires.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::minutes;
use tokenrig_scheduler::Settings;

use crate::support::{Over, PARENT, Rig, TICK};

#[rstest]
#[tokio::test]
async fn a_job_is_told_as_google_tells_it(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let made = rig.call(over, "create", json!({ "parent": PARENT, "job": rig.job() })).await.ok();
    let mut expected = json!({
        "name": TICK,
        "httpTarget": {
            "uri": "https://orders.example.com/tick",
            "httpMethod": "POST",
            "headers": { "User-Agent": "Google-Cloud-Scheduler" },
            "oidcToken": { "serviceAccountEmail": rig.runner.email },
        },
        "schedule": "*/5 * * * *",
        "timeZone": "UTC",
        "userUpdateTime": "2026-01-15T09:00:00Z",
        "state": "ENABLED",
        "scheduleTime": "2026-01-15T09:05:00Z",
        "retryConfig": {
            "maxRetryDuration": "0s", "minBackoffDuration": "5s", "maxBackoffDuration": "3600s", "maxDoublings": 5,
        },
        "attemptDeadline": "180s",
    });
    assert_eq!(made, expected);
    expected["status"] = json!({ "code": -1 });
    assert_eq!(rig.call(over, "get", json!({ "name": TICK })).await.ok(), expected);
    // By the project's number it is the same job.
    let by_number = TICK.replace("shop-test", "1071284184436");
    assert_eq!(rig.call(over, "get", json!({ "name": by_number })).await.ok(), expected);
}

#[rstest]
#[tokio::test]
async fn what_a_mask_names_is_changed_and_nothing_else(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    // As gcloud sends it: defaults stand beside what is meant.
    let job =
        json!({ "name": TICK, "schedule": "0 12 * * *", "httpTarget": { "httpMethod": "GET" }, "state": "PAUSED" });
    let patched = rig.call(over, "patch", json!({ "job": job, "updateMask": "schedule" })).await.ok();
    assert_eq!(
        (&patched["schedule"], &patched["scheduleTime"]),
        (&json!("0 12 * * *"), &json!("2026-01-15T12:00:00Z"))
    );
    assert_eq!((&patched["httpTarget"]["httpMethod"], &patched["state"]), (&json!("POST"), &json!("ENABLED")));

    let job = json!({ "name": TICK, "timeZone": "Europe/Berlin", "httpTarget": { "uri": "https://new.example.com/" } });
    let mask = "timeZone,httpTarget.uri";
    let patched = rig.call(over, "patch", json!({ "job": job, "updateMask": mask })).await.ok();
    assert_eq!(patched["scheduleTime"], "2026-01-15T11:00:00Z");
    assert_eq!(patched["httpTarget"]["uri"], "https://new.example.com/");
    assert_eq!(patched["httpTarget"]["oidcToken"]["serviceAccountEmail"], rig.runner.email);
}

#[tokio::test]
async fn a_mask_that_names_no_field_is_refused_as_on_grpc() {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    let job = json!({ "name": TICK, "timeZone": "UTC" });
    let refused = rig.call(Over::Rest, "patch", json!({ "job": job, "updateMask": "zone" })).await;
    assert_eq!(refused.refused(), (3, "Invalid mask for Job: zone"));
    let all = rig.call(Over::Rest, "patch", json!({ "job": { "name": TICK, "description": "x" } })).await.ok();
    assert_eq!((&all["description"], &all["schedule"]), (&json!("x"), &json!("*/5 * * * *")));
}

#[rstest]
#[tokio::test]
async fn jobs_are_listed_by_pages(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    for id in ["c", "a", "b"] {
        rig.tick(|job| job["name"] = json!(format!("{PARENT}/jobs/{id}"))).await.ok();
    }
    rig.call(
        Over::Rest,
        "create",
        json!({
            "parent": "projects/shop-test/locations/europe-west4",
            "job": { "schedule": "* * * * *", "httpTarget": { "uri": "https://orders.example.com" } },
        }),
    )
    .await
    .ok();
    let page = rig.call(over, "list", json!({ "parent": PARENT, "pageSize": 2 })).await.ok();
    let names = |page: &Value| {
        let jobs = page["jobs"].as_array().cloned().unwrap_or_default();
        jobs.iter().map(|job| job["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&page), ["a", "b"]);
    let token = page["nextPageToken"].as_str().unwrap();
    let next = rig.call(over, "list", json!({ "parent": PARENT, "pageSize": 2, "pageToken": token })).await.ok();
    assert_eq!((names(&next), next.get("nextPageToken")), (vec!["c".to_owned()], None));
    let refused = rig.call(over, "list", json!({ "parent": PARENT, "pageToken": "%" })).await;
    assert_eq!(refused.code, 3);
}

#[tokio::test]
async fn a_job_without_a_name_gets_one() {
    let rig = Rig::new();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let made = rig.tick(|job| drop(job.as_object_mut().unwrap().remove("name"))).await.ok();
        let id = made["name"].as_str().unwrap().strip_prefix(&format!("{PARENT}/jobs/")).unwrap().to_owned();
        assert!(id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        names.insert(id);
    }
    assert_eq!(names.len(), 3);
}

#[rstest]
#[tokio::test]
async fn what_is_not_there_is_told_and_what_is_there_is_not_made_again(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    for method in ["get", "delete", "pause", "resume", "run"] {
        assert_eq!(rig.call(over, method, json!({ "name": TICK })).await.refused(), (5, "Job not found."), "{method}");
    }
    let missing = rig.call(over, "patch", json!({ "job": { "name": TICK, "description": "x" } })).await;
    assert_eq!(missing.refused(), (5, "Job not found."));
    rig.tick(|_| {}).await.ok();
    let again = rig.call(over, "create", json!({ "parent": PARENT, "job": rig.job() })).await;
    assert_eq!(again.refused(), (6, format!("Job {TICK} already exists.").as_str()));
    // A deleted job's name is free at once.
    rig.call(over, "delete", json!({ "name": TICK })).await.ok();
    rig.call(over, "create", json!({ "parent": PARENT, "job": rig.job() })).await.ok();
}

#[rstest]
#[case(json!({ "schedule": "" }), (3, "Schedule or time zone is invalid."))]
#[case(json!({ "schedule": "0 0 9 * * *" }), (3, "Schedule or time zone is invalid."))]
#[case(json!({ "timeZone": "Invalid/Unknown" }), (3, "Schedule or time zone is invalid."))]
#[case(json!({ "retryConfig": { "retryCount": 6 } }), (3, "invalid retry count. The retry_count must be a positive integer less than 5: invalid argument"))]
#[case(json!({ "retryConfig": { "maxRetryDuration": "20.5s" } }), (3, "retryConfig.max_retry_duration.nanos cannot be set: invalid argument"))]
#[case(json!({ "attemptDeadline": "10s" }), (3, "Job.attemptDeadline must be between [15s, 1800s]."))]
#[case(json!({ "httpTarget": { "uri": "orders" } }), (3, "HttpTarget.uri must be a valid HTTP or HTTPS URL."))]
#[case(json!({ "httpTarget": { "uri": "https://orders.example.com", "httpMethod": "GET", "body": "AQ==" } }), (3, "HttpTarget.body is only allowed with POST, PUT and PATCH."))]
#[case(json!({ "name": "projects/shop-test/locations/us-central1/jobs/a b" }), (3, "The name must be formatted: \"projects/shop-test/locations/us-central1/jobs/JOB_ID\"."))]
#[case(json!({ "name": "projects/shop-test/locations/europe-west4/jobs/a" }), (3, "The name must be formatted: \"projects/shop-test/locations/us-central1/jobs/JOB_ID\"."))]
#[tokio::test]
async fn a_job_that_breaks_a_rule_is_refused(#[case] fields: Value, #[case] refused: (i32, &str)) {
    let rig = Rig::new();
    let answer = rig.tick(|job| job.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone())).await;
    assert_eq!(answer.refused(), refused);
    assert!(rig.scheduler.jobs().is_empty());
    let decision = rig.cloud.decisions().last().unwrap();
    assert_eq!((decision.surface.as_str(), decision.failed().unwrap().name.as_str()), ("cloudscheduler", "request"));
    assert!(decision.mend.is_some());
}

#[tokio::test]
async fn a_location_is_a_region() {
    let rig = Rig::new();
    let job = json!({ "schedule": "* * * * *", "httpTarget": { "uri": "https://orders.example.com" } });
    let refused =
        rig.call(Over::Rest, "create", json!({ "parent": "projects/shop-test/locations/mars", "job": job })).await;
    let text = "Location 'mars' is not a valid location. Use ListLocations to list valid locations.";
    assert_eq!(refused.refused(), (3, text));
    let only = Settings { locations: vec!["europe-west1".into()], ..Settings::default() };
    let rig = Rig::with(only, "2026-01-15T09:00:00Z", |_| {});
    assert_eq!(rig.call(Over::Rest, "create", json!({ "parent": PARENT, "job": job })).await.code, 3);
    let told = rig.call(Over::Grpc, "locations", json!({ "name": "projects/shop-test" })).await.ok();
    assert_eq!(told["locations"][0]["labels"], json!({ "cloud.googleapis.com/region": "europe-west1" }));
}

#[tokio::test]
async fn the_api_must_be_enabled() {
    let rig = Rig::with(Settings::default(), "2026-01-15T09:00:00Z", |foundation| {
        foundation.settings.disabled_services.insert("cloudscheduler.googleapis.com".into());
    });
    let answer = rig.tick(|_| {}).await;
    assert!(answer.refused().1.starts_with("Cloud Scheduler API has not been used in project 1071284184436"));
    assert_eq!(answer.code, 7);
}

#[rstest]
#[case("create", "cloudscheduler.jobs.create", PARENT)]
#[case("list", "cloudscheduler.jobs.list", PARENT)]
#[case("get", "cloudscheduler.jobs.get", TICK)]
#[case("patch", "cloudscheduler.jobs.update", TICK)]
#[case("delete", "cloudscheduler.jobs.delete", TICK)]
#[case("pause", "cloudscheduler.jobs.pause", TICK)]
#[case("resume", "cloudscheduler.jobs.enable", TICK)]
#[case("run", "cloudscheduler.jobs.run", TICK)]
#[tokio::test]
async fn each_method_needs_its_permission(#[case] method: &str, #[case] permission: &str, #[case] resource: &str) {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    let caller = rig.account("caller").identity();
    let token = rig.token_of(caller.clone());
    let mut fields = json!({ "parent": PARENT, "name": TICK, "job": rig.job() });
    let object = fields.as_object_mut().unwrap();
    match method {
        "create" | "list" => drop(object.remove("name")),
        _ => drop(object.remove("parent")),
    }
    let refused = rig.call_as(&token, Over::Rest, method, fields.clone()).await;
    let text = format!(
        "The principal (user or service account) lacks IAM permission \"{permission}\" for the resource \"{resource}\" (or the resource may not exist)."
    );
    assert_eq!(refused.refused(), (7, text.as_str()));
    rig.grant(&rig.cloud.project().resource(), "roles/cloudscheduler.admin", &caller);
    let answer = rig.call_as(&token, Over::Rest, method, fields).await;
    assert_ne!(answer.refused().1, text, "{method}");
}

#[tokio::test]
async fn who_makes_a_job_must_be_allowed_to_act_as_its_account() {
    let rig = Rig::new();
    let caller = rig.account("caller").identity();
    let token = rig.token_of(caller.clone());
    rig.grant(&rig.cloud.project().resource(), "roles/cloudscheduler.admin", &caller);
    let create = json!({ "parent": PARENT, "job": rig.job() });
    let refused = rig.call_as(&token, Over::Rest, "create", create.clone()).await;
    let text = format!(
        "The principal (user or service account) lacks IAM permission \"iam.serviceAccounts.actAs\" for the resource \"{}\" (or the resource may not exist).",
        rig.runner.email
    );
    assert_eq!(refused.refused(), (7, text.as_str()));
    rig.grant(&rig.runner.resource(), "roles/iam.serviceAccountUser", &caller);
    rig.call_as(&token, Over::Rest, "create", create).await.ok();
    // So must whoever changes one; whoever only runs it need not.
    let other = rig.account("other").identity();
    let token = rig.token_of(other.clone());
    rig.grant(&rig.cloud.project().resource(), "roles/cloudscheduler.admin", &other);
    let patch = json!({ "job": { "name": TICK, "description": "x" }, "updateMask": "description" });
    assert_eq!(rig.call_as(&token, Over::Rest, "patch", patch).await.refused(), (7, text.as_str()));
    rig.call_as(&token, Over::Rest, "run", json!({ "name": TICK })).await.ok();
}

#[tokio::test]
async fn an_account_that_is_not_there_is_told_to_whoever_could_act_as_any() {
    let rig = Rig::new();
    let answer = rig.tick(|job| {
        job["httpTarget"]["oidcToken"]["serviceAccountEmail"] = json!("nobody@shop-test.iam.gserviceaccount.com");
    });
    assert_eq!(answer.await.refused(), (5, "Requested entity was not found."));
    let other = "x@other.iam.gserviceaccount.com";
    rig.account(other);
    let answer = rig.tick(|job| job["httpTarget"]["oidcToken"]["serviceAccountEmail"] = json!(other)).await;
    assert_eq!(answer.refused(), (3, "The service account must be within the same project as the job."));
}

#[rstest]
#[tokio::test]
async fn a_job_is_paused_and_resumed(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    rig.tick(|_| {}).await.ok();
    let name = json!({ "name": TICK });
    assert_eq!(rig.call(over, "resume", name.clone()).await.refused(), (9, "Job must be PAUSED to be resumed."));
    let paused = rig.call(over, "pause", name.clone()).await.ok();
    assert_eq!((&paused["state"], paused.get("scheduleTime")), (&json!("PAUSED"), None));
    assert_eq!(rig.call(over, "pause", name.clone()).await.refused(), (9, "Job must be ENABLED to be paused."));
    rig.advance(minutes(12)).await;
    assert!(rig.got().is_empty());
    let resumed = rig.call(over, "resume", name).await.ok();
    assert_eq!((&resumed["state"], &resumed["scheduleTime"]), (&json!("ENABLED"), &json!("2026-01-15T09:15:00Z")));
    rig.advance(minutes(10)).await;
    assert_eq!(rig.got().len(), 2);
    assert_eq!(rig.cloud.now().to_string(), "2026-01-15T09:22:00Z");
}

#[tokio::test]
async fn jobs_are_told_so_that_they_can_be_made_again() {
    let rig = Rig::new();
    rig.tick(|job| job["httpTarget"]["headers"] = json!({ "X-Mine": "1" })).await.ok();
    rig.call(Over::Rest, "pause", json!({ "name": TICK })).await.ok();
    let told = rig.scheduler.jobs();
    assert_eq!((told[0].id.as_str(), told[0].location.as_str()), ("tick", "us-central1"));
    let mut job = Value::Object(told[0].fields.clone());
    assert_eq!((&job["state"], job.get("name")), (&json!("PAUSED"), None));
    job["name"] = json!(TICK);
    let again = Rig::new();
    again.call(Over::Rest, "create", json!({ "parent": PARENT, "job": job })).await.ok();
    again.call(Over::Rest, "pause", json!({ "name": TICK })).await.ok();
    assert_eq!(again.scheduler.jobs(), told);
}
