//! Tokens for scenarios and tests.

use rstest::rstest;
use serde_json::{Value, json};
use tokenrig_clock::{minutes, seconds};
use tokenrig_idp::{IssuerFault, KeyChoice, MintFault, MintOrder};
use tokenrig_jose::{Algorithm, JwkSet, Jws, SignatureFault, Unresolved, forge::Flaw};

use crate::support::{Rig, object, rig};

const NOW: i64 = 1_768_467_600;

fn mint(rig: &Rig, order: MintOrder) -> Jws {
    Jws::parse(&rig.issuers.mint(order).unwrap()).unwrap()
}

async fn keys(rig: &Rig) -> JwkSet {
    JwkSet::parse(rig.get("https://corp.idp.tokenrig.test/certs").await.text().as_bytes()).unwrap()
}

#[test]
fn issuer_and_times_are_filled_in_where_they_are_absent() {
    let rig = rig();
    let claims =
        |value: Value| Value::Object(mint(&rig, MintOrder::new("corp", object(value))).claims().unwrap().clone());
    assert_eq!(
        claims(json!({ "sub": "alice" })),
        json!({ "sub": "alice", "iss": "https://corp.idp.tokenrig.test", "iat": NOW, "exp": NOW + 3600 })
    );
    let own = json!({ "iss": "x", "iat": NOW - 60, "exp": "soon" });
    assert_eq!(claims(own.clone()), own);
    assert_eq!(claims(json!({ "iat": NOW - 60 }))["exp"], NOW + 3540);
    assert_eq!(claims(json!({ "iat": i64::MAX }))["exp"], i64::MAX);
    assert_eq!(claims(json!({ "iat": "now" }))["exp"], NOW + 3600);
}

#[test]
fn an_exact_token_has_the_claims_that_were_ordered_and_no_others() {
    let jws = mint(&rig(), MintOrder { exact: true, ..MintOrder::new("corp", object(json!({ "sub": null }))) });
    assert_eq!(jws.payload(), br#"{"sub":null}"#);
}

#[test]
fn members_of_the_header_can_be_set_and_taken_away() {
    let header = object(json!({ "typ": null, "alg": "HS256", "jku": "https://attacker.example", "crit": ["x"] }));
    let jws = mint(&rig(), MintOrder { header, ..MintOrder::new("corp", object(json!({}))) });
    assert_eq!(jws.header().keys().collect::<Vec<_>>(), ["alg", "kid", "jku", "crit"]);
    assert_eq!(jws.alg(), Some("HS256"));
}

#[tokio::test]
async fn a_key_is_chosen_by_algorithm_or_id() {
    let rig = rig();
    let rs256 = rig.issuers.kid("corp", Some(Algorithm::Rs256)).unwrap();
    let es256 = rig.issuers.kid("corp", Some(Algorithm::Es256)).unwrap();
    for (name, kid) in [("RS256", &rs256), ("ES256", &es256), (rs256.as_str(), &rs256), (es256.as_str(), &es256)] {
        let key = KeyChoice::Named(name.to_owned());
        let jws = mint(&rig, MintOrder { key, ..MintOrder::new("corp", object(json!({}))) });
        assert_eq!(jws.kid(), Some(kid.as_str()));
        assert_eq!(jws.verify(keys(&rig).await.resolve(kid, jws.algorithm().unwrap()).unwrap()), Ok(()));
    }
    let unknown = MintOrder { key: KeyChoice::Named("main".into()), ..MintOrder::new("corp", object(json!({}))) };
    assert_eq!(rig.issuers.mint(unknown), Err(MintFault::UnknownKey { issuer: "corp".into(), key: "main".into() }));
}

#[tokio::test]
async fn the_wrong_key_signs_under_the_present_keys_id() {
    let rig = rig();
    let jws = mint(&rig, MintOrder { flaw: Some(Flaw::WrongKey), ..MintOrder::new("corp", object(json!({}))) });
    let verdict = jws.verify(keys(&rig).await.resolve(jws.kid().unwrap(), Algorithm::Rs256).unwrap());
    assert_eq!(verdict, Err(SignatureFault::Mismatch));
}

#[tokio::test]
async fn a_flaw_is_found_where_its_name_says() {
    let rig = rig();
    let flawed = |flaw| MintOrder { flaw: Some(flaw), ..MintOrder::new("corp", object(json!({ "sub": "alice" }))) };
    let expired = mint(&rig, flawed(Flaw::Expired));
    assert_eq!(expired.claims().unwrap()["exp"], NOW - 3600);
    assert!(!mint(&rig, flawed(Flaw::NoExp)).claims().unwrap().contains_key("exp"));
    let unknown = mint(&rig, flawed(Flaw::UnknownKid));
    assert_eq!(keys(&rig).await.resolve(unknown.kid().unwrap(), Algorithm::Rs256), Err(Unresolved::Unknown));
}

#[test]
fn a_raw_token_is_what_it_is() {
    let order = MintOrder { raw: Some("not a token".into()), ..MintOrder::new("corp", object(json!({}))) };
    assert_eq!(rig().issuers.mint(order), Ok("not a token".into()));
}

#[test]
fn nobody_else_signs_for_an_issuer_that_is_not_there() {
    let rig = rig();
    let order = MintOrder::new("shop", object(json!({})));
    assert_eq!(rig.issuers.mint(order), Err(MintFault::UnknownIssuer("shop".into())));
    assert_eq!(rig.issuers.rotate("shop"), Err(IssuerFault::Unknown("shop".into())));
    assert_eq!(rig.issuers.kid("shop", None), None);
}

#[rstest]
#[case(Algorithm::Rs256)]
#[case(Algorithm::Es256)]
#[tokio::test]
async fn tokens_outlive_the_replacement_of_their_key_by_an_hour(#[case] algorithm: Algorithm) {
    let rig = rig();
    let order = || {
        let key = KeyChoice::Named(algorithm.name().into());
        MintOrder { key, ..MintOrder::new("corp", object(json!({}))) }
    };
    let before = mint(&rig, order());
    rig.issuers.rotate("corp").unwrap();
    let after = mint(&rig, order());
    assert_ne!(before.kid(), after.kid());
    let set = keys(&rig).await;
    for jws in [&before, &after] {
        assert_eq!(jws.verify(set.resolve(jws.kid().unwrap(), algorithm).unwrap()), Ok(()));
    }
    assert!(before.verify(set.resolve(after.kid().unwrap(), algorithm).unwrap()).is_err());

    rig.advance(minutes(60) - seconds(1));
    assert!(keys(&rig).await.resolve(before.kid().unwrap(), algorithm).is_ok());
    rig.advance(seconds(1));
    assert_eq!(keys(&rig).await.resolve(before.kid().unwrap(), algorithm), Err(Unresolved::Unknown));
    assert!(keys(&rig).await.resolve(after.kid().unwrap(), algorithm).is_ok());
}
