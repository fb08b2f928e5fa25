//! Runs scenario files in a world.
//!
//! The runner reads what people wrote (`scenario`), asks a [`World`] for a [`Site`] per case, applies `given`, makes the
//! steps and judges what came back. It knows nothing of rigs, gateways and services: all it does goes through the site,
//! as plain requests to public APIs. What happened is told as events; who makes text of them is not its business.

pub mod redact;
mod world;

pub use crate::world::{
    Advanced, Answer, Facts, Foundation, Kind, MintKey, MintOrder, Opened, Protocol, Received, Request, Site,
    SiteFault, Who, World, WorldFault,
};
