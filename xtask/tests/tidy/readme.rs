//! The table of what is played, in README.md: made from the code.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use tokenrig_decision::Word;

const START: &str = "<!-- played: made by `cargo test`, from the code -->\n";
const END: &str = "<!-- played: end -->";

/// What each service plays, in a line. A service that is missing here fails the test.
const PLAYS: &[(&str, &str)] = &[
    ("accounts", "Google as an issuer: keys in every published form, discovery, the OAuth token endpoint"),
    ("cloudrun", "Cloud Run: the front door of `*.run.app`, the admin API v2"),
    ("iamadmin", "IAM, Resource Manager v1, Service Usage: accounts, keys, roles, pools, providers, policies"),
    ("iamcredentials", "IAM Credentials: ID tokens, access tokens, signatures; gRPC and REST"),
    ("idp", "OpenID providers of your own, each at an https host"),
    ("metadata", "the metadata server"),
    ("sts", "the Security Token Service: federation by OpenID Connect"),
    ("wire", "what all Google APIs refuse alike: credentials, scopes, malformed requests, policies"),
];

#[test]
fn the_table_of_what_is_played_is_made_from_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).expect("README.md is there");
    let (before, rest) = readme.split_once(START).expect("README.md has the table's start");
    let (_, after) = rest.split_once(END).expect("README.md has the table's end");
    let current = format!("{before}{START}{}{END}{after}", table());
    if current != readme {
        fs::write(&path, current).expect("README.md can be written");
        panic!("README.md was not current; it is now, commit it");
    }
}

fn table() -> String {
    let plays: BTreeMap<&str, &str> = PLAYS.iter().copied().collect();
    let mut table = "| service | plays | refusals | recorded | documented | reported | assumed |\n".to_owned();
    table.push_str("|---|---|--:|--:|--:|--:|--:|\n");
    for (service, refusals) in tokenrig::refusals() {
        let plays = plays.get(service).unwrap_or_else(|| panic!("PLAYS has no line for `{service}`"));
        let count = |word: Word| refusals.iter().filter(|refusal| refusal.evidence.word == word).count();
        let words = [Word::Recorded, Word::Documented, Word::Reported, Word::Assumed];
        let [recorded, documented, reported, assumed] = words.map(count);
        let all = refusals.len();
        writeln!(table, "| `{service}` | {plays} | {all} | {recorded} | {documented} | {reported} | {assumed} |")
            .expect("a text takes more text");
    }
    table
}
