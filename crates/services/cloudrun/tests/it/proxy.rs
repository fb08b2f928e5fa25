//! Workloads by URL: a server that the test runs, by HTTP/1 and by HTTP/2 in clear.

use std::convert::Infallible;

use axum::{Router, body::Body, extract::Request as Asked, response::Response, routing::any};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use tokenrig_cloudrun::Settings;
use tokio::{net::TcpListener, sync::mpsc};

use crate::rig::{HOST, Rig};

/// Answers with what it saw, or, at `/echo`, with the body as it comes and trailers at its end.
fn upstream() -> Router {
    let seen = |request: Asked| async move {
        let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
        let host = host.or_else(|| request.uri().authority().map(ToString::to_string));
        let text = format!("{:?} {} {}", request.version(), host.unwrap_or_default(), request.uri().path());
        ([("connection", "close"), ("x-seen", "1")], text)
    };
    let echo = |request: Asked| async move {
        let data = request.into_body().into_data_stream().map(|data| Ok::<_, Infallible>(Frame::data(data.unwrap())));
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = data.chain(stream::once(async { Ok(Frame::trailers(trailers)) }));
        let mut response = Response::new(Body::new(StreamBody::new(frames)));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        response
    };
    Router::new().route("/echo", any(echo)).fallback(any(seen))
}

async fn listening() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn rig(service: serde_json::Value) -> Rig {
    let rig = Rig::deployed(Settings::default(), service).await;
    let (listener, url) = listening().await;
    tokio::spawn(async move { axum::serve(listener, upstream()).await });
    rig.run.set_workload("orders", &json!(url)).unwrap();
    rig
}

#[tokio::test]
async fn a_server_on_this_machine_sees_the_host_that_the_client_called() {
    let rig = rig(json!({})).await;
    for _ in 0..3 {
        let answer = rig.invoke("GET", "/a/b?c", Body::empty()).await;
        assert_eq!((answer.status, answer.text()), (200, &*format!("HTTP/1.1 {HOST} /a/b")));
        assert!(answer.headers.contains_key("x-seen") && !answer.headers.contains_key("connection"));
    }
}

#[tokio::test]
async fn a_container_with_a_port_named_h2c_is_called_by_http_2() {
    let ports = json!([{ "name": "h2c", "containerPort": 9000 }]);
    let rig = rig(json!({ "template": { "containers": [{ "ports": ports }] } })).await;
    let answer = rig.invoke("GET", "/a", Body::empty()).await;
    assert_eq!(answer.text(), format!("HTTP/2.0 {HOST} /a"));
}

#[tokio::test]
async fn a_grpc_stream_passes_both_ways_at_once_with_its_trailers() {
    let rig = rig(json!({})).await;
    let (say, said) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    let said = stream::unfold(said, |mut said| async move { Some((said.recv().await?, said)) });
    let request = Request::post(format!("https://{HOST}/echo"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {}", rig.id_token()))
        .body(Body::from_stream(said))
        .unwrap();
    say.send(Ok(Bytes::from_static(b"one"))).await.unwrap();
    let mut body = rig.send(request).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    // The request's body has not ended; what came of it can be seen already.
    assert_eq!(rig.run.received("orders", 0).unwrap()[0].body, b"one");
    say.send(Ok(Bytes::from_static(b"two"))).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
    drop(say);
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(rig.run.received("orders", 0).unwrap()[0].body, b"onetwo");
}

#[tokio::test]
async fn a_refused_grpc_stream_is_not_waited_for() {
    let rig = rig(json!({})).await;
    let endless = stream::pending::<Result<Bytes, Infallible>>();
    let request = Request::post(format!("https://{HOST}/echo")).header("content-type", "application/grpc");
    let answer = rig.send(request.body(Body::from_stream(endless)).unwrap()).await;
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_server_that_is_not_there_or_breaks_off_answers_503() {
    let rig = rig(json!({})).await;
    let (listener, url) = listening().await;
    rig.run.set_workload("orders", &json!(url)).unwrap();
    let breaking = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
    });
    let broken = rig.invoke("POST", "/", "x").await;
    breaking.await.unwrap();
    let refusal = |rig: &Rig| rig.cloud.decisions().last().unwrap().refusal.unwrap();
    assert_eq!((broken.status, refusal(&rig).as_str()), (503, "run-front-workload-broke-off"));
    let absent = rig.invoke("GET", "/", Body::empty()).await;
    assert_eq!((absent.status, absent.text()), (503, "Service Unavailable"));
    assert_eq!(refusal(&rig), "run-front-workload-unavailable");
}
