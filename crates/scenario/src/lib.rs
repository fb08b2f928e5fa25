//! The files that people write: scenarios and given documents.
//!
//! A scenario is one YAML file: what is given, what is done, what must come of it. Every value is a [`Template`]: it may
//! have holes `${…}` of CEL. This crate reads a file into a [`Scenario`] and, row by row, into a [`Play`]: typed steps and
//! a typed [`Given`], every field of Google's checked against the method table of `protos`. It evaluates nothing, and
//! knows no network and no clock.
//!
//! What is wrong is told as [`Diagnostic`]s, all at once, each with its places, the nearest known word and what to do;
//! making text of them for people is the reports' business. Places are exact to the character, inside of quoted, folded
//! and block text too: [`Expr::place`] leads from a part of an expression back to the file.
//!
//! Files may come from anybody: size, depth and number of values are bounded, anchors, aliases, tags and merge keys are
//! refused, included files stay within the folder of the first one. Nothing here panics on what is in a file.
//!
//! The way of a file: `yaml` makes nodes of it by scalar rules of our own, `compile` finds the holes and compiles their
//! CEL, `document` and `given` take the templates apart, `steps` and `expect` read one step, `sight` checks what
//! expressions can see from where they stand, `rows` puts the row's nodes into their spots, `order` finds out what has to
//! be created first. Known words stand in one table, `words`; a word whose service is not built yet is known and says so.
//!
//! ```
//! use tokenrig_scenario::{Folder, Verb, parse_scenario};
//!
//! let text = r#"
//! scenario: A private service lets nobody in without a token
//! given:
//!   run.services: { orders: {} }
//! cases:
//!   - { case: no token at all, path: /hello, expect: { status: 403 } }
//! steps:
//!   - http: GET ${orders.uri}${case.path}
//!     expect: ${case.expect}
//! "#;
//! let scenario = parse_scenario("orders.yaml", text.as_bytes(), &Folder(".".into())).unwrap();
//! let play = scenario.play(0);
//! assert!(matches!(play.steps[0].verb, Verb::Http { .. }));
//! assert!(play.steps[0].expect.as_ref().unwrap().status.is_some());
//!
//! let faults = parse_scenario("orders.yaml", b"scenario: Nothing\nstep: []\n", &Folder(".".into())).unwrap_err();
//! assert_eq!(faults.diagnostics[1].code, "file::unknown-key");
//! assert_eq!(faults.sources.place(faults.diagnostics[1].span()), "orders.yaml:2:1");
//! ```

mod aws;
mod command;
mod compile;
mod diagnostic;
mod document;
mod expect;
mod fields;
mod given;
mod holes;
mod include;
mod knative;
mod lint;
mod load;
mod merge;
mod model;
mod moment;
mod order;
mod pasted;
mod people;
mod places;
mod read;
mod reader;
mod reference;
mod rows;
mod schema;
mod sight;
mod source;
mod steps;
mod syntax;
mod template;
mod things;
mod verbs;
mod words;
mod yaml;

pub use crate::{
    diagnostic::{Diagnostic, Faults, Label, Patch, Severity},
    load::{Folder, Loader},
    model::{
        Case, Expect, ExpectDecision, ExpectToken, Given, GivenName, GivenResource, HttpBody, Mint, Over, Play,
        Scenario, Step, Verb, Who, WorldName,
    },
    moment::{Moment, duration, instant},
    read::{GivenText, parse_given, parse_givens, parse_scenario, read_given, read_givens, read_scenario},
    reference::key_reference,
    schema::{SchemaOf, as_json, schema},
    source::{MAX_BYTES, Position, Source, SourceId, Sources, Span},
    template::{Expr, Key, Kind, Piece, RowUse, Template},
    words::{MISBEHAVIOURS, REFRESH_STATES, RigCall, nearest},
};
pub use tokenrig_jose::forge::Flaw;
