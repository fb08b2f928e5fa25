//! What a right file says.

use rstest::rstest;
use tokenrig_scenario::{
    Faults, HttpBody, Kind, Loader, Piece, Play, RowUse, Scenario, Step, Template, Verb, Who, parse_given,
    parse_scenario,
};

struct Files(&'static [(&'static str, &'static str)]);

impl Loader for Files {
    fn load(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    }
}

fn read(text: &str) -> Scenario {
    parse_scenario("a.yaml", text.as_bytes(), &Files(&[])).unwrap_or_else(|faults| panic!("{faults}"))
}

fn play(text: &str) -> (Scenario, Play) {
    let scenario = read(text);
    let play = scenario.play(0);
    (scenario, play)
}

fn step(steps: &str) -> (Scenario, std::sync::Arc<Step>) {
    let text = format!(
        "scenario: a\ngiven:\n  issuers: {{ corp: {{}} }}\n  iam.serviceAccounts: {{ caller: {{}} }}\n  run.services: {{ orders: {{}} }}\nsteps:\n{steps}"
    );
    let (scenario, play) = play(&text);
    let step = play.steps[0].clone();
    (scenario, step)
}

/// A template as a short text: holes in angle brackets.
fn shown(template: &Template) -> String {
    match &template.kind {
        Kind::Text(text) => text.to_string(),
        Kind::Hole(hole) => format!("<{}>", hole.text()),
        Kind::Mixed(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_string(),
                Piece::Hole(hole) => format!("<{}>", hole.text()),
            })
            .collect(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_row_s_node_goes_into_its_spot_with_its_place() {
    let text = "scenario: a\ncases:\n  - { case: one, expect: { status: 418 }, path: x }\n  - { case: two, expect: { body: { a: \"${case.path}\" } }, path: y }\nsteps:\n  - http: GET https://a.example/${case.path}\n    expect: ${case.expect}\n";
    let scenario = read(text);
    assert_eq!(scenario.warnings, []);
    let first = scenario.play(0).steps[0].clone();
    let status = first.expect.as_ref().unwrap().status.clone().unwrap();
    assert_eq!(scenario.sources.slice(status.span), "418");
    let second = scenario.play(1).steps[0].clone();
    let body = second.expect.as_ref().unwrap().body.clone().unwrap();
    assert_eq!(body.get("a").unwrap().text(), Some("y"), "a row's value in a row's value");
    let Verb::Http { target, .. } = &second.verb else { panic!() };
    let Kind::Mixed(pieces) = &target.kind else { panic!() };
    let Piece::Hole(hole) = &pieces[1] else { panic!("inside of text the hole stays, to be evaluated there") };
    assert_eq!(hole.row, RowUse::Keys(vec!["path".into()]));
}

#[test]
fn steps_that_no_row_changes_are_shared_by_all_cases() {
    let text = "scenario: a\ncases:\n  - { case: one, x: 1 }\n  - { case: two, x: 2 }\nsteps:\n  - http: GET https://a.example\n  - http: GET https://a.example/${case.x}\n";
    let scenario = read(text);
    let (one, two) = (scenario.play(0), scenario.play(1));
    assert!(std::sync::Arc::ptr_eq(&one.steps[0], &two.steps[0]));
    assert!(std::sync::Arc::ptr_eq(&one.given, &two.given));
    assert!(!scenario.given_mentions_case);
}

#[test]
fn a_file_without_rows_has_one_case_without_a_name() {
    let scenario = read("scenario: a\nsteps:\n  - http: GET https://a.example\n");
    assert_eq!(scenario.cases.len(), 1);
    assert!(scenario.cases[0].name.is_none());
}

#[test]
fn what_a_body_refers_to_is_created_first() {
    let text = "scenario: a\ngiven:\n  run.services:\n    last: { description: \"${middle.uri}\" }\n    middle: { description: \"${given['run.services']['size'].uri}\", iamPolicy: { bindings: [ { role: r, members: [\"${last.uri}\"] } ] } }\n    size: {}\nsteps:\n  - http: GET ${last.uri}\n";
    let (_, play) = play(text);
    let ids: Vec<&str> = play.given.order.iter().map(|at| &*play.given.resources[*at].id.text).collect();
    assert_eq!(ids, ["size", "middle", "last"]);
}

#[test]
fn a_row_s_value_inside_a_body_counts_for_the_order() {
    let text = "scenario: a\ncases:\n  - { case: one, of: \"${second.uri}\" }\ngiven:\n  run.services:\n    first: { description: \"see ${case.of}\" }\n    second: {}\nsteps:\n  - http: GET ${first.uri}\n";
    let (scenario, play) = play(text);
    assert_eq!(play.given.order, [1, 0]);
    assert!(scenario.given_mentions_case);
}

#[test]
fn providers_stand_behind_their_pool_and_ids_become_names() {
    let text = "scenario: a\ngiven:\n  iam.workloadIdentityPools:\n    one: { displayName: One, providers: { okta: {}, corp-oidc: {} } }\n    two: { providers: { okta: {} } }\n  users: { alice@shop.example: {} }\nsteps:\n  - http: GET https://a.example/${corp_oidc.name}${given['iam.workloadIdentityPools.providers']['two/okta'].name}${given.users['alice@shop.example'].email}\n";
    let (_, play) = play(text);
    let given = &play.given;
    let known: Vec<(&str, Option<&str>)> =
        given.names.iter().map(|name| (name.key.as_str(), name.name.as_deref())).collect();
    assert_eq!(
        known,
        [
            ("alice@shop.example", None),
            ("one", Some("one")),
            ("one/okta", None),
            ("corp-oidc", Some("corp_oidc")),
            ("two", Some("two")),
            ("two/okta", None),
        ]
    );
    assert_eq!(given.resources[1].parent, Some(0));
    assert_eq!(given.resources[4].parent, Some(3));
    assert_eq!(given.resources[0].body.entries().unwrap().len(), 1, "only Google's fields are in the body");
}

#[test]
fn fields_of_ours_are_taken_out_of_the_body() {
    let text = "scenario: a\ngiven:\n  iam.serviceAccounts:\n    caller: { displayName: C, disabled: true, keys: { abc: { publicKeyData: aGk= } }, iamPolicy: { bindings: [] } }\n  issuers: { corp: {} }\n  run.services:\n    orders: { location: europe-west4, workload: { issuer: corp }, customAudiences: [a] }\n  project: { projectId: shop-test, iamPolicy: { bindings: [] } }\nsteps:\n  - http: GET ${orders.uri}\n";
    let (_, play) = play(text);
    let [caller, orders] = play.given.resources.as_slice() else { panic!() };
    assert!(caller.disabled.is_some() && caller.policy.is_some() && caller.keys.len() == 1);
    assert_eq!(caller.body.entries().unwrap().len(), 1);
    assert!(orders.workload.is_some());
    assert_eq!(orders.location.as_ref().unwrap().text(), Some("europe-west4"));
    assert!(play.given.project_policy.is_some());
    assert!(play.given.project.as_ref().unwrap().get("iamPolicy").is_none());
}

#[test]
fn included_files_are_merged_once_each() {
    let files = Files(&[
        ("b.given.yaml", "include: [c.given.yaml]\nissuers: { corp: {} }\n"),
        ("c.given.yaml", "{ \"run.services\": { \"orders\": { \"workload\": \"echo\" } } }"),
    ]);
    let text = "scenario: a\ngiven:\n  include: [b.given.yaml, c.given.yaml]\nsteps:\n  - mint: corp\n  - http: GET ${orders.uri}\n";
    let scenario = parse_scenario("dir/a.yaml", text.as_bytes(), &files).unwrap();
    let play = scenario.play(0);
    assert_eq!((play.given.issuers.len(), play.given.resources.len()), (1, 1));
    let place = scenario.sources.place(play.given.resources[0].id.span);
    assert_eq!(place, "dir/c.given.yaml:1:21");
}

#[rstest]
#[case("GET ${orders.uri}/a b", "GET", "<orders.uri>/a b")]
#[case("${'PO' + 'ST'} https://a.example", "<'PO' + 'ST'>", "https://a.example")]
#[case("M-SEARCH http://a.example/%7B?x=${now}", "M-SEARCH", "http://a.example/%7B?x=<now>")]
fn a_request_line_is_cut_at_its_first_space(#[case] line: &str, #[case] method: &str, #[case] target: &str) {
    let (_, step) = step(&format!("  - http: {line}\n    form: {{ a: 1, b: [x, y] }}\n"));
    let Verb::Http { method: m, target: t, body: HttpBody::Form(_), .. } = &step.verb else { panic!() };
    assert_eq!((shown(m).as_str(), shown(t).as_str()), (method, target));
}

#[test]
fn a_command_is_cut_into_words_before_holes_are_filled() {
    let (_, step) = step("  - run: >-\n      curl -H 'a: ${now}' \"${orders.uri}/x y\" ${caller.email}\n");
    let Verb::Run { words, .. } = &step.verb else { panic!() };
    let words: Vec<String> = words.iter().map(shown).collect();
    assert_eq!(words, ["curl", "-H", "a: <now>", "<orders.uri>/x y", "<caller.email>"]);
}

#[test]
fn callers_are_told_apart() {
    let text = "scenario: a\ngiven: { iam.serviceAccounts: { caller: {} } }\nsteps:\n  - { http: GET https://iam.googleapis.com/v1/x, as: owner }\n  - { http: GET https://iam.googleapis.com/v1/x, as: nobody }\n  - { http: GET https://iam.googleapis.com/v1/x, as: caller }\n  - { http: GET https://iam.googleapis.com/v1/x, as: \"${'t'}\" }\n  - { http: GET https://iam.googleapis.com/v1/x }\n";
    let (_, play) = play(text);
    let who: Vec<_> = play.steps.iter().map(|step| step.who.clone()).collect();
    assert!(matches!(
        who.as_slice(),
        [Some(Who::Owner), Some(Who::Nobody), Some(Who::Account(_)), Some(Who::Token(_)), None]
    ));
}

#[test]
fn bare_cel_knows_its_places_in_folded_text() {
    let (scenario, step) = step(
        "  - http: GET https://a.example\n    save: { id: \"body.ids[0]\" }\n    expect:\n      that:\n        - >-\n          status == 'ö'\n          && body.size == 'x'\n        - ${text == ''}\n        - true\n",
    );
    let expect = step.expect.as_ref().unwrap();
    let texts: Vec<&str> = expect.that.iter().map(|expr| expr.text()).collect();
    assert_eq!(texts, ["status == 'ö' && body.size == 'x'", "text == ''", "true"]);
    let second = expect.that[0].text().find("body").unwrap();
    let place = expect.that[0].place(second..second + "body.size".len());
    assert_eq!(scenario.sources.slice(place), "body.size");
    assert_eq!(scenario.sources.slice(step.save[0].1.span), "body.ids[0]");
}

#[test]
fn a_given_file_takes_json_and_yaml() {
    let files = Files(&[]);
    let (given, sources) =
        parse_given("a.given.yaml", br#"{"iam.serviceAccounts": {"caller": {}}, "settings": {"seed": 7}}"#, &files)
            .unwrap();
    assert_eq!(given.resources.len(), 1);
    assert_eq!(sources.place(given.names[0].span), "a.given.yaml:1:26");
    assert!(
        parse_given("a.given.yaml", b"", &files).unwrap().0.resources.is_empty(),
        "nothing given is a given document"
    );
}

#[test]
fn names_missing_after_a_broken_include_are_not_told_twice() {
    let text = "scenario: a\ngiven:\n  include: [gone.given.yaml]\nsteps:\n  - mint: corp\n    claims: { aud: \"${orders.uri}\" }\n";
    let faults: Faults = parse_scenario("a.yaml", text.as_bytes(), &Files(&[])).unwrap_err();
    assert_eq!(faults.diagnostics.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["include::unreadable"]);
}
