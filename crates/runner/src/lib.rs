//! Runs scenario files in a world.
//!
//! The runner reads what people wrote (`scenario`), asks a [`World`] for a [`Site`] per case, applies `given`, makes the
//! steps and judges what came back. It knows nothing of rigs, gateways and services: all it does goes through the site,
//! as plain requests to public APIs. What happened is told as [`Event`]s; who makes text of them is not its business.
//!
//! - [`Plan`]: all files are read first; wrong ones are set aside with all their faults; filters and shards.
//! - [`World`] and [`Site`]: what a world must offer. Everything in them is object-safe.
//! - [`run`](fn@run): the cases side by side, each in a site of its own, and a [`Summary`] with the exit code.
//! - [`given`]: putting a given document in place, which `exec` and `serve` do too.
//! - [`redact`]: tokens and keys are never shown whole.
//!
//! ```no_run
//! use std::sync::Arc;
//! use tokenrig_runner::{Event, Options, Plan, Selection, World, run};
//!
//! async fn all(world: Arc<dyn World>) -> u8 {
//!     let selection = Selection { paths: vec!["scenarios".into()], ..Selection::default() };
//!     let plan = Plan::read(&selection).expect("the folder is there");
//!     let summary = run(world, &plan, &Options::default(), |event| {
//!         if let Event::CaseEnded(report) = event {
//!             // a report makes text of it
//!             drop(report);
//!         }
//!     })
//!     .await;
//!     summary.exit_code()
//! }
//! ```

mod case;
mod catalogue;
mod evaluate;
mod events;
mod exchange;
mod files;
pub mod given;
mod headers;
mod judge;
mod keep;
mod method_call;
mod plan;
mod process;
pub mod redact;
mod run;
mod shape;
mod step;
mod stop;
mod verify;
mod world;

pub use crate::{
    catalogue::Catalogue,
    events::{
        AnswerShown, CaseId, CaseReport, CommandReport, Cut, Event, Exchange, Failure, Outcome, Repeat, Skip, Started,
        StepReport, Summary, TokenShown, WrongFile,
    },
    files::external_account,
    plan::{CaseKey, Filter, PathFault, Plan, Planned, Selection, Shard, ShardFault},
    run::{Options, run},
    stop::Stop,
    world::{
        Advanced, Answer, Facts, Foundation, MintKey, MintOrder, Opened, Placed, Protocol, Received, Request, Site,
        SiteFault, Who, World, WorldFault, WorldName, word,
    },
};
