//! What a person reads: the answer first, then everything it was made from.

use std::fmt::{self, Formatter};

use serde_json::Value;
use tokenrig_report::{flat, safe};
use tokenrig_runner::redact;
use tokenrig_sts::Evaluated;

use super::{Judged, Principal, Verdict};

/// Members that are listed.
const SHOWN: usize = 60;
/// Characters of a value.
const LONGEST: usize = 300;
/// Characters of a column beside another one.
const COLUMN: usize = 72;

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.answer(f)?;
        if !self.exchanged.checks.is_empty() {
            writeln!(f, "\nexchange at {}", flat(&self.provider))?;
            for line in &self.exchanged.checks {
                writeln!(f, "  {line}")?;
            }
        }
        if !self.claims.is_empty() {
            writeln!(f, "\nclaims")?;
            let width = self.claims.keys().map(|name| name.chars().count()).max().unwrap_or_default().min(40);
            for (name, value) in self.claims.iter().take(SHOWN) {
                writeln!(f, "  {:<width$}  {}", flat(name), shown(value))?;
            }
        }
        writeln!(f, "\nmapping")?;
        for line in &self.reading.mapping {
            writeln!(f, "  {} = {}", flat(&line.attribute), flat(&line.from.expression))?;
            self.value(f, &line.from)?;
        }
        if self.reading.mapping.is_empty() {
            writeln!(f, "  nothing: the provider has no `attributeMapping`")?;
        }
        match &self.reading.condition {
            Some(condition) => {
                writeln!(f, "\ncondition\n  {}", flat(&condition.expression))?;
                self.value(f, condition)?;
            }
            None => writeln!(f, "\ncondition\n  none: every token of the issuer is taken")?,
        }
        self.beside(f)
    }
}

impl Principal {
    fn answer(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", flat(&self.title))?;
        match &self.exchanged.refused {
            None if self.exchanged.unverified => writeln!(f, "The provider takes it, if its signature is good.")?,
            None => writeln!(f, "The provider takes it.")?,
            Some(why) => writeln!(f, "The provider does not take it: {}.", flat(why))?,
        }
        match self.members.first() {
            Some(member) => writeln!(f, "It stands for {}", flat(member))?,
            None => writeln!(f, "It stands for nobody: `google.subject` has no value.")?,
        }
        let mut helps: Vec<String> = self.exchanged.mend.iter().cloned().collect();
        for fault in &self.reading.faults {
            let told = match fault.check {
                "size" => format!("It is too large: {}.", fault.mend),
                _ => continue,
            };
            if self.exchanged.mend.as_deref() != Some(fault.mend.as_str()) {
                writeln!(f, "{}", flat(&told))?;
            }
        }
        let named: Vec<&Judged> = self.named().collect();
        for one in named.iter().take(5) {
            writeln!(f, "It is named by {}", place(one))?;
        }
        if named.len() > 5 {
            writeln!(f, "and by {} more bindings.", named.len() - 5)?;
        }
        match self.nearest() {
            None if named.is_empty() => writeln!(f, "No binding of the given documents names a federated identity.")?,
            Some(nearest) if named.is_empty() => {
                writeln!(f, "No binding names it. The nearest, {}:", place(nearest))?;
                self.nearest_miss(f, nearest)?;
                if let Verdict::Misses { help, .. } = &nearest.verdict {
                    helps.push(help.clone());
                }
            }
            _ => {}
        }
        helps.dedup();
        if helps.iter().any(|help| !help.is_empty()) {
            writeln!(f)?;
        }
        helps.iter().filter(|help| !help.is_empty()).try_for_each(|help| writeln!(f, "help: {}", flat(help)))
    }

    /// What is written, what would have to be, and where they begin to differ.
    fn nearest_miss(&self, f: &mut Formatter<'_>, nearest: &Judged) -> fmt::Result {
        let Verdict::Misses { why, meant, .. } = &nearest.verdict else { return Ok(()) };
        let written = flat(&nearest.written.member);
        match meant {
            None => writeln!(f, "  written  {written}")?,
            Some(meant) => {
                let meant = flat(meant);
                writeln!(f, "  written  {written}\n  meant    {meant}")?;
                let same = written.chars().zip(meant.chars()).take_while(|(one, other)| one == other).count();
                writeln!(f, "           {}^", " ".repeat(same))?;
            }
        }
        why.iter().try_for_each(|why| writeln!(f, "  why      {}", flat(why.text())))
    }

    /// A value and its parts.
    fn value(&self, f: &mut Formatter<'_>, told: &Evaluated) -> fmt::Result {
        let text = |value: &Result<Value, String>| match value {
            Ok(value) => shown(value),
            Err(why) => format!("no value: {}", flat(why)),
        };
        writeln!(f, "    {}", text(&told.value))?;
        // A part that is the whole, and all claims at once, say nothing new.
        let whole = ["assertion", "google", "attribute", told.expression.trim()];
        let parts: Vec<_> = told.parts.iter().filter(|(part, _)| !whole.contains(&part.trim())).collect();
        let width = parts.iter().map(|(part, _)| part.chars().count()).max().unwrap_or_default().min(60);
        for (part, value) in parts {
            writeln!(f, "      {:<width$}  {}", flat(part), text(value))?;
        }
        Ok(())
    }

    /// What names the token, and beside it what the bindings name.
    fn beside(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pool = self.provider.split("/providers/").next().unwrap_or_default();
        let short = |member: &str| flat(member).replace(&format!("://iam.googleapis.com/{pool}/"), "://…/");
        writeln!(
            f,
            "\nmembers that name it | what the given documents' bindings name (… is iam.googleapis.com/{})",
            flat(pool)
        )?;
        let mut left: Vec<&Judged> = self.bindings.iter().take(SHOWN).collect();
        let width = self.members.iter().map(|member| short(member).chars().count()).max().unwrap_or(1).min(COLUMN);
        let row = |f: &mut Formatter<'_>, own: &str, of: Vec<&Judged>| {
            if of.is_empty() {
                return writeln!(f, "  {own}");
            }
            for (index, one) in of.iter().enumerate() {
                let own = if index == 0 { own } else { "" };
                let sign = if matches!(one.verdict, Verdict::Names(_)) { "=" } else { "≠" };
                writeln!(f, "  {own:<width$} {sign} {}", short(&one.written.member))?;
                if let Verdict::Misses { why, .. } = &one.verdict {
                    for why in why {
                        writeln!(f, "  {:<width$}   {}", "", flat(why.text()))?;
                    }
                }
                writeln!(f, "  {:<width$}   {}", "", place(one))?;
            }
            Ok(())
        };
        for member in &self.members {
            let (own, rest): (Vec<&Judged>, Vec<&Judged>) = left.iter().partition(|one| match &one.verdict {
                Verdict::Names(by) => by == member,
                Verdict::Misses { meant, .. } => meant.as_ref() == Some(member),
            });
            left = rest;
            if !(own.is_empty() && member == "allUsers") {
                row(f, &short(member), own)?;
            }
        }
        if !left.is_empty() {
            row(f, "-", left)?;
        }
        if self.bindings.len() > SHOWN {
            writeln!(f, "  {} more are not shown", self.bindings.len() - SHOWN)?;
        }
        if self.others > 0 {
            let (members, are) = if self.others == 1 { ("member", "is") } else { ("members", "are") };
            writeln!(f, "  {} {members} of Google's own accounts {are} left out", self.others)?;
        }
        Ok(())
    }
}

/// Whose binding it is, and where it stands.
fn place(one: &Judged) -> String {
    let written = &one.written;
    let name = written.resource.trim_start_matches("//");
    let name = name.split_once('/').map_or(name, |(_, name)| name);
    let mut text = format!("{} on {name} ({})", written.role, written.at);
    if let Some(condition) = &written.condition {
        text.push_str(&format!(", on the condition `{condition}`"));
    }
    flat(&text)
}

fn shown(value: &Value) -> String {
    let text = redact::text(&value.to_string()).into_owned();
    let text = match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => format!("{}… ({} bytes)", text.get(..at).unwrap_or_default(), text.len()),
    };
    flat(&safe(&text))
}
