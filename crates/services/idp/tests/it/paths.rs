//! What each path of an issuer answers.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_idp::{IssuerFault, IssuerPatch, IssuerSpec, Issuers, router, service};
use tokenrig_jose::{Algorithm, JwkSet, Jws, parse_object};
use tokenrig_wire::Hosts;

use crate::support::{Rig, rig, send};

const CORP: &str = "https://corp.idp.tokenrig.test";

/// Follows discovery to the keys, as a verifier does, and verifies.
async fn verify(rig: &Rig, issuer: &str, token: &str) -> Value {
    let discovery = rig.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await.json();
    assert_eq!(discovery["issuer"], issuer);
    let keys = JwkSet::parse(rig.get(discovery["jwks_uri"].as_str().unwrap()).await.text().as_bytes()).unwrap();
    let jws = Jws::parse(token).unwrap();
    let key = keys.resolve(jws.kid().unwrap(), jws.algorithm().unwrap()).unwrap();
    assert_eq!(jws.verify(key), Ok(()));
    Value::Object(jws.claims().unwrap().clone())
}

#[rstest]
#[case::by_default("", Algorithm::Rs256)]
#[case::rs256("?alg=RS256", Algorithm::Rs256)]
#[case::es256("?x=y&alg=ES256", Algorithm::Es256)]
#[tokio::test]
async fn posted_claims_come_back_signed_and_with_nothing_added(#[case] query: &str, #[case] algorithm: Algorithm) {
    let rig = rig();
    let claims =
        r#"{"name":"alice", "isadmin":"true", "mygroups":["group1"], "iat":1.0, "n":123456789012345678901234567890}"#;
    let answer = rig.send("POST", &format!("{CORP}/token{query}"), claims).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let jws = Jws::parse(answer.text()).unwrap();
    assert_eq!(jws.payload(), claims.as_bytes());
    assert_eq!(jws.algorithm(), Ok(algorithm));
    assert_eq!(jws.header().keys().collect::<Vec<_>>(), ["alg", "kid", "typ"]);
    verify(&rig, CORP, answer.text()).await;
}

#[tokio::test]
async fn an_issuers_usual_algorithm_can_be_chosen() {
    let rig = rig();
    let patch = IssuerPatch { algorithm: Some(Algorithm::Es256), ..IssuerPatch::default() };
    rig.issuers.patch("corp", patch).unwrap();
    let answer = rig.send("POST", &format!("{CORP}/token"), "{}").await;
    assert_eq!(Jws::parse(answer.text()).unwrap().alg(), Some("ES256"));
}

#[tokio::test]
async fn claims_with_a_member_twice_can_be_minted_and_no_strict_reader_takes_them() {
    let rig = rig();
    let answer = rig.send("POST", &format!("{CORP}/token"), r#"{"sub":"a","sub":"b"}"#).await;
    assert!(Jws::parse(answer.text()).unwrap().claims().is_err());
}

#[tokio::test]
async fn discovery_and_keys_may_be_kept_for_a_while() {
    let rig = rig();
    for (path, kind) in [
        ("/.well-known/openid-configuration", "application/json"),
        ("/certs", "application/jwk-set+json"),
        ("/.well-known/jwks.json", "application/jwk-set+json"),
    ] {
        let answer = rig.get(&format!("{CORP}{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), (kind, "public, max-age=3600"));
        assert_eq!(rig.send("HEAD", &format!("{CORP}{path}"), "").await.status, 200);
    }
    assert_eq!(
        rig.get(&format!("{CORP}/certs")).await.text(),
        rig.get(&format!("{CORP}/.well-known/jwks.json")).await.text()
    );
}

#[tokio::test]
async fn the_discovery_document_names_what_is_there() {
    let rig = rig();
    let discovery = rig.get(&format!("{CORP}/.well-known/openid-configuration")).await;
    assert_eq!(
        discovery.json(),
        json!({
            "issuer": CORP,
            "authorization_endpoint": format!("{CORP}/authorize"),
            "token_endpoint": format!("{CORP}/token"),
            "jwks_uri": format!("{CORP}/certs"),
            "userinfo_endpoint": format!("{CORP}/userinfo"),
            "end_session_endpoint": format!("{CORP}/logout"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "scopes_supported": ["openid", "offline_access"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256", "plain"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        })
    );
}

#[rstest]
#[case::another_host("https://login.corp.example")]
#[case::a_slash_at_the_end("https://tenant.auth0.example/")]
#[case::a_path("https://kc.example/realms/corp")]
#[case::a_deeper_path("https://kc.example/realms/corp/inner")]
#[tokio::test]
async fn an_issuer_may_be_anywhere(#[case] issuer: &str) {
    let rig = rig();
    rig.issuers.add(IssuerSpec { issuer: Some(issuer.into()), ..IssuerSpec::new("shop") }).unwrap();
    let _ = rig
        .issuers
        .add(IssuerSpec { issuer: Some("https://kc.example/realms/corp".into()), ..IssuerSpec::new("outer") });
    let answer = rig.send("POST", &format!("{}/token", issuer.trim_end_matches('/')), r#"{"sub":"alice"}"#).await;
    assert_eq!(verify(&rig, issuer, answer.text()).await, json!({ "sub": "alice" }));
    let kid = Jws::parse(answer.text()).unwrap().kid().map(str::to_owned);
    assert_eq!(kid, rig.issuers.kid("shop", None));
}

#[tokio::test]
async fn the_host_of_http_1_is_read_from_its_header() {
    let rig = rig();
    for host in ["corp.idp.tokenrig.test", "corp.idp.tokenrig.test:443", "CORP.idp.tokenrig.test."] {
        let request = Request::get("/certs").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(send(&rig.router, request).await.status, 200, "{host}");
    }
    let request = Request::get("/certs").body(Body::empty()).unwrap();
    assert_eq!(send(&rig.router, request).await.status, 404);
}

#[tokio::test]
async fn only_hosts_of_issuers_are_served_and_only_while_they_have_them() {
    let rig = rig();
    let service = service(&rig.issuers, &rig.cloud);
    let Hosts::When(serves) = &service.fronts[0].hosts else { panic!("hosts of issuers are not known beforehand") };
    assert!(serves("corp.idp.tokenrig.test") && serves("CORP.idp.tokenrig.test"));
    assert!(!serves("login.corp.example") && !serves("idp.tokenrig.test"));
    let moved = IssuerPatch { issuer: Some("https://login.corp.example".into()), ..IssuerPatch::default() };
    rig.issuers.patch("corp", moved).unwrap();
    assert!(serves("login.corp.example") && !serves("corp.idp.tokenrig.test"));
}

#[tokio::test]
async fn an_issuer_on_somebody_elses_host_is_served_by_them() {
    let rig = rig();
    let url = "https://idp-on-cloud-run-4k2xq7w3ua-uc.a.run.app";
    assert_eq!(rig.issuers.serve_elsewhere("corp", url).unwrap().issuer, url);
    assert!(!rig.issuers.serves("idp-on-cloud-run-4k2xq7w3ua-uc.a.run.app"));
    let behind = router(&rig.issuers, &rig.cloud, "corp");
    let request = Request::get("/.well-known/openid-configuration").header("host", "127.0.0.1:8080");
    assert_eq!(send(&behind, request.body(Body::empty()).unwrap()).await.json()["issuer"], url);
}

#[tokio::test]
async fn two_issuers_never_share_an_address_an_id_or_a_key_id() {
    let rig = rig();
    let corp = IssuerSpec { issuer: Some("https://CORP.idp.tokenrig.test/".into()), ..IssuerSpec::new("other") };
    let taken = IssuerFault::Taken { issuer: "https://CORP.idp.tokenrig.test/".into(), other: "corp".into() };
    assert_eq!(rig.issuers.add(corp), Err(taken));
    assert_eq!(rig.issuers.add(IssuerSpec::new("corp")), Err(IssuerFault::Exists("corp".into())));
    rig.issuers.add(IssuerSpec::new("shop")).unwrap();
    assert_ne!(rig.issuers.kid("corp", None), rig.issuers.kid("shop", None));
    let ids: Vec<String> = rig.issuers.list().into_iter().map(|issuer| issuer.id).collect();
    assert_eq!(ids, ["corp", "shop"]);
}

#[test]
fn key_ids_are_those_of_this_rig_alone() {
    let kid = |seed: &str| {
        let issuers = Issuers::new(rig().clock, seed);
        issuers.add(IssuerSpec::new("corp")).unwrap();
        issuers.kid("corp", None).unwrap()
    };
    assert_eq!(kid("a"), kid("a"));
    assert_ne!(kid("a"), kid("b"));
}

#[tokio::test]
async fn the_request_to_sign_leaves_a_decision() {
    let rig = rig();
    rig.send("POST", &format!("{CORP}/token"), "{}").await;
    rig.send("POST", &format!("{CORP}/token"), "sub=alice").await;
    let decisions = rig.cloud.decisions().since(0, Some("idp"));
    let told: Vec<_> = decisions.iter().map(|record| serde_json::to_value(record).unwrap()).collect();
    assert_eq!(told[0]["answer"]["status"], 200);
    assert_eq!(told[1]["answer"]["status"], 400);
    assert_eq!(told[1]["refusal"], "idp-claims-not-an-object");
    assert_eq!(told[1]["checks"][0]["name"], "request");
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_refused() {
    let rig = rig();
    let claims = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    assert_eq!(rig.send("POST", &format!("{CORP}/token"), claims(1024 * 1024)).await.status, 200);
    assert_eq!(rig.send("POST", &format!("{CORP}/token"), claims(1024 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn an_error_is_the_json_of_oauth() {
    let answer = rig().send("POST", &format!("{CORP}/token"), "[1]").await;
    assert_eq!(answer.status, 400);
    let error = parse_object(answer.text().as_bytes(), Default::default()).unwrap();
    assert_eq!(error["error"], "invalid_request");
    assert!(error["error_description"].is_string());
}

#[rstest]
#[case("GET", "/token", 405, "POST")]
#[case("POST", "/certs", 405, "GET, HEAD")]
#[case("GET", "/", 404, "")]
#[case("GET", "/certs/", 404, "")]
#[case("PUT", "/authorize", 405, "GET, POST")]
#[case("GET", "/register", 404, "")]
#[tokio::test]
async fn what_an_issuer_does_not_do_it_says(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[case] allow: &str,
) {
    let answer = rig().send(method, &format!("{CORP}{path}"), "").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (status, allow));
}
