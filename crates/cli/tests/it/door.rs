//! `explain token --at`: what a door of a given document would say, to tokens that no rig of that document has made.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_jose::{Map, forge, pool, protected_header, sign};

use crate::support::{Home, Told, assert_told};

/// Orders, which `caller` may call; a partner's provider that wants somebody of sales; one that has keys of its own.
const SHOP: &str = r"
iam.serviceAccounts: { caller: {}, somebody: {} }
iam.workloadIdentityPools:
  partners:
    providers:
      corp:
        oidc: { issuerUri: 'https://login.corp.example', allowedAudiences: [shop] }
        attributeMapping: { google.subject: assertion.sub }
        attributeCondition: assertion.department == 'sales'
run.services:
  orders:
    iamPolicy:
      bindings: [{ role: roles/run.invoker, members: ['serviceAccount:${caller.email}'] }]
  prices:
    iamPolicy:
      bindings: [{ role: roles/run.invoker, members: [allUsers] }]
";
const ORDERS: &str = "https://orders-1071284184436.us-central1.run.app";
const CORP: &str = "projects/1071284184436/locations/global/workloadIdentityPools/partners/providers/corp";
const NINE: &str = "2026-01-15T09:00:00Z";
const NOW: i64 = 1_768_467_600;
/// As the ids of Google's keys are: 40 hex digits.
const KID: &str = "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c";
const CALLER: &str = "caller@shop-test.iam.gserviceaccount.com";

fn home(token: &str) -> Home {
    let home = Home::new();
    home.write("shop.given.yaml", SHOP);
    home.write("token.txt", token);
    home
}

fn object(value: Value) -> Map {
    value.as_object().unwrap().clone()
}

/// Signed with a key that no rig has, as a real issuer's token is.
fn foreign(claims: Value) -> String {
    sign(&protected_header(pool::rsa(7).algorithm(), KID), &object(claims), pool::rsa(7))
}

/// As Google makes it for `caller`, whose unique id no given document says; good from nine to ten.
fn google(changed: Value) -> String {
    let mut claims = json!({
        "iss": "https://accounts.google.com", "aud": ORDERS, "sub": "117", "azp": "117",
        "email": CALLER, "email_verified": true, "iat": NOW, "exp": NOW + 3600,
    });
    claims.as_object_mut().unwrap().extend(object(changed));
    foreign(claims)
}

fn corp(changed: Value) -> String {
    let mut claims = json!({
        "iss": "https://login.corp.example", "aud": "shop", "sub": "alice", "department": "sales", "iat": NOW, "exp": NOW + 3600,
    });
    claims.as_object_mut().unwrap().extend(object(changed));
    foreign(claims)
}

async fn shown(home: &Home, at: &str, now: &str, more: &[&str]) -> Told {
    let call = ["explain", "token", "token.txt", "--at", at, "--given", "shop.given.yaml", "--now", now];
    home.call(&[&call[..], more].concat()).await
}

#[tokio::test]
async fn a_token_that_google_made_is_judged_by_all_but_its_signature() {
    let home = home(&google(json!({})));
    let told = shown(&home, "orders", "2026-01-15T09:01:00Z", &[]).await;
    assert_told!(told, @r#"
    exit: 0
    ──── stdout
    ID token of the service account caller@shop-test.iam.gserviceaccount.com, issued by https://accounts.google.com
    Cloud Run at https://orders-txigsvlwt2-uc.a.run.app would let it in, if its signature is good

      ok    ingress     from outside, ingress INGRESS_TRAFFIC_ALL, defaultUriDisabled false
      ok    credential  authorization: Bearer, an ID token
      ok    issuer      https://accounts.google.com
      -     signature   not checked (signed again with this rig's key)
      ok    audience    https://orders-1071284184436.us-central1.run.app
      ok    times       iat 2026-01-15T09:00:00Z, exp 2026-01-15T10:00:00Z, now 2026-01-15T09:01:00.FRACTIONZ
      ok    permission  role roles/run.invoker, member serviceAccount:caller@shop-test.iam.gserviceaccount.com, resource //run.googleapis.com/projects/shop-test/locations/us-central1/services/orders

    note: the account is found by its `email`: a given document says no unique ids, so `sub` 117 was taken for that of caller@shop-test.iam.gserviceaccount.com
    ──── stderr
    "#);
}

#[tokio::test]
async fn every_check_that_fails_is_told_with_what_mends_it_and_where_google_is_known_to_refuse_so() {
    let token = google(json!({ "aud": "orders", "email": "somebody@shop-test.iam.gserviceaccount.com" }));
    let home = home(&token);
    let told = shown(&home, ORDERS, "2026-01-15T11:00:00Z", &[]).await;
    assert!(!told.stdout.contains(&token), "{told}");
    assert_told!(told, @r#"
    exit: 1
    ──── stdout
    ID token of the service account somebody@shop-test.iam.gserviceaccount.com, issued by https://accounts.google.com
    Cloud Run at https://orders-1071284184436.us-central1.run.app would refuse it with 401

      ok    ingress     from outside, ingress INGRESS_TRAFFIC_ALL, defaultUriDisabled false
      ok    credential  authorization: Bearer, an ID token
      ok    issuer      https://accounts.google.com
      -     signature   not checked (signed again with this rig's key)
      FAIL  audience    expected https://orders-txigsvlwt2-uc.a.run.app
                              or https://orders-1071284184436.us-central1.run.app
                        found    orders
      FAIL  times       expected issued before now, expires after now
                        found    iat 2026-01-15T09:00:00Z, exp 2026-01-15T10:00:00Z, now 2026-01-15T11:00:00.FRACTIONZ
      FAIL  permission  expected permission run.routes.invoke, resource //run.googleapis.com/projects/shop-test/locations/us-central1/services/orders, member serviceAccount:somebody@shop-test.iam.gserviceaccount.com
                        found    miss other-member, role roles/run.invoker, member serviceAccount:caller@shop-test.iam.gserviceaccount.com, resource //run.googleapis.com/projects/shop-test/locations/us-central1/services/orders

    note: the account is found by its `email`: a given document says no unique ids, so `sub` 117 was taken for that of somebody@shop-test.iam.gserviceaccount.com
    help: ask for the ID token with the service's URL as audience (`https://orders-txigsvlwt2-uc.a.run.app`), or add `orders` to the service's `customAudiences`
    evidence: run-front-token-unverifiable, recorded 2025-12-04 (title+h1+h2 text), google/adk-python#3814 (page); a public capture of a deployed service (header)
    ──── stderr
    "#);
}

#[tokio::test]
async fn as_json_a_signature_that_was_not_checked_is_null() {
    let home = home(&google(json!({})));
    let told = shown(&home, ORDERS, NINE, &["--json"]).await;
    assert_eq!(told.code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["letIn"], &told["signedAgain"]), (&true.into(), &true.into()));
    let checks = told["decision"]["checks"].as_array().unwrap();
    let signature = checks.iter().find(|check| check["name"] == "signature").unwrap();
    assert_eq!(signature["ok"], Value::Null);
    assert_eq!(checks.iter().filter(|check| check["ok"] == true).count(), checks.len() - 1);
}

#[tokio::test]
async fn a_token_without_an_address_names_nobody_here_and_that_is_said() {
    let mut claims = object(json!({ "iss": "https://accounts.google.com", "aud": ORDERS, "sub": "117" }));
    claims.extend(object(json!({ "iat": NOW, "exp": NOW + 3600 })));
    let home = home(&foreign(Value::Object(claims)));
    let told = shown(&home, ORDERS, NINE, &[]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("whose 117 is cannot be told here"), "{told}");
}

#[rstest]
#[case::alice(json!({}), Some(0), "")]
#[case::of_another_department(json!({ "department": "it" }), Some(1), "FAIL  condition")]
#[case::for_somebody_else(json!({ "aud": "till" }), Some(1), "FAIL  token-audience")]
#[tokio::test]
async fn a_provider_judges_the_claims_of_a_token_that_its_real_issuer_signed(
    #[case] changed: Value,
    #[case] code: Option<i32>,
    #[case] failed: &str,
) {
    let home = home(&corp(changed));
    for at in ["corp", "partners/corp", CORP, &format!("//iam.googleapis.com/{CORP}")] {
        let told = shown(&home, at, NINE, &[]).await;
        assert_eq!(told.code, code, "{told}");
        for part in ["-     signature", "signed again with this rig's key", "google.subject", failed] {
            assert!(told.stdout.contains(part), "{part}: {told}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_signature_itself_is_not_mended() {
    let claims = object(json!({ "iss": "https://accounts.google.com", "aud": ORDERS, "sub": "117", "email": CALLER,
        "iat": NOW, "exp": NOW + 3600 }));
    let now = NINE.parse().unwrap();
    let good = google(json!({}));
    let removed = format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", good.rsplit_once('.').unwrap().0);
    let header = protected_header(pool::rsa(7).algorithm(), KID);
    let flaws = [
        "alg-none",
        "hmac-with-public-key",
        "no-kid",
        "kid-path",
        "no-signature",
        "zero-signature",
        "critical-extension",
    ];
    let forged = flaws.map(|flaw| forge::flawed(flaw.parse().unwrap(), &header, &claims, pool::rsa(7), now));
    for token in [removed].into_iter().chain(forged) {
        let home = home(&token);
        let told = shown(&home, ORDERS, NINE, &[]).await;
        assert_eq!(told.code, Some(1), "{told}");
        assert!(told.stdout.contains("FAIL  signature") || told.stdout.contains("FAIL  credential"), "{told}");
        assert!(!told.stdout.contains("signed again"), "{told}");
    }
}

#[tokio::test]
async fn a_token_of_a_rig_whose_seed_is_given_is_verified() {
    let home = home("");
    home.write("shop.given.yaml", &format!("settings: {{ seed: shop }}\n{SHOP}"));
    let script = format!(
        "curl -s -H 'Metadata-Flavor: Google' \"http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/identity?audience={ORDERS}&format=full\""
    );
    let made = ["exec", "--given", "shop.given.yaml", "--now", NINE, "--", "sh", "-c", &script];
    home.write("token.txt", &home.call(&made).await.stdout);
    let told = shown(&home, ORDERS, "2026-01-15T09:01:00Z", &[]).await;
    assert!(told.stdout.contains("  ok    signature   alg RS256"), "{told}");
    let token = home.read("token.txt");
    let (start, end) = token.trim().split_at(token.trim().len() - 20);
    home.write("token.txt", &format!("{start}{}", if end.starts_with('A') { "B" } else { "A" }.repeat(20)));
    let told = shown(&home, ORDERS, "2026-01-15T09:01:00Z", &[]).await;
    assert!(told.stdout.contains("  FAIL  signature "), "{told}");
}

#[rstest]
#[case::not_given("https://nobody.example", "is not played")]
#[case::not_by_https("http://orders.example", "by https")]
#[case::no_such_id("till", "no service and no provider `till`")]
#[case::no_method("https://run.googleapis.com/v9/nothing", "the rig does not play")]
#[tokio::test]
async fn what_is_no_door_is_a_mistake_of_the_call_and_the_doors_are_listed(#[case] at: &str, #[case] why: &str) {
    let home = home(&google(json!({})));
    let told = shown(&home, at, NINE, &[]).await;
    assert_eq!(told.code, Some(2), "{told}");
    assert!(told.stdout.is_empty() && told.stderr.contains(why) && told.stderr.contains(CORP), "{told}");
}

#[tokio::test]
async fn an_api_takes_what_an_account_signed_for_it_and_of_an_access_token_nothing_can_be_told() {
    let url = "https://run.googleapis.com/v2/projects/shop-test/locations/us-central1/services";
    let claims =
        json!({ "iss": CALLER, "sub": CALLER, "aud": "https://run.googleapis.com/", "iat": NOW, "exp": NOW + 3600 });
    let home = home(&foreign(claims));
    let told = shown(&home, url, NINE, &[]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("ok    credential") && told.stdout.contains("FAIL  permission"), "{told}");
    home.write("token.txt", "ya29.c.b0AXv0zTPQaaaaaaaaaaaaaaaaaaaaaaaa");
    let told = shown(&home, url, NINE, &[]).await;
    assert_eq!(told.code, Some(2), "{told}");
    assert!(told.stderr.contains("says nothing of itself"), "{told}");
    let told = shown(&home, ORDERS, NINE, &[]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains("an access token"), "{told}");
}
