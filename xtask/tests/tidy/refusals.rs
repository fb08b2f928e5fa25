//! Every refusal says where its form comes from.

use std::collections::BTreeMap;

use tokenrig_decision::Refusal;

/// A service's name and all refusals that it can give.
type Listed = (&'static str, &'static [&'static Refusal]);

#[test]
fn every_refusal_has_evidence_and_an_id_of_its_own() {
    let all = tokenrig::refusals();
    assert!(!all.is_empty(), "no service lists its refusals");
    let faults = faults(&all);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults(all: &[Listed]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut owners: BTreeMap<&str, &Refusal> = BTreeMap::new();
    for (service, refusals) in all {
        for refusal in *refusals {
            let name = refusal.ids.first().copied().unwrap_or("(no id)");
            let mut fault = |what: &str| faults.push(format!("{service}: {name}: {what}"));
            if refusal.ids.is_empty() {
                fault("has no id");
            }
            if refusal.when.trim().is_empty() {
                fault("does not say when it is given");
            }
            let evidence = &refusal.evidence;
            if evidence.source.trim().is_empty() || evidence.proves.trim().is_empty() {
                fault("its evidence has no source, or does not say what it proves");
            }
            if evidence.date.is_some_and(|date| date.parse::<jiff::civil::Date>().is_err()) {
                fault("its date is not YYYY-MM-DD");
            }
            for id in refusal.ids {
                if !well_formed(id) {
                    fault(&format!("id `{id}` is not of the pattern surface-what, in small letters"));
                }
                if owners.insert(id, refusal).is_some_and(|other| other != *refusal) {
                    fault(&format!("id `{id}` has another wire form too"));
                }
            }
        }
    }
    faults
}

/// Two words or more of small letters and digits, joined by hyphens.
fn well_formed(id: &str) -> bool {
    let words: Vec<&str> = id.split('-').collect();
    let word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    words.len() > 1 && words.iter().all(word)
}

mod tests {
    use tokenrig_decision::{Evidence, Wire};

    use super::*;

    const GOOD: Refusal = Refusal {
        ids: &["shop-closed"],
        when: "it is late",
        wire: Wire::Text { status: 403, headers: &[], text: "closed" },
        evidence: Evidence::recorded("a sign on the door", "2026-01-15", "full"),
    };

    #[test]
    fn a_good_refusal_passes_even_if_listed_twice() {
        assert!(faults(&[("shop", &[&GOOD]), ("mall", &[&GOOD])]).is_empty());
    }

    #[test]
    fn each_fault_of_a_refusal_is_found() {
        const BAD: Refusal = Refusal {
            ids: &["Closed", "shop-closed"],
            when: " ",
            wire: Wire::Text { status: 404, headers: &[], text: "gone" },
            evidence: Evidence { date: Some("yesterday"), ..Evidence::recorded("", "", "full") },
        };
        let found = faults(&[("shop", &[&GOOD, &BAD])]);
        for expected in ["when", "source", "YYYY-MM-DD", "`Closed` is not", "`shop-closed` has another"] {
            assert!(found.iter().any(|fault| fault.contains(expected)), "{expected} in {found:?}");
        }
    }
}
