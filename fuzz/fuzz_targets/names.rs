//! Members, pools, resource names, routes, durations and instants.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tokenrig_clock::ManualClock;
use tokenrig_cloud::{Cloud, Foundation};
use tokenrig_policy::{Member, PoolRef};
use tokenrig_protos::{Verb, table};
use tokenrig_scenario::{Moment, duration, instant};

fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| {
        let start = "2026-01-15T09:00:00Z".parse().expect("an instant");
        Cloud::new(Foundation::on(std::sync::Arc::new(ManualClock::starting_at(start))))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(member) = Member::parse(text) {
        let written = member.to_string();
        assert_eq!(Member::parse(&written).as_ref(), Ok(&member), "a member that is told is that member: {written}");
    }
    let _ = Member::parse_deny(text);
    if let Some(pool) = PoolRef::parse(text) {
        assert_eq!(pool.to_string(), text);
    }
    let once = cloud().canonical(text);
    assert_eq!(cloud().canonical(&once), once, "a resource has one name");
    for host in table().hosts().iter().take(4) {
        for verb in [Verb::Get, Verb::Post] {
            let _ = table().match_rest(&host.name, verb, text);
        }
    }
    let _ = (duration(text), instant(text), Moment::parse(text));
});
