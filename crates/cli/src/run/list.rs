//! `--list`: the names of cases, and nothing else on stdout.

use std::io::{self, Write};

use tokenrig_report::{Look, diagnostics, quoted};
use tokenrig_runner::Plan;

use crate::tell;

pub(crate) fn list(plan: &Plan, look: &Look, verbose: bool) -> u8 {
    for file in &plan.wrong {
        tell::text(&diagnostics(&file.faults, look));
    }
    if plan.cases.is_empty() && plan.wrong.is_empty() {
        tell::error("no case matches", Some("name other files, or loosen `--filter`"));
        return 2;
    }
    let code = if plan.wrong.is_empty() { 0 } else { 2 };
    match write(plan, verbose, &mut io::stdout().lock()) {
        Err(fault) if fault.kind() != io::ErrorKind::BrokenPipe => {
            tell::error(&format!("cannot write to the standard output: {fault}"), None);
            3
        }
        _ => code,
    }
}

/// A line per case; where it stands and its tags behind it, if asked for.
fn write(plan: &Plan, verbose: bool, out: &mut impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    for planned in &plan.cases {
        let name = planned.id.to_string().replace(char::is_control, " ");
        write!(out, "{name}")?;
        if verbose {
            let span = planned.scenario.cases.get(planned.row).map_or(planned.scenario.title.span, |case| case.span);
            let place = planned.scenario.sources.place(span);
            write!(out, "  {}", quoted(&place))?;
            let tags: Vec<&str> = planned.scenario.tags.iter().map(|tag| &*tag.text).collect();
            if !tags.is_empty() {
                write!(out, "  [{}]", tags.join(", "))?;
            }
        }
        writeln!(out)?;
    }
    out.flush()
}
