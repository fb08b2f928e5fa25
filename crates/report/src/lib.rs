//! What people and their tools see of a run: text for a terminal, JUnit for a build server, JSON for programs, a page for
//! people.
//!
//! Reports that are files ([`FileReport`]) are written whole or not at all, and wait on the disk, not in memory: a run may
//! have many cases. The form of the JSON is `report.schema.json` in this crate, [`JSON_SCHEMA`].
//!
//! Everything here takes data and writes to what it is given: no environment is read, nothing is printed by itself.
//! Colour is one switch that the caller decides upon; it carries no meaning.
//!
//! ```
//! use tokenrig_report::{Look, Terminal};
//! use tokenrig_runner::{Event, Summary};
//!
//! let mut out = Vec::new();
//! let mut terminal = Terminal::new(&mut out, Look::default());
//! terminal.event(&Event::Ended(Summary { passed: 2, ..Summary::default() })).unwrap();
//! assert!(String::from_utf8(out).unwrap().contains("2 cases: 2 passed"));
//! ```

mod bar;
mod command;
mod decision;
mod diagnostics;
mod exchange;
mod failure;
mod file;
mod html;
mod json;
mod junit;
mod paint;
mod terminal;

pub use crate::{
    command::{again, quoted},
    decision::{Line, check_lines, check_lines_but, title},
    diagnostics::diagnostics,
    failure::{case_failed, given_fault},
    file::{FileReport, Format, Head},
    json::{JSON_SCHEMA, JSON_VERSION},
    paint::{Look, flat, safe},
    terminal::Terminal,
};
use crate::{html::Html, json::Json, junit::Junit};
