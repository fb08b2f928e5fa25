//! The resources of published walk-throughs, as far as something falls due by itself in them.

use serde_json::json;
use tokenrig::{Rig, Time, time::minutes};

fn seed(name: &str) -> String {
    format!("{}/../../fixtures/seeds/{name}.given.yaml", env!("CARGO_MANIFEST_DIR"))
}

async fn standing(name: &str) -> Rig {
    let start = "2026-03-02T09:00:00Z".parse().unwrap();
    Rig::builder().given_file(seed(name)).time(Time::StandingAt(start)).start().await
}

#[tokio::test]
async fn the_jobs_of_a_walk_through_reach_cloud_run_and_a_function_with_the_accounts_token() {
    let rig = standing("002").await;
    rig.clock().advance(minutes(10)).await;
    let email = json!("schedulerunner@oidc-tutorial.iam.gserviceaccount.com");
    for service in ["hello", "authfn"] {
        let received = rig.received(service).await;
        assert_eq!(received.len(), 1, "{service}");
        assert_eq!((received[0].status, &received[0].claims["email"]), (200, &email), "{service}");
        assert_eq!(received[0].claims["aud"], json!(rig.uri(service)), "{service}");
    }
    // The third one calls a server of one's own, which does not run here.
    let told = rig.core().deliveries().attempts(0);
    let own = told.iter().find(|one| one["url"] == "http://127.0.0.1:10000/").unwrap();
    assert_eq!(own["token"]["claims"]["aud"], "http://127.0.0.1:10000/");
}

#[tokio::test]
async fn a_connecting_service_calls_the_target_of_the_guide() {
    let rig = standing("001").await;
    rig.clock().advance(minutes(30)).await;
    let received = rig.received("target").await;
    assert_eq!(received.iter().map(|one| one.status).collect::<Vec<_>>(), [200, 200, 200]);
    // And the jobs come back with the rest of the rig's state.
    let state = rig.core().state();
    let again = Rig::builder().given(state.to_string()).start().await;
    assert_eq!(again.core().state()["cloudscheduler.jobs"], state["cloudscheduler.jobs"]);
    assert_eq!(state["cloudscheduler.jobs"]["id-token"]["schedule"], "*/10 * * * *");
}
