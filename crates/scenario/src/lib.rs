//! The files that people write: scenarios and given documents.
//!
//! Skeleton; see the modules.

mod command;
mod compile;
mod diagnostic;
mod document;
mod expect;
mod fields;
mod given;
mod holes;
mod include;
mod lint;
mod load;
mod model;
mod moment;
mod order;
mod places;
mod read;
mod reader;
mod rows;
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
    read::{parse_given, parse_scenario, read_given, read_scenario},
    source::{MAX_BYTES, Position, Source, SourceId, Sources, Span},
    template::{Expr, Key, Kind, Piece, RowUse, Template},
    words::{Flaw, Misbehaviour, RigCall, nearest},
};
