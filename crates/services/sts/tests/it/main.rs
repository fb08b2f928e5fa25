//! The service from outside.

mod aws;
mod checks;
mod downscoping;
mod introspection;
mod keys;
mod properties;
mod refusals;
mod requests;
mod rig;
