//! Files that nobody should write: each is told clearly, and the scenarios beside it run.

use std::fs;

use rstest::rstest;

use crate::support::Home;

const GOOD: &str = "scenario: One that is right\nsteps:\n  - run: \"true\"\n";

/// A file as large as a disk image: the rest of it is a hole.
fn huge(home: &Home) {
    let file = fs::File::create(home.path("scenarios/bad.yaml")).unwrap();
    file.set_len(100 << 20).unwrap();
}

fn nested(home: &Home) {
    home.write(
        "scenarios/bad.yaml",
        &format!("scenario: Deep\nvars: {}{}\nsteps: []\n", "{a: ".repeat(10_000), "}".repeat(10_000)),
    );
}

fn nested_in_a_hole(home: &Home) {
    let hole = format!("${{{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    home.write(
        "scenarios/bad.yaml",
        &format!("scenario: Deep\nvars: {{ a: \"{hole}\" }}\nsteps: [{{ run: \"true\" }}]\n"),
    );
}

fn exploding(home: &Home) {
    let mut text = "scenario: Aliases\nvars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}, ", level - 1);
        text.push_str(&format!("  a{level}: &a{level} [{}]\n", before.repeat(10).trim_end_matches(", ")));
    }
    home.write("scenarios/bad.yaml", &format!("{text}steps: []\n"));
}

fn binary(home: &Home) {
    home.write("scenarios/bad.yaml", "");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    fs::write(home.path("scenarios/bad.yaml"), bytes).unwrap();
}

fn in_a_circle(home: &Home) {
    home.write(
        "scenarios/bad.yaml",
        "scenario: Circle\ngiven: { include: [one.given.yaml] }\nsteps: [{ run: \"true\" }]\n",
    );
    home.write("scenarios/one.given.yaml", "include: [two.given.yaml]\n");
    home.write("scenarios/two.given.yaml", "include: [one.given.yaml]\n");
}

fn outside(home: &Home) {
    home.write("secret.given.yaml", "issuers: { corp: {} }\n");
    home.write(
        "scenarios/bad.yaml",
        "scenario: Out\ngiven: { include: [../secret.given.yaml] }\nsteps: [{ run: \"true\" }]\n",
    );
}

fn outside_by_a_link(home: &Home) {
    home.write("secret.given.yaml", "issuers: { corp: {} }\n");
    home.write(
        "scenarios/bad.yaml",
        "scenario: Out\ngiven: { include: [in.given.yaml] }\nsteps: [{ run: \"true\" }]\n",
    );
    std::os::unix::fs::symlink(home.path("secret.given.yaml"), home.path("scenarios/in.given.yaml")).unwrap();
}

fn many_values(home: &Home) {
    home.write(
        "scenarios/bad.yaml",
        &format!("scenario: Many\nvars: {{ a: [{}] }}\nsteps: []\n", "1, ".repeat(600_000)),
    );
}

#[rstest]
#[case::of_100_megabytes(huge, "file::too-large", "larger than 10 MiB")]
#[case::of_ten_thousand_braces(nested, "yaml::too-deep", "nested")]
#[case::of_ten_thousand_brackets_in_a_hole(nested_in_a_hole, "cel::", "bad.yaml:2:")]
#[case::of_aliases_that_explode(exploding, "yaml::alias", "write the value out")]
#[case::of_bytes(binary, "file::", "binary")]
#[case::that_includes_itself(in_a_circle, "include::cycle", "in a circle")]
#[case::that_includes_what_is_outside(outside, "include::outside", "outside of the folder")]
#[case::that_includes_what_is_outside_by_a_link(outside_by_a_link, "include::unreadable", "out of the folder")]
#[case::of_too_many_values(many_values, "file::too-large", "at most")]
#[tokio::test]
async fn a_file_is_told_and_the_others_run(#[case] write: fn(&Home), #[case] code: &str, #[case] why: &str) {
    let home = Home::new();
    home.write("scenarios/good.yaml", GOOD);
    write(&home);
    let told = home.call(&["run"]).await;
    assert_eq!(told.code, Some(2), "{told}");
    let printed = format!("{}{}", told.stdout, told.stderr);
    assert!(printed.contains(&format!("error[{code}")) && printed.contains(why), "{told}");
    assert!(printed.contains("1 case: 1 passed"), "{told}");
    assert!(printed.len() < 20_000, "{} bytes are told", printed.len());
}
