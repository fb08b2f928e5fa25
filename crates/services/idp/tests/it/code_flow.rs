//! Signing in, as a relying party and its browser see it.

use axum::body::Body;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::minutes;
use tokenrig_idp::{IssuerPatch, Misbehaviour};
use tokenrig_jose::{JwkSet, Jws, SignatureFault, forge::Flaw, peek};

use crate::support::{Answer, Rig, rig, send};

const CORP: &str = "https://corp.idp.tokenrig.test";
const BACK: &str = "https://app.example/cb";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

const ASKED: &[(&str, &str)] = &[
    ("response_type", "code"),
    ("client_id", "app"),
    ("redirect_uri", BACK),
    ("scope", "openid offline_access"),
    ("state", "s"),
    ("nonce", "n"),
    ("login_hint", r#"{"sub":"alice","department":"sales","iss":"https://forged.example"}"#),
];

/// The authorization request, with some parameters put in the place of others or taken away.
fn asked(changes: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let changed = |name: &str| changes.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
    let mut fields: Vec<_> =
        ASKED.iter().map(|(name, value)| (*name, changed(name).unwrap_or_else(|| (*value).to_owned()))).collect();
    for name in ["code_challenge", "code_challenge_method", "prompt"] {
        if let Some(value) = changed(name) {
            fields.push((name, value));
        }
    }
    fields.retain(|(_, value)| value != "-");
    fields
}

async fn authorize(rig: &Rig, changes: &[(&str, &str)]) -> Answer {
    let fields = asked(changes);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    rig.get(&format!("{CORP}/authorize?{}", form(&fields))).await
}

/// What the browser brings back.
fn brought(answer: &Answer) -> Value {
    assert_eq!(answer.status, 302, "{}", answer.text());
    let (uri, query) = answer.header("location").split_once('?').unwrap();
    assert_eq!(uri, BACK);
    form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), json!(value))).collect()
}

async fn posted(rig: &Rig, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(format!("{CORP}/token")).header("content-type", "application/x-www-form-urlencoded");
    send(&rig.router, request.body(Body::from(form(fields))).unwrap()).await
}

async fn redeemed(rig: &Rig, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK), ("client_id", "app")];
    for (name, value) in changes {
        fields.retain(|(other, _)| other != name);
        fields.push((name, value));
    }
    posted(rig, &fields).await
}

async fn code(rig: &Rig, changes: &[(&str, &str)]) -> String {
    brought(&authorize(rig, changes).await)["code"].as_str().unwrap().to_owned()
}

async fn signed_in(rig: &Rig) -> Value {
    let answer = redeemed(rig, &code(rig, &[]).await, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

#[tokio::test]
async fn a_code_becomes_an_id_token_that_says_who_it_was_and_repeats_the_nonce() {
    let rig = rig();
    let back = brought(&authorize(&rig, &[]).await);
    assert_eq!(back["state"], "s");
    let answer = redeemed(&rig, back["code"].as_str().unwrap(), &[]).await.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let jws = Jws::parse(answer["id_token"].as_str().unwrap()).unwrap();
    let keys = JwkSet::parse(rig.get(&format!("{CORP}/certs")).await.text().as_bytes()).unwrap();
    let key = keys.resolve(jws.kid().unwrap(), jws.algorithm().unwrap()).unwrap();
    assert_eq!(jws.verify(key), Ok(()));
    let claims = jws.claims().unwrap();
    // What a token says of itself is the provider's word, whatever the user brought.
    let expected = json!({ "iss": CORP, "sub": "alice", "aud": "app", "nonce": "n", "department": "sales" });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&claims[name], value, "{name}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn who_is_not_named_is_asked_and_answers_by_the_page() {
    let rig = rig();
    let page = authorize(&rig, &[("login_hint", "-"), ("state", "\"><script>")]).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("name=\"state\" value=\"&quot;&gt;&lt;script&gt;\""), "{}", page.text());
    let fields = asked(&[("login_hint", "bob")]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = Request::post(format!("{CORP}/authorize?state=other&client_id=other"))
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = send(&rig.router, request.body(Body::from(form(&fields))).unwrap()).await;
    let code = brought(&answer)["code"].as_str().unwrap().to_owned();
    let token = redeemed(&rig, &code, &[]).await.json();
    assert_eq!(peek(token["id_token"].as_str().unwrap()).unwrap().claims["sub"], "bob");
}

#[rstest]
#[case::another_kind_of_response(&[("response_type", "token")], "unsupported_response_type")]
#[case::no_kind_of_response(&[("response_type", "-")], "invalid_request")]
#[case::without_openid(&[("scope", "email")], "invalid_scope")]
#[case::a_method_without_a_challenge(&[("code_challenge_method", "S256")], "invalid_request")]
#[case::an_unknown_method(&[("code_challenge", "x"), ("code_challenge_method", "S512")], "invalid_request")]
#[case::nobody_is_there_and_none_may_be_asked(&[("login_hint", "-"), ("prompt", "none")], "login_required")]
#[case::claims_without_a_subject(&[("login_hint", "{}")], "invalid_request")]
#[tokio::test]
async fn a_wrong_request_goes_back_with_the_error(#[case] changes: &[(&str, &str)], #[case] error: &str) {
    let back = brought(&authorize(&rig(), changes).await);
    assert_eq!((&back["error"], &back["state"], back.get("code")), (&json!(error), &json!("s"), None));
}

#[rstest]
#[case::no_client(&[("client_id", "-")])]
#[case::no_address(&[("redirect_uri", "-")])]
#[case::an_address_that_is_none(&[("redirect_uri", "/cb")])]
#[tokio::test]
async fn nobody_is_sent_to_where_it_is_not_sure(#[case] changes: &[(&str, &str)]) {
    let answer = authorize(&rig(), changes).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""));
}

#[rstest]
#[case::another_client(&[("client_id", "other")])]
#[case::no_client(&[("client_id", "")])]
#[case::another_address(&[("redirect_uri", "https://app.example/other")])]
#[case::a_verifier_that_was_not_announced(&[("code_verifier", VERIFIER)])]
#[tokio::test]
async fn a_code_is_good_for_its_own_request_only(#[case] changes: &[(&str, &str)]) {
    let rig = rig();
    let answer = redeemed(&rig, &code(&rig, &[]).await, changes).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_grant")));
}

#[rstest]
#[case::the_right_one(Some(VERIFIER), 200)]
#[case::another(Some("x"), 400)]
#[case::none(None, 400)]
#[tokio::test]
async fn a_challenge_asks_for_its_verifier(#[case] verifier: Option<&str>, #[case] status: u16) {
    let rig = rig();
    let code = code(&rig, &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]).await;
    let verifier: Vec<_> = verifier.map(|verifier| ("code_verifier", verifier)).into_iter().collect();
    assert_eq!(redeemed(&rig, &code, &verifier).await.status, status);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_ten_minutes() {
    let rig = rig();
    let (first, second) = (code(&rig, &[]).await, code(&rig, &[]).await);
    assert_ne!(first, second);
    assert_eq!(redeemed(&rig, &first, &[]).await.status, 200);
    assert_eq!(redeemed(&rig, &first, &[]).await.status, 400);
    rig.advance(minutes(10));
    assert_eq!(redeemed(&rig, &second, &[]).await.status, 400);
}

#[tokio::test]
async fn a_refresh_token_gives_new_tokens_without_a_nonce_to_its_client_alone() {
    let rig = rig();
    let tokens = signed_in(&rig).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "app")];
    let again = posted(&rig, &fields).await.json();
    assert!(!peek(again["id_token"].as_str().unwrap()).unwrap().claims.contains_key("nonce"));
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "other")];
    assert_eq!(posted(&rig, &fields).await.json()["error"], "invalid_grant");
}

#[rstest]
#[case::another_grant(&[("grant_type", "password")], "unsupported_grant_type")]
#[case::no_grant(&[("code", "x")], "invalid_request")]
#[case::two_codes(&[("grant_type", "authorization_code"), ("code", "x"), ("code", "y")], "invalid_request")]
#[tokio::test]
async fn a_form_that_asks_for_something_else_is_refused(#[case] fields: &[(&str, &str)], #[case] error: &str) {
    let answer = posted(&rig(), fields).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!(error)));
}

#[tokio::test]
async fn claims_are_claims_even_if_they_are_called_a_form() {
    let rig = rig();
    let request = Request::post(format!("{CORP}/token")).header("content-type", "application/x-www-form-urlencoded");
    let answer = send(&rig.router, request.body(Body::from(r#" {"sub":"alice"}"#)).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(peek(answer.text()).unwrap().claims["sub"], "alice");
}

async fn userinfo(rig: &Rig, token: &str) -> Answer {
    let request = Request::get(format!("{CORP}/userinfo")).header("authorization", format!("Bearer {token}"));
    send(&rig.router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn userinfo_tells_the_users_claims_for_an_hour() {
    let rig = rig();
    let token = signed_in(&rig).await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(userinfo(&rig, &token).await.json(), json!({ "sub": "alice", "department": "sales" }));
    rig.advance(minutes(60));
    let refused = userinfo(&rig, &token).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn basic_authentication_names_the_client_too() {
    let rig = rig();
    let code = code(&rig, &[]).await;
    // app:s3cret
    let request = Request::post(format!("{CORP}/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "Basic YXBwOnMzY3JldA==");
    let fields = form(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)]);
    assert_eq!(send(&rig.router, request.body(Body::from(fields)).unwrap()).await.status, 200);
}

#[tokio::test]
async fn logout_goes_back_where_it_is_told() {
    let rig = rig();
    let answer =
        rig.get(&format!("{CORP}/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=s")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "https://app.example/bye?state=s"));
    assert_eq!(rig.get(&format!("{CORP}/logout")).await.status, 200);
}

#[tokio::test]
async fn an_issuer_can_be_wrong_in_its_code_flow_too() {
    let rig = rig();
    let patch =
        |misbehaves, flaw| IssuerPatch { misbehaves: Some(misbehaves), flaw: Some(flaw), ..IssuerPatch::default() };
    rig.issuers.patch("corp", patch(Misbehaviour::WrongNonce, None)).unwrap();
    let tokens = signed_in(&rig).await;
    assert_eq!(peek(tokens["id_token"].as_str().unwrap()).unwrap().claims["nonce"], "not-n");

    rig.issuers.patch("corp", patch(Misbehaviour::WrongUserinfo, Some(Flaw::WrongKey))).unwrap();
    let tokens = signed_in(&rig).await;
    assert_eq!(userinfo(&rig, tokens["access_token"].as_str().unwrap()).await.json()["sub"], "somebody-else");
    let jws = Jws::parse(tokens["id_token"].as_str().unwrap()).unwrap();
    let keys = JwkSet::parse(rig.get(&format!("{CORP}/certs")).await.text().as_bytes()).unwrap();
    let key = keys.resolve(jws.kid().unwrap(), jws.algorithm().unwrap()).unwrap();
    assert_eq!(jws.verify(key), Err(SignatureFault::Mismatch));
    let strikes = rig.issuers.get("corp").unwrap().strikes;
    assert_eq!((strikes[&Misbehaviour::WrongNonce], strikes[&Misbehaviour::WrongUserinfo]), (1, 1));
}
