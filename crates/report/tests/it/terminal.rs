//! The report of a run as text.

use std::{sync::Arc, time::Duration};

use tokenrig_report::{Look, Terminal, diagnostics};
use tokenrig_runner::{CaseId, CaseReport, Cut, Event, Outcome, Repeat, Skip, Summary, WrongFile};
use tokenrig_scenario::{Diagnostic, Faults, Source, SourceId, Sources, Span};

use crate::sample;

fn told(look: Look, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, look);
    for event in events {
        terminal.event(event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn look() -> Look {
    Look { program: "cargo xtask".to_owned(), ..Look::default() }
}

#[test]
fn a_run_shows_what_needs_attention_and_ends_with_what_to_do() {
    insta::assert_snapshot!(told(look(), &sample::events()));
}

#[test]
fn lines_stand_in_the_order_of_the_plan_whichever_case_ends_first() {
    let mut events = sample::events();
    events[3..8].reverse();
    assert_eq!(told(look(), &events), told(look(), &sample::events()));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = told(Look { colour: true, ..look() }, &sample::events());
    let mut plain = String::new();
    let mut escaped = false;
    for c in coloured.chars() {
        match c {
            '\u{1b}' => escaped = true,
            'm' if escaped => escaped = false,
            c if !escaped => plain.push(c),
            _ => {}
        }
    }
    assert_ne!(coloured, plain);
    assert_eq!(plain, told(look(), &sample::events()));
}

#[test]
fn passing_cases_have_lines_on_demand() {
    let shown = told(Look { verbose: true, ..look() }, &sample::events());
    assert!(shown.contains("       PASS [    4 ms] federation/cloud-run › the service's own URL\n"), "{shown}");
}

#[test]
fn a_run_that_is_cut_short_tells_what_had_ended() {
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, look());
    // The first case of the plan has not ended; the second one, which failed, has.
    for event in &sample::events()[..4] {
        terminal.event(event).unwrap();
    }
    terminal.cut_short().unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains("error: expected status 200, found 401"), "{shown}");
    assert!(shown.contains("Summary [ 0.00 s] 1 case: 1 failed; cut short, 4 cases did not run\n"), "{shown}");
    assert!(shown.contains("      again cargo xtask run "), "{shown}");
}

#[test]
fn of_many_failures_the_first_are_told_in_full_and_the_others_counted() {
    let failed = sample::failed();
    let many = (0..120).map(|number| {
        let id = sample::id(Some(&format!("case {number}")));
        Event::CaseEnded(Arc::new(CaseReport { id, number, ..failed.clone() }))
    });
    let ended = Event::Ended(Summary { failed: 120, ..Summary::default() });
    let shown = told(look(), &many.chain([ended]).collect::<Vec<_>>());
    assert_eq!(shown.matches("       FAIL [").count(), 120);
    assert_eq!(shown.matches("\nFAIL ").count(), 100);
    assert!(shown.contains("The first 100 failures are told above; 20 more, each a line further up."), "{shown}");
    assert_eq!(shown.matches("      again ").count(), 10);
    assert!(shown.ends_with("        all cargo xtask run --rerun-failed\n"), "{shown}");
}

#[test]
fn what_is_slow_stopped_repeated_or_kept_is_told() {
    let repeat = Some(Repeat { time: 2, of: 3 });
    let id = CaseId { repeat, ..sample::id(Some("the service's own URL")) };
    let stopped = Outcome::Skipped(Skip::Stopped("in step 3: run sh -c sleep".to_owned()));
    let report = |number, outcome| CaseReport { id: id.clone(), number, outcome, ..sample::failed() };
    let kept = CaseReport { kept: Some("/tmp/kept/a-1".into()), ..report(0, Outcome::Failed) };
    let cut = Some(Cut::Deadline(Duration::from_secs(90)));
    let events = [
        Event::CaseSlow(id.clone(), Duration::from_secs(60)),
        Event::CaseEnded(Arc::new(kept)),
        Event::CaseEnded(Arc::new(report(1, stopped))),
        Event::Ended(Summary { failed: 1, stopped: 1, not_run: 4, cut, ..Summary::default() }),
    ];
    let shown = told(look(), &events);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "       SLOW [  > 60 s] federation/cloud-run › the service's own URL (2 of 3)",
            "       FAIL [    6 ms] federation/cloud-run › the service's own URL (2 of 3)",
            "    STOPPED [    6 ms] federation/cloud-run › the service's own URL (2 of 3): \
             was in step 3: run sh -c sleep",
        ]
    );
    assert!(shown.contains("\n\nkept: /tmp/kept/a-1\n"), "{shown}");
    assert!(
        shown.contains("2 cases: 1 failed, 1 stopped; cut short by its deadline of 90 s, 4 cases did not run"),
        "{shown}"
    );
}

#[test]
fn a_run_of_nothing_says_so() {
    let shown = told(look(), &[Event::Ended(Summary { wrong_files: 2, ..Summary::default() })]);
    insta::assert_snapshot!(shown, @r"
    ────────────
        Summary [ 0.00 s] no case; 2 files are wrong and did not run
    ");
}

#[test]
fn faults_of_files_stand_at_their_places() {
    let text = "given:\n  iam.workloadIdentityPools:\n    partners: { attributeMappings: {} }\n";
    let mut sources = Sources::new();
    sources.add(Source::new("scenarios/a.yaml", text));
    let span = |word: &str| {
        let start = text.find(word).unwrap();
        Span::new(SourceId(0), start, start + word.len())
    };
    let unknown = Diagnostic::error(
        "given::unknown-field",
        span("attributeMappings"),
        "`attributeMappings` is not a field of a workload identity pool",
    )
    .label("did you mean `attributeMapping`?")
    .also(span("partners"), "of this pool")
    .note("a provider has it")
    .help("move it to the provider");
    let unused = Diagnostic::warning("given::unused", span("partners"), "nothing refers to `partners`");
    let faults = Faults { sources, diagnostics: vec![unknown, unused] };
    insta::assert_snapshot!(diagnostics(&faults, &Look::default()));

    let mut out = Vec::new();
    let files = [WrongFile { file: "scenarios/a.yaml".into(), faults: faults.clone() }];
    Terminal::new(&mut out, Look::default()).files(&files).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), diagnostics(&faults, &Look::default()));
}
