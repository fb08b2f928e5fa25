//! The table of what is played, in README.md: made from the code.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use tokenrig_decision::Word;

const START: &str = "<!-- played: made by `cargo test`, from the code -->\n";
const END: &str = "<!-- played: end -->";

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
    let plays: BTreeMap<&str, &str> = tokenrig::played().into_iter().collect();
    let mut table = "| service | plays | refusals | recorded | documented | reported | assumed |\n".to_owned();
    table.push_str("|---|---|--:|--:|--:|--:|--:|\n");
    for (service, refusals) in tokenrig::refusals() {
        let plays = plays.get(service).filter(|line| !line.is_empty() && !line.contains('\n'));
        let plays = plays.unwrap_or_else(|| panic!("`{service}` does not say in a line what it plays"));
        let count = |word: Word| refusals.iter().filter(|refusal| refusal.evidence.word == word).count();
        let words = [Word::Recorded, Word::Documented, Word::Reported, Word::Assumed];
        let [recorded, documented, reported, assumed] = words.map(count);
        let all = refusals.len();
        writeln!(table, "| `{service}` | {plays} | {all} | {recorded} | {documented} | {reported} | {assumed} |")
            .expect("a text takes more text");
    }
    table
}
