//! How fast a rig is, against the least that could do the same work.
//!
//! `cargo xtask bench [--json FILE]` builds everything for release and prints one row per measurement: name, figure,
//! baseline, ratio, spread, goal, met. Subject and baseline run in turn, five times; the figures are medians, the ratio is
//! the median of the five ratios, and the spread is the least and the greatest of them. Each round is a process of its
//! own, so that nothing is warm that the round before has warmed. HTTP rounds have one client with 16 connections, in the
//! process of the server that it loads, over TLS; subject and baseline get the same requests and give answers of the same
//! size. *Fresh* means that every request bears a token of its own, which no request before had. A rig keeps every decision
//! while it is measured, as it always does.
//!
//! The baseline of a server is an axum handler that does nothing, on hyper and rustls without anything of ours between
//! ([`Empty`]). What mints is held against a bare server that does nothing else, too.
//!
//! ```
//! use tokenrig_benches::{Goal, Row, Unit};
//!
//! let row = Row::paired("a half", Unit::PerSecond, &[(50.0, 100.0), (60.0, 100.0), (40.0, 100.0)], Goal::AtLeast(0.45));
//! assert_eq!((row.ratio, row.spread, row.met), (Some(0.5), Some((0.4, 0.6)), true));
//! ```

mod child;
mod command;
mod dispatch;
mod empty;
mod grpc;
mod hurl;
mod load;
mod memory;
mod minting;
mod policy;
mod receiver;
mod round;
mod scale;
mod scenarios;
mod scheduler;
mod serve;
mod start;
mod table;
mod tasks;
mod throughput;
mod waiting;

pub use crate::{
    child::Programs,
    empty::Empty,
    round::{Round, Side, What},
    scale::Scale,
    table::{Goal, Row, Unit, render, to_json},
};

/// A measurement by its name in `--only`, and what makes its rows.
pub type Measurement = (&'static str, fn(&Programs, Scale) -> Result<Vec<Row>, String>);

/// All measurements, in the order of the table.
pub const MEASUREMENTS: &[Measurement] = &[
    ("start", start::measure),
    ("generateIdToken", throughput::generate_id_token),
    ("minting", throughput::mint_over_http),
    ("sts", throughput::exchange),
    ("waiting", waiting::measure),
    ("cloudrun", throughput::cloud_run),
    ("policy", policy::measure),
    ("memory", memory::measure),
    ("scheduler", scheduler::measure),
    ("dispatch", dispatch::measure),
    ("tasks", tasks::measure),
    ("scenarios", scenarios::measure),
    ("hurl", hurl::measure),
    ("reports", hurl::reports),
    ("many", hurl::many),
];
