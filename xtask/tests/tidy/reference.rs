//! The reference pages and the JSON Schemas: made from the code, and checked in.

use std::{fmt::Write as _, fs};

use tokenrig_decision::{Evidence, Refusal};
use tokenrig_scenario::{SchemaOf, key_reference, schema};

use crate::house::root;

#[test]
fn reference_pages_and_schemas_are_made_from_the_code() {
    let pages = [
        ("docs/reference/keys.md", key_reference()),
        ("docs/reference/commands.md", tokenrig_cli::command_reference()),
        ("docs/reference/refusals.md", refusals()),
        ("docs/reference/assumptions.md", assumptions()),
        ("scenarios/scenario.schema.json", pretty(SchemaOf::Scenario)),
        ("scenarios/given.schema.json", pretty(SchemaOf::Given)),
    ];
    let mut stale = Vec::new();
    for (path, current) in pages {
        let file = root().join(path);
        if fs::read_to_string(&file).ok().as_ref() != Some(&current) {
            fs::create_dir_all(file.parent().expect("a page is in a folder")).expect("the folder can be made");
            fs::write(&file, current).expect("the page can be written");
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "not current; they are now, commit them: {}", stale.join(", "));
}

fn pretty(of: SchemaOf) -> String {
    format!("{:#}\n", schema(of))
}

/// What is said in a table's cell: one line, no bar.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn refusals() -> String {
    let mut page =
        "# Refusals\n\nEvery answer that says no, by service: when it is given, its status, and where its form comes \
                    from. A scenario expects one by any of its ids (`refusal: ID`); the ids of one row share one form. \
                    [CONTRIBUTING.md](../../CONTRIBUTING.md) says what the words mean, and how to record.\n"
            .to_owned();
    for (service, refusals) in tokenrig::refusals() {
        write!(page, "\n## `{service}`\n\n| id | given when | status | evidence |\n|---|---|--:|---|\n")
            .expect("text grows");
        for refusal in refusals {
            let ids: Vec<String> = refusal.ids.iter().map(|id| format!("`{id}`")).collect();
            writeln!(
                page,
                "| {} | {} | {} | {} |",
                ids.join("<br>"),
                cell(refusal.when),
                status(refusal),
                evidence(&refusal.evidence)
            )
            .expect("text grows");
        }
    }
    page
}

fn status(refusal: &'static Refusal) -> u16 {
    refusal.refuse(refusal.ids.first().copied().unwrap_or_default()).form().status
}

fn evidence(evidence: &Evidence) -> String {
    let word = format!("{:?}", evidence.word).to_lowercase();
    let date = evidence.date.map(|date| format!(" {date}")).unwrap_or_default();
    format!("{word}{date}: {} (proves: {})", cell(evidence.source), cell(evidence.proves))
}

fn assumptions() -> String {
    let mut page =
        "# Assumptions\n\nWhat Google has not told, what the rig does instead, and what that leans on. Where the name \
                    is a setting, a given document sets it: `settings: { SERVICE.NAME: VALUE }`.\n"
            .to_owned();
    for (service, assumptions) in tokenrig::assumptions() {
        if assumptions.is_empty() {
            continue;
        }
        write!(page, "\n## `{service}`\n\n| name | decides | by itself | leans on |\n|---|---|---|---|\n")
            .expect("text grows");
        for one in assumptions {
            writeln!(page, "| `{}` | {} | {} | {} |", one.name, cell(one.about), cell(one.default), cell(one.source))
                .expect("text grows");
        }
    }
    page
}
