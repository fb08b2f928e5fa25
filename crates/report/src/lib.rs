//! What people and their tools see of a run: text for a terminal, JUnit for a build server.
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

mod decision;
mod diagnostics;
mod exchange;
mod failure;
mod junit;
mod paint;
mod terminal;

pub use crate::{
    decision::{Line, check_lines, title},
    diagnostics::diagnostics,
    failure::{case_failed, given_fault},
    junit::Junit,
    paint::Look,
    terminal::Terminal,
};
