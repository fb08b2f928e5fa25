//! What a door said, as text and as JSON.

use serde_json::{Value, json};
use tokenrig_decision::{CheckRecord, Record};
use tokenrig_report::{check_lines_but, flat};

use super::again::{Shown, UNCHECKED};
use crate::places::Place;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(super) place: Place,
    pub(crate) record: Record,
    pub(super) shown: Shown,
}

impl Told {
    /// Whether a check says nothing, because the rig signed the token itself.
    fn unchecked(&self, check: &CheckRecord) -> bool {
        self.shown.again && check.ok && matches!(check.name.as_str(), "key" | "signature")
    }

    /// The checks, a line each.
    pub(crate) fn checks(&self) -> Vec<String> {
        let lines = check_lines_but(&self.record, |check| self.unchecked(check).then_some(UNCHECKED));
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Whether the signature would have to be good and nobody looked.
    pub(crate) fn unverified(&self) -> bool {
        self.record.checks.iter().any(|check| self.unchecked(check))
    }

    /// Who judged, and how.
    fn verdict(&self) -> String {
        let place = self.place.text();
        let door = match self.record.surface.as_str() {
            "cloud-run-front" => format!("Cloud Run at {place}"),
            "cloud-functions" => format!("Cloud Functions at {place}"),
            "sts" => format!("the Security Token Service, at the provider {place},"),
            _ => format!("{} at {place}", self.record.of),
        };
        match self.record.failed() {
            Some(_) => format!("{door} would refuse it with {}", self.record.answer.status),
            None if self.unverified() => format!("{door} would let it in, if its signature is good"),
            None => format!("{door} would let it in"),
        }
    }

    /// The decision; checks that say nothing are null.
    pub(crate) fn decision(&self) -> Value {
        let mut decision = json!(self.record);
        let checks = decision.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten();
        for (told, check) in checks.zip(&self.record.checks) {
            if self.unchecked(check) {
                told["ok"] = Value::Null;
                told["found"] = UNCHECKED.into();
            }
        }
        decision
    }

    pub(super) fn as_json(&self, title: &str) -> Value {
        json!({
            "token": title,
            "at": self.place.text(),
            "letIn": self.record.failed().is_none(),
            "signedAgain": self.shown.again,
            "decision": self.decision(),
            "notes": self.shown.notes,
            "evidence": evidence(&self.record),
        })
    }

    pub(super) fn as_text(&self, title: &str) -> String {
        let mut text = format!("{}\n{}\n\n", flat(title), flat(&self.verdict()));
        for line in self.checks() {
            text.push_str(&format!("  {line}\n"));
        }
        let notes = self.shown.notes.iter().map(|note| format!("note: {}\n", flat(note)));
        let mend = self.record.mend.iter().map(|mend| format!("help: {}\n", flat(mend)));
        let evidence = evidence(&self.record).map(|evidence| format!("evidence: {}\n", flat(&evidence)));
        let last: String = notes.chain(mend).chain(evidence).collect();
        if !last.is_empty() {
            text.push('\n');
            text.push_str(&last);
        }
        text
    }
}

/// Where it is known from that Google refuses so.
fn evidence(record: &Record) -> Option<String> {
    let id = record.refusal.as_deref()?;
    let all = tokenrig::refusals();
    let refusal = all.iter().flat_map(|(_, refusals)| refusals.iter()).find(|refusal| refusal.ids.contains(&id))?;
    let known = &refusal.evidence;
    let date = known.date.map(|date| format!(" {date}")).unwrap_or_default();
    let proves = if known.proves.is_empty() { String::new() } else { format!(" ({})", known.proves) };
    Some(format!("{id}, {}{date}{proves}, {}", json!(known.word).as_str().unwrap_or_default(), known.source))
}
