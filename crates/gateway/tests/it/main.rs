//! The gateway as its peers see it.

mod bodies;
mod dialing;
mod floods;
mod hosts;
mod limits;
mod shutdown;
mod support;
mod ways_in;
