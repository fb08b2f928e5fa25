//! One case's rig: what a command of it gets, and what ends with it.

use std::{collections::BTreeMap, path::Path};

use rstest::rstest;
use serde_json::{Map, Value, json};
use tokenrig_offline::{Inherited, Offline};
use tokenrig_runner::{Foundation, MintKey, MintOrder, Site, SiteFault, World as _, WorldFault};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

async fn open(inherited: Inherited, foundation: Foundation) -> Box<dyn Site> {
    Offline::new(inherited).open(foundation).await.unwrap_or_else(|fault| panic!("{fault}"))
}

async fn variables(site: &dyn Site, needs: &[String]) -> BTreeMap<String, String> {
    site.environment(needs).await.unwrap().into_iter().collect()
}

fn inherited(variables: &[(&str, &str)]) -> Inherited {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Inherited { variables, ..Inherited::default() }
}

#[tokio::test]
async fn a_command_has_what_its_caller_has_but_for_what_leads_past_the_rig() {
    let inherited = inherited(&[("LANG", "C"), ("CLOUDSDK_AUTH_ACCESS_TOKEN", "real"), ("https_proxy", "http://real")]);
    let site = open(inherited, Foundation::default()).await;
    let variables = variables(&*site, &[]).await;
    assert_eq!(variables["LANG"], "C");
    assert_eq!(variables.get("CLOUDSDK_AUTH_ACCESS_TOKEN"), None);
    assert!(variables["https_proxy"].starts_with("http://127.0.0.1:"), "{variables:?}");
}

#[tokio::test]
async fn programs_that_a_case_needs_are_found_first() {
    let programs = BTreeMap::from([("python".to_owned(), vec!["/venv/bin".into()])]);
    let site = open(Inherited { programs, ..inherited(&[("PATH", "/usr/bin")]) }, Foundation::default()).await;
    assert_eq!(variables(&*site, &["python".to_owned()]).await["PATH"], "/venv/bin:/usr/bin");
    assert_eq!(variables(&*site, &[]).await["PATH"], "/usr/bin");
}

#[tokio::test]
async fn files_of_a_site_end_with_it_even_if_nobody_closes_it() {
    let inherited = Inherited { well_known_credentials: true, ..Inherited::default() };
    let site = open(inherited, Foundation::default()).await;
    let variables = variables(&*site, &[]).await;
    let files = ["TOKENRIG_CA", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"].map(|name| &variables[name]);
    for file in files {
        assert!(Path::new(file).exists(), "{file}");
    }
    drop(site);
    for file in files {
        assert!(!Path::new(file).exists(), "{file}");
    }
}

#[rstest]
#[case::a_text("7d3f")]
#[case::digits_without_quotes(7)]
#[tokio::test]
async fn the_same_seed_makes_the_same_tokens(#[case] seed: impl Into<Value>) {
    let foundation = Foundation {
        issuers: object(json!({ "corp": {} })),
        settings: object(json!({ "seed": seed.into() })),
        ..Foundation::default()
    };
    let order = MintOrder {
        issuer: "corp".to_owned(),
        header: Map::new(),
        claims: object(json!({ "sub": "alice" })),
        key: MintKey::Current,
        flaw: None,
    };
    let [one, other] = [
        open(Inherited::default(), foundation.clone()).await.mint(order.clone()).await,
        open(Inherited::default(), foundation).await.mint(order).await,
    ];
    assert_eq!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn a_setting_that_is_not_there_is_a_fault_of_the_given_document() {
    let foundation = Foundation { settings: object(json!({ "sead": "7d3f" })), ..Foundation::default() };
    let fault = Offline::new(Inherited::default()).open(foundation).await.err().unwrap();
    assert!(matches!(&fault, WorldFault::Foundation(why) if why.contains("settings.sead")), "{fault}");
}

#[tokio::test]
async fn whom_nobody_knows_has_no_credentials() {
    let site = open(Inherited::default(), Foundation::default()).await;
    let who = tokenrig_runner::Who::Account("nobody@shop-test.iam.gserviceaccount.com".to_owned());
    assert!(matches!(site.credentials(who).await, Err(SiteFault::Unknown(_))));
}
