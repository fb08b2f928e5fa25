//! Local commands as instances, with the container contract. The command is this very test binary.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Body;
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};
use tokenrig_clock::real::{Stopwatch, pause, within};
use tokenrig_cloudrun::{Contract, InstanceFault, Settings, Workload};

use crate::rig::{HOST, ORDERS, Over, Rig};

/// What the command does when it is started: tells its environment, line by line, to everybody.
#[test]
#[ignore = "the command of the other tests here"]
#[expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "it is a process of its own")]
fn the_command() {
    println!("it begins");
    let port = std::env::var("PORT").unwrap();
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or_default() > 2 {
            line.clear();
        }
        let body: String = ["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "GREETING", "SHARED"]
            .map(|name| format!("{name}={}\n", std::env::var(name).unwrap_or_default()))
            .concat();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    }
}

#[expect(clippy::disallowed_methods, reason = "the test binary is the command")]
fn command() -> Vec<String> {
    let exe = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    [exe.as_str(), "--exact", "commands::the_command", "--ignored", "--nocapture"].map(str::to_owned).to_vec()
}

/// A shell script that the command's words are handed to.
fn shell(script: &str) -> Value {
    let words = ["sh", "-c", script, "sh"].map(str::to_owned);
    let words = [&words[..], &command()[..]].concat();
    json!({ "command": words })
}

async fn rig(settings: Settings) -> Rig {
    let env = json!([{ "name": "GREETING", "value": "hello" }, { "name": "SHARED", "value": "service" }]);
    Rig::deployed(settings, json!({ "template": { "containers": [{ "env": env }] } })).await
}

fn told(body: &str, name: &str) -> String {
    body.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap().to_owned()
}

#[tokio::test]
async fn a_command_is_started_at_the_first_request_with_what_a_container_is_promised() {
    let rig = rig(Settings::default()).await;
    rig.run.set_environment(Arc::new(|contract| {
        vec![("SHARED".into(), "rig".into()), ("OF".into(), contract.service_account.clone())]
    }));
    rig.run.set_workload("orders", &json!({ "command": command() })).unwrap();
    assert_eq!(rig.run.logs("orders"), Some(vec![]));
    let answer = rig.invoke("GET", "/", Body::empty()).await;
    let body = answer.text();
    assert_eq!((told(body, "K_SERVICE"), told(body, "K_CONFIGURATION")), ("orders".into(), "orders".into()));
    assert!(told(body, "K_REVISION").starts_with("orders-00001-"), "{body}");
    assert_eq!((told(body, "GREETING"), told(body, "SHARED")), ("hello".into(), "service".into()));
    assert!(rig.run.logs("orders").unwrap().iter().any(|line| line.contains("it begins")));

    // One instance serves all requests of a revision, a new revision has an instance of its own.
    let again = rig.invoke("GET", "/", Body::empty()).await;
    assert_eq!(told(again.text(), "PORT"), told(body, "PORT"));
    let template = json!({ "revision": "orders-blue" });
    let change = json!({ "service": { "name": ORDERS, "template": template }, "updateMask": "template" });
    rig.owner(Over::Rest, "run.services.patch", change).await.unwrap();
    let blue = rig.invoke("GET", "/", Body::empty()).await;
    assert_eq!(told(blue.text(), "K_REVISION"), "orders-blue");
    assert_ne!(told(blue.text(), "PORT"), told(body, "PORT"));
}

#[tokio::test]
async fn many_first_requests_start_one_instance() {
    let rig = rig(Settings::default()).await;
    rig.run.set_workload("orders", &json!({ "command": command() })).unwrap();
    let answers = futures_util::future::join_all((0..8).map(|_| rig.invoke("GET", "/", Body::empty()))).await;
    let ports: std::collections::BTreeSet<_> = answers.iter().map(|answer| told(answer.text(), "PORT")).collect();
    assert_eq!(ports.len(), 1);
}

#[tokio::test]
async fn a_command_is_asked_to_end_before_it_is_killed() {
    let rig = rig(Settings::default()).await;
    rig.run.set_workload("orders", &shell("trap 'echo it ends; exit' TERM; \"$@\" & wait")).unwrap();
    let port = told(rig.invoke("GET", "/", Body::empty()).await.text(), "PORT");
    rig.run.stop().await;
    gone(&port).await;
    assert!(rig.run.logs("orders").unwrap().iter().any(|line| line == "it ends"));
    // It starts anew when it is asked for.
    assert_eq!(rig.invoke("GET", "/", Body::empty()).await.status, 200);
}

#[tokio::test]
async fn a_command_that_does_not_end_is_killed_with_its_children() {
    let rig = rig(Settings { grace: Duration::from_millis(100), ..Settings::default() }).await;
    rig.run.set_workload("orders", &shell("trap '' TERM; \"$@\" & while true; do sleep 1; done")).unwrap();
    let port = told(rig.invoke("GET", "/", Body::empty()).await.text(), "PORT");
    let watch = Stopwatch::start();
    rig.run.stop().await;
    gone(&port).await;
    assert!(watch.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn children_end_with_the_rig() {
    let rig = rig(Settings::default()).await;
    rig.run.set_workload("orders", &shell("\"$@\" & wait")).unwrap();
    let port = told(rig.invoke("GET", "/", Body::empty()).await.text(), "PORT");
    drop(rig);
    gone(&port).await;
}

#[tokio::test]
async fn an_instance_ends_when_its_service_is_deleted() {
    let rig = rig(Settings::default()).await;
    rig.run.set_workload("orders", &json!({ "command": command() })).unwrap();
    let port = told(rig.invoke("GET", "/", Body::empty()).await.text(), "PORT");
    rig.owner(Over::Rest, "run.services.delete", json!({ "name": ORDERS })).await.unwrap();
    gone(&port).await;
}

#[tokio::test]
async fn a_command_that_died_is_started_again() {
    let rig = rig(Settings::default()).await;
    rig.run.set_workload("orders", &shell("\"$@\" & child=$!; sleep 0.3; kill -9 $child; wait")).unwrap();
    let first = told(rig.invoke("GET", "/", Body::empty()).await.text(), "PORT");
    gone(&first).await;
    // Until the shell has seen its child's end there is an instance that breaks off.
    let again = within(Duration::from_secs(10), async {
        loop {
            let answer = rig.invoke("GET", "/", Body::empty()).await;
            if answer.status == 200 {
                return answer;
            }
            pause(Duration::from_millis(20)).await;
        }
    });
    assert_ne!(told(again.await.unwrap().text(), "PORT"), first);
}

#[rstest::rstest]
#[case::not_there(json!({ "command": ["/no/such/program"] }), "it could not be started: `/no/such/program`")]
#[case::ends(json!({ "command": ["sh", "-c", "echo no database >&2; exit 1"] }), "it ended before it listened at its port: no database")]
#[case::never_listens(json!({ "command": ["sleep", "60"] }), "it did not listen at its port within 200ms")]
#[tokio::test]
async fn a_command_that_does_not_come_up_answers_503_and_the_decision_says_why(#[case] told: Value, #[case] why: &str) {
    let rig = rig(Settings { start_up: Duration::from_millis(200), ..Settings::default() }).await;
    rig.run.set_workload("orders", &told).unwrap();
    let answer = rig.invoke("GET", "/", Body::empty()).await;
    assert_eq!((answer.status, answer.text()), (503, "Service Unavailable"));
    let last = rig.cloud.decisions().last().unwrap();
    let found = last.failed().unwrap().found.as_str().unwrap().to_owned();
    assert!(found.contains(why), "{found}");
}

/// Waits until nobody listens at a port.
async fn gone(port: &str) {
    let listens = || async { tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.is_ok() };
    let gone = within(Duration::from_secs(8), async {
        while listens().await {
            pause(Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("the instance ends");
}

/// A workload as another crate adds one.
#[derive(Debug)]
struct Elsewhere(Mutex<Vec<String>>, String);

impl Workload for Elsewhere {
    fn start<'a>(&'a self, contract: &'a Contract) -> BoxFuture<'a, Result<String, InstanceFault>> {
        self.0.lock().unwrap().push(format!("started {} at {}", contract.service, contract.port));
        std::future::ready(Ok(self.1.clone())).boxed()
    }

    fn lives(&self) -> bool {
        true
    }

    fn logs(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push("stopped".to_owned());
        std::future::ready(()).boxed()
    }
}

#[tokio::test]
async fn another_crate_can_add_a_kind_of_workload() {
    let rig = rig(Settings::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(|| async { "from the container" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    rig.run.add_workload_kind(
        "image",
        Arc::new(move |told| match told.as_str() {
            Some("good") => Ok(Arc::new(Elsewhere(Mutex::default(), url.clone())) as Arc<dyn Workload>),
            _ => Err("it is no reference of an image".to_owned()),
        }),
    );
    let wrong = rig.run.set_workload("orders", &json!({ "image": 7 })).unwrap_err();
    assert_eq!(wrong.to_string(), "`image` of a workload: it is no reference of an image");
    rig.run.set_workload("orders", &json!({ "image": "good" })).unwrap();
    assert_eq!(rig.invoke("GET", "/", Body::empty()).await.text(), "from the container");
    rig.run.stop().await;
    assert_eq!(rig.run.logs("orders").unwrap(), ["started orders at 8080", "stopped"]);
    assert!(rig.run.has_host(HOST));
}
