//! Who may depend on whom.

use std::collections::BTreeMap;

use crate::house::{CRATES, Crate};

/// Floors on which neighbours may know each other: words and tools, the cloud, the rig and the runner, the doors.
const SIDEWAYS: &[u64] = &[0, 1, 3, 5];

/// What would break a promise although the floors allow it: who, whom, and what it would break.
const STRANGERS: &[(&str, &str, &str)] = &[
    ("runner", "gateway", "a scenario would no longer run in a world without a rig"),
    ("runner", "rig", "a scenario would no longer run in a world without a rig"),
    ("runner", "containers", "a scenario would no longer run in a world without a rig"),
    ("report", "gateway", "a report would no longer be made of events alone"),
    ("report", "rig", "a report would no longer be made of events alone"),
    ("report", "containers", "a report would no longer be made of events alone"),
    ("live", "rig", "the live world would no longer prove that public APIs suffice"),
    ("live", "gateway", "the live world would no longer prove that public APIs suffice"),
];

/// The floors on which `runner` and `report` know nobody.
const RIG_SIDE: std::ops::RangeInclusive<u64> = 1..=2;

#[test]
fn every_crate_says_its_floor() {
    let homeless: Vec<_> = CRATES.iter().filter(|one| one.floor.is_none()).map(|one| &one.folder).collect();
    assert!(homeless.is_empty(), "no `[package.metadata.house] floor` in the manifests of {homeless:?}");
}

#[test]
fn dependencies_point_down_or_sideways_where_that_is_allowed() {
    let mut faults = Vec::new();
    for (one, other) in edges() {
        let (from, to) = (one.floor.unwrap_or_default(), other.floor.unwrap_or_default());
        if to > from {
            faults.push(format!("{} (floor {from}) looks up to {} (floor {to})", one.name, other.name));
        } else if to == from && !SIDEWAYS.contains(&from) {
            faults.push(format!("{} and {} are neighbours on floor {from}", one.name, other.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_service_never_depends_on_a_service() {
    let faults: Vec<_> = edges()
        .filter(|(one, other)| one.is_service() && other.is_service())
        .map(|(one, other)| format!("{} depends on {}: let them meet in `cloud`", one.name, other.name))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn runner_report_and_live_do_not_know_the_rig() {
    let mut faults = Vec::new();
    for (one, other) in edges() {
        for (from, to, breaks) in STRANGERS {
            if one.short() == *from && other.short() == *to {
                faults.push(format!("{} depends on {}: {breaks}", one.name, other.name));
            }
        }
        if ["runner", "report"].contains(&one.short()) && other.floor.is_some_and(|floor| RIG_SIDE.contains(&floor)) {
            faults.push(format!("{} depends on {}, a part of the played cloud", one.name, other.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// All pairs of members of which one depends on the other, directly.
fn edges() -> impl Iterator<Item = (&'static Crate, &'static Crate)> {
    let by_name: BTreeMap<&str, &Crate> = CRATES.iter().map(|one| (one.name.as_str(), one)).collect();
    CRATES.iter().flat_map(move |one| {
        let others: Vec<_> = one.needs.iter().filter_map(|need| by_name.get(need.as_str()).copied()).collect();
        others.into_iter().filter(|other| other.name != one.name).map(move |other| (one, other))
    })
}
