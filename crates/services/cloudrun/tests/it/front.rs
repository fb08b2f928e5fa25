//! The front door over HTTP, with the workloads that the rig has itself.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloudrun::{Settings, WorkloadFault};

use crate::rig::{Answer, HOST, ORDERS, Over, PARENT, Rig};

#[tokio::test]
async fn the_echo_tells_what_it_got_and_the_token_has_no_signature() {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let answer = rig.invoke("POST", "/orders/1?q=2", "hello").await;
    let told = answer.json();
    assert_eq!((answer.status, &told["method"], &told["path"]), (200, &json!("POST"), &json!("/orders/1")));
    assert_eq!((&told["query"], &told["body"]), (&json!("q=2"), &json!("hello")));
    let seen = told["headers"]["authorization"].as_str().unwrap();
    let (signed, _) = rig.id_token().rsplit_once('.').map(|(signed, sig)| (signed.to_owned(), sig.to_owned())).unwrap();
    assert_eq!(seen, format!("Bearer {signed}.SIGNATURE_REMOVED_BY_GOOGLE"));
    assert_eq!(told["headers"]["x-forwarded-proto"], "https");
    assert_eq!(answer.headers["server"], "Google Frontend");
    assert!(answer.headers.contains_key("x-cloud-trace-context"));
}

#[tokio::test]
async fn a_service_that_everybody_may_invoke_gets_tokens_of_its_own_users_whole() {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    rig.bind("allUsers");
    let told = rig.invoke("GET", "/", Body::empty()).await.json();
    assert_eq!(told["headers"]["authorization"], format!("Bearer {}", rig.id_token()));
    // What is kept of it is not whole all the same.
    let received = format!("{:?}", rig.run.received("orders", 0).unwrap());
    assert!(!received.contains(&rig.id_token()) && received.contains("SIGNATURE_REMOVED_BY_GOOGLE"));
}

#[rstest]
#[case::unknown_host("https://none-1071284184436.us-central1.run.app/", 404, "run-front-not-found")]
#[case::kept_path(&format!("https://{HOST}/healthz"), 404, "run-front-not-found")]
#[case::no_such_tag(&format!("https://blue---{HOST}/"), 404, "run-front-not-found")]
#[case::no_credential(&format!("https://{HOST}/"), 403, "run-front-no-credential")]
#[case::near_the_kept_path(&format!("https://{HOST}/healthz/"), 403, "run-front-no-credential")]
#[case::port(&format!("https://{HOST}:443/"), 403, "run-front-no-credential")]
#[tokio::test]
async fn a_page_says_no(#[case] url: &str, #[case] status: u16, #[case] refusal: &str) {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let answer = Answer::of(rig.send(Request::get(url).body(Body::empty()).unwrap()).await).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (status, &"text/html; charset=UTF-8".parse().unwrap())
    );
    assert_eq!(answer.headers["server"], "Google Frontend");
    let last = rig.cloud.decisions().last().unwrap();
    assert_eq!((last.refusal.as_deref(), last.answer.status), (Some(refusal), status));
    assert_eq!(last.surface, "cloud-run-front");
}

#[tokio::test]
async fn a_path_cannot_bring_markup_into_the_page_and_the_query_is_left_out() {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let request = Request::get(format!("https://{HOST}/a&b'c?<script>=1")).body(Body::empty());
    // What the URI type does not take cannot arrive; what it takes is escaped.
    let request =
        request.unwrap_or_else(|_| Request::get(format!("https://{HOST}/a&b'c?q")).body(Body::empty()).unwrap());
    let answer = Answer::of(rig.send(request).await).await;
    assert!(answer.text().contains("<code>/a&amp;b&#39;c</code>"), "{}", answer.text());
}

#[tokio::test]
async fn a_tagged_address_leads_to_the_service_and_takes_tokens_of_its_own_url() {
    let traffic = json!([{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "blue" }]);
    let rig = Rig::deployed(Settings::default(), json!({ "traffic": traffic })).await;
    assert!(rig.run.has_host(&format!("blue---{HOST}")));
    let request = Request::get(format!("https://blue---{HOST}/"));
    let request = request.header("authorization", format!("Bearer {}", rig.id_token())).body(Body::empty()).unwrap();
    assert_eq!(Answer::of(rig.send(request).await).await.status, 200);
}

#[tokio::test]
async fn what_reached_the_door_is_kept_without_tokens_refused_requests_too() {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    let token = rig.id_token();
    rig.invoke("POST", &format!("/?id_token={token}"), format!("token={token}")).await;
    let refused = Request::post(format!("https://{HOST}/b")).header("x-other", &token).body(Body::from("x")).unwrap();
    rig.send(refused).await;
    let received = rig.run.received(ORDERS, 0).unwrap();
    let told: Vec<_> = received.iter().map(|one| (one.seq, one.status, one.method.as_str())).collect();
    assert_eq!(told, [(1, 200, "POST"), (2, 403, "POST")]);
    let signature = token.rsplit_once('.').unwrap().1;
    let text = format!("{received:?}") + &String::from_utf8_lossy(&received[0].body);
    assert!(!text.contains(signature), "{text}");
    assert!(received[0].body.starts_with(b"token=eyJ"));
    assert_eq!(received[0].token.as_ref().unwrap().1["email"], rig.caller.email);
    assert_eq!((received[0].signature, received[1].body.as_slice()), (Some(true), b"x".as_slice()));
    assert_eq!(received[1].decision, rig.cloud.decisions().last_seq());
    assert_eq!(rig.run.received("orders", 1).unwrap().len(), 1);
    assert!(rig.run.received("none", 0).is_none());
}

#[tokio::test]
async fn every_request_is_logged_admitted_or_refused() {
    let rig = Rig::deployed(Settings::default(), json!({})).await;
    rig.invoke("GET", "/in", Body::empty()).await;
    rig.send(Request::get(format!("https://{HOST}/out")).header("user-agent", "curl/8").body(Body::empty()).unwrap())
        .await;
    let entries = rig.cloud.audit().since(0);
    let [(_, admitted), (_, refused)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(admitted["logName"], "projects/shop-test/logs/run.googleapis.com%2Frequests");
    assert_eq!((&admitted["severity"], &admitted["httpRequest"]["status"]), (&json!("INFO"), &json!(200)));
    assert_eq!(admitted["labels"]["principal"], format!("serviceAccount:{}", rig.caller.email));
    assert_eq!(admitted["resource"]["labels"]["service_name"], "orders");
    assert_eq!(admitted["resource"]["type"], "cloud_run_revision");
    assert_eq!((&refused["severity"], &refused["httpRequest"]["userAgent"]), (&json!("WARNING"), &json!("curl/8")));
    assert_eq!(refused["labels"]["refusal"], "run-front-no-credential");
    let text = refused["textPayload"].as_str().unwrap();
    assert!(text.starts_with("The request was not authenticated."), "{text}");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let settings = Settings { largest_body: 4, ..Settings::default() };
    let rig = Rig::deployed(settings, json!({})).await;
    assert_eq!(rig.invoke("POST", "/", "1234").await.status, 200);
    assert_eq!(rig.invoke("POST", "/", "12345").await.status, 413);
    let last = rig.cloud.decisions().last().unwrap();
    assert_eq!(last.refusal.as_deref(), Some("run-front-body-too-large"));
}

#[tokio::test]
async fn an_endless_stream_does_not_fill_the_memory_of_who_reads_it_whole() {
    let rig = Rig::deployed(Settings { largest_body: 1 << 16, ..Settings::default() }, json!({})).await;
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![0_u8; 1024]));
    let request = Request::post(format!("https://{HOST}/")).header("content-type", "application/grpc");
    let request = request.header("authorization", format!("Bearer {}", rig.id_token()));
    assert_eq!(rig.send(request.body(Body::from_stream(endless)).unwrap()).await.status(), 413);
}

#[tokio::test]
async fn answers_are_given_as_told_and_what_breaks_off_is_the_front_ends_to_answer() {
    let service = json!({ "template": { "timeout": "0.05s" } });
    let rig = Rig::deployed(Settings::default(), service).await;
    let answers = json!([{ "status": 429, "headers": { "retry-after": "7" }, "body": "later" }, "reset", "hang"]);
    rig.run.set_workload("orders", &json!({ "answers": answers })).unwrap();
    let first = rig.invoke("POST", "/", "asked").await;
    assert_eq!((first.status, &first.headers["retry-after"], first.text()), (429, &"7".parse().unwrap(), "later"));
    let reset = rig.invoke("GET", "/", Body::empty()).await;
    assert!(reset.status == 503 && reset.text().contains("connection to the instance had an error"));
    let late = rig.invoke("GET", "/", Body::empty()).await;
    assert_eq!((late.status, late.text()), (504, "upstream request timeout"));
    let last = rig.cloud.decisions().last().unwrap();
    assert_eq!(last.refusal.as_deref(), Some("run-front-workload-late"));
    assert_eq!(rig.run.received("orders", 0).unwrap()[0].body, b"asked");
}

#[rstest]
#[case(json!("orders"), "`url` of a workload: it is no `http://HOST:PORT`")]
#[case(json!("http://192.0.2.1/"), "`url` of a workload: `192.0.2.1` is not this machine: `http://127.0.0.1:PORT` is called")]
#[case(json!({ "issuer": "corp" }), "no issuer `corp` is given")]
#[case(json!({ "image": "gcr.io/a/b" }), "workloads of kind `image` are not played here")]
#[case(json!({ "command": "serve" }), "`command` of a workload: it is a list of texts, the program first")]
#[case(json!({ "command": [] }), "`command` of a workload: it is a list of texts, the program first")]
#[case(json!({ "echo": true, "issuer": "corp" }), "a workload is `echo`, a URL, or a map with one of `issuer`, `answers`, `command`, `image`")]
#[case(json!(7), "a workload is `echo`, a URL, or a map with one of `issuer`, `answers`, `command`, `image`")]
fn what_cannot_be_a_workload_is_told(#[case] told: Value, #[case] fault: &str) {
    assert_eq!(Rig::new().run.set_workload("orders", &told).unwrap_err().to_string(), fault);
}

#[tokio::test]
async fn a_workload_can_be_told_before_its_service_is_there_by_any_of_its_names() {
    let rig = Rig::new();
    let told = json!({ "answers": [{ "status": 204 }] });
    for name in
        ["orders", ORDERS, &format!("//run.googleapis.com/{ORDERS}"), &ORDERS.replace("shop-test", "1071284184436")]
    {
        rig.run.set_workload(name, &told).unwrap();
    }
    let other = rig.run.set_workload("projects/other/locations/l/services/s", &told);
    assert_eq!(other, Err(WorkloadFault::OtherProject("projects/other/locations/l/services/s".to_owned())));
    let create = json!({ "parent": PARENT, "serviceId": "orders", "service": { "invokerIamDisabled": true } });
    rig.owner(Over::Rest, "run.services.create", create).await.unwrap();
    assert_eq!(rig.invoke("GET", "/", Body::empty()).await.status, 204);
    assert_eq!(rig.run.told_workload("orders"), Some(told));
}
