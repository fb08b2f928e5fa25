//! generateAccessToken and generateIdToken.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_cloud::TokenKind;
use tokenrig_iamcredentials::Settings;
use tokenrig_jose::peek;

use crate::support::{CLOUD_PLATFORM, Over, Rig};

const CREATOR: &str = "roles/iam.serviceAccountTokenCreator";

fn ready() -> Rig {
    let rig = Rig::new();
    rig.grant_on("target", CREATOR, "caller");
    rig
}

#[rstest]
#[tokio::test]
async fn an_access_token_is_the_accounts_and_ends_on_a_whole_second(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = ready();
    let target = rig.account("target");
    let body = json!({ "scope": [CLOUD_PLATFORM], "lifetime": "600s" });
    let answer = rig.call(over, &rig.token("caller"), "generateAccessToken", &target.email, body).await;
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.body["expireTime"], "2026-01-15T09:10:00Z");
    let caller = rig.cloud.caller(answer.body["accessToken"].as_str().unwrap()).unwrap();
    assert_eq!((caller.identity, caller.kind), (target.identity(), TokenKind::Access));
    assert_eq!(caller.scopes, [CLOUD_PLATFORM]);
    assert_eq!(rig.last().surface, "iamcredentials");
    assert_eq!(rig.last().of, "iamcredentials.projects.serviceAccounts.generateAccessToken");
}

#[rstest]
#[case::null_delegates(json!({ "scope": [CLOUD_PLATFORM], "delegates": null }), "2026-01-15T10:00:00Z")]
#[case::no_delegates(json!({ "scope": [CLOUD_PLATFORM], "delegates": [] }), "2026-01-15T10:00:00Z")]
#[case::an_empty_scope_is_all(json!({ "scope": [""] }), "2026-01-15T10:00:00Z")]
#[case::a_second(json!({ "scope": ["openid"], "lifetime": "1s" }), "2026-01-15T09:00:01Z")]
#[case::a_fraction_is_cut(json!({ "scope": ["openid"], "lifetime": "1.9s" }), "2026-01-15T09:00:01Z")]
#[tokio::test]
async fn clients_leave_out_what_they_do_not_care_for(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] mut body: Value,
    #[case] ends: &str,
) {
    let rig = ready();
    if over == Over::Grpc {
        // A list of gRPC is never null.
        body.as_object_mut().unwrap().remove("delegates");
    }
    let name = rig.account("target").unique_id.clone();
    let answer = rig.call(over, &rig.token("caller"), "generateAccessToken", &name, body).await;
    assert_eq!(answer.body["expireTime"], ends, "{answer:?}");
}

#[rstest]
#[case::none_at_all(json!({ "scope": [CLOUD_PLATFORM], "lifetime": "0s" }), "iamcredentials-lifetime-zero", "Lifetime of access token must be larger then zero.")]
#[case::less_than_none(json!({ "scope": [CLOUD_PLATFORM], "lifetime": "-1s" }), "iamcredentials-lifetime-zero", "Lifetime of access token must be larger then zero.")]
#[case::too_long(json!({ "scope": [CLOUD_PLATFORM], "lifetime": "3601s" }), "iamcredentials-lifetime-over-hour", "target@shop-test.iam.gserviceaccount.com can not have lifetimes of more than 1 hour. Use the Org Policy Constraint constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow up to 12 hours.")]
#[case::bogus_scope(json!({ "scope": ["https://orders-1071284184436.us-central1.run.app"] }), "iamcredentials-scope-bogus", "Request contains an invalid argument.")]
#[case::no_scope(json!({}), "iamcredentials-scope-missing", "Request contains an invalid argument.")]
#[tokio::test]
async fn a_wrong_request_for_an_access_token_is_refused(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] body: Value,
    #[case] id: &str,
    #[case] message: &str,
) {
    let rig = ready();
    let target = rig.account("target").email.clone();
    let answer = rig.call(over, &rig.token("caller"), "generateAccessToken", &target, body).await;
    assert_eq!(answer.refused(), (3, message));
    assert_eq!(rig.last().refusal.as_deref(), Some(id));
    assert_eq!(rig.last().failed().unwrap().name, "request");
}

#[tokio::test]
async fn a_longer_life_can_be_allowed() {
    let settings = Settings { longest_lifetime: tokenrig_clock::SignedDuration::from_hours(12), ..Settings::default() };
    let rig = Rig::with(settings, |_| {});
    rig.grant_on("target", CREATOR, "caller");
    let body = json!({ "scope": [CLOUD_PLATFORM], "lifetime": "43200s" });
    let target = rig.account("target").email.clone();
    let answer = rig.call(Over::Rest, &rig.token("caller"), "generateAccessToken", &target, body).await;
    assert_eq!(answer.body["expireTime"], "2026-01-15T21:00:00Z");
}

#[rstest]
#[case::plain(json!({}), &["aud", "azp", "exp", "iat", "iss", "sub"], false)]
#[case::email(json!({ "includeEmail": true }), &["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"], false)]
#[case::email_as_azp(json!({ "useEmailAzp": true }), &["aud", "azp", "exp", "iat", "iss", "sub"], true)]
#[case::organization(json!({ "organizationNumberIncluded": true }), &["aud", "azp", "exp", "google", "iat", "iss", "sub"], false)]
#[tokio::test]
async fn an_id_token_has_the_claims_that_were_asked_for(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] mut body: Value,
    #[case] names: &[&str],
    #[case] azp_is_email: bool,
) {
    let rig = ready();
    let target = rig.account("target");
    body["audience"] = json!("https://orders.example.com");
    let answer = rig.call(over, &rig.token("caller"), "generateIdToken", &target.email, body).await;
    let opened = peek(answer.body["token"].as_str().unwrap()).unwrap();
    assert_eq!(opened.claims.keys().collect::<Vec<_>>(), names);
    assert_eq!(opened.claims["aud"], "https://orders.example.com");
    assert_eq!(opened.claims["azp"], if azp_is_email { json!(target.email) } else { json!(target.unique_id) });
    assert!(opened.claims.get("google").is_none_or(|google| *google == json!({ "organization_number": null })));
    let kid = opened.header["kid"].as_str().unwrap();
    assert!(rig.cloud.mint().google_keys().find(kid).is_some());
}

#[tokio::test]
async fn true_may_come_as_a_text_by_rest() {
    let rig = ready();
    let target = rig.account("target").email.clone();
    let body = json!({ "audience": "a", "includeEmail": "true", "useEmailAzp": "true" });
    let answer = rig.call(Over::Rest, &rig.token("caller"), "generateIdToken", &target, body).await;
    let claims = peek(answer.body["token"].as_str().unwrap()).unwrap().claims;
    assert_eq!((&claims["email"], &claims["azp"]), (&json!(target), &json!(target)));
}

#[tokio::test]
async fn the_number_of_the_organization_is_a_number() {
    let rig = Rig::with(Settings::default(), |foundation| foundation.organization = Some("123456789012".into()));
    rig.grant_on("target", CREATOR, "caller");
    let body = json!({ "audience": "a", "organizationNumberIncluded": true });
    let target = rig.account("target").email.clone();
    let answer = rig.call(Over::Rest, &rig.token("caller"), "generateIdToken", &target, body).await;
    let claims = peek(answer.body["token"].as_str().unwrap()).unwrap().claims;
    assert_eq!(claims["google"], json!({ "organization_number": 123_456_789_012_u64 }));
}

#[rstest]
#[tokio::test]
async fn a_federated_identity_needs_no_account_between(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let alice = rig.alice();
    let target = rig.account("target");
    let token = rig.token_of(alice.clone());
    let body = json!({ "audience": "a" });
    let answer = rig.call(over, &token, "generateIdToken", &target.email, body.clone()).await;
    let denied = "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).";
    assert_eq!(answer.refused(), (7, denied));
    rig.grant(&target.resource(), "roles/iam.workloadIdentityUser", &alice.member().to_string());
    let answer = rig.call(over, &token, "generateIdToken", &target.email, body).await;
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(rig.checks(), ["credential", "scope", "request", "request", "permission", "resource"]);
}

#[rstest]
#[tokio::test]
async fn an_empty_audience_is_refused_and_what_else_is_wrong_is_told(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let target = rig.account("target").email.clone();
    let answer = rig.call(over, &rig.token("caller"), "generateIdToken", &target, json!({ "audience": "" })).await;
    assert_eq!(answer.refused(), (3, "Request contains an invalid argument."));
    assert_eq!(rig.checks(), ["credential", "scope", "request", "!request", "!permission", "resource"]);
}

#[rstest]
#[case::default(
    "projects/-/serviceAccounts/default",
    "iamcredentials-account-id-malformed",
    "Invalid form of account ID default. Should be [Gaia ID |Email |Unique ID |] of the account"
)]
#[case::trailing_dot(
    "projects/-/serviceAccounts/a@shop-test.iam.gserviceaccount.com.",
    "iamcredentials-account-id-malformed",
    "Invalid form of account ID a@shop-test.iam.gserviceaccount.com.. Should be [Gaia ID |Email |Unique ID |] of the account"
)]
#[case::a_project(
    "projects/shop-test/serviceAccounts/target@shop-test.iam.gserviceaccount.com",
    "iamcredentials-project-not-wildcard",
    "Request contains an invalid argument."
)]
#[tokio::test]
async fn an_account_is_named_with_a_dash_for_its_project(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[case] name: &str,
    #[case] id: &str,
    #[case] message: &str,
) {
    let rig = ready();
    let body = json!({ "audience": "a" });
    let answer = rig.call_named(over, &rig.token("caller"), "generateIdToken", name, body).await;
    assert_eq!(answer.refused(), (3, message));
    assert_eq!(rig.last().refusal.as_deref(), Some(id));
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_not_there_is_denied_to_most_and_missing_to_who_may_act_as_all(
    #[values(Over::Rest, Over::Grpc)] over: Over,
) {
    let rig = Rig::new();
    let gone = "gone@shop-test.iam.gserviceaccount.com";
    let body = json!({ "scope": [CLOUD_PLATFORM] });
    let answer = rig.call(over, &rig.token("caller"), "generateAccessToken", gone, body.clone()).await;
    let denied = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    assert_eq!(answer.refused(), (7, denied));
    let member = format!("serviceAccount:{}", rig.account("caller").email);
    rig.grant(&rig.cloud.project().resource(), CREATOR, &member);
    let answer = rig.call(over, &rig.token("caller"), "generateAccessToken", gone, body).await;
    assert_eq!(answer.refused(), (5, "Not found; Gaia id not found for email gone@shop-test.iam.gserviceaccount.com"));
    assert_eq!(rig.last().failed().unwrap().name, "resource");
}

#[rstest]
#[tokio::test]
async fn a_disabled_account_gets_nothing(
    #[values(Over::Rest, Over::Grpc)] over: Over,
    #[values("generateAccessToken", "generateIdToken", "signBlob", "signJwt")] method: &str,
) {
    let rig = ready();
    let target = rig.account("target").email.clone();
    rig.cloud.accounts().set_disabled(&target, true).unwrap();
    let body = match method {
        "generateAccessToken" => json!({ "scope": [CLOUD_PLATFORM] }),
        "generateIdToken" => json!({ "audience": "a" }),
        _ => json!({ "payload": if method == "signJwt" { "{}" } else { "e30=" } }),
    };
    let answer = rig.call(over, &rig.token("caller"), method, &target, body).await;
    assert_eq!(answer.code, 5, "{answer:?}");
    assert_eq!(rig.last().refusal.as_deref(), Some("iamcredentials-account-disabled"));
}

#[rstest]
#[tokio::test]
async fn the_owner_of_a_project_cannot_act_as_its_accounts(#[values(Over::Rest, Over::Grpc)] over: Over) {
    let rig = Rig::new();
    let token = rig.token_of(rig.cloud.owner().identity());
    let target = rig.account("target").email.clone();
    let answer = rig.call(over, &token, "generateIdToken", &target, json!({ "audience": "a" })).await;
    assert_eq!(answer.code, 7, "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn an_api_that_is_not_enabled_says_so_before_anything_of_the_request(
    #[values(Over::Rest, Over::Grpc)] over: Over,
) {
    let rig = ready();
    rig.cloud.enable_service("iamcredentials.googleapis.com", false);
    let answer = rig.call(over, &rig.token("caller"), "generateIdToken", "default", json!({})).await;
    assert_eq!(answer.code, 7);
    assert!(answer.refused().1.starts_with("IAM Service Account Credentials API has not been used in project 1071"));
    assert_eq!(rig.checks(), ["credential", "scope", "!request"]);
}
