//! What a token is.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use tokenrig_clock::seconds;
use tokenrig_cloud::{AccessTokenOrder, IdTokenOrder, IdentityPool};
use tokenrig_policy::{Identity, PoolRef};

use crate::support::{CLOUD_PLATFORM, NOW, Rig};

const URL: &str = "https://oauth2.googleapis.com/tokeninfo";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

fn token(rig: &Rig, identity: Identity, scopes: &[&str]) -> String {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let order = AccessTokenOrder { identity, scopes, lifetime: seconds(3599) };
    rig.cloud.mint().access_token(order).reveal().to_owned()
}

#[rstest]
#[case::in_the_query("GET", "query")]
#[case::in_a_form("POST", "form")]
#[case::as_bearer("POST", "bearer")]
#[tokio::test]
async fn an_access_token_is_told_in_texts(#[case] verb: &str, #[case] how: &str) {
    let rig = Rig::new();
    let token = token(&rig, rig.account.identity(), &[CLOUD_PLATFORM]);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let answer = match how {
        "query" => rig.ask(verb, &format!("{URL}?access_token={token}"), &[], "").await,
        "form" => rig.ask(verb, URL, &[form], &format!("access_token={token}")).await,
        _ => rig.ask(verb, URL, &[form, ("authorization", &format!("Bearer {token}"))], "").await,
    };
    let id = &rig.account.unique_id;
    let told = json!({
        "azp": id, "aud": id, "scope": CLOUD_PLATFORM, "exp": (NOW + 3599).to_string(), "expires_in": "3599", "access_type": "online",
    });
    assert_eq!((answer.status, answer.body), (200, told));
    assert_eq!(rig.last().surface, "tokeninfo");
}

#[tokio::test]
async fn the_email_is_told_to_who_may_know_it() {
    let rig = Rig::new();
    let token = token(&rig, rig.account.identity(), &[CLOUD_PLATFORM, EMAIL]);
    let answer = rig.get(&format!("{URL}?access_token={token}")).await;
    assert_eq!(answer.body["email"], rig.account.email);
    assert_eq!(answer.body["email_verified"], "true");
    assert_eq!(answer.body["scope"], format!("{CLOUD_PLATFORM} {EMAIL}"));
}

#[tokio::test]
async fn an_id_token_is_told_with_its_header() {
    let rig = Rig::new();
    let token = rig.cloud.mint().id_token(&IdTokenOrder::for_assertion(&rig.account, "a"));
    let told = rig.get(&format!("{URL}?id_token={token}")).await.body;
    assert_eq!((&told["aud"], &told["exp"]), (&json!("a"), &json!((NOW + 3600).to_string())));
    assert_eq!((&told["email_verified"], &told["alg"]), (&json!("true"), &json!("RS256")));
    rig.advance(seconds(3600));
    assert_eq!(rig.get(&format!("{URL}?id_token={token}")).await.status, 400);
}

#[rstest]
#[case::garbage(|_: &Rig| "access_token=garbage".to_owned())]
#[case::a_jwt_that_is_none(|_: &Rig| "id_token=a.b.c".to_owned())]
#[case::another_signer(|rig: &Rig| format!("id_token={}", rig.assertion(json!({}))))]
#[case::federated(|rig: &Rig| {
    rig.cloud.pools().create(IdentityPool::named(PoolRef::workforce("employees"))).unwrap();
    let alice = Identity::Federated {
        pool: PoolRef::workforce("employees"), subject: "alice".into(), groups: vec![], attributes: BTreeMap::new(), provider: "okta".into(),
    };
    format!("access_token={}", token(rig, alice, &[CLOUD_PLATFORM]))
})]
#[case::self_signed(|rig: &Rig| format!("access_token={}", rig.assertion(json!({ "sub": rig.account.email }))))]
#[tokio::test]
async fn any_other_token_is_invalid(#[case] query: fn(&Rig) -> String) {
    let rig = Rig::new();
    let answer = rig.get(&format!("{URL}?{}", query(&rig))).await;
    let refused = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
    assert_eq!((answer.status, answer.body), (400, refused));
    assert_eq!(rig.last().failed().unwrap().name, "token");
}

#[tokio::test]
async fn an_access_token_is_told_until_it_ends() {
    let rig = Rig::new();
    let token = token(&rig, rig.account.identity(), &[CLOUD_PLATFORM]);
    rig.advance(seconds(3599));
    assert_eq!(rig.get(&format!("{URL}?access_token={token}")).await.body["error_description"], "Invalid Value");
}

#[tokio::test]
async fn no_token_is_told_as_that() {
    let rig = Rig::new();
    let answer = rig.get(URL).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["error_description"], "Either access_token, id_token, or token_handle required");
}

#[rstest]
#[case::disabled(false, 400)]
#[case::disabled_and_told(true, 200)]
#[tokio::test]
async fn an_id_token_of_an_account_that_is_gone_is_a_bad_one_unless_set_otherwise(
    #[case] told: bool,
    #[case] status: u16,
) {
    let rig = Rig::with(tokenrig_accounts::Settings { gone_accounts_told: told, ..Default::default() });
    let token = rig.cloud.mint().id_token(&IdTokenOrder::for_assertion(&rig.account, "a"));
    assert_eq!(rig.get(&format!("{URL}?id_token={token}")).await.status, 200);
    rig.cloud.accounts().set_disabled(&rig.account.email, true).unwrap();
    assert_eq!(rig.get(&format!("{URL}?id_token={token}")).await.status, status);
    rig.cloud.accounts().set_disabled(&rig.account.email, false).unwrap();
    rig.cloud.accounts().delete(&rig.account.email).unwrap();
    assert_eq!(rig.get(&format!("{URL}?id_token={token}")).await.status, status);
}
