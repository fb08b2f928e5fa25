//! One image as a workload.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokenrig_clock::real::{Stopwatch, pause, within};
use tokenrig_cloudrun::{InstanceFault, Workload};
use tokenrig_containers::{Pull, images};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::machine::{containers, contract, image, is_gone, is_ready, published};

/// What a server answers, without the head.
async fn get(url: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    connection.write_all(format!("GET {path} HTTP/1.1\r\nhost: orders\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap_or_default().1.to_owned()
}

async fn ends(workload: &dyn Workload) -> bool {
    for _ in 0..100 {
        if !workload.lives() {
            return true;
        }
        pause(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test]
async fn a_container_gets_what_cloud_run_promises_it() {
    if !is_ready().await {
        return;
    }
    let mut promised = contract("promised");
    promised.args = vec!["one".to_owned(), "two words".to_owned()];
    promised.environment = [("COLOUR", "red"), ("COLOUR", "blue"), ("PORT", "1"), ("K_SERVICE", "mine")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let workload = image();
    let url = workload.start(&promised).await.unwrap();
    let told = get(&url, "/").await;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "/server one two words ");
    for line in ["PORT=8080", "K_REVISION=promised-00001-abc", "K_CONFIGURATION=promised", "COLOUR=blue"] {
        assert!(lines.contains(&line), "no {line} in {told}");
    }
    assert!(lines.contains(&format!("K_SERVICE={}", promised.service).as_str()), "{told}");
    assert!(workload.lives());
    workload.stop().await;
    assert!(!workload.lives());
    assert!(containers(&promised.service).await.is_empty());
    assert_eq!(workload.logs(), ["listening", "asked to end"]);
}

#[tokio::test]
async fn only_the_port_of_the_contract_is_published_and_on_loopback_alone() {
    if !is_ready().await {
        return;
    }
    let contract = contract("published");
    let workload = image();
    workload.start(&contract).await.unwrap();
    let running = containers(&contract.service).await;
    assert_eq!(published(&running[0]), [("127.0.0.1".to_owned(), 8080)]);
    workload.stop().await;
}

#[tokio::test]
async fn a_command_of_the_template_takes_the_place_of_the_images() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("command");
    contract.command = vec!["/server".to_owned(), "plain".to_owned()];
    contract.args = vec!["last".to_owned()];
    let workload = image();
    let url = workload.start(&contract).await.unwrap();
    assert!(get(&url, "/").await.starts_with("/server plain last \n"));
    workload.stop().await;
}

#[tokio::test]
async fn an_image_that_is_not_there_is_told_and_not_pulled() {
    if !is_ready().await {
        return;
    }
    let contract = contract("missing");
    // A pull of it would say something else: there is no such registry.
    let workload = images(Pull::Never)(&json!("registry.tokenrig.invalid/orders:v1")).unwrap();
    let fault = workload.start(&contract).await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "it could not be started: there is no image `registry.tokenrig.invalid/orders:v1` here, and none is pulled: \
         build it, or `docker pull` it beforehand"
    );
    let workload = images(Pull::Missing)(&json!("registry.tokenrig.invalid/orders:v1")).unwrap();
    let fault = workload.start(&contract).await.unwrap_err().to_string();
    assert!(fault.contains("failed to pull"), "{fault}");
}

#[tokio::test]
async fn one_that_ends_before_it_listens_is_told_with_its_last_lines() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("quits");
    contract.args = vec!["quits".to_owned()];
    let fault = image().start(&contract).await.unwrap_err();
    assert_eq!(fault, InstanceFault::Ended("there is no configuration".to_owned()));
    assert!(containers(&contract.service).await.is_empty());
}

#[tokio::test]
async fn one_that_cannot_be_started_leaves_nothing_behind() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("nothing");
    contract.command = vec!["/no/such/program".to_owned()];
    let fault = image().start(&contract).await.unwrap_err();
    assert!(matches!(&fault, InstanceFault::NotStarted(why) if why.contains("/no/such/program")), "{fault}");
    assert!(containers(&contract.service).await.is_empty());
}

#[tokio::test]
async fn one_that_never_listens_is_late_although_the_engine_takes_its_connections() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("deaf");
    contract.args = vec!["deaf".to_owned()];
    contract.start_up = Duration::from_secs(2);
    let fault = image().start(&contract).await.unwrap_err();
    assert_eq!(fault, InstanceFault::Late(Duration::from_secs(2)));
    assert!(containers(&contract.service).await.is_empty());
}

#[tokio::test]
async fn one_that_takes_its_time_is_waited_for() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("slow");
    contract.args = vec!["slow".to_owned()];
    let workload = image();
    let url = workload.start(&contract).await.unwrap();
    assert!(get(&url, "/").await.starts_with("/server slow"));
    workload.stop().await;
}

#[tokio::test]
async fn who_does_not_end_when_asked_is_killed_when_its_time_is_over() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("stubborn");
    contract.args = vec!["stubborn".to_owned()];
    contract.grace = Duration::from_secs(1);
    let workload = image();
    workload.start(&contract).await.unwrap();
    let watch = Stopwatch::start();
    workload.stop().await;
    assert!(watch.elapsed() >= contract.grace);
    assert!(containers(&contract.service).await.is_empty());
}

#[tokio::test]
async fn one_that_has_ended_is_noticed_and_another_can_be_started() {
    if !is_ready().await {
        return;
    }
    let contract = contract("again");
    let workload = image();
    let url = workload.start(&contract).await.unwrap();
    assert_eq!(get(&url, "/exit").await, "");
    assert!(ends(&*workload).await);
    let url = workload.start(&contract).await.unwrap();
    assert!(get(&url, "/").await.starts_with("/server"));
    assert_eq!(containers(&contract.service).await.len(), 1);
    workload.stop().await;
    assert_eq!(workload.logs(), ["listening", "listening", "asked to end"]);
}

#[tokio::test]
async fn who_waits_no_longer_leaves_no_container() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("given-up");
    contract.args = vec!["deaf".to_owned()];
    let workload = image();
    assert!(within(Duration::from_millis(1500), workload.start(&contract)).await.is_err());
    assert!(is_gone(&contract.service).await);
}

#[tokio::test]
async fn a_workload_that_is_dropped_takes_its_container_along() {
    if !is_ready().await {
        return;
    }
    let contract = contract("dropped");
    let workload = image();
    workload.start(&contract).await.unwrap();
    drop(workload);
    assert!(containers(&contract.service).await.is_empty());
}

#[tokio::test]
async fn one_that_is_dropped_while_it_starts_leaves_nothing_either() {
    if !is_ready().await {
        return;
    }
    let mut contract = contract("dropped-early");
    contract.args = vec!["deaf".to_owned()];
    let workload = image();
    assert!(within(Duration::from_millis(300), workload.start(&contract)).await.is_err());
    drop(workload);
    assert!(containers(&contract.service).await.is_empty());
}

#[test]
fn a_drop_after_the_end_of_the_runtime_is_no_different() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let contract = contract("outlived");
    let workload: Option<Arc<dyn Workload>> = runtime.block_on(async {
        if !is_ready().await {
            return None;
        }
        let workload = image();
        workload.start(&contract).await.unwrap();
        Some(workload)
    });
    runtime.shutdown_background();
    let Some(workload) = workload else { return };
    drop(workload);
    let left = tokio::runtime::Runtime::new().unwrap().block_on(containers(&contract.service));
    assert!(left.is_empty());
}
