//! The page in a real browser: what its script and its style do there.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;
use tokenrig_report::Format;
use tokenrig_runner::{CaseId, CaseReport, Outcome};

use crate::{files::of, page, sample};

/// Presses keys, types and clicks as a person does, and writes down what came of it.
const DRIVER: &str = r##"<script>
"use strict";
const press = (key, on) => (on || document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const shown = () => [...document.querySelectorAll("details.case")].filter((one) => one.offsetParent !== null).map((one) => one.id).join(" ");
const told = [];
const tell = (what, value) => told.push(`${what}=${value}`);
tell("first", shown());
tell("open", [...document.querySelectorAll("details.case[open]")].map((one) => one.id).join(" "));
tell("heading", document.querySelector("h1").textContent.replace(/\s+/g, " ").trim());
press("f"); tell("failed", shown()); tell("pressed", document.querySelector("[data-show=failed]").getAttribute("aria-pressed"));
press("a"); press("/"); tell("focus", document.activeElement.id);
const find = document.getElementById("find");
find.value = "WITH saml"; find.dispatchEvent(new Event("input")); tell("found", shown()); tell("count", document.getElementById("count").textContent);
find.value = "no such case"; find.dispatchEvent(new Event("input")); tell("none", document.getElementById("none").hidden);
press("Escape", find); tell("cleared", shown());
press("j"); press("j"); tell("second", document.activeElement.parentElement.id);
press("k"); tell("back", document.activeElement.parentElement.id);
press("o"); tell("all", document.querySelectorAll("details.case:not([open])").length);
const before = getComputedStyle(document.body).backgroundColor;
press("t"); tell("theme", before !== getComputedStyle(document.body).backgroundColor);
press("?"); tell("help", document.getElementById("help").hidden);
const narrow = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest("pre, .flow, .skip, .defs")).length;
tell("wide", narrow);
tell("drawn", [...document.querySelectorAll(".flow svg")].every((one) => one.getBoundingClientRect().height > 60));
tell("named", [...document.querySelectorAll("button, input")].every((one) => (one.getAttribute("aria-label") || one.textContent).trim() !== ""));
tell("acted", typeof window.owned);
document.documentElement.dataset.told = told.join("|");
</script>"##;

fn browser() -> Option<&'static str> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    known.into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

/// What the driver has written down.
fn driven(browser: &str, page: &str, size: &str) -> Vec<(String, String)> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, page.replace("</body>", &format!("{DRIVER}</body>"))).unwrap();
    let profile = folder.path().join("profile");
    let out = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--window-size={size}"))
        .arg(url(&file))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&out.stdout).into_owned();
    let told = dom.split("data-told=\"").nth(1).and_then(|rest| rest.split('"').next());
    let told = told.unwrap_or_else(|| {
        panic!("the driver has not come to its end in {}", dom.chars().take(600).collect::<String>())
    });
    let pairs = told.split('|').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn url(file: &Path) -> String {
    format!("file://{}", file.display())
}

#[test]
fn a_person_finds_what_failed_with_the_keyboard_alone() {
    let Some(browser) = browser() else {
        // Not by a macro: what those print is kept back while a test passes.
        let why = "there is no chromium";
        let _ = writeln!(std::io::stderr(), "SKIPPED a_person_finds_what_failed_with_the_keyboard_alone: {why}");
        return;
    };
    let other = |number, name: &str, outcome| CaseReport {
        id: CaseId { case: Some(name.to_owned()), ..sample::id(None) },
        number,
        outcome,
        steps: Vec::new(),
        ..sample::failed()
    };
    let skip = tokenrig_runner::Skip::Other("later".to_owned());
    let cases = [
        other(0, "passes", Outcome::Passed),
        page::hostile("</script><script>window.owned=1</script><img src=x onerror=window.owned=1>", 1),
        other(2, "with SAML", Outcome::Skipped(skip)),
        sample::failed(),
    ];
    let cases = cases.into_iter().enumerate().map(|(number, case)| CaseReport { number, ..case });
    let page = of(Format::Html, &[], &page::ended(cases));
    for size in ["1200,900", "500,800"] {
        let told = driven(browser, &page, size);
        let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            told,
            [
                ("first", "c1 c3 c2 c0"),
                ("open", "c1 c3"),
                ("heading", "FAIL 2 of 4 cases failed"),
                ("failed", "c1 c3"),
                ("pressed", "true"),
                ("focus", "find"),
                ("found", "c2"),
                ("count", "1 of 4 shown"),
                ("none", "false"),
                ("cleared", "c1 c3 c2 c0"),
                ("second", "c3"),
                ("back", "c1"),
                ("all", "0"),
                ("theme", "true"),
                ("help", "false"),
                ("wide", "0"),
                ("drawn", "true"),
                ("named", "true"),
                ("acted", "undefined"),
            ],
            "{size}"
        );
    }
}
