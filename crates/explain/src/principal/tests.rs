//! Each way in which bindings miss the identity that they mean.

use rstest::rstest;
use serde_json::json;
use tokenrig_cloud::IdentityPool;
use tokenrig_policy::PoolRef;

use super::*;

const POOL: &str = "projects/1071284184436/locations/global/workloadIdentityPools/ci";
const PROJECT: OfProject<'_> = OfProject { id: "shop-test", number: "1071284184436" };

fn provider() -> Provider {
    let pool = IdentityPool::named(PoolRef::workload(PROJECT.number, "ci"));
    let mapping = [
        ("google.subject", "assertion.sub"),
        ("attribute.repository", "assertion.repository"),
        ("attribute.actor", "assertion.actor"),
        ("attribute.ref", "assertion.ref"),
    ];
    let line = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    Provider {
        attribute_mapping: mapping.map(line).to_vec(),
        attribute_condition: "assertion.repository_owner == 'acme'".into(),
        ..Provider::named(pool.into(), "github")
    }
}

fn of(members: &[&str]) -> Principal {
    let claims = json!({ "sub": "repo:acme/Shop:ref:main", "repository": "acme/Shop", "ref": "main", "repository_owner": "acme",
        "environment": "prod" });
    let written = members.iter().map(|member| Written {
        resource: "//iam.googleapis.com/projects/shop-test/serviceAccounts/ci@shop-test.iam.gserviceaccount.com".into(),
        role: "roles/iam.workloadIdentityUser".into(),
        member: member.replace("POOL", POOL),
        condition: None,
        at: "shop.given.yaml:9:41".into(),
    });
    let claims = claims.as_object().unwrap().clone();
    Principal::of("a token".into(), &provider(), claims, Exchanged::default(), written.collect(), &PROJECT)
}

const OWN: &str = "principalSet://iam.googleapis.com/POOL/attribute.repository/acme/Shop";

#[rstest]
#[case::subject("principal://iam.googleapis.com/POOL/subject/repo:acme/Shop:ref:main")]
#[case::attribute(OWN)]
#[case::the_pool("principalSet://iam.googleapis.com/POOL/*")]
#[case::everybody("allUsers")]
fn what_names_it_is_found(#[case] member: &str) {
    let found = of(&[member]);
    assert!(found.good(), "{found}");
    assert!(
        found
            .to_string()
            .contains("It is named by roles/iam.workloadIdentityUser on projects/shop-test/serviceAccounts/ci@")
    );
}

#[rstest]
#[case::letter_case("principalSet://iam.googleapis.com/POOL/attribute.repository/acme/shop", &["letter-case"], OWN)]
#[case::project_id("principalSet://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/ci/attribute.repository/acme/Shop", &["project-id-for-number"], OWN)]
#[case::principal("principal://iam.googleapis.com/POOL/attribute.repository/acme/Shop", &["principal-for-set"], OWN)]
#[case::set("principalSet://iam.googleapis.com/POOL/subject/repo:acme/Shop:ref:main", &["principal-for-set"], "principal://iam.googleapis.com/POOL/subject/repo:acme/Shop:ref:main")]
#[case::swapped("principalSet://iam.googleapis.com/POOL/attribute.acme/Shop/repository", &["key-value-swapped"], OWN)]
#[case::provider("principalSet://iam.googleapis.com/POOL/providers/github/attribute.repository/acme/Shop", &["provider-in-principal"], OWN)]
#[case::encoded("principalSet://iam.googleapis.com/POOL/attribute.repository/acme%2FShop", &["spelling"], OWN)]
#[case::audience("//iam.googleapis.com/POOL/attribute.repository/acme/Shop", &["spelling"], OWN)]
#[case::whole_pool("principalSet://iam.googleapis.com/POOL", &["spelling"], "principalSet://iam.googleapis.com/POOL/*")]
#[case::space("principalSet://iam.googleapis.com/POOL/* ", &["space"], "principalSet://iam.googleapis.com/POOL/*")]
#[case::two_things("principal://iam.googleapis.com/projects/shop-test/locations/global/workloadIdentityPools/ci/attribute.repository/acme/shop",
    &["project-id-for-number", "principal-for-set", "letter-case"], OWN)]
#[case::other_value("principalSet://iam.googleapis.com/POOL/attribute.repository/acme/till", &["other-value"], OWN)]
#[case::other_pool("principalSet://iam.googleapis.com/projects/1071284184436/locations/global/workloadIdentityPools/cd/attribute.repository/acme/Shop", &["other-pool"], OWN)]
#[case::under_another_name("principalSet://iam.googleapis.com/POOL/attribute.branch/main", &["attribute-not-mapped"], "principalSet://iam.googleapis.com/POOL/attribute.ref/main")]
fn a_near_miss_is_named_with_what_was_meant(#[case] member: &str, #[case] words: &[&str], #[case] own: &str) {
    let far = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/far/*";
    let found = of(&[far, member]);
    assert!(!found.good(), "{found}");
    let nearest = found.nearest().unwrap().to_json();
    let told: Vec<&str> = nearest["why"].as_array().unwrap().iter().map(|why| why["word"].as_str().unwrap()).collect();
    assert_eq!(
        (nearest["member"].as_str().unwrap(), told),
        (&*member.replace("POOL", POOL), words.to_vec()),
        "{found}"
    );
    assert_eq!(nearest["meant"], own.replace("POOL", POOL));
    // The answer stands in the first lines.
    let start: Vec<String> = found.to_string().lines().take(8).map(str::to_owned).collect();
    assert!(start.iter().any(|line| line.contains(&own.replace("POOL", POOL))), "{found}");
}

#[rstest]
#[case::with_a_claim(
    "principalSet://iam.googleapis.com/POOL/attribute.environment/prod",
    "`attribute.environment` is not mapped",
    "add `attribute.environment: assertion.environment`"
)]
#[case::misspelt(
    "principalSet://iam.googleapis.com/POOL/attribute.repositry/acme/x",
    "`attribute.repositry` is not mapped",
    "did you mean `attribute.repository`?"
)]
#[case::without_value(
    "principalSet://iam.googleapis.com/POOL/attribute.actor/alice",
    "`attribute.actor` has no value for this token",
    "send a token for which `assertion.actor` has a value"
)]
#[case::groups(
    "principalSet://iam.googleapis.com/POOL/group/admins",
    "`google.groups` is not mapped",
    "add `google.groups: assertion.CLAIM`"
)]
#[case::no_member(
    "principal://iam.googleapis.com/subject/x",
    "it is no member",
    "members of this token are written like"
)]
fn what_cannot_name_it_is_told_with_what_to_do(#[case] member: &str, #[case] why: &str, #[case] help: &str) {
    let found = of(&[member]).to_string();
    assert!(found.contains(why) && found.contains(help), "{found}");
}

#[test]
fn a_token_without_subject_is_nobody_and_all_else_is_told_all_the_same() {
    let claims = json!({ "repository": "acme/Shop" }).as_object().unwrap().clone();
    let written = vec![Written { member: OWN.replace("POOL", POOL), ..Written::default() }];
    let found = Principal::of("a token".into(), &provider(), claims, Exchanged::default(), written, &PROJECT);
    let text = found.to_string();
    assert!(
        text.contains("It stands for nobody")
            && text.contains("attribute.repository = assertion.repository\n    \"acme/Shop\""),
        "{text}"
    );
    assert!(!found.good());
}

#[test]
fn a_subject_that_is_too_long_is_told_in_the_first_lines() {
    let claims = json!({ "sub": "x".repeat(128), "repository_owner": "acme" }).as_object().unwrap().clone();
    let found = Principal::of("a token".into(), &provider(), claims, Exchanged::default(), Vec::new(), &PROJECT);
    assert!(found.to_string().lines().take(5).any(|line| line.contains("at most 127 bytes")), "{found}");
}

#[test]
fn hostile_claims_and_members_do_no_harm() {
    let claims = json!({ "sub": "a\u{1b}[31m\nb", "repository": "\u{202e}x", "x": "y".repeat(5_000) });
    let members = ["principal://\u{1b}[2J\n", "principalSet://iam.googleapis.com/%ff%00", "principal", "//"];
    let written = members.iter().map(|member| Written { member: (*member).to_owned(), ..Written::default() }).collect();
    let claims = claims.as_object().unwrap().clone();
    let found = Principal::of("t".into(), &provider(), claims, Exchanged::default(), written, &PROJECT).to_string();
    assert!(!found.contains('\u{1b}') && !found.contains('\u{202e}') && found.len() < 6_000, "{found}");
}
