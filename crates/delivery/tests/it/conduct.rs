//! The clock is advanced, and what falls due is done.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokenrig_clock::{NotAdvanced, SystemClock, seconds};
use tokenrig_delivery::Outcome;

use crate::support::{Does, List, bench, on, start};

#[tokio::test]
async fn what_falls_due_is_done_by_instant_service_name_and_number() {
    let tasks = List::of("cloudtasks", &[("b", 5), ("a", 5), ("a", 5), ("early", 1)]);
    let jobs = List::of("cloudscheduler", &[("z", 5), ("late", 9)]);
    let bench = bench(&[&tasks, &jobs]);
    for path in ["a", "b", "z"] {
        bench.receiver.at(path, &[Does::AnswerSlowly(200)]);
    }
    assert_eq!(bench.deliveries.advance(start() + seconds(8)).await.unwrap(), Vec::<String>::new());
    assert_eq!(*bench.receiver.got.lock().unwrap(), ["early", "z", "a", "a", "b"]);
    assert_eq!(bench.cloud.now(), start() + seconds(8));
    bench.deliveries.advance(start() + seconds(9)).await.unwrap();
    assert_eq!(bench.receiver.got.lock().unwrap().last().unwrap(), "late");
}

#[tokio::test]
async fn a_failure_is_tried_again_when_its_back_off_is_over_and_given_up_in_the_end() {
    let jobs = List::of("cloudscheduler", &[("j", 0)]);
    let bench = bench(&[&jobs]);
    bench.receiver.at("j", &[Does::Answer(503), Does::Break, Does::Answer(500)]);
    bench.deliveries.advance(start() + seconds(3600)).await.unwrap();
    let ended: Vec<i64> =
        jobs.ended.lock().unwrap().iter().map(|(_, at, _)| at.duration_since(start()).as_secs()).collect();
    assert_eq!(ended, [0, 10, 30]);
    let told = bench.deliveries.attempts(0);
    let follows: Vec<_> = told.iter().map(|one| (one["code"].clone(), one["follows"].clone())).collect();
    let expected = [("UNAVAILABLE", "retry"), ("UNAVAILABLE", "retry"), ("INTERNAL", "given up")];
    assert_eq!(follows, expected.map(|(code, follows)| (json!(code), json!(follows))));
    assert_eq!(told[0]["next"], "2026-01-15T09:00:10Z");
    let decisions = bench.cloud.decisions().since(0, Some("cloudscheduler"));
    assert_eq!(decisions.len(), 3);
    assert_eq!(decisions[0].refusal.as_deref(), Some("delivery-target-failed"));
}

#[tokio::test]
async fn who_hangs_is_cut_at_the_deadline_and_holds_nobody_else_up() {
    let jobs = List::of("cloudscheduler", &[("hangs", 0), ("other", 5), ("much-later", 90)]);
    let bench = bench(&[&jobs]);
    bench.receiver.at("hangs", &[Does::HangAfter(200), Does::Answer(200)]);
    bench.deliveries.advance(start() + seconds(100)).await.unwrap();
    let ended: Vec<_> = jobs
        .ended
        .lock()
        .unwrap()
        .iter()
        .map(|(name, at, outcome)| (name.clone(), at.duration_since(start()).as_secs(), outcome.clone()))
        .collect();
    let answered = Outcome::Answered { status: 200, retry_after: None };
    let expected = [
        ("other", 5, answered.clone()),
        ("hangs", 60, Outcome::DeadlineExceeded { status: Some(200), limit: None }),
        ("hangs", 70, answered.clone()),
        ("much-later", 90, answered),
    ];
    assert_eq!(ended, expected.map(|(name, at, outcome)| (name.to_owned(), at, outcome)));
}

#[tokio::test]
async fn what_has_not_reached_its_deadline_is_told_as_in_flight() {
    let jobs = List::of("cloudscheduler", &[("hangs", 10)]);
    let bench = bench(&[&jobs]);
    bench.receiver.at("hangs", &[Does::Hang]);
    let in_flight = bench.deliveries.advance(start() + seconds(30)).await.unwrap();
    assert_eq!(in_flight, ["POST https://cloudscheduler.example.com/hangs of hangs since 2026-01-15T09:00:10Z"]);
    assert_eq!(bench.deliveries.attempts(0)[0]["inFlight"], true);
    // It was waited for once: not again as long as the clock stands before its deadline.
    assert_eq!(bench.deliveries.advance(start() + seconds(69)).await.unwrap().len(), 1);
    assert!(bench.deliveries.advance(start() + seconds(70)).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_clock_does_not_go_back() {
    let bench = bench(&[]);
    let to = start() - seconds(1);
    assert_eq!(bench.deliveries.advance(to).await, Err(NotAdvanced::Backwards { now: start(), to }));
}

#[tokio::test]
async fn what_is_due_already_is_done_while_the_clock_stands() {
    let jobs = List::of("cloudscheduler", &[("now", 0), ("later", 1)]);
    let bench = bench(&[&jobs]);
    bench.deliveries.settle().await;
    assert_eq!(*bench.receiver.got.lock().unwrap(), ["now"]);
}

#[tokio::test]
async fn a_stopped_rig_says_what_was_in_flight_and_records_it() {
    let jobs = List::of("cloudscheduler", &[("hangs", 0)]);
    let bench = bench(&[&jobs]);
    bench.receiver.at("hangs", &[Does::Hang]);
    let running = bench.deliveries.stand();
    bench.deliveries.advance(start()).await.unwrap();
    let left = running.stop(Duration::from_millis(20)).await;
    assert_eq!(left.len(), 1);
    assert!(bench.deliveries.in_flight().is_empty());
    let told = &bench.deliveries.attempts(0)[0];
    assert_eq!((&told["code"], &told["status"]), (&json!("CANCELLED"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_a_running_clock_attempts_are_made_as_they_fall_due_and_a_jump_makes_those_between() {
    let jobs = List::of("cloudscheduler", &[("now", 0), ("in-an-hour", 3600), ("in-two", 7200)]);
    let bench = on(Arc::new(SystemClock::starting_at(start())), &[&jobs]);
    let running = bench.deliveries.run();
    let got = |count: usize| {
        let receiver = Arc::clone(&bench.receiver);
        async move {
            while receiver.got.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        }
    };
    tokenrig_clock::real::within(Duration::from_secs(20), got(1)).await.unwrap();
    bench.deliveries.advance(start() + seconds(3700)).await.unwrap();
    assert_eq!(*bench.receiver.got.lock().unwrap(), ["now", "in-an-hour"]);
    let at = jobs.ended.lock().unwrap()[1].1;
    assert!(at >= start() + seconds(3600) && at < start() + seconds(3700), "{at}");
    running.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn of_many_that_hang_at_one_host_all_are_waited_for_together() {
    let names: Vec<String> = (0..40).map(|number| format!("n{number:02}")).collect();
    let items: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    let jobs = List::of("cloudtasks", &items);
    let bench = bench(&[&jobs]);
    for name in &names {
        bench.receiver.at(name, &[Does::Hang]);
    }
    assert_eq!(bench.deliveries.advance(start()).await.unwrap().len(), 40);
    // All are cut together as well, and each is tried again by itself.
    bench.deliveries.advance(start() + seconds(60)).await.unwrap();
    assert_eq!(jobs.ended.lock().unwrap().len(), 40);
}
