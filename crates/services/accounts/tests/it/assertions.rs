//! The grant for a service account's assertion.

use rstest::rstest;
use serde_json::{Map, Value, json};
use tokenrig_clock::seconds;
use tokenrig_jose::{forge, peek, pool, sign};

use crate::support::{CLOUD_PLATFORM, JWT_BEARER, NOW, Rig, TOKEN};

const WINDOW: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";

#[tokio::test]
async fn a_scope_gets_an_access_token() {
    let rig = Rig::new();
    let answer = rig.grant(&rig.assertion(json!({}))).await;
    assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(3599)), "{answer:?}");
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.headers["cache-control"], "no-cache, no-store, max-age=0, must-revalidate");
    let caller = rig.cloud.caller(answer.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!((caller.identity, caller.scopes), (rig.account.identity(), vec![CLOUD_PLATFORM.to_owned()]));
    let names: Vec<_> = rig.last().checks.iter().map(|check| check.name.clone()).collect();
    assert_eq!(names, ["request", "assertion", "signature", "account", "times", "scope", "audience", "delegation"]);
    assert_eq!(rig.last().surface, "oauth2-token");
}

#[rstest]
#[case::audience(json!({ "scope": null, "target_audience": "https://orders.example.com" }), "https://orders.example.com")]
#[case::audience_before_scope(json!({ "target_audience": "a" }), "a")]
#[case::a_scope_that_is_none(json!({ "scope": "https://orders.example.com" }), "https://orders.example.com")]
#[case::for_itself(json!({ "target_audience": "a", "sub": "caller@shop-test.iam.gserviceaccount.com" }), "a")]
#[tokio::test]
async fn an_audience_gets_an_id_token_and_nothing_else(#[case] changes: Value, #[case] audience: &str) {
    let rig = Rig::new();
    let answer = rig.grant(&rig.assertion(changes)).await;
    assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["id_token"], "{answer:?}");
    let claims = peek(answer.body["id_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!((&claims["aud"], &claims["azp"]), (&json!(audience), &json!(rig.account.email)));
    assert_eq!((&claims["email"], &claims["sub"]), (&json!(rig.account.email), &json!(rig.account.unique_id)));
}

#[rstest]
#[case::digits(json!({ "iat": NOW.to_string(), "exp": (NOW + 3600).to_string() }))]
#[case::dated_back_and_forth(json!({ "iat": NOW - 10, "exp": NOW + 3610 }))]
#[case::a_minute_ahead(json!({ "iat": NOW + 60, "exp": NOW + 3600 }))]
#[case::the_last_second(json!({ "iat": NOW - 3599, "exp": NOW + 1 }))]
#[case::some_scopes(json!({ "scope": format!("nonsense {CLOUD_PLATFORM}") }))]
#[tokio::test]
async fn what_official_clients_send_is_taken(#[case] changes: Value) {
    let rig = Rig::new();
    let answer = rig.grant(&rig.assertion(changes)).await;
    assert!(answer.body.get("access_token").is_some(), "{answer:?}");
}

#[tokio::test]
async fn a_header_without_key_id_is_tried_with_every_key() {
    let rig = Rig::new();
    rig.cloud.accounts().create_key(&rig.account).unwrap();
    let header = json!({ "alg": "RS256" });
    let assertion = sign(header.as_object().unwrap(), &rig.claims(json!({})), &rig.key);
    assert_eq!(rig.grant(&assertion).await.status, 200);
}

#[tokio::test]
async fn the_body_may_be_json() {
    let rig = Rig::new();
    let body = json!({ "grant_type": JWT_BEARER, "assertion": rig.assertion(json!({})) }).to_string();
    let answer = rig.ask("POST", TOKEN, &[("content-type", "application/json; charset=UTF-8")], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[rstest]
#[case::iat_missing(json!({ "iat": null }), "invalid_grant", "Invalid JWT: iat (issued at) is not set.", "oauth2-jwt-iat-missing", "times")]
#[case::exp_missing(json!({ "exp": null }), "invalid_grant", "Invalid JWT: exp (expiration time) is not set.", "oauth2-jwt-exp-missing", "times")]
#[case::expired(json!({ "iat": NOW - 3600, "exp": NOW }), "invalid_grant", WINDOW, "oauth2-jwt-window-expired", "times")]
#[case::from_the_future(json!({ "iat": NOW + 61 }), "invalid_grant", WINDOW, "oauth2-jwt-window-iat-in-future", "times")]
#[case::too_long(json!({ "exp": NOW + 3661 }), "invalid_grant", WINDOW, "oauth2-jwt-window-too-long", "times")]
#[case::no_time(json!({ "exp": "soon" }), "invalid_grant", WINDOW, "oauth2-jwt-window-unreadable", "times")]
#[case::no_account(json!({ "iss": null }), "invalid_grant", "Invalid grant: account not found", "oauth2-jwt-account-not-found", "account")]
#[case::unknown_account(json!({ "iss": "nobody@shop-test.iam.gserviceaccount.com" }), "invalid_grant", "Invalid grant: account not found", "oauth2-jwt-account-not-found", "account")]
#[case::no_scope(json!({ "scope": null }), "invalid_scope", "Invalid OAuth scope or ID token audience provided.", "oauth2-scope-empty", "scope")]
#[case::empty_scope(json!({ "scope": " " }), "invalid_scope", "Invalid OAuth scope or ID token audience provided.", "oauth2-scope-empty", "scope")]
#[case::no_audience(json!({ "aud": null }), "invalid_grant", "Invalid JWT: Failed audience check.", "oauth2-jwt-audience-wrong", "audience")]
#[case::without_token(json!({ "aud": "https://oauth2.googleapis.com" }), "invalid_grant", "Invalid JWT: Failed audience check.", "oauth2-jwt-audience-wrong", "audience")]
#[case::another_host(json!({ "aud": "https://sts.googleapis.com/token" }), "invalid_grant", "Invalid JWT: Failed audience check.", "oauth2-jwt-audience-wrong", "audience")]
#[case::no_user(json!({ "sub": "alice" }), "invalid_grant", "Not a valid email", "oauth2-dwd-sub-not-email", "delegation")]
#[tokio::test]
async fn a_wrong_assertion_is_refused_in_googles_words(
    #[case] changes: Value,
    #[case] error: &str,
    #[case] description: &str,
    #[case] id: &str,
    #[case] failed: &str,
) {
    let rig = Rig::new();
    let answer = rig.grant(&rig.assertion(changes)).await;
    assert_eq!((answer.status, &answer.body), (400, &json!({ "error": error, "error_description": description })));
    let record = rig.last();
    assert_eq!((record.refusal.as_deref(), record.failed().unwrap().name.as_str()), (Some(id), failed));
}

#[tokio::test]
async fn an_account_acts_for_no_user() {
    let rig = Rig::new();
    let answer = rig.grant(&rig.assertion(json!({ "sub": "alice@shop.example" }))).await;
    assert_eq!((answer.status, &answer.body["error"]), (401, &json!("unauthorized_client")));
}

#[rstest]
#[case::alg_none(|rig: &Rig| forge::unsigned(&header("none", &rig.key_id), &rig.claims(json!({}))), "oauth2-jwt-alg-none")]
#[case::alg_missing(|rig: &Rig| sign(&Map::new(), &rig.claims(json!({})), &rig.key), "oauth2-jwt-alg-missing")]
#[case::alg_hs256(|rig: &Rig| forge::hs256(&header("HS256", &rig.key_id), &rig.claims(json!({})), rig.key.public().spki_der()), "oauth2-jwt-signature-invalid")]
#[case::alg_es256(|rig: &Rig| sign(&header("ES256", &rig.key_id), &rig.claims(json!({})), pool::ec(0)), "oauth2-jwt-signature-invalid")]
#[case::another_key(|rig: &Rig| sign(&header("RS256", &rig.key_id), &rig.claims(json!({})), pool::rsa(0)), "oauth2-jwt-signature-invalid")]
#[case::unknown_key_id(|rig: &Rig| sign(&header("RS256", "0"), &rig.claims(json!({})), &rig.key), "oauth2-jwt-signature-invalid")]
#[case::for_another_account(|rig: &Rig| sign(&header("RS256", &rig.key_id), &rig.claims(json!({ "iss": rig.cloud.owner_email() })), &rig.key), "oauth2-jwt-signature-invalid")]
#[case::none_of_nobody(|rig: &Rig| forge::unsigned(&header("none", ""), &rig.claims(json!({ "iss": "nobody" }))), "oauth2-jwt-alg-none")]
#[tokio::test]
async fn what_no_key_of_the_account_signed_is_refused(#[case] make: fn(&Rig) -> String, #[case] id: &str) {
    let rig = Rig::new();
    let answer = rig.grant(&make(&rig)).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.body, json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." }));
    assert_eq!(rig.last().refusal.as_deref(), Some(id));
}

fn header(alg: &str, kid: &str) -> Map<String, Value> {
    json!({ "alg": alg, "kid": kid, "typ": "JWT" }).as_object().unwrap().clone()
}

#[tokio::test]
async fn a_disabled_or_deleted_key_signs_nothing() {
    let rig = Rig::new();
    rig.cloud.accounts().set_key_disabled(&rig.account, &rig.key_id, true).unwrap();
    let description = "Invalid JWT Signature.";
    assert_eq!(rig.grant(&rig.assertion(json!({}))).await.body["error_description"], description);
    rig.cloud.accounts().delete_key(&rig.account, &rig.key_id).unwrap();
    assert_eq!(rig.grant(&rig.assertion(json!({}))).await.body["error_description"], description);
}

#[tokio::test]
async fn a_disabled_account_is_not_found() {
    let rig = Rig::new();
    rig.cloud.accounts().set_disabled(&rig.account.email, true).unwrap();
    let answer = rig.grant(&rig.assertion(json!({}))).await;
    assert_eq!(answer.body["error_description"], "Invalid grant: account not found");
    assert_eq!(rig.last().refusal.as_deref(), Some("oauth2-jwt-account-disabled"));
}

#[rstest]
#[case::missing("", "oauth2-jwt-assertion-missing")]
#[case::two_parts("a.b", "oauth2-jwt-assertion-not-three-parts")]
#[case::no_json("a.b.c", "oauth2-jwt-assertion-undecodable")]
#[tokio::test]
async fn an_assertion_that_cannot_be_read_is_a_bad_request(#[case] assertion: &str, #[case] id: &str) {
    let rig = Rig::new();
    let answer = rig.grant(assertion).await;
    assert_eq!(answer.body, json!({ "error": "invalid_request", "error_description": "Bad Request" }));
    assert_eq!(rig.last().refusal.as_deref(), Some(id));
}

#[rstest]
#[case::none("", 400, "unsupported_grant_type", "Invalid grant_type: ")]
#[case::unknown("grant_type=password", 400, "unsupported_grant_type", "Invalid grant_type: password")]
#[case::of_users(
    "grant_type=authorization_code&code=1",
    501,
    "unimplemented",
    "This version of the rig does not play the grant authorization_code: nobody can sign in."
)]
#[tokio::test]
async fn other_grants_are_refused(
    #[case] body: &str,
    #[case] status: u16,
    #[case] error: &str,
    #[case] description: &str,
) {
    let rig = Rig::new();
    let answer = rig.ask("POST", TOKEN, &[("content-type", "application/x-www-form-urlencoded")], body).await;
    assert_eq!((answer.status, answer.body), (status, json!({ "error": error, "error_description": description })));
}

#[rstest]
#[case::its_own("https://www.googleapis.com/oauth2/v4/token", 200)]
#[case::the_constant(TOKEN, 200)]
#[case::another("https://www.googleapis.com/oauth2/v3/token", 400)]
#[tokio::test]
async fn the_older_address_takes_its_own_name_and_tells_it(#[case] audience: &str, #[case] status: u16) {
    let rig = Rig::new();
    let assertion = rig.assertion(json!({ "aud": audience }));
    let answer = rig.grant_at("https://www.googleapis.com/oauth2/v4/token", &assertion).await;
    assert_eq!(answer.status, status, "{answer:?}");
    if status == 400 {
        let told = answer.body["error_description"].as_str().unwrap();
        assert!(told.ends_with("The right audience is https://www.googleapis.com/oauth2/v4/token"), "{told}");
    }
}

#[tokio::test]
async fn an_assertion_ends_with_the_clock() {
    let rig = Rig::new();
    let assertion = rig.assertion(json!({}));
    rig.advance(seconds(3599));
    assert_eq!(rig.grant(&assertion).await.status, 200);
    rig.advance(seconds(1));
    assert_eq!(rig.grant(&assertion).await.body["error_description"], WINDOW);
}

#[tokio::test]
async fn a_decision_shows_no_token() {
    let rig = Rig::new();
    let assertion = rig.assertion(json!({}));
    rig.grant(&assertion).await;
    let shown = serde_json::to_string(&rig.last()).unwrap();
    assert!(!shown.contains(&assertion) && !shown.contains("ya29."), "{shown}");
}
