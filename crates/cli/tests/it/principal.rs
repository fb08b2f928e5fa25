//! `explain principal`: a token of CI whom no binding names as it is.

use rstest::rstest;
use serde_json::{Map, Value, json};
use tokenrig_jose::{pool, protected_header, sign};

use crate::support::{Home, Told, assert_told};

/// What somebody has who wants GitHub to deploy, and has written `acme/shop` for `acme/Shop`.
const CI: &str = r"
iam.serviceAccounts:
  deployer:
    iamPolicy:
      bindings:
        - role: roles/iam.workloadIdentityUser
          members:
            - principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/shop
            - principalSet://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/builds/*
            - user:alice@shop.example
iam.workloadIdentityPools:
  builds:
    providers:
      github:
        oidc: { issuerUri: 'https://token.actions.githubusercontent.com' }
        attributeMapping: { google.subject: assertion.sub, attribute.repository: assertion.repository, attribute.actor: assertion.actor }
        attributeCondition: assertion.repository_owner == 'acme'
";
const GITHUB: &str = "projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github";
const NOW: i64 = 1_768_467_600;

fn token(changed: Value) -> String {
    let mut claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": format!("https://iam.googleapis.com/{GITHUB}"),
        "sub": "repo:acme/Shop:ref:refs/heads/main", "repository": "acme/Shop", "repository_owner": "acme",
        "iat": NOW, "exp": NOW + 300,
    });
    let changed: &Map<String, Value> = changed.as_object().unwrap();
    claims.as_object_mut().unwrap().extend(changed.clone());
    sign(&protected_header(pool::rsa(7).algorithm(), "cc413527"), claims.as_object().unwrap(), pool::rsa(7))
}

fn home(token: &str) -> Home {
    let home = Home::new();
    home.write("ci.given.yaml", CI);
    home.write("token.txt", token);
    home
}

async fn told(home: &Home, more: &[&str]) -> Told {
    let call = ["explain", "principal", "token.txt", "--given", "ci.given.yaml", "--now", "2026-01-15T09:01:00Z"];
    home.call(&[&call[..], more].concat()).await
}

#[tokio::test]
async fn the_first_lines_say_which_letter_keeps_a_binding_from_naming_it() {
    let home = home(&token(json!({})));
    assert_told!(told(&home, &["--at", "github"]).await, @r#"
    exit: 1
    ──── stdout
    token of repo:acme/Shop:ref:refs/heads/main, issued by GitHub Actions (https://token.actions.githubusercontent.com)
    The provider takes it, if its signature is good.
    It stands for principal://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/subject/repo:acme/Shop:ref:refs/heads/main
    No binding names it. The nearest, roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:8:15):
      written  principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/shop
      meant    principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/Shop
                                                                                                                                                ^
      why      letter case: the case of letters matters

    help: write `principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/Shop` in place of `principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/shop`

    exchange at projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
      ok    request         urn:ietf:params:oauth:grant-type:token-exchange
      ok    audience        //iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
      ok    provider        provider projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github, state ACTIVE
      ok    issuer          https://token.actions.githubusercontent.com
      -     key             not checked (signed again with this rig's key)
      -     signature       not checked (signed again with this rig's key)
      ok    token-audience  https://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
      ok    times           iat 2026-01-15T09:00:00Z, exp 2026-01-15T09:05:00Z, now 2026-01-15T09:01:00.FRACTIONZ
      ok    mapping         attribute.actor no value: there is no field `actor`, attribute.repository acme/Shop, google.subject repo:acme/Shop:ref:refs/heads/main
      ok    condition       true
      ok    size            bytes of google.subject 34, bytes of all 43

    claims
      iss               "https://token.actions.githubusercontent.com"
      aud               "https://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github"
      sub               "repo:acme/Shop:ref:refs/heads/main"
      repository        "acme/Shop"
      repository_owner  "acme"
      iat               1768467600
      exp               1768467900

    mapping
      attribute.actor = assertion.actor
        no value: there is no field `actor`
      attribute.repository = assertion.repository
        "acme/Shop"
      google.subject = assertion.sub
        "repo:acme/Shop:ref:refs/heads/main"

    condition
      assertion.repository_owner == 'acme'
        true
          assertion.repository_owner  "acme"

    members that name it | what the given documents' bindings name (… is iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds)
      principal://…/subject/repo:acme/Shop:ref:refs/heads/main
      principalSet://…/attribute.repository/acme/Shop          ≠ principalSet://…/attribute.repository/acme/shop
                                                                 letter case: the case of letters matters
                                                                 roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:8:15)
      principalSet://…/*                                       ≠ principalSet://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/builds/*
                                                                 the project's id stands where its number belongs
                                                                 roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:9:15)
      1 member of Google's own accounts is left out
    ──── stderr
    "#);
}

#[tokio::test]
async fn a_token_that_is_wrong_in_every_way_is_told_all_the_same() {
    let changed = json!({ "repository_owner": "evil", "aud": "x", "exp": NOW - 3600, "iat": NOW - 7200 });
    let home = home(&token(changed));
    assert_told!(told(&home, &[]).await, @r#"
    exit: 1
    ──── stdout
    token of repo:acme/Shop:ref:refs/heads/main, issued by GitHub Actions (https://token.actions.githubusercontent.com)
    The provider does not take it: checks `token-audience`, `times`, `condition` (sts-audience-mismatch, 400).
    It stands for principal://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/subject/repo:acme/Shop:ref:refs/heads/main
    No binding names it. The nearest, roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:8:15):
      written  principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/shop
      meant    principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/Shop
                                                                                                                                                ^
      why      letter case: the case of letters matters

    help: ask the issuer for a token whose `aud` is `https://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github`, or add what it has to the provider's `oidc.allowedAudiences`
    help: write `principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/Shop` in place of `principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/attribute.repository/acme/shop`

    exchange at projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
      ok    request         urn:ietf:params:oauth:grant-type:token-exchange
      ok    audience        //iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
      ok    provider        provider projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github, state ACTIVE
      ok    issuer          https://token.actions.githubusercontent.com
      -     key             not checked (signed again with this rig's key)
      -     signature       not checked (signed again with this rig's key)
      FAIL  token-audience  expected https://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
                                  or //iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds/providers/github
                            found    x
      FAIL  times           expected iat at most 60 s ahead, exp at most 60 s past
                            found    iat 2026-01-15T07:00:00Z, exp 2026-01-15T08:00:00Z, now 2026-01-15T09:01:00.FRACTIONZ
      ok    mapping         attribute.actor no value: there is no field `actor`, attribute.repository acme/Shop, google.subject repo:acme/Shop:ref:refs/heads/main
      FAIL  condition       expected assertion.repository_owner == 'acme'
                            found    result false, values assertion.repository_owner == 'acme' false, assertion.repository_owner evil, assertion iss https://token.actions.githubusercontent.com, aud x, sub repo:acme/Shop:ref:refs/heads/main, repository acme/Shop, repository_owner evil, iat 1768460400, exp 1768464000

    claims
      iss               "https://token.actions.githubusercontent.com"
      aud               "x"
      sub               "repo:acme/Shop:ref:refs/heads/main"
      repository        "acme/Shop"
      repository_owner  "evil"
      iat               1768460400
      exp               1768464000

    mapping
      attribute.actor = assertion.actor
        no value: there is no field `actor`
      attribute.repository = assertion.repository
        "acme/Shop"
      google.subject = assertion.sub
        "repo:acme/Shop:ref:refs/heads/main"

    condition
      assertion.repository_owner == 'acme'
        false
          assertion.repository_owner  "evil"

    members that name it | what the given documents' bindings name (… is iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/builds)
      principal://…/subject/repo:acme/Shop:ref:refs/heads/main
      principalSet://…/attribute.repository/acme/Shop          ≠ principalSet://…/attribute.repository/acme/shop
                                                                 letter case: the case of letters matters
                                                                 roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:8:15)
      principalSet://…/*                                       ≠ principalSet://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/builds/*
                                                                 the project's id stands where its number belongs
                                                                 roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/deployer@shop-test.iam.gserviceaccount.com (ci.given.yaml:9:15)
      1 member of Google's own accounts is left out
    ──── stderr
    "#);
}

#[rstest]
#[case::another_issuer(token(json!({ "iss": "https://gitlab.com" })), "check `issuer`")]
#[case::no_subject(token(json!({ "sub": null })), "It stands for nobody")]
#[case::too_long(token(json!({ "sub": "é".repeat(64) })), "at most 127 bytes")]
#[case::no_token("not a token".to_owned(), "It stands for nobody")]
#[tokio::test]
async fn what_is_wrong_with_it_is_said_and_the_rest_is_told(#[case] token: String, #[case] part: &str) {
    let home = home(&token);
    let told = told(&home, &[]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stdout.contains(part) && told.stdout.contains("\nmapping\n"), "{told}");
}

#[tokio::test]
async fn claims_alone_will_do_and_json_comes_out() {
    let home = home(r#"{ "sub": "repo:acme/shop:x", "repository": "acme/shop", "repository_owner": "acme" }"#);
    let told = told(&home, &["--json"]).await;
    assert_eq!(told.code, Some(1), "{told}");
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        (&told["bindings"][0]["names"], &told["bindings"][0]["at"]),
        (&true.into(), &"ci.given.yaml:8:15".into())
    );
    assert_eq!(told["bindings"][1]["why"][0]["word"], "project-id-for-number");
    let lines = told["mapping"].as_array().unwrap();
    let actor = lines.iter().find(|line| line["attribute"] == "attribute.actor").unwrap();
    assert!(actor["error"].as_str().unwrap().contains("actor"), "{told}");
    assert_eq!(told["condition"]["value"], true);
}

#[tokio::test]
async fn a_disabled_provider_takes_nothing_and_still_says_whom_it_would_be() {
    let home = home(&token(json!({})));
    home.write("ci.given.yaml", &CI.replace("      github:\n", "      github:\n        disabled: true\n"));
    let told = told(&home, &[]).await;
    assert_eq!(told.code, Some(1), "{told}");
    assert!(
        told.stdout.contains("sts-provider-disabled") && told.stdout.contains("It stands for principal://"),
        "{told}"
    );
}

#[tokio::test]
async fn of_aws_the_answer_of_get_caller_identity_is_taken() {
    let home = home(
        r#"{ "UserId": "AROA:i-1", "Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/deploy/i-1" }"#,
    );
    let aws = "      amazon: { aws: { accountId: '123456789012' } }\n";
    home.write(
        "ci.given.yaml",
        &format!("{CI}{aws}").replace(
            "attribute.repository/acme/shop",
            "attribute.aws_role/arn:aws:sts::123456789012:assumed-role/deploy",
        ),
    );
    let named = told(&home, &["--at", "amazon"]).await;
    assert_eq!(named.code, Some(0), "{named}");
    assert!(named.stdout.contains("It is named by roles/iam.workloadIdentityUser"), "{named}");
    home.write("token.txt", &token(json!({})));
    let other = told(&home, &["--at", "amazon"]).await;
    assert_eq!(other.code, Some(2), "{other}");
    assert!(other.stderr.contains("get-caller-identity"), "{other}");
}

#[rstest]
#[case::no_such(&["--at", "gitlab"], "no service and no provider `gitlab`")]
#[case::by_id(&["--at", "projects/shop-test/locations/global/workloadIdentityPools/builds/providers/github"], "by its number")]
#[case::a_url(&["--at", "https://orders.example"], "is no provider")]
#[tokio::test]
async fn a_provider_that_is_not_there_is_a_mistake_of_the_call(#[case] at: &[&str], #[case] why: &str) {
    let home = home(&token(json!({})));
    let told = told(&home, at).await;
    assert_eq!(told.code, Some(2), "{told}");
    assert!(told.stderr.contains(why) && told.stderr.contains(GITHUB), "{told}");
}

#[tokio::test]
async fn a_given_document_and_a_file_are_needed() {
    let home = home(&token(json!({})));
    for (call, why) in [
        (&["explain", "principal", "token.txt"][..], "no given document"),
        (&["explain", "principal", "none.txt", "--given", "ci.given.yaml"][..], "cannot read `none.txt`"),
        (&["explain", "principal", "token.txt", "--given", "none.yaml"][..], "cannot read the file"),
    ] {
        let told = home.call(call).await;
        assert_eq!(told.code, Some(2), "{told}");
        assert!(told.stderr.contains(why), "{told}");
    }
}
