//! An issuer behind which a real provider stands: here a small one, made for the test.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use rstest::rstest;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tokenrig_idp::{IssuerFault, IssuerPatch, IssuerSpec, MintFault, MintOrder, Misbehaviour};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{Answer, Rig, object, rig, send};

const ISSUER: &str = "https://login.corp.example/realms/corp";

/// Tells what it was asked.
async fn told(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), json!(text(value)))).collect();
    let told =
        json!({ "method": method.as_str(), "target": uri.to_string(), "headers": headers, "body": body.to_vec() });
    match uri.path() {
        "/realms/corp/login" => {
            let to = [("location", "http://127.0.0.1:1/elsewhere"), ("set-cookie", "a=b; Path=/"), ("keep-alive", "x")];
            (StatusCode::SEE_OTHER, to).into_response()
        }
        "/realms/corp/large" => vec![b' '; 17 * 1024 * 1024].into_response(),
        _ => Json(told).into_response(),
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The provider, in clear.
async fn provider() -> SocketAddr {
    let (listener, address) = listener().await;
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(told)).await });
    address
}

/// A provider that answers over TLS with a certificate that it made itself.
async fn provider_with_tls() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["keycloak.internal".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let mut head = vec![0; 4096];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure").await.unwrap();
        stream.shutdown().await.unwrap();
    });
    address
}

fn rig_before(upstream: String, issuer: &str) -> Rig {
    let rig = rig();
    let spec = IssuerSpec { issuer: Some(issuer.to_owned()), upstream: Some(upstream), ..IssuerSpec::new("real") };
    rig.issuers.add(spec).unwrap();
    rig
}

async fn keycloak() -> Rig {
    rig_before(format!("http://{}/realms/corp", provider().await), ISSUER)
}

async fn ask(rig: &Rig, request: Request<Body>) -> Value {
    let answer = send(&rig.router, request).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

#[tokio::test]
async fn the_provider_gets_what_the_client_sent_and_hears_which_host_was_called() {
    let rig = keycloak().await;
    let request = Request::post(format!("{ISSUER}/protocol/openid-connect/token?a=%2F&b="))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "Basic YTpi")
        .header("connection", "keep-alive, X-Mine")
        .header("x-mine", "1")
        .header("te", "trailers")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-for", "10.0.0.1")
        .body(Body::from("grant_type=password"))
        .unwrap();
    let told = ask(&rig, request).await;
    assert_eq!((&told["method"], &told["body"]), (&json!("POST"), &json!(b"grant_type=password".to_vec())));
    assert_eq!(told["target"], "/realms/corp/protocol/openid-connect/token?a=%2F&b=");
    let expected = json!({
        "host": "login.corp.example",
        "x-forwarded-host": "login.corp.example",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "forwarded": "host=\"login.corp.example\";proto=https",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "19",
        "authorization": "Basic YTpi",
    });
    let (mut found, mut expected) = (object(told["headers"].clone()), object(expected));
    found.sort_keys();
    expected.sort_keys();
    assert_eq!(found, expected);
}

#[rstest]
#[case::beside_the_issuer(
    ISSUER,
    "/realms/corp",
    "https://login.corp.example/resources/login.css",
    "/resources/login.css"
)]
#[case::discovery(
    ISSUER,
    "/realms/corp",
    "https://login.corp.example/realms/corp/.well-known/openid-configuration",
    "/realms/corp/.well-known/openid-configuration"
)]
#[case::at_another_path("https://real.example", "/dex", "https://real.example/keys", "/dex/keys")]
#[case::without_any_path("https://real.example/", "", "https://real.example/certs", "/certs")]
#[tokio::test]
async fn a_path_of_the_issuer_is_the_providers(
    #[case] issuer: &str,
    #[case] base: &str,
    #[case] url: &str,
    #[case] target: &str,
) {
    let rig = rig_before(format!("http://{}{base}", provider().await), issuer);
    assert_eq!(rig.get(url).await.json()["target"], target);
}

#[tokio::test]
async fn a_path_that_another_issuer_of_the_host_has_is_its_own() {
    let rig = keycloak().await;
    let other = IssuerSpec { issuer: Some("https://login.corp.example/other".to_owned()), ..IssuerSpec::new("other") };
    rig.issuers.add(other).unwrap();
    let discovery = rig.get("https://login.corp.example/other/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["issuer"], "https://login.corp.example/other");
    assert_eq!(rig.get("https://login.corp.example/").await.json()["target"], "/");
}

#[tokio::test]
async fn an_answer_comes_back_as_it_is_without_what_is_of_the_connection() {
    let rig = keycloak().await;
    let answer = rig.get(&format!("{ISSUER}/login")).await;
    assert_eq!(answer.status.as_u16(), 303);
    assert_eq!(answer.header("location"), "http://127.0.0.1:1/elsewhere");
    assert_eq!(answer.header("set-cookie"), "a=b; Path=/");
    assert_eq!(answer.header("keep-alive"), "");
}

#[tokio::test]
async fn a_provider_on_this_machine_may_have_any_certificate() {
    let rig = rig_before(format!("https://localhost:{}", provider_with_tls().await.port()), "https://real.example");
    let answer = rig.get("https://real.example/keys").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "secure"));
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text().trim_end())
}

#[tokio::test]
async fn a_provider_that_is_not_there_or_too_slow_or_sends_too_much_is_told() {
    let (silent, address) = listener().await;
    let rig = rig_before(format!("http://{address}"), "https://real.example");
    let answer = rig.get("https://real.example/keys").await;
    assert_eq!(refused(&answer), (504, "The provider behind this issuer did not answer in time."));
    drop(silent);
    let (status, text) = (502, "The provider behind this issuer did not answer: ");
    let answer = rig.get("https://real.example/keys").await;
    assert!(answer.status.as_u16() == status && answer.text().starts_with(text), "{}", answer.text());

    let rig = keycloak().await;
    let answer = rig.get(&format!("{ISSUER}/large")).await;
    assert_eq!(refused(&answer), (502, &*format!("{text}its answer has more than 16777216 bytes")));
    let answer = rig.send("POST", &format!("{ISSUER}/token"), vec![b'x'; 1024 * 1024 + 1]).await;
    assert_eq!(answer.status.as_u16(), 413);
}

#[tokio::test]
async fn what_only_the_provider_can_do_is_refused() {
    let rig = keycloak().await;
    let minted = rig.issuers.mint(MintOrder::new("real", object(json!({ "sub": "alice" }))));
    assert_eq!(minted, Err(MintFault::Real("real".into())));
    let real = |what| Err(IssuerFault::Real { issuer: "real".into(), what });
    assert_eq!(rig.issuers.rotate("real"), real("replaces its keys"));
    let misbehave = |misbehaves| IssuerPatch { misbehaves: Some(misbehaves), ..IssuerPatch::default() };
    assert_eq!(rig.issuers.patch("real", misbehave(Misbehaviour::Html)), real("misbehaves"));
    let patched = rig.issuers.patch("real", misbehave(Misbehaviour::WrongCertificate)).unwrap();
    assert!(patched.upstream.is_some() && rig.issuers.kid("real", None).is_none());
}
