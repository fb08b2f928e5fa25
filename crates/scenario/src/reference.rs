//! The key reference: every word of the format with what it means, as Markdown, made of the table of words.

use std::fmt::Write as _;

use tokenrig_jose::forge::Flaw;
use tokenrig_protos::table;

use crate::{
    given::{a_resource_of, has_location},
    words::{self, COLLECTIONS, INNER, RigCall, SECTIONS, VERBS, Word},
};

/// The key reference of scenario and given files.
#[must_use]
pub fn key_reference() -> String {
    let mut text = String::from(
        "# Keys of scenario and given files\n\nEvery word that a file may use. The rules around them are in \
         [Write a scenario](../write-a-scenario.md); the [scenarios that teach the format](../../scenarios/learn) show them at \
         work.\n",
    );
    section(&mut text, "A scenario file", "", words::FILE);
    section(&mut text, "Worlds", "`worlds` is a list of", words::WORLDS);
    section(&mut text, "Needs", "`needs` is a list of", words::NEEDS);
    section(&mut text, "Steps", "A step does exactly one of", VERBS);
    section(&mut text, "Any step", "Beside its verb, any step may have", words::ANY_STEP);
    for verb in VERBS {
        let own = words::step_keys(verb.name);
        if !own.is_empty() {
            section(
                &mut text,
                &format!("`{}`", verb.name),
                &format!("A step that does `{}` may also have", verb.name),
                own,
            );
        }
    }
    flaws(&mut text);
    calls_of_our_own(&mut text);
    expectations(&mut text);
    seen(&mut text);
    section(
        &mut text,
        "A given file",
        "The map under `given`, and a file of its own. Beside the collections of Google's:",
        SECTIONS,
    );
    section(&mut text, "`project`", "", words::PROJECT);
    section(&mut text, "An issuer", "", words::ISSUER);
    line(&mut text, &format!("`misbehaves` is one of {}.", listed(words::MISBEHAVIOURS.iter().copied())));
    section(&mut text, "An AWS account", "", words::AWS_ACCOUNT);
    section(&mut text, "A role or user of an AWS account", "", words::AWS_PRINCIPAL);
    section(&mut text, "A user", "", words::USER);
    section(&mut text, "A refresh token", "", words::REFRESH_TOKEN);
    line(&mut text, &format!("`state` is one of {}.", listed(words::REFRESH_STATES.iter().copied())));
    section(&mut text, "An OAuth client", "", words::CLIENT);
    section(
        &mut text,
        "`settings`",
        "Beside those of single services, which stand in [Assumptions](assumptions.md):",
        words::SETTINGS,
    );
    collections(&mut text);
    section(&mut text, "Workloads", "`workload` is `echo`, a URL, or a map of one of", words::WORKLOADS);
    section(
        &mut text,
        "Answers of a workload",
        "One of `answers` is `hang`, `reset`, `endless`, or a map of",
        words::ANSWER,
    );
    text
}

fn line(text: &mut String, line: &str) {
    text.push('\n');
    text.push_str(line);
    text.push('\n');
}

fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    crate::reader::list_all(words)
}

/// A table of words.
fn section(text: &mut String, title: &str, lead: &str, words: &[Word]) {
    line(text, &format!("## {title}"));
    if !lead.is_empty() {
        line(text, lead);
    }
    rows(text, words.iter());
}

fn rows<'w>(text: &mut String, words: impl Iterator<Item = &'w Word>) {
    text.push_str("\n| key | means | for example |\n|---|---|---|\n");
    for word in words {
        let about = if word.played { word.about.to_owned() } else { format!("{} Not played yet.", word.about) };
        let example = if word.example.is_empty() { String::new() } else { format!("`{}`", word.example.trim()) };
        let _ = writeln!(text, "| `{}` | {} | {} |", word.name, cell(about.trim()), cell(&example));
    }
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn flaws(text: &mut String) {
    line(text, "## Flaws");
    line(text, "`flaw` of a `mint` step is one of");
    text.push_str("\n| flaw | the token |\n|---|---|\n");
    for flaw in Flaw::ALL {
        let _ = writeln!(text, "| `{}` | {} |", flaw.name(), cell(flaw.about()));
    }
}

fn calls_of_our_own(text: &mut String) {
    line(text, "## Calls of our own");
    line(text, "`call: rig.…` changes what no public API changes. They exist offline only; the first field is needed.");
    text.push_str("\n| call | fields of `with` |\n|---|---|\n");
    for call in RigCall::ALL {
        let fields: Vec<String> = call.fields().iter().map(|field| format!("`{field}`")).collect();
        let _ = writeln!(text, "| `{}` | {} |", call.word(), fields.join(", "));
    }
}

fn expectations(text: &mut String) {
    section(text, "`expect`", "", words::EXPECT);
    line(text, "Which of them make sense depends on the verb:");
    text.push_str("\n| after | there is |\n|---|---|\n");
    for verb in VERBS {
        let _ = writeln!(text, "| `{}` | {} |", verb.name, listed(words::expect_keys(verb.name).iter().copied()));
    }
    section(text, "`expect.token`", "", words::EXPECT_TOKEN);
    section(text, "`expect.decision`", "", words::EXPECT_DECISION);
}

fn seen(text: &mut String) {
    line(text, "## What CEL sees");
    line(
        text,
        &format!(
            "Always {}, every given id, and every saved name. After a step:",
            listed(words::ALWAYS.iter().copied())
        ),
    );
    text.push_str("\n| after | there is |\n|---|---|\n");
    for verb in VERBS.iter().filter(|verb| !words::results(verb.name).is_empty()) {
        let _ = writeln!(text, "| `{}` | {} |", verb.name, listed(words::results(verb.name).iter().copied()));
    }
    line(text, "Beside the functions of CEL and its strings extension:");
    rows(text, words::FUNCTIONS.iter());
}

fn collections(text: &mut String) {
    line(text, "## Collections");
    line(
        text,
        "Below a collection stands the id that Google's create call takes, below that Google's REST resource. Ours, and not \
         Google's, are the keys of the last column.",
    );
    text.push_str("\n| collection | holds | keys of ours |\n|---|---|---|\n");
    for word in COLLECTIONS {
        let Some(collection) = table().collection(word.name).filter(|_| word.played) else {
            let _ = writeln!(text, "| `{}` | Not played yet. | |", word.name);
            continue;
        };
        let mut own: Vec<String> = words::ours(word.name).iter().map(|word| format!("`{}`", word.name)).collect();
        own.extend(collection.set_iam_policy.map(|_| "`iamPolicy`".to_owned()));
        own.extend(has_location(collection).then(|| "`location`".to_owned()));
        let _ = writeln!(text, "| `{}` | {} | {} |", word.name, a_resource_of(collection), own.join(", "));
    }
    let mut of_ours: Vec<&Word> = vec![&words::IAM_POLICY, &words::LOCATION];
    for word in COLLECTIONS.iter().map(|word| word.name).chain(INNER.iter().copied()).flat_map(words::ours) {
        if !of_ours.iter().any(|known| known.name == word.name) {
            of_ours.push(word);
        }
    }
    rows(text, of_ours.into_iter());
    line(text, "A key of a service account, under `keys`:");
    rows(text, words::ACCOUNT_KEY.iter());
}
