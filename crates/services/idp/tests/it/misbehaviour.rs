//! Each misbehaviour shows in what it is named for, is counted there, and nowhere else.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::real::Stopwatch;
use tokenrig_idp::{IssuerPatch, MintOrder, Misbehaviour};
use tokenrig_jose::{Algorithm, JsonFault, JwkFault, JwkSet, KeyFault, Unresolved};

use crate::support::{Answer, Rig, object, rig};

const DISCOVERY: &str = "https://corp.idp.tokenrig.test/.well-known/openid-configuration";
const KEYS: &str = "https://corp.idp.tokenrig.test/certs";

fn misbehaving(misbehaves: Misbehaviour) -> Rig {
    let rig = rig();
    rig.issuers.patch("corp", IssuerPatch { misbehaves: Some(misbehaves), ..IssuerPatch::default() }).unwrap();
    rig
}

fn strikes(rig: &Rig) -> Vec<(Misbehaviour, u64)> {
    rig.issuers.get("corp").unwrap().strikes.into_iter().collect()
}

fn well(answer: &Answer) -> bool {
    answer.status == 200 && serde_json::from_str::<Value>(answer.text()).is_ok_and(|json| json.is_object())
}

#[rstest]
#[case::redirects(Misbehaviour::Redirects, |answer: &Answer| answer.status == 302 && answer.header("location").contains("round=1"))]
#[case::server_error(Misbehaviour::ServerError, |answer: &Answer| answer.status == 500)]
#[case::html(Misbehaviour::Html, |answer: &Answer| answer.status == 200 && answer.text().starts_with("<!doctype html>"))]
#[tokio::test]
async fn it_shows_in_discovery_and_keys(#[case] misbehaves: Misbehaviour, #[case] shows: fn(&Answer) -> bool) {
    let rig = misbehaving(misbehaves);
    assert!(shows(&rig.get(DISCOVERY).await));
    assert!(shows(&rig.get(KEYS).await));
    assert_eq!(strikes(&rig), [(misbehaves, 2)]);
}

#[tokio::test]
async fn redirects_never_end() {
    let rig = misbehaving(Misbehaviour::Redirects);
    let mut url = KEYS.to_owned();
    for _ in 0..30 {
        let answer = rig.get(&url).await;
        assert_eq!(answer.status, 302);
        let next = format!("https://corp.idp.tokenrig.test{}", answer.header("location"));
        assert_ne!(next, url);
        url = next;
    }
}

#[tokio::test]
async fn a_slow_issuer_is_right_and_late() {
    let rig = misbehaving(Misbehaviour::Slow);
    let watch = Stopwatch::start();
    assert!(well(&rig.get(KEYS).await));
    assert!(watch.elapsed() >= std::time::Duration::from_millis(30));
    assert_eq!(strikes(&rig), [(Misbehaviour::Slow, 1)]);
}

#[tokio::test]
async fn keys_are_unreachable_and_the_discovery_document_is_not() {
    let rig = misbehaving(Misbehaviour::KeysUnreachable);
    assert!(well(&rig.get(DISCOVERY).await));
    assert!(rig.get(KEYS).await.body.is_err());
    assert_eq!(strikes(&rig), [(Misbehaviour::KeysUnreachable, 1)]);
}

#[tokio::test]
async fn a_wrong_issuer_shows_in_the_discovery_document_alone() {
    let rig = misbehaving(Misbehaviour::WrongIssuer);
    assert_eq!(rig.get(DISCOVERY).await.json()["issuer"], "https://somebody-else.example");
    assert!(well(&rig.get(KEYS).await));
    assert_eq!(strikes(&rig), [(Misbehaviour::WrongIssuer, 1)]);
    let token = rig.issuers.mint(MintOrder::new("corp", object(json!({})))).unwrap();
    assert_eq!(tokenrig_jose::peek(&token).unwrap().claims["iss"], "https://corp.idp.tokenrig.test");
}

#[tokio::test]
async fn published_keys_have_ids_that_no_token_names() {
    let rig = misbehaving(Misbehaviour::UnknownKid);
    let set = JwkSet::parse(rig.get(KEYS).await.text().as_bytes()).unwrap();
    assert!(set.keys().iter().all(|jwk| jwk.key().is_ok()));
    let kid = rig.issuers.kid("corp", None).unwrap();
    assert_eq!(set.resolve(&kid, Algorithm::Rs256), Err(Unresolved::Unknown));
    assert_eq!(strikes(&rig), [(Misbehaviour::UnknownKid, 1)]);
}

#[tokio::test]
async fn published_keys_are_damaged() {
    let rig = misbehaving(Misbehaviour::BadKeys);
    let set = JwkSet::parse(rig.get(KEYS).await.text().as_bytes()).unwrap();
    let faults: Vec<_> = set.keys().iter().map(|jwk| jwk.key().unwrap_err().clone()).collect();
    assert!(
        matches!(faults[..], [KeyFault::TooSmall { .. } | KeyFault::Malformed("n"), KeyFault::Malformed("x")]),
        "{faults:?}"
    );
    assert_eq!(strikes(&rig), [(Misbehaviour::BadKeys, 1)]);
}

#[tokio::test]
async fn an_oversized_key_set_is_json_that_nobody_reads_to_its_end() {
    let rig = misbehaving(Misbehaviour::Oversized);
    let answer = rig.get(KEYS).await;
    assert!(well(&answer) && answer.text().len() > 16 * 1024 * 1024);
    let too_large = JwkFault::Json(JsonFault::TooLarge { limit: 1024 * 1024 });
    assert_eq!(JwkSet::parse(answer.text().as_bytes()), Err(too_large));
    assert!(well(&rig.get(DISCOVERY).await));
    assert_eq!(strikes(&rig), [(Misbehaviour::Oversized, 1)]);
}

#[tokio::test]
async fn a_wrong_certificate_is_told_to_whoever_ends_tls() {
    let rig = misbehaving(Misbehaviour::WrongCertificate);
    assert!(rig.issuers.wrong_certificate("CORP.idp.tokenrig.test:443"));
    assert!(!rig.issuers.wrong_certificate("shop.idp.tokenrig.test"));
    assert!(well(&rig.get(KEYS).await));
    assert_eq!(strikes(&rig), [(Misbehaviour::WrongCertificate, 1)]);
}

#[tokio::test]
async fn a_well_behaved_issuer_never_strikes() {
    let rig = rig();
    assert!(well(&rig.get(DISCOVERY).await) && well(&rig.get(KEYS).await));
    assert!(!rig.issuers.wrong_certificate("corp.idp.tokenrig.test"));
    assert_eq!(strikes(&rig), []);
}

#[tokio::test]
async fn whatever_an_issuer_does_it_signs() {
    for misbehaves in Misbehaviour::ALL {
        let rig = misbehaving(*misbehaves);
        assert_eq!(rig.send("POST", "https://corp.idp.tokenrig.test/token", "{}").await.status, 200, "{misbehaves}");
    }
}
