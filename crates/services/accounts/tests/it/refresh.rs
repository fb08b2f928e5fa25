//! The grant of a user's refresh token.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloud::{GCLOUD_CLIENT_ID, OAuthClient, RefreshState, Secret};
use tokenrig_jose::peek;

use crate::support::{Answer, CLOUD_PLATFORM, NOW, Rig, TOKEN};

const EMAIL_SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";

/// A rig that knows Alice, the client `web` and a refresh token in each state.
fn rig() -> Rig {
    let rig = Rig::new();
    let users = rig.cloud.users();
    users.add("alice@shop.example").unwrap();
    let client = |name: &str| OAuthClient {
        name: name.to_owned(),
        client_id: format!("1-{name}.apps.googleusercontent.com"),
        secret: Secret::new(format!("{name}&hidden")),
    };
    for name in ["web", "other"] {
        users.add_client(client(name)).unwrap();
    }
    for (token, client, state) in [
        ("1//test", "web", RefreshState::Active),
        ("1//gcloud", "gcloud", RefreshState::Active),
        ("1//revoked", "web", RefreshState::Revoked),
        ("1//due", "web", RefreshState::ReauthDue),
        ("1//others", "other", RefreshState::Active),
    ] {
        users.add_refresh_token(token, "alice@shop.example", client, state).unwrap();
    }
    rig
}

/// Changes of the fields of a good request; null takes one away.
fn fields(changes: &Value) -> Vec<(String, String)> {
    let mut fields = json!({
        "grant_type": "refresh_token", "client_id": "1-web.apps.googleusercontent.com", "client_secret": "web&hidden",
        "refresh_token": "1//test",
    });
    for (name, value) in changes.as_object().unwrap() {
        fields[name] = value.clone();
    }
    let texts = fields.as_object().unwrap().iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts.map(|(name, value)| (name.clone(), value.to_owned())).collect()
}

async fn refresh(rig: &Rig, changes: Value) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields(&changes)).finish();
    rig.ask("POST", TOKEN, &[("content-type", "application/x-www-form-urlencoded")], &form).await
}

#[tokio::test]
async fn a_refresh_token_gets_an_access_token_and_an_id_token_for_the_client() {
    let rig = rig();
    let answer = refresh(&rig, json!({})).await;
    let names: Vec<_> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "scope", "token_type", "id_token"], "{answer:?}");
    assert_eq!((&answer.body["expires_in"], &answer.body["token_type"]), (&json!(3599), &json!("Bearer")));
    assert_eq!(answer.body["scope"], format!("openid {EMAIL_SCOPE} {CLOUD_PLATFORM}"));
    let alice = rig.cloud.users().get("alice@shop.example").unwrap();
    let claims = peek(answer.body["id_token"].as_str().unwrap()).unwrap().claims;
    let client = json!("1-web.apps.googleusercontent.com");
    assert_eq!((&claims["aud"], &claims["azp"], &claims["sub"]), (&client, &client, &json!(alice.id)));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("alice@shop.example"), &json!(true)));
    assert_eq!(
        (&claims["hd"], &claims["iat"], &claims["exp"]),
        (&json!("shop.example"), &json!(NOW), &json!(NOW + 3600))
    );
    let caller = rig.cloud.caller(answer.body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.identity, alice.identity());
    let checks: Vec<_> = rig.last().checks.iter().map(|check| check.name.clone()).collect();
    assert_eq!(checks, ["request", "client", "refresh-token", "scope"]);
}

#[tokio::test]
async fn a_users_token_is_told_as_the_clients() {
    let rig = rig();
    let answer = refresh(&rig, json!({})).await;
    let token = answer.body["access_token"].as_str().unwrap();
    let told = rig.get(&format!("https://oauth2.googleapis.com/tokeninfo?access_token={token}")).await;
    let client = json!("1-web.apps.googleusercontent.com");
    assert_eq!((&told.body["aud"], &told.body["azp"]), (&client, &client), "{told:?}");
    assert_eq!(told.body["email"], "alice@shop.example");
}

#[rstest]
#[case::what_is_asked_for(CLOUD_PLATFORM, CLOUD_PLATFORM, false)]
#[case::with_openid("openid nonsense email", "openid email", true)]
#[tokio::test]
async fn a_refresh_may_ask_for_scopes(#[case] asked: &str, #[case] given: &str, #[case] id_token: bool) {
    let answer = refresh(&rig(), json!({ "scope": asked })).await;
    assert_eq!((&answer.body["scope"], answer.body.get("id_token").is_some()), (&json!(given), id_token));
}

#[tokio::test]
async fn gclouds_users_need_no_client_of_their_own() {
    let secret = rig().cloud.users().client(GCLOUD_CLIENT_ID).unwrap().secret.reveal().to_owned();
    let changes = json!({ "client_id": GCLOUD_CLIENT_ID, "client_secret": secret, "refresh_token": "1//gcloud" });
    let answer = refresh(&rig(), changes).await;
    let claims = peek(answer.body["id_token"].as_str().unwrap()).unwrap().claims;
    assert_eq!(claims["aud"], GCLOUD_CLIENT_ID);
}

#[rstest]
#[case::basic(&[("authorization", "Basic MS13ZWIuYXBwcy5nb29nbGV1c2VyY29udGVudC5jb206d2ViJmhpZGRlbg==")], "application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token=1//test")]
#[case::json(&[], "application/json", r#"{"grant_type":"refresh_token","refresh_token":"1//test","client_id":"1-web.apps.googleusercontent.com","client_secret":"web&hidden","scopes":null}"#)]
#[tokio::test]
async fn the_client_may_prove_itself_by_basic_authentication_and_the_body_may_be_json(
    #[case] headers: &[(&str, &str)],
    #[case] kind: &str,
    #[case] body: &str,
) {
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", kind)]).collect();
    let answer = rig().ask("POST", TOKEN, &headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[rstest]
#[case::no_client(json!({ "client_id": null }), 400, "invalid_request", "Could not determine client ID from request.", "client", "oauth2-client-id-missing")]
#[case::unknown_client(json!({ "client_id": "x" }), 401, "invalid_client", "The OAuth client was not found.", "client", "oauth2-client-not-found")]
#[case::wrong_secret(json!({ "client_secret": "x" }), 401, "invalid_client", "The provided client secret is invalid.", "client", "oauth2-client-secret-wrong")]
#[case::no_secret(json!({ "client_secret": null }), 400, "invalid_request", "client_secret is missing.", "client", "oauth2-client-secret-missing")]
#[case::no_token(json!({ "refresh_token": null }), 400, "invalid_grant", "Bad Request", "refresh-token", "oauth2-refresh-token-missing")]
#[case::garbage(json!({ "refresh_token": "garbage" }), 400, "invalid_grant", "Bad Request", "refresh-token", "oauth2-refresh-bad-request")]
#[case::another_clients(json!({ "refresh_token": "1//others" }), 400, "invalid_grant", "Bad Request", "refresh-token", "oauth2-refresh-bad-request")]
#[case::unknown(json!({ "refresh_token": "1//unknown" }), 400, "invalid_grant", "Token has been expired or revoked.", "refresh-token", "oauth2-refresh-token-revoked")]
#[case::revoked(json!({ "refresh_token": "1//revoked" }), 400, "invalid_grant", "Token has been expired or revoked.", "refresh-token", "oauth2-refresh-token-revoked")]
#[case::reauth_due(json!({ "refresh_token": "1//due" }), 400, "invalid_grant", "reauth related error (invalid_rapt)", "refresh-token", "oauth2-refresh-reauth-due")]
#[case::no_scope_of_googles(json!({ "scope": "nonsense" }), 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.", "scope", "oauth2-refresh-scope-unknown")]
#[case::another_grant(json!({ "grant_type": "password" }), 400, "unsupported_grant_type", "Invalid grant_type: password", "request", "oauth2-grant-type-unknown")]
#[case::no_grant(json!({ "grant_type": null }), 400, "unsupported_grant_type", "Invalid grant_type: ", "request", "oauth2-grant-type-unknown")]
#[tokio::test]
async fn a_refresh_that_is_wrong_is_told_why(
    #[case] changes: Value,
    #[case] status: u16,
    #[case] error: &str,
    #[case] description: &str,
    #[case] failed: &str,
    #[case] id: &str,
) {
    let rig = rig();
    let answer = refresh(&rig, changes).await;
    assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{answer:?}");
    assert_eq!(answer.body["error_description"], description);
    let record = rig.last();
    let first = record.checks.iter().find(|check| !check.ok).map(|check| check.name.clone());
    assert_eq!((first.as_deref(), record.refusal.as_deref()), (Some(failed), Some(id)));
    // Secrets and tokens stand in no decision.
    let told = format!("{record:?}");
    let secrets = ["1//revoked", "1//due", "1//others", "1//unknown", "garbage", "hidden"];
    assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
}

#[tokio::test]
async fn clients_know_by_the_subtype_that_the_user_has_to_sign_in_again() {
    let answer = refresh(&rig(), json!({ "refresh_token": "1//due" })).await;
    assert_eq!(answer.body["error_subtype"], "invalid_rapt");
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
}
