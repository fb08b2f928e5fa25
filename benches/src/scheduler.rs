//! A day of Cloud Scheduler on a clock that is moved: what a run costs beyond finding its time.

use std::{hint::black_box, str::FromStr as _, sync::Arc};

use axum::body::Body;
use croner::Cron;
use http::Request;
use jiff::{Zoned, tz::TimeZone};
use serde_json::json;
use tokenrig_clock::{ManualClock, SharedClock, SignedDuration, Timestamp, real::Stopwatch};
use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation};
use tokenrig_delivery::{Carrier, Deliveries, NoOp};
use tokenrig_scheduler::Scheduler;
use tower::ServiceExt as _;

use crate::{
    child::Programs,
    memory::resident,
    scale::{ROUNDS, Scale},
    table::{Goal, Row, Unit},
};

const HOST: &str = "cloudscheduler.googleapis.com";
const START: &str = "2026-03-02T00:00:00Z";
const MINUTES: i64 = 24 * 60;

/// Jobs of every minute, all with an ID token of one account for one audience, and a receiver in this process that does
/// nothing. The baseline finds the same times with a library for cron expressions, and does nothing else.
pub(crate) fn measure(_: &Programs, scale: Scale) -> Result<Vec<Row>, String> {
    let jobs = scale.of(1000, 10);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("the runtime does not start: {fault}"))?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..scale.of(ROUNDS, 1) {
        let day = runtime.block_on(day(jobs))?;
        times.push((day.took * 1000.0, alone(jobs)? * 1000.0));
        memory.push((day.at_end, day.at_first));
    }
    let runs = jobs as i64 * MINUTES;
    Ok(vec![
        Row::paired(
            format!("scheduler, a day of {jobs} jobs ({runs} runs)"),
            Unit::Milliseconds,
            &times,
            Goal::AtMost(4.0),
        ),
        Row::paired(
            "scheduler, memory after the day, to that after two hours",
            Unit::Mebibytes,
            &memory,
            Goal::AtMost(1.1),
        ),
    ])
}

/// What a day cost.
struct Day {
    /// In seconds.
    took: f64,
    /// Resident memory after two hours, when every ring is full, and at the end; in mebibytes.
    at_first: f64,
    at_end: f64,
}

async fn day(jobs: usize) -> Result<Day, String> {
    let start: Timestamp = START.parse().map_err(|fault| format!("{fault}"))?;
    let clock = Arc::new(ManualClock::starting_at(start));
    let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as SharedClock));
    let receiver = NoOp::default();
    let carrier = Arc::new(receiver.clone()) as Arc<dyn Carrier>;
    let deliveries = Deliveries::new(&cloud, carrier, tokenrig_delivery::Settings::default());
    let scheduler = Scheduler::new(&cloud, &deliveries, tokenrig_scheduler::Settings::default());
    make(&cloud, &scheduler, jobs).await?;
    let watch = Stopwatch::start();
    let advance = async |hours: i64| {
        let to = start + SignedDuration::from_hours(hours);
        deliveries.advance(to).await.map_err(|fault| fault.to_string())
    };
    advance(2).await?;
    let (first, at_first) = (watch.elapsed(), resident()?);
    let watch = Stopwatch::start();
    advance(24).await?;
    let took = (first + watch.elapsed()).as_secs_f64();
    let expected = u64::try_from(jobs).unwrap_or_default() * MINUTES.unsigned_abs();
    if receiver.received() != expected {
        return Err(format!("{} runs arrived, and {expected} were due", receiver.received()));
    }
    Ok(Day { took, at_first, at_end: resident()? })
}

/// Makes the jobs, by Google's own method.
async fn make(cloud: &Cloud, scheduler: &Scheduler, jobs: usize) -> Result<(), String> {
    let hosts = tokenrig_wire::assemble(cloud, vec![tokenrig_scheduler::service(scheduler)]);
    let router = hosts.find(HOST).ok_or("nobody plays Cloud Scheduler")?;
    let owner = cloud.owner();
    let scopes = vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()];
    let order = AccessTokenOrder { identity: owner.identity(), scopes, lifetime: SignedDuration::from_hours(1) };
    let token = cloud.mint().access_token(order);
    for number in 0..jobs {
        let job = json!({
            "schedule": "* * * * *",
            "httpTarget": {
                "uri": format!("https://orders.example.com/{number}"),
                "oidcToken": { "serviceAccountEmail": owner.email, "audience": "https://orders.example.com" },
            },
        });
        let request = Request::post(format!("https://{HOST}/v1/projects/shop-test/locations/us-central1/jobs"))
            .header("authorization", format!("Bearer {}", token.reveal()))
            .body(Body::from(job.to_string()))
            .map_err(|fault| fault.to_string())?;
        let Ok(answer) = router.clone().oneshot(request).await;
        if answer.status() != 200 {
            return Err(format!("a job was refused with {}", answer.status()));
        }
    }
    Ok(())
}

/// Seconds in which the library finds the times of all runs.
fn alone(jobs: usize) -> Result<f64, String> {
    let start: Timestamp = START.parse().map_err(|fault| format!("{fault}"))?;
    let end = start.to_zoned(TimeZone::UTC) + SignedDuration::from_hours(24);
    let watch = Stopwatch::start();
    for _ in 0..jobs {
        let cron = Cron::from_str("* * * * *").map_err(|fault| fault.to_string())?;
        let mut at: Zoned = start.to_zoned(TimeZone::UTC);
        while at < end {
            at = cron.find_next_occurrence(&at, false).map_err(|fault| fault.to_string())?;
            black_box(&at);
        }
    }
    Ok(watch.elapsed().as_secs_f64())
}
