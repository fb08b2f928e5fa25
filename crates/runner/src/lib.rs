//! Runs scenario files in a world.
//!
//! The runner reads what people wrote (`scenario`), asks a [`World`] for a [`Site`] per case, applies `given`, makes the
//! steps and judges what came back. It knows nothing of rigs, gateways and services: all it does goes through the site,
//! as plain requests to public APIs. What happened is told as [`Event`]s; who makes text of them is not its business.

mod case;
mod catalogue;
mod evaluate;
mod events;
mod exchange;
mod files;
mod flaw;
pub mod given;
mod headers;
mod judge;
mod method_call;
mod plan;
mod process;
pub mod redact;
mod run;
mod shape;
mod step;
mod verify;
mod world;

pub use crate::{
    catalogue::Catalogue,
    events::{
        AnswerShown, CaseId, CaseReport, CommandReport, Event, Exchange, Failure, Outcome, Skip, Started, StepReport,
        Summary, WrongFile,
    },
    plan::{Filter, PathFault, Plan, Planned, Selection, Shard, ShardFault},
    run::{Options, run},
    world::{
        Advanced, Answer, Facts, Foundation, MintKey, MintOrder, Opened, Protocol, Received, Request, Site, SiteFault,
        Who, World, WorldFault, WorldName, word,
    },
};
