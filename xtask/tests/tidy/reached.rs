//! Every refusal that Google is known to give is given and reached by a scenario, or a page says why not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{house::root, known::KNOWN};

/// The page of those that are not given.
const PAGE: &str = "docs/refusals-not-given.md";

#[test]
fn every_known_refusal_is_reached_by_a_scenario_or_the_page_says_why_not() {
    let given: BTreeSet<&str> =
        tokenrig::refusals().iter().flat_map(|(_, all)| all.iter()).flat_map(|refusal| refusal.ids).copied().collect();
    let mut reached = BTreeSet::new();
    words_of_scenarios(&root().join("scenarios"), &mut reached);
    let page = fs::read_to_string(root().join(PAGE)).expect("the page is there");
    let faults = faults(&given, &reached, &reasons(&page));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults(given: &BTreeSet<&str>, reached: &BTreeSet<String>, reasons: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let known: BTreeSet<&str> = KNOWN.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    for (surface, ids) in KNOWN {
        for id in *ids {
            match (given.contains(id), reached.contains(*id), reasons.get(*id)) {
                (true, true, None) | (_, false, Some(_)) => {}
                (false, _, None) => faults.push(format!("{surface}: {id} is not given, and {PAGE} does not say why")),
                (true, false, None) => {
                    faults.push(format!("{surface}: no scenario reaches {id}, and {PAGE} is silent"))
                }
                (_, true, Some(_)) => faults.push(format!("{PAGE}: {id} is reached by a scenario")),
            }
        }
    }
    for (id, reason) in reasons {
        if !known.contains(id.as_str()) {
            faults.push(format!("{PAGE}: {id} is no known refusal"));
        }
        if reason.split_whitespace().count() < 3 {
            faults.push(format!("{PAGE}: {id} has no reason"));
        }
    }
    faults
}

/// The rows of the page's tables: `| id | reason |`.
fn reasons(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once("` | "))
        .map(|(id, reason)| (id.to_owned(), reason.trim_end_matches(['|', ' ']).to_owned()))
        .collect()
}

/// What stands after `refusal:` in all scenarios.
fn words_of_scenarios(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            words_of_scenarios(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path).expect("a scenario is text");
            let ids = text.split("refusal:").skip(1).filter_map(|rest| rest.split([',', '}', '\n']).next());
            found.extend(ids.map(|id| id.trim().to_owned()));
        }
    }
}

mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_page_is_an_id_with_its_reason() {
        let page = "# Title\n\n| id | why |\n|---|---|\n| `a-b` | it is not so |\n";
        assert_eq!(reasons(page), BTreeMap::from([("a-b".to_owned(), "it is not so".to_owned())]));
    }

    #[test]
    fn what_is_missing_is_found() {
        let given = BTreeSet::from(["sts-signature-invalid"]);
        let reached = BTreeSet::from(["sts-issuer-missing".to_owned()]);
        let why = |id: &str| (id.to_owned(), "there is no way".to_owned());
        let reasons = BTreeMap::from([why("sts-issuer-missing"), why("sts-made-up")]);
        let found = faults(&given, &reached, &reasons);
        for fault in ["no scenario reaches sts-signature-invalid", "sts-issuer-missing is reached", "sts-made-up is no"]
        {
            assert!(found.iter().any(|line| line.contains(fault)), "{fault}");
        }
    }
}
