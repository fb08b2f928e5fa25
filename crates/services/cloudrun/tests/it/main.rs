//! The service from outside.

mod admin;
mod commands;
mod front;
mod functions;
mod proxy;
mod refusals;
mod rig;
