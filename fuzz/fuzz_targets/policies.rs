//! Policies and access boundaries as JSON, and what they decide.
#![no_main]

use std::{collections::BTreeMap, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokenrig_clock::ManualClock;
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_jose::{JsonLimits, parse_object};
use tokenrig_policy::{AccessBoundary, Attributes, Identity, Policy, PoolRef};

fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| {
        let start = "2026-01-15T09:00:00Z".parse().expect("an instant");
        Cloud::new(Foundation::on(std::sync::Arc::new(ManualClock::starting_at(start))))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(object) = parse_object(bytes, JsonLimits::default()) else { return };
    let _ = AccessBoundary::from_json(&object);
    let Ok(mut policy) = Policy::from_json(&Value::Object(object)) else { return };
    let _ = policy.to_json();
    policy.etag.clear();
    let cloud = cloud();
    let resource = "//run.googleapis.com/projects/shop-test/locations/us-central1/services/orders";
    let _ = cloud.policies().set(resource, policy);
    let alice = Identity::Federated {
        pool: PoolRef::workforce("employees"),
        subject: "alice".to_owned(),
        groups: vec!["shop".to_owned()],
        attributes: BTreeMap::from([("team".to_owned(), "sales".to_owned())]),
        provider: "corp".to_owned(),
    };
    let at = Attributes::at(cloud.now());
    let verdict = cloud.permit_identity(&alice, "run.routes.invoke", resource, &at);
    let granted = cloud.granted(&alice, "run.routes.invoke", resource, &at);
    assert_eq!(verdict.granted(), granted.is_some(), "who does not ask why gets the same answer");
    let _ = verdict.check(&alice, "run.routes.invoke").finding();
});
