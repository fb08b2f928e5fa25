//! Whatever is in a file, reading it ends, without a panic, in bounded time and memory.

use proptest::prelude::*;
use tokenrig_clock::real::Stopwatch;
use tokenrig_scenario::{Faults, Loader, MAX_BYTES, Scenario, parse_given, parse_scenario, read_scenario};

struct Nothing;

impl Loader for Nothing {
    fn load(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }
}

fn read(text: &[u8]) -> Result<Scenario, Faults> {
    parse_scenario("a.yaml", text, &Nothing)
}

/// The faults of a file, all places of which must be sound.
fn codes(text: &[u8]) -> Vec<&'static str> {
    let faults = read(text).expect_err("the file is wrong");
    assert!(!faults.to_string().is_empty());
    for label in faults.diagnostics.iter().flat_map(|fault| &fault.labels) {
        let source = faults.sources.get(label.span.source).unwrap();
        assert!(source.text.get(label.span.range()).is_some(), "{label:?}");
    }
    faults.diagnostics.iter().map(|fault| fault.code).collect()
}

const GOOD: &str = include_str!("../../../../scenarios/federation/cloud-run.yaml");

/// Pieces that YAML, holes and the format itself act upon.
const PIECES: &[&str] = &[
    "scenario: a\n",
    "steps:\n",
    "  - http: GET https://a\n",
    "given:\n",
    "cases:\n",
    "  - case: a\n",
    "    b: ${case.b}\n",
    "    expect: ${case.b}\n",
    "${",
    "}",
    "$${",
    "'",
    "\"",
    "{",
    "[",
    "]",
    ",",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "|\n",
    ">-\n  ",
    "&a ",
    "*a ",
    "!t ",
    "#",
    " #",
    "\t",
    "\\",
    "\\u00e4",
    "ä",
    "~",
    "? ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: ",
    "@",
    "`",
    "  issuers: { corp: {} }\n",
    "  run.services: { orders: {} }\n",
    "mint: corp",
    "save: { x: token }",
    "that: [a]",
    "\r\n",
    "\u{feff}",
    "1e5",
    "-0",
    "9999999999999999999",
    "true",
    "case",
    "it",
    "given['a']['b']",
    "run: a 'b",
    "include: [a.yaml]\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes).map_err(|faults| faults.to_string());
        let _ = parse_given("a.given.yaml", &bytes, &Nothing).map_err(|faults| faults.to_string());
    }

    #[test]
    fn pieces_of_the_format_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        if read(text.as_bytes()).is_err() {
            codes(text.as_bytes());
        }
        let _ = parse_given("a.given.yaml", text.as_bytes(), &Nothing).map_err(|faults| faults.to_string());
    }

    #[test]
    fn a_good_file_with_a_piece_in_it_never_panics(at in 0..GOOD.len(), cut in 0usize..30, piece in prop::sample::select(PIECES)) {
        let end = (at + cut).min(GOOD.len());
        if let (Some(before), Some(after)) = (GOOD.get(..at), GOOD.get(end..)) {
            let text = format!("{before}{piece}{after}");
            match read(text.as_bytes()) {
                Ok(scenario) => {
                    for case in 0..scenario.cases.len() {
                        let _ = scenario.play(case);
                    }
                }
                Err(_) => {
                    codes(text.as_bytes());
                }
            }
        }
    }
}

#[test]
fn ten_thousand_braces_are_refused() {
    for open in ["{", "[", "- ", "? ", "{a: ", "[[{"] {
        let found = codes(format!("steps: {}", open.repeat(10_000)).as_bytes());
        assert!(found.iter().any(|code| code.starts_with("yaml::")), "{open} {found:?}");
    }
    let lines: String = (0..10_000).map(|depth| format!("{}- \n", " ".repeat(depth % 500))).collect();
    codes(lines.as_bytes());
    assert!(
        codes(format!("scenario: a\nvars: {{ a: \"${{{}}}\" }}\nsteps: []", "{".repeat(10_000)).as_bytes())
            .contains(&"hole::open")
    );
    let braces =
        format!("scenario: a\nvars: {{ a: \"${{{}1{}}}\" }}\nsteps: []", "[".repeat(10_000), "]".repeat(10_000));
    assert!(codes(braces.as_bytes()).contains(&"cel::syntax"));
}

#[test]
fn a_huge_file_is_refused_without_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.yaml");
    std::fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
    let faults = read_scenario(&path).unwrap_err();
    assert_eq!(faults.diagnostics[0].code, "file::too-large");
}

#[test]
fn too_many_values_are_refused() {
    let many = format!("scenario: a\nvars: {{ a: [{}] }}\n", "1,".repeat(MAX_BYTES / 4));
    assert_eq!(codes(many.as_bytes()), ["file::too-large"]);
}

#[test]
fn faults_without_end_are_cut_short() {
    let many: String = (0..5_000).map(|at| format!("key{at}: 1\n")).collect();
    let found = codes(many.as_bytes());
    assert_eq!((found.len(), found.last()), (101, Some(&"file::more")));
}

#[test]
fn ten_thousand_rows_are_read_in_linear_time() {
    let rows: String =
        (0..10_000).map(|at| format!("  - {{ case: row {at}, path: /{at}, expect: {{ status: 200 }} }}\n")).collect();
    let text = format!(
        "scenario: a\ncases:\n{rows}steps:\n  - http: GET https://a.example${{case.path}}\n    expect: ${{case.expect}}\n"
    );
    let scenario = read(text.as_bytes()).unwrap();
    assert_eq!(scenario.cases.len(), 10_000);
    assert_eq!(scenario.play(9_999).steps.len(), 1);
}

#[test]
fn files_that_are_large_in_every_way_end_soon() {
    let issuers: String = (0..9_000).map(|at| format!("    i{at}: {{}}\n")).collect();
    let roles: String = (0..9_000).map(|at| format!("    r{at}: {{ title: \"${{r{}.name}}\" }}\n", at + 1)).collect();
    let steps: String = (0..4_000)
        .map(|at| format!("  - mint: j{at}\n    claims: {{ sub: \"${{x{at} + given['iam.roles']['r{at}'].name}}\" }}\n    save: {{ s{at}: token }}\n"))
        .collect();
    let text = format!("scenario: a\ngiven:\n  issuers:\n{issuers}  iam.roles:\n{roles}steps:\n{steps}");
    let started = Stopwatch::start();
    codes(text.as_bytes());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    let holes = format!("scenario: a\nvars: {{ a: \"{}\" }}\n", "${a}".repeat(60_000));
    assert_eq!(codes(holes.as_bytes()), ["file::too-large"]);
    let rows: String = (0..2_000).map(|at| format!("  - {{ case: r{at}, x: 1 }}\n")).collect();
    let steps = "  - http: GET https://a.example/${case.x}\n".repeat(1_000);
    assert_eq!(codes(format!("scenario: a\ncases:\n{rows}steps:\n{steps}").as_bytes()), ["file::too-large"]);
}
