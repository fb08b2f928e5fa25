//! Runs scenario files in a world.
//!
//! The runner reads what people wrote (`scenario`), asks a [`World`] for a [`Site`] per case, applies `given`, makes the
//! steps and judges what came back. It knows nothing of rigs, gateways and services: all it does goes through the site,
//! as plain requests to public APIs. What happened is told as [`Event`]s; who makes text of them is not its business.

mod evaluate;
mod events;
mod flaw;
mod method_call;
mod process;
pub mod redact;
mod shape;
mod verify;
mod world;

pub use crate::{
    events::{
        AnswerShown, CaseId, CaseReport, CommandReport, Event, Exchange, Failure, Outcome, Skip, Started, StepReport,
        Summary, WrongFile,
    },
    world::{
        Advanced, Answer, Facts, Foundation, MintKey, MintOrder, Opened, Protocol, Received, Request, Site, SiteFault,
        Who, World, WorldFault, WorldName, word,
    },
};
